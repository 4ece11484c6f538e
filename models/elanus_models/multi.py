"""Dense, sparse and token vectors of a text in one pass (BGE-M3, arXiv 2402.03216)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from elanus_models.encoder import Batch, OnnxEncoder, Settings, SettingsArguments
from elanus_models.errors import ModelUnsupported
from elanus_models.model import Embedder, Floats, Role, Sparse, progress
from elanus_models.pooling import normalize

if TYPE_CHECKING:
    from typing_extensions import Unpack

DENSE, SPARSE, TOKENS = "dense_vecs", "sparse_vecs", "colbert_vecs"


class MultiVectors(TypedDict):
    """What a text becomes: `dense` is float32 (texts, dim), the others are lists of one entry per text."""

    dense: Floats
    sparse: list[Sparse]
    tokens: list[Floats]


class BgeM3Embedding(Embedder[MultiVectors]):
    """BGE-M3 and models like it, whose ONNX graph gives `dense_vecs`, `sparse_vecs` and `colbert_vecs` together.

    `model` is a folder or a name, as for `OnnxEmbedding`. `settings` are those of `OnnxEmbedding`: `precision`,
    `max_length`, `batch_tokens`, `threads`, `cache_dir`, `revision`, `file`. A sparse vector's keys are token numbers.

    Raises ModelNotFound, ModelCorrupt, ModelUnsupported, DownloadFailed, MissingDependency or InvalidInput.
    """

    gives = "multi"

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        show_progress: bool = False,
        **settings: Unpack[SettingsArguments],
    ) -> None:
        self.show_progress = show_progress
        self._encoder = OnnxEncoder.find(model, "hidden", Settings(**settings))
        outputs = self._encoder.session.outputs
        absent = [name for name in (DENSE, SPARSE, TOKENS) if name not in outputs]
        if absent:
            raise ModelUnsupported(
                f"{self._encoder.graph_origin} does not give {', '.join(absent)} (only {', '.join(outputs)}); "
                "use OnnxEmbedding for its dense vectors"
            )
        size = outputs[DENSE][-1]
        self._dim = size if isinstance(size, int) else self._encoder.source.card.dim
        self._special = frozenset(self._encoder.tokenizer.encode("").ids) | {self._encoder.pad_id}

    def _identity(self) -> dict[str, Any]:
        encoder = self._encoder
        return {
            "weights": f"sha256:{encoder.weights_sha256}",
            "pooling": "multi",
            "quantisation": encoder.quantisation,
        }

    def info(self) -> dict[str, Any]:
        """Return what was found and chosen, and why."""
        return {**self._encoder.info(), "dim": self._dim, "fingerprint": self.fingerprint}

    def __repr__(self) -> str:
        return f"BgeM3Embedding('{self._encoder.source.card.name}', dim={self._dim})"

    def _embed(self, texts: list[str], role: Role) -> MultiVectors:
        dense = np.empty((len(texts), self._dim), np.float32)
        sparse: list[Sparse] = [{}] * len(texts)
        tokens: list[Floats] = [dense] * len(texts)
        with progress(len(texts), self.show_progress) as advance:
            for numbers, found in self._encoder.run(texts, [DENSE, SPARSE, TOKENS], self._finish, advance):
                dense[numbers] = found["dense"]
                for place, number in enumerate(numbers.tolist()):
                    sparse[number], tokens[number] = found["sparse"][place], found["tokens"][place]
        return {"dense": dense, "sparse": sparse, "tokens": tokens}

    def _finish(self, batch: Batch) -> MultiVectors:
        dense, weights, tokens = batch.outputs
        lengths = batch.lengths.tolist()
        return {
            "dense": normalize(dense),
            "sparse": [self._terms(row, w) for row, w in zip(batch.rows, weights.reshape(len(dense), -1), strict=True)],
            # The graph leaves out the vector of the first, special token.
            "tokens": [normalize(row[: length - 1]) for row, length in zip(tokens, lengths, strict=True)],
        }

    def _terms(self, row: list[int], weights: Floats) -> Sparse:
        """Return each token's largest weight; special tokens have none."""
        terms: Sparse = {}
        for number, weight in zip(row, weights.tolist(), strict=False):
            if weight > terms.get(number, 0.0) and number not in self._special:
                terms[number] = weight
        return terms
