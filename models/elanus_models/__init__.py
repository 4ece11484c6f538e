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
    from elanus_models.bm25 import Bm25Embedding
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
        ProviderError,
        ProviderRefused,
        RateLimited,
    )
    from elanus_models.finding.card import ModelCard, WheelSource
    from elanus_models.finding.catalogue import CARDS, find_card
    from elanus_models.http.card import ProviderCard
    from elanus_models.http.embedding import HttpEmbedding
    from elanus_models.http.providers import PROVIDERS
    from elanus_models.http.reranker import HttpReranker
    from elanus_models.late_interaction import LateInteraction
    from elanus_models.model import Embedder, Reranker, RerankResult
    from elanus_models.multi import BgeM3Embedding, MultiVectors
    from elanus_models.remembering.embedding import CachedEmbedding
    from elanus_models.sentence_transformer import SentenceTransformerEmbedding, SentenceTransformerReranker
    from elanus_models.splade import SpladeEmbedding
    from elanus_models.static import StaticEmbedding
    from elanus_models.token_vectors import TokenEmbedding

_HOMES = {
    "BgeM3Embedding": "multi",
    "Bm25Embedding": "bm25",
    "CARDS": "finding.catalogue",
    "CachedEmbedding": "remembering.embedding",
    "DownloadFailed": "errors",
    "Embedder": "model",
    "HttpEmbedding": "http.embedding",
    "HttpReranker": "http.reranker",
    "InvalidInput": "errors",
    "LateInteraction": "late_interaction",
    "MissingDependency": "errors",
    "ModelCard": "finding.card",
    "ModelCorrupt": "errors",
    "ModelError": "errors",
    "ModelNotFound": "errors",
    "ModelUnsupported": "errors",
    "MultiVectors": "multi",
    "OnnxEmbedding": "embedding",
    "OnnxReranker": "cross_encoder",
    "PROVIDERS": "http.providers",
    "ProviderCard": "http.card",
    "ProviderError": "errors",
    "ProviderRefused": "errors",
    "RateLimited": "errors",
    "RerankResult": "model",
    "Reranker": "model",
    "SentenceTransformerEmbedding": "sentence_transformer",
    "SentenceTransformerReranker": "sentence_transformer",
    "SpladeEmbedding": "splade",
    "StaticEmbedding": "static",
    "TokenEmbedding": "token_vectors",
    "WheelSource": "finding.card",
    "find_card": "finding.catalogue",
}

__all__ = [
    "CARDS",
    "PROVIDERS",
    "BgeM3Embedding",
    "Bm25Embedding",
    "CachedEmbedding",
    "DownloadFailed",
    "Embedder",
    "HttpEmbedding",
    "HttpReranker",
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
    "ProviderCard",
    "ProviderError",
    "ProviderRefused",
    "RateLimited",
    "RerankResult",
    "Reranker",
    "SentenceTransformerEmbedding",
    "SentenceTransformerReranker",
    "SpladeEmbedding",
    "StaticEmbedding",
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
