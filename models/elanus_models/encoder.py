"""A model made ready: its files found, its graph chosen or converted, its texts tokenised and run in batches."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar

import numpy as np

from elanus_models.batching import Ints, pad, plan_batches
from elanus_models.cache import default_cache_dir, keep
from elanus_models.cpu import Choice, Precision, choose_precision, signed_weights_saturate, usable_cpus
from elanus_models.errors import InvalidInput, ModelCorrupt, ModelUnsupported
from elanus_models.finding.folder import MANIFEST, read_config
from elanus_models.finding.resolve import Source, Wish, resolve
from elanus_models.graphs.architecture import FAMILIES, EncoderConfig, longest_text
from elanus_models.graphs.convert import Conversion, convert
from elanus_models.graphs.heads import Head
from elanus_models.model import Floats, positive
from elanus_models.session import Session, open_tokenizer

if TYPE_CHECKING:
    from typing_extensions import Unpack as Unpack

PrecisionName = Literal["auto", "int8", "float32"]
QUANTISATION = {"int8": "row-int8/1", "float32": "none"}
"""Named in fingerprints: the number rises only when vectors change."""

_WINDOW = 4096
"""Texts tokenised and sorted by length at a time: bounds memory, and still fills batches evenly."""

Found = TypeVar("Found")


@dataclass(frozen=True)
class Settings:
    """How a model is run; see `OnnxEmbedding`, whose arguments these are."""

    precision: PrecisionName = "auto"
    max_length: int | None = None
    batch_tokens: int = 256
    threads: int | None = None
    cache_dir: str | os.PathLike[str] | None = None
    revision: str | None = None
    file: str | None = None

    def find(self, model: str | os.PathLike[str]) -> Source:
        """Resolve a model's name."""
        return resolve(model, Wish(self.revision, self.file, self.precision == "int8"))

    def __post_init__(self) -> None:
        if self.precision not in ("auto", "int8", "float32"):
            raise InvalidInput(f"precision must be 'auto', 'int8' or 'float32', not {self.precision!r}")
        positive("batch_tokens", self.batch_tokens)
        if self.threads is not None:
            positive("threads", self.threads)


class SettingsArguments(TypedDict, total=False):
    """The fields of `Settings` as keyword arguments."""

    precision: PrecisionName
    max_length: int | None
    batch_tokens: int
    threads: int | None
    cache_dir: str | os.PathLike[str] | None
    revision: str | None
    file: str | None


@dataclass
class Tokens:
    """Tokenised texts; `types` are those of pairs, `attended` how many of each text's tokens take part in attention."""

    rows: list[list[int]]
    types: list[list[int]] | None = None
    attended: list[int] | None = None
    lengths: Ints = field(init=False)

    def __post_init__(self) -> None:
        self.lengths = np.fromiter(map(len, self.rows), np.int64, len(self.rows))


@dataclass(frozen=True)
class Batch:
    """One run of the graph: its outputs and how many tokens each text has."""

    outputs: list[Floats]
    lengths: Ints
    rows: list[list[int]]


