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
    from elanus_models.embedding import OnnxEmbedding
    from elanus_models.errors import (
        InvalidInput,
        MissingDependency,
        ModelCorrupt,
        ModelError,
        ModelNotFound,
        ModelUnsupported,
    )

_HOMES = {
    "CARDS": "catalogue",
    "InvalidInput": "errors",
    "MissingDependency": "errors",
    "ModelCard": "card",
    "ModelCorrupt": "errors",
    "ModelError": "errors",
    "ModelNotFound": "errors",
    "ModelUnsupported": "errors",
    "OnnxEmbedding": "embedding",
    "WheelSource": "card",
    "find_card": "catalogue",
}

__all__ = [
    "CARDS",
    "InvalidInput",
    "MissingDependency",
    "ModelCard",
    "ModelCorrupt",
    "ModelError",
    "ModelNotFound",
    "ModelUnsupported",
    "OnnxEmbedding",
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
