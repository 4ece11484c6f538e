"""Models run by sentence-transformers, on torch."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from elanus_models.errors import ModelUnsupported, missing
from elanus_models.model import Embedder, Floats, Reranker, Role, positive


class SentenceTransformerEmbedding(Embedder[Floats]):
    """Any model of sentence-transformers, for those that no other class here can run.

    `model` is a folder or a name on the hub. `dim` truncates (Matryoshka); `normalize` scales to unit length,
    whatever the model itself does. Queries and documents get the model's own prompts. `options` go to
    `SentenceTransformer` (revision, trust_remote_code, ...).

    Raises MissingDependency without sentence-transformers, and whatever it raises itself.
    """

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        device: str = "cpu",
        batch_size: int = 32,
        dim: int | None = None,
        normalize: bool = False,
        show_progress: bool = False,
        **options: Any,
    ) -> None:
        library = _library()
        self._name, self._device = os.fspath(model), device
        self._batch_size = positive("batch_size", batch_size)
        self._normalize = bool(normalize)
        self.show_progress = show_progress
        truncate = None if dim is None else positive("dim", dim)
        self._model = library.SentenceTransformer(self._name, device=device, truncate_dim=truncate, **options)
        size = getattr(self._model, "get_embedding_dimension", self._model.get_sentence_embedding_dimension)()
        if size is None:
            raise ModelUnsupported(f"'{self._name}' does not say how long its vectors are; give dim")
        self._dim = int(size)

    def _identity(self) -> dict[str, Any]:
        return {
            "sentence-transformers": self._name,
            "revision": getattr(self._model.model_card_data, "base_model_revision", None),
            "dim": self._dim,
            "normalize": self._normalize,
            "prompts": dict(self._model.prompts),
        }

    def info(self) -> dict[str, Any]:
        """Return what was found and chosen."""
        return {
            "name": self._name,
            "dim": self._dim,
            "device": self._device,
            "batch_size": self._batch_size,
            "normalize": self._normalize,
            "max_length": self._model.max_seq_length,
            "fingerprint": self.fingerprint,
        }

    def __repr__(self) -> str:
        return f"SentenceTransformerEmbedding('{self._name}', dim={self._dim}, device='{self._device}')"

    def _embed(self, texts: list[str], role: Role) -> Floats:
        if not texts:
            return np.empty((0, self._dim), np.float32)
        method = {"document": "encode_document", "query": "encode_query"}[role]
        encode = getattr(self._model, method, self._model.encode)
        found = encode(
            texts,
            batch_size=self._batch_size,
            normalize_embeddings=self._normalize,
            show_progress_bar=self.show_progress,
            convert_to_numpy=True,
        )
        return np.asarray(found, np.float32)


class SentenceTransformerReranker(Reranker):
    """Any cross-encoder of sentence-transformers, for those that `OnnxReranker` cannot run.

    `options` go to `CrossEncoder` (revision, max_length, trust_remote_code, ...).

    Raises MissingDependency without sentence-transformers, and whatever it raises itself.
    """

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        device: str = "cpu",
        batch_size: int = 32,
        show_progress: bool = False,
        **options: Any,
    ) -> None:
        self._name, self._device = os.fspath(model), device
        self._batch_size = positive("batch_size", batch_size)
        self.show_progress = show_progress
        self._model = _library().CrossEncoder(self._name, device=device, **options)
        if self._model.num_labels != 1:
            raise ModelUnsupported(f"'{self._name}' gives {self._model.num_labels} labels; a reranker has one")

    def info(self) -> dict[str, Any]:
        """Return what was found and chosen."""
        return {"name": self._name, "device": self._device, "batch_size": self._batch_size}

    def __repr__(self) -> str:
        return f"SentenceTransformerReranker('{self._name}', device='{self._device}')"

    def _score(self, query: str, documents: list[str]) -> Floats:
        pairs = [(query, document) for document in documents]
        found = self._model.predict(pairs, batch_size=self._batch_size, show_progress_bar=self.show_progress)
        return np.asarray(found, np.float32)


def _library() -> Any:
    try:
        import sentence_transformers
    except ImportError as error:
        raise missing("sentence-transformers", "sentence-transformers") from error
    return sentence_transformers
