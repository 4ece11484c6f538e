"""Embedding models on the CPU, without torch and without knowing any store.

>>> from elanus_models import OnnxEmbedding
>>> model = OnnxEmbedding("all-MiniLM-L6-v2")
>>> model.embed_documents(["a kite hovers", "the wind drops"]).shape
(2, 384)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from elanus_models.card import ModelCard, WheelSource
    from elanus_models.catalogue import CARDS, find_card
    from elanus_models.cross_encoder import OnnxReranker
    from elanus_models.embedding import OnnxEmbedding
    from elanus_models.errors import (
        DownloadFailed,
        InvalidInput,
        MissingDependency,
        ModelCorrupt,
        ModelError,
        ModelNotFound,
        ModelUnsupported,
    )
    from elanus_models.late_interaction import LateInteraction
    from elanus_models.model import Embedder, Reranker, RerankResult
    from elanus_models.multi import BgeM3Embedding, MultiVectors
    from elanus_models.splade import SpladeEmbedding
    from elanus_models.token_vectors import TokenEmbedding

_HOMES = {
    "BgeM3Embedding": "multi",
    "CARDS": "catalogue",
    "DownloadFailed": "errors",
    "Embedder": "model",
    "InvalidInput": "errors",
    "LateInteraction": "late_interaction",
    "MissingDependency": "errors",
    "ModelCard": "card",
    "ModelCorrupt": "errors",
    "ModelError": "errors",
    "ModelNotFound": "errors",
    "ModelUnsupported": "errors",
    "MultiVectors": "multi",
    "OnnxEmbedding": "embedding",
    "OnnxReranker": "cross_encoder",
    "RerankResult": "model",
    "Reranker": "model",
    "SpladeEmbedding": "splade",
    "TokenEmbedding": "token_vectors",
    "WheelSource": "card",
    "find_card": "catalogue",
}

__all__ = [
    "CARDS",
    "BgeM3Embedding",
    "DownloadFailed",
    "Embedder",
    "InvalidInput",
    "LateInteraction",
    "MissingDependency",
    "ModelCard",
    "ModelCorrupt",
    "ModelError",
    "ModelNotFound",
    "ModelUnsupported",
    "MultiVectors",
    "OnnxEmbedding",
    "OnnxReranker",
    "RerankResult",
    "Reranker",
    "SpladeEmbedding",
    "TokenEmbedding",
    "WheelSource",
    "find_card",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'elanus_models' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"elanus_models.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
