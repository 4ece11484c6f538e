"""Text to vectors with an ONNX encoder on the CPU."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np

from elanus_models.batching import Ints, pad, plan_batches
from elanus_models.bert import BertConfig
from elanus_models.cache import default_cache_dir, keep
from elanus_models.convert import cache_key, convert_bert
from elanus_models.cpu import Choice, choose_precision, signed_weights_saturate, usable_cpus
from elanus_models.errors import InvalidInput, ModelCorrupt, ModelUnsupported
from elanus_models.folder import read_config
from elanus_models.model import Embedder, Floats, Role, positive, progress
from elanus_models.pooling import normalize, pool
from elanus_models.resolve import Source, resolve
from elanus_models.session import Session, open_tokenizer

_QUANTISATION = {"int8": "row-int8/1", "float32": "none"}
"""Named in fingerprints: the number rises only when vectors change."""

_WINDOW = 4096
"""Texts tokenised and sorted by length at a time: bounds memory, and still fills batches evenly."""


class OnnxEmbedding(Embedder[Floats]):
    """An embedding model that runs on ONNX Runtime, without torch.

    `model` is a folder, or the name of a model card whose package is installed. `precision` "auto" takes
    row-wise int8 where the CPU has instructions for it. `max_length` is the limit of tokens per text, special
    ones included; longer texts are cut. `batch_tokens` bounds a batch with its padding, `threads` the batches
    that run at once. Converted models are kept in `cache_dir`, by default $ELANUS_CACHE or the platform's
    cache folder. One object may be used by many threads.

    Raises ModelNotFound, ModelCorrupt, ModelUnsupported, MissingDependency or InvalidInput.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] = "all-MiniLM-L6-v2",
        *,
        precision: Literal["auto", "int8", "float32"] = "auto",
        max_length: int | None = None,
        batch_tokens: int = 256,
        threads: int | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        show_progress: bool = False,
    ) -> None:
        if precision not in ("auto", "int8", "float32"):
            raise InvalidInput(f"precision must be 'auto', 'int8' or 'float32', not {precision!r}")
        self._batch_tokens = positive("batch_tokens", batch_tokens)
        self._threads = usable_cpus() if threads is None else positive("threads", threads)
        self.show_progress = show_progress
        self._source = resolve(model)
        self._card = self._source.card
        limit = self._card.max_length if max_length is None else _max_length(max_length, self._source)
        self._card = self._card.with_max_length(limit)
        self._choice = _choose(precision, self._source)
        cache = default_cache_dir() if cache_dir is None else Path(cache_dir)
        self._tokenizer = open_tokenizer(self._source.files.tokenizer, limit)
        blank = self._tokenizer.encode("").ids
        self._session, self._graph_origin = _open_session(self._source, self._choice, cache, blank)
        if self._session.dim not in (None, self.dim):
            raise ModelCorrupt(f"{self._graph_origin} gives vectors of {self._session.dim}, not {self.dim} numbers")
        self._pad_id = int(read_config(self._source.files.folder, "config.json").get("pad_token_id") or 0)

    @property
    def dim(self) -> int:
        """The length of every vector."""
        return self._card.dim

    @property
    def fingerprint(self) -> str:
        """What must agree for vectors to be comparable, as one stable line of text."""
        card = self._card
        parts = {
            "weights": f"sha256:{self._source.weights_sha256}",
            "pooling": card.pooling,
            "normalize": card.normalize,
            "query_prefix": card.query_prefix,
            "document_prefix": card.document_prefix,
            "quantisation": _QUANTISATION[self._choice.precision],
        }
        return json.dumps(parts, sort_keys=True, separators=(",", ":"))

    def info(self) -> dict[str, Any]:
        """Return what was found and chosen, and why."""
        card = self._card
        return {
            "name": card.name,
            "dim": card.dim,
            "folder": str(self._source.files.folder),
            "origin": self._source.origin,
            "graph": self._graph_origin,
            "precision": self._choice.precision,
            "precision_reason": self._choice.reason,
            "pooling": card.pooling,
            "normalize": card.normalize,
            "query_prefix": card.query_prefix,
            "document_prefix": card.document_prefix,
            "max_length": card.max_length,
            "batch_tokens": self._batch_tokens,
            "threads": self._threads,
            "weights_sha256": self._source.weights_sha256,
            "license": card.license,
            "fingerprint": self.fingerprint,
        }

    def __repr__(self) -> str:
        card = self._card
        return (
            f"OnnxEmbedding('{card.name}', dim={card.dim}, precision='{self._choice.precision}', "
            f"max_length={card.max_length}, threads={self._threads})"
        )

    def _embed(self, texts: list[str], role: Role) -> Floats:
        prefix = self._card.document_prefix if role == "document" else self._card.query_prefix
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        with progress(len(texts), self.show_progress) as advance:
            for start in range(0, len(texts), _WINDOW):
                rows = self._tokenize(texts, start, prefix)
                batches = plan_batches(np.fromiter(map(len, rows), np.int64, len(rows)), self._batch_tokens)
                for batch, found in zip(batches, self._run_all(rows, batches), strict=True):
                    vectors[batch + start] = found
                    advance(len(batch))
        return vectors

    def _tokenize(self, texts: list[str], start: int, prefix: str) -> list[list[int]]:
        window = texts[start : start + _WINDOW]
        prefixed = [prefix + text for text in window] if prefix else window
        try:
            return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(prefixed)]
        except (TypeError, UnicodeError) as error:
            for number, text in enumerate(window):
                _check_encodable(text, start + number)
            raise InvalidInput(f"the tokenizer refused the texts: {error}") from error

    def _run_all(self, rows: list[list[int]], batches: list[Ints]) -> Iterator[Floats]:
        """Give every batch's vectors in the order of the batches, several running at once."""
        picked = ([rows[i] for i in batch.tolist()] for batch in batches)
        workers = min(self._threads, len(batches))
        if workers <= 1:
            yield from map(self._run, picked)
            return
        executor = ThreadPoolExecutor(workers, thread_name_prefix="elanus-embed")
        try:
            yield from executor.map(self._run, picked)
        finally:
            executor.shutdown(wait=True, cancel_futures=True)

    def _run(self, rows: Sequence[Sequence[int]]) -> Floats:
        ids, mask = pad(rows, self._pad_id)
        out = self._session.run(ids, mask)
        vectors = out if self._session.pooled else pool(out, mask.sum(axis=1), self._card.pooling)
        return normalize(vectors) if self._card.normalize else vectors


