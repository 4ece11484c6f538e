"""Text to one sparse vector of weighted vocabulary terms (SPLADE)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from elanus_models.encoder import Batch, OnnxEncoder, Settings, SettingsArguments
from elanus_models.errors import ModelUnsupported
from elanus_models.model import Embedder, Floats, Role, Sparse, positive, progress

if TYPE_CHECKING:
    from typing_extensions import Unpack

_OUTPUTS = ("terms", "logits", "output")


class SpladeEmbedding(Embedder[list[Sparse]]):
    """A SPLADE model on ONNX Runtime, without torch: a text becomes its terms' and related terms' weights.

    `model` is a folder or a name, as for `OnnxEmbedding`; its checkpoint is a masked language model, or its ONNX graph
    gives that model's logits. `max_terms` keeps only so many of the heaviest terms of each text. `settings` are those
    of `OnnxEmbedding`: `precision`, `max_length`, `batch_tokens`, `threads`, `cache_dir`, `revision`, `file`. The keys
    of a vector are token numbers; `terms` names them. Compare vectors by inner product.

    Raises ModelNotFound, ModelCorrupt, ModelUnsupported, DownloadFailed, MissingDependency or InvalidInput.
    """

    gives = "sparse"

    def __init__(
        self,
        model: str | os.PathLike[str] = "splade-tiny",
        *,
        max_terms: int | None = None,
        show_progress: bool = False,
        **settings: Unpack[SettingsArguments],
    ) -> None:
        self._max_terms = None if max_terms is None else positive("max_terms", max_terms)
        self.show_progress = show_progress
        self._encoder = OnnxEncoder.find(model, "terms", Settings(**settings))
        self._output = self._encoder.session.pick(_OUTPUTS)
        shape = self._encoder.session.outputs[self._output]
        self._pooled = len(shape) == 2
        vocabulary = self._encoder.config.get("vocab_size")
        if vocabulary is None or shape[-1] not in (vocabulary, *(s for s in shape if isinstance(s, str))):
            raise ModelUnsupported(
                f"{self._encoder.graph_origin} gives {shape[-1]} numbers, not one per term of the vocabulary "
                f"({vocabulary}); it is no SPLADE model"
            )
        self._dim = int(vocabulary)

    def _identity(self) -> dict[str, Any]:
        return {
            "weights": f"sha256:{self._encoder.weights_sha256}",
            "pooling": "splade-max",
            "max_terms": self._max_terms,
            "quantisation": self._encoder.quantisation,
        }

    def terms(self, vector: Sparse) -> dict[str, float]:
        """Return a vector with its terms' names in place of their numbers, heaviest first."""
        named = sorted(vector.items(), key=lambda item: -item[1])
        return {self._encoder.tokenizer.id_to_token(number): weight for number, weight in named}

    def info(self) -> dict[str, Any]:
        """Return what was found and chosen, and why."""
        return {
            **self._encoder.info(),
            "dim": self._dim,
            "max_terms": self._max_terms,
            "fingerprint": self.fingerprint,
        }

    def settled(self) -> dict[str, Any]:
        """Return the precision, so that another CPU gives the same vectors."""
        return {"precision": self._encoder.choice.precision}

    def __repr__(self) -> str:
        encoder = self._encoder
        return f"SpladeEmbedding('{encoder.source.card.name}', precision='{encoder.choice.precision}')"

    def _embed(self, texts: list[str], role: Role) -> list[Sparse]:
        vectors: list[Sparse] = [{}] * len(texts)
        with progress(len(texts), self.show_progress) as advance:
            for numbers, found in self._encoder.run(texts, [self._output], self._finish, advance):
                for number, vector in zip(numbers.tolist(), found, strict=True):
                    vectors[number] = vector
        return vectors

    def _finish(self, batch: Batch) -> list[Sparse]:
        out = batch.outputs[0]
        weights = out if self._pooled else _pooled_terms(out, batch.lengths.tolist())
        return [self._sparse(row) for row in weights]

    def _sparse(self, weights: Floats) -> Sparse:
        kept = np.flatnonzero(weights > 0)
        if self._max_terms is not None and len(kept) > self._max_terms:
            heaviest = np.argsort(-weights[kept], kind="stable")[: self._max_terms]
            kept = np.sort(kept[heaviest])
        return dict(zip(kept.tolist(), weights[kept].tolist(), strict=True))


def _pooled_terms(logits: Floats, lengths: list[int]) -> Floats:
    """Return log(1 + relu(largest logit)) of each text and term, from (texts, width, vocabulary)."""
    largest = np.stack([row[:length].max(axis=0) for row, length in zip(logits, lengths, strict=True)])
    pooled: Floats = np.log1p(np.maximum(largest, 0))
    return pooled
