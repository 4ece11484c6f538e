"""Text to one dense vector with an ONNX encoder on the CPU."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np

from elanus_models.encoder import Batch, OnnxEncoder, PrecisionName, Settings
from elanus_models.errors import InvalidInput, ModelCorrupt
from elanus_models.finding.card import ModelCard
from elanus_models.model import Embedder, Floats, Role, positive, progress
from elanus_models.pooling import POOLINGS, Pooling, normalize, pool

_OUTPUTS = ("last_hidden_state", "token_embeddings", "sentence_embedding", "dense_vecs", "text_embeds")


class OnnxEmbedding(Embedder[Floats]):
    """A dense embedding model that runs on ONNX Runtime, without torch.

    `model` is a folder, or the name of a model card or of a repository on the hub. `precision` "auto" takes row-wise
    int8 where the CPU has instructions for it. `max_length` is the limit of tokens per text, special ones included;
    longer texts are cut. `dim` keeps that many of the first numbers of each vector, for models that were trained for it
    (Matryoshka). `pooling`, `normalize` and the prefixes are the model's own unless given. `batch_tokens` bounds a
    batch with its padding, `threads` the batches that run at once. Converted models are kept in `cache_dir`, by default
    $ELANUS_CACHE or the platform's cache folder. `revision` is a branch, tag or commit on the hub, `file` one of the
    model's ONNX files, in place of its weights. `info()` tells what was chosen and why. One object may be used by many
    threads.

    Raises ModelNotFound, ModelCorrupt, ModelUnsupported, DownloadFailed, MissingDependency or InvalidInput.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] = "all-MiniLM-L6-v2",
        *,
        precision: PrecisionName = "auto",
        max_length: int | None = None,
        dim: int | None = None,
        pooling: Pooling | None = None,
        normalize: bool | None = None,
        query_prefix: str | None = None,
        document_prefix: str | None = None,
        batch_tokens: int = 256,
        threads: int | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        revision: str | None = None,
        file: str | None = None,
        show_progress: bool = False,
    ) -> None:
        settings = Settings(precision, max_length, batch_tokens, threads, cache_dir, revision, file)
        self.show_progress = show_progress
        source = settings.find(model)
        given: dict[str, Any] = {
            "pooling": pooling,
            "normalize": normalize,
            "query_prefix": query_prefix,
            "document_prefix": document_prefix,
        }
        self._card = _checked(replace(source.card, **{name: v for name, v in given.items() if v is not None}))
        self._dim = _matryoshka(dim, self._card)
        self._encoder = OnnxEncoder(source, "hidden", settings)
        self._output = self._encoder.session.pick(_OUTPUTS)
        shape = self._encoder.session.outputs[self._output]
        self._pooled = len(shape) == 2
        if shape[-1] != self._card.dim and isinstance(shape[-1], int):
            raise ModelCorrupt(
                f"{self._encoder.graph_origin} gives vectors of {shape[-1]}, not {self._card.dim} numbers"
            )

    def _identity(self) -> dict[str, Any]:
        card = self._card
        parts = {
            "weights": f"sha256:{self._encoder.weights_sha256}",
            "pooling": card.pooling,
            "normalize": card.normalize,
            "query_prefix": card.query_prefix,
            "document_prefix": card.document_prefix,
            "quantisation": self._encoder.quantisation,
        }
        if self._dim != card.dim:
            parts["dim"] = self._dim
        return parts

    def info(self) -> dict[str, Any]:
        """Return what was found and chosen, and why."""
        card = self._card
        return {
            **self._encoder.info(),
            "dim": self._dim,
            "pooling": card.pooling,
            "normalize": card.normalize,
            "query_prefix": card.query_prefix,
            "document_prefix": card.document_prefix,
            "fingerprint": self.fingerprint,
        }

    def settled(self) -> dict[str, Any]:
        """Return the precision, so that another CPU gives the same vectors."""
        return {"precision": self._encoder.choice.precision}

    def __repr__(self) -> str:
        encoder = self._encoder
        return (
            f"OnnxEmbedding('{self._card.name}', dim={self._dim}, precision='{encoder.choice.precision}', "
            f"max_length={encoder.max_length}, threads={encoder.threads})"
        )

    def _embed(self, texts: list[str], role: Role) -> Floats:
        prefix = self._card.document_prefix if role == "document" else self._card.query_prefix
        prefixed = [prefix + text for text in texts] if prefix else texts
        vectors = np.empty((len(texts), self._dim), dtype=np.float32)
        with progress(len(texts), self.show_progress) as advance:
            for numbers, found in self._encoder.run(prefixed, [self._output], self._finish, advance):
                vectors[numbers] = found
        return vectors

    def _finish(self, batch: Batch) -> Floats:
        out = batch.outputs[0]
        vectors = out if self._pooled else pool(out, batch.lengths, self._card.pooling)
        vectors = vectors[:, : self._dim]
        return normalize(vectors) if self._card.normalize else vectors


def _checked(card: ModelCard) -> ModelCard:
    if card.pooling not in POOLINGS:
        raise InvalidInput(f"pooling must be one of {', '.join(POOLINGS)}, not {card.pooling!r}")
    if not isinstance(card.normalize, bool):
        raise InvalidInput(f"normalize must be True or False, not {card.normalize!r}")
    for name in ("query_prefix", "document_prefix"):
        if not isinstance(getattr(card, name), str):
            raise InvalidInput(f"{name} must be a str, not {getattr(card, name)!r}")
    return card


def _matryoshka(dim: object, card: ModelCard) -> int:
    if dim is None:
        return card.dim
    if positive("dim", dim) > card.dim:
        raise InvalidInput(f"dim must be at most {card.dim} for '{card.name}', not {dim}")
    return int(dim)  # type: ignore[call-overload, no-any-return]
