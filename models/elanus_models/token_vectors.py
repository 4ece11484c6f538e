"""Text to one vector per token: ColBERT's models, or the token vectors of any encoder."""

from __future__ import annotations

import os
import string
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from elanus_models.encoder import Batch, OnnxEncoder, Settings, SettingsArguments, Tokens
from elanus_models.errors import InvalidInput
from elanus_models.finding.folder import read_config
from elanus_models.finding.resolve import Source
from elanus_models.graphs.architecture import TOKEN_PROJECTION
from elanus_models.graphs.safetensors import tensor_names
from elanus_models.model import Embedder, Floats, Role, progress
from elanus_models.pooling import normalize

if TYPE_CHECKING:
    from typing_extensions import Unpack

_OUTPUTS = ("token_embeddings", "last_hidden_state", "colbert_vecs", "contextual")


@dataclass(frozen=True)
class ColbertSettings:
    """How ColBERT marks its texts; None and 0 where a plain encoder has no such habit.

    A marker token follows the first one. Queries are filled up to `query_length` with mask tokens, whose vectors count
    although nothing attends to them. Punctuation of documents is left out.
    """

    query_marker: str | None = None
    document_marker: str | None = None
    query_length: int = 0
    skips_punctuation: bool = False

    @classmethod
    def read(cls, folder: Path) -> ColbertSettings:
        """Read a model's `artifact.metadata`, which only ColBERT's checkpoints have."""
        raw = read_config(folder, "artifact.metadata")
        if not raw:
            return cls()
        return cls(
            str(raw.get("query_token_id", "[unused0]")),
            str(raw.get("doc_token_id", "[unused1]")),
            int(raw.get("query_maxlen", 32)),
            bool(raw.get("mask_punctuation", True)),
        )


class TokenEmbedding(Embedder[list[Floats]]):
    """Vectors of unit length for the tokens of a text, without special ones: a list of float32 (tokens, dim).

    `model` is a folder or a name, as for `OnnxEmbedding`: a ColBERT checkpoint, whose projection and markers are
    applied, or any dense encoder. `settings` are those of `OnnxEmbedding`: `precision`, `max_length`, `batch_tokens`,
    `threads`, `cache_dir`, `revision`, `file`. Compare texts by MaxSim: see `LateInteraction`.

    Raises ModelNotFound, ModelCorrupt, ModelUnsupported, DownloadFailed, MissingDependency or InvalidInput.
    """

    gives = "tokens"

    def __init__(
        self,
        model: str | os.PathLike[str] = "all-MiniLM-L6-v2",
        *,
        show_progress: bool = False,
        **settings: Unpack[SettingsArguments],
    ) -> None:
        self.show_progress = show_progress
        chosen = Settings(**settings)
        source = chosen.find(model)
        self._encoder = OnnxEncoder(source, "tokens" if _has_projection(source) else "hidden", chosen)
        self._output = self._encoder.session.pick(_OUTPUTS)
        size = self._encoder.session.outputs[self._output][-1]
        self._dim = size if isinstance(size, int) else source.card.dim
        self._colbert = ColbertSettings.read(source.files.folder)
        self._markers = {
            "query": self._number(self._colbert.query_marker),
            "document": self._number(self._colbert.document_marker),
        }
        self._mask = self._number("[MASK]" if self._colbert.query_length else None)
        self._skipped = self._left_out()

    def _identity(self) -> dict[str, Any]:
        return {
            "weights": f"sha256:{self._encoder.weights_sha256}",
            "pooling": "none",
            "colbert": [self._colbert.query_marker, self._colbert.document_marker, self._colbert.query_length],
            "quantisation": self._encoder.quantisation,
        }

    def info(self) -> dict[str, Any]:
        """Return what was found and chosen, and why."""
        return {**self._encoder.info(), "dim": self._dim, "fingerprint": self.fingerprint}

    def settled(self) -> dict[str, Any]:
        """Return the precision, so that another CPU gives the same vectors."""
        return {"precision": self._encoder.choice.precision}

    def __repr__(self) -> str:
        encoder = self._encoder
        return f"TokenEmbedding('{encoder.source.card.name}', dim={self._dim}, precision='{encoder.choice.precision}')"

    def _embed(self, texts: list[str], role: Role) -> list[Floats]:
        vectors: list[Floats] = [np.empty((0, self._dim), np.float32)] * len(texts)
        card = self._encoder.source.card
        prefix = card.document_prefix if role == "document" else card.query_prefix
        with progress(len(texts), self.show_progress) as advance:
            tokens = self._marked(self._encoder.tokenize([prefix + text for text in texts]), role)
            for numbers, found in self._encoder.run_tokens(tokens, [self._output], self._finish):
                for number, vector in zip(numbers.tolist(), found, strict=True):
                    vectors[number] = vector
                advance(len(numbers))
        skipped = self._skipped[role]
        if not skipped:
            return vectors
        kept = [[place for place, number in enumerate(row) if number not in skipped] for row in tokens.rows]
        return [vector[places] for vector, places in zip(vectors, kept, strict=True)]

    def _left_out(self) -> dict[Role, frozenset[int]]:
        """Return the tokens whose vectors are not given: ColBERT's punctuation, else the special ones (measured)."""
        if self._markers["document"] is None:
            special = frozenset(self._encoder.tokenizer.encode("").ids)
            return {"query": special, "document": special}
        signs = string.punctuation if self._colbert.skips_punctuation else ""
        numbers = [self._encoder.tokenizer.token_to_id(sign) for sign in signs]
        return {"query": frozenset(), "document": frozenset(n for n in numbers if n is not None)}

    def _marked(self, tokens: Tokens, role: Role) -> Tokens:
        marker = self._markers[role]
        if marker is None:
            return tokens
        most = self._colbert.query_length if role == "query" else self._encoder.max_length
        rows = [_marked_row(row, marker, most) for row in tokens.rows]
        if role == "document" or self._mask is None:
            return Tokens(rows)
        return Tokens([row + [self._mask] * (most - len(row)) for row in rows], attended=[len(row) for row in rows])

    def _finish(self, batch: Batch) -> list[Floats]:
        lengths = batch.lengths.tolist()
        return [normalize(row[:length]) for row, length in zip(batch.outputs[0], lengths, strict=True)]

    def _number(self, token: str | None) -> int | None:
        if token is None:
            return None
        number: int | None = self._encoder.tokenizer.token_to_id(token)
        if number is None:
            raise InvalidInput(f"{self._encoder.source.files.tokenizer} has no token '{token}', which ColBERT needs")
        return number


def _marked_row(row: list[int], marker: int, most: int) -> list[int]:
    """Return a text's tokens with the marker in the second place, at most `most` of them, the last one kept."""
    marked = [*row[:1], marker, *row[1:]]
    return marked if len(marked) <= most else [*marked[: most - 1], marked[-1]]


def _has_projection(source: Source) -> bool:
    weights = source.files.weights
    return weights is not None and TOKEN_PROJECTION in tensor_names(weights)