def _choose(precision: str, source: Source) -> Choice:
    if source.files.weights is None:
        if precision == "int8":
            raise ModelUnsupported(
                f"{source.files.folder}: row-wise int8 is made from the model.safetensors of a BERT encoder; "
                "this model can only run its own ONNX graph, with precision='float32'"
            )
        return Choice("float32", "the folder's own ONNX graph")
    if precision == "int8":
        return Choice("int8", "asked for")
    return Choice("float32", "asked for") if precision == "float32" else choose_precision()


def _open_session(source: Source, choice: Choice, cache: Path, blank: list[int]) -> tuple[Session, str]:
    """Open the model's graph, converting it if no earlier conversion is in the cache."""
    files = source.files
    if files.weights is None:
        assert files.onnx is not None
        return Session(files.onnx, str(files.onnx)), str(files.onnx)
    weights = files.weights
    raw = read_config(files.folder, "config.json")
    config = BertConfig.read(raw, files.folder / "config.json")
    unsigned = choice.precision == "int8" and signed_weights_saturate()
    layout = "unsigned" if unsigned else "signed"
    path = cache / cache_key(source.card.name, raw, source.weights_sha256, choice.precision, layout)
    if path.is_file():
        # A damaged file in the cache is made anew, not reported.
        with contextlib.suppress(ModelCorrupt):
            return Session(path, str(path)), str(path)
    kept = keep(path, lambda: convert_bert(weights, config, choice.precision, blank, unsigned))
    where = "in memory" if isinstance(kept, bytes) else str(kept)
    return Session(kept, f"the conversion of {weights}"), where


def _check_encodable(text: str, number: int) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInput(
            f"texts[{number}] holds a lone surrogate at position {error.start}; encode it with errors='replace' first"
        ) from error


def _max_length(value: object, source: Source) -> int:
    length = positive("max_length", value)
    config = read_config(source.files.folder, "config.json")
    most = int(config.get("max_position_embeddings") or source.card.max_length)
    if not 3 <= length <= most:
        raise InvalidInput(f"max_length must be between 3 and {most} for '{source.card.name}', not {length}")
    return length