class OnnxEncoder:
    """Texts in, outputs of an ONNX graph out. One object may be used by many threads."""

    def __init__(self, source: Source, head: Head, settings: Settings) -> None:
        self.source = source
        self.settings = settings
        self.threads = usable_cpus() if settings.threads is None else settings.threads
        self._config = read_config(source.files.folder, "config.json")
        self.max_length = self._limit(settings.max_length)
        self._manifest = read_config(source.files.folder, MANIFEST)
        self.choice = self._made_as(head) if self._manifest else _choose(settings.precision, source)
        self.tokenizer = open_tokenizer(source.files.tokenizer, self.max_length)
        self.pad_id = int(self._config.get("pad_token_id") or 0)
        self.session, self.graph_origin = self._open(head)

    @classmethod
    def find(cls, model: str | os.PathLike[str], head: Head, settings: Settings) -> OnnxEncoder:
        """Resolve a model's name and make it ready."""
        return cls(settings.find(model), head, settings)

    @property
    def config(self) -> dict[str, Any]:
        """The model's parsed `config.json`."""
        return self._config

    @property
    def quantisation(self) -> str:
        """What fingerprints say about the arithmetic."""
        if self.source.files.weights is not None:
            return QUANTISATION[self.choice.precision]
        return str(self._manifest.get("quantisation", "by batch" if self.source.files.int8 else "none"))

    @property
    def weights_sha256(self) -> str:
        """The digest of the weights that the graph was made from, or of the graph itself."""
        return str(self._manifest.get("weights_sha256", self.source.weights_sha256))

    def info(self) -> dict[str, Any]:
        """Return what was found and chosen, and why."""
        source = self.source
        return {
            "name": source.card.name,
            "folder": str(source.files.folder),
            "origin": source.origin,
            "chosen": source.files.reason,
            "graph": self.graph_origin,
            "precision": self.choice.precision,
            "precision_reason": self.choice.reason,
            "max_length": self.max_length,
            "batch_tokens": self.settings.batch_tokens,
            "threads": self.threads,
            "weights_sha256": self.weights_sha256,
            "license": source.card.license,
        }

    def run(
        self,
        texts: Sequence[str] | Sequence[tuple[str, str]],
        outputs: Sequence[str],
        finish: Callable[[Batch], Found],
        advance: Callable[[int], object] = lambda count: None,
    ) -> Iterator[tuple[Ints, Found]]:
        """Run texts, or pairs of texts, and give what `finish` makes of each batch, with its texts' numbers."""
        for start in range(0, len(texts), _WINDOW):
            tokens = self.tokenize(texts[start : start + _WINDOW], start)
            for numbers, found in self.run_tokens(tokens, outputs, finish):
                yield numbers + start, found
                advance(len(numbers))

    def tokenize(self, texts: Sequence[str] | Sequence[tuple[str, str]], start: int = 0) -> Tokens:
        """Tokenise texts or pairs, cut to the model's length; errors count texts from `start`."""
        try:
            encodings = self.tokenizer.encode_batch_fast(list(texts))
        except (TypeError, UnicodeError) as error:
            for number, text in enumerate(texts):
                _check_encodable(text, start + number)
            raise InvalidInput(f"the tokenizer refused the texts: {error}") from error
        pairs = bool(texts) and not isinstance(texts[0], str)
        return Tokens([e.ids for e in encodings], [e.type_ids for e in encodings] if pairs else None)

    def run_tokens(
        self, tokens: Tokens, outputs: Sequence[str], finish: Callable[[Batch], Found]
    ) -> Iterator[tuple[Ints, Found]]:
        """Run tokenised texts in batches of like length, several batches at once."""
        batches = plan_batches(tokens.lengths, self.settings.batch_tokens)

        def work(batch: Ints) -> Found:
            return finish(self._run(tokens, batch, outputs))

        workers = min(self.threads, len(batches))
        if workers <= 1:
            yield from ((batch, work(batch)) for batch in batches)
            return
        executor = ThreadPoolExecutor(workers, thread_name_prefix="elanus-models")
        try:
            yield from zip(batches, executor.map(work, batches), strict=True)
        finally:
            executor.shutdown(wait=True, cancel_futures=True)

    def _run(self, tokens: Tokens, batch: Ints, outputs: Sequence[str]) -> Batch:
        numbers = batch.tolist()
        rows = [tokens.rows[i] for i in numbers]
        ids, mask = pad(rows, self.pad_id)
        if tokens.attended is not None:
            mask[np.arange(ids.shape[1]) >= np.array([tokens.attended[i] for i in numbers])[:, None]] = 0
        types = None if tokens.types is None else pad([tokens.types[i] for i in numbers], 0)[0]
        return Batch(self.session.run(outputs, ids, mask, types), tokens.lengths[batch], rows)

    def _made_as(self, head: Head) -> Choice:
        """Return the precision of a folder that `export` made, if it is what was asked for."""
        folder, made, asked = self.source.files.folder, self._manifest, self.settings.precision
        if made.get("head") != head:
            raise ModelUnsupported(f"{folder} was converted with the head '{made.get('head')}', not '{head}'")
        if asked not in ("auto", made.get("precision")):
            raise ModelUnsupported(f"{folder} was converted to {made.get('precision')} and has no {asked}")
        return Choice(made["precision"], "converted so")

    def _limit(self, asked: object) -> int:
        """Return the limit of tokens per text: what was asked for, else the card's."""
        card = self.source.card
        most = longest_text(self._config) or card.max_length
        if asked is None:
            return min(card.max_length, most)
        length = positive("max_length", asked)
        if not 3 <= length <= most:
            raise InvalidInput(f"max_length must be between 3 and {most} for '{card.name}', not {length}")
        return length

    def _open(self, head: Head) -> tuple[Session, str]:
        """Open the model's graph, converting it if no earlier conversion is in the cache."""
        files, settings = self.source.files, self.settings
        if files.weights is None:
            assert files.onnx is not None
            return Session(files.onnx, str(files.onnx)), str(files.onnx)
        weights = files.weights
        config = EncoderConfig.read(self._config, files.folder / "config.json")
        unsigned = self.choice.precision == "int8" and signed_weights_saturate()
        wanted = Conversion(head, self.choice.precision, tuple(self.tokenizer.encode("").ids), unsigned)
        cache = default_cache_dir() if settings.cache_dir is None else Path(settings.cache_dir)
        path = cache / wanted.file_name(self.source.card.name, self._config, self.source.weights_sha256)
        if path.is_file():
            # A damaged file in the cache is made anew, not reported.
            with contextlib.suppress(ModelCorrupt):
                return Session(path, str(path)), str(path)
        kept = keep(path, lambda: convert(weights, config, wanted))
        where = "in memory" if isinstance(kept, bytes) else str(kept)
        return Session(kept, f"the conversion of {weights}"), where


def _choose(precision: str, source: Source) -> Choice:
    files = source.files
    if files.weights is None:
        own: Precision = "int8" if files.int8 else "float32"
        if precision not in ("auto", own):
            raise ModelUnsupported(
                f"{files.onnx} is {own}; precision='{precision}' needs the model.safetensors of an encoder that is "
                f"converted here ({', '.join(FAMILIES)}), or another file"
            )
        return Choice(own, files.reason)
    if precision == "int8":
        return Choice("int8", "asked for")
    return Choice("float32", "asked for") if precision == "float32" else choose_precision()


def _check_encodable(text: Sequence[str], number: int) -> None:
    for part in (text,) if isinstance(text, str) else text:
        try:
            part.encode("utf-8")
        except UnicodeEncodeError as error:
            raise InvalidInput(
                f"texts[{number}] holds a lone surrogate at position {error.start}; encode it with errors='replace' "
                "first"
            ) from error
