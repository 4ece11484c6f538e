"""Elanus: an embedded vector store for RAG with the Milvus API, in one folder on disk."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from elanus.aio import AsyncClient
    from elanus.client import Client, connect
    from elanus.client.suggesting import Suggestion, suggest_weights
    from elanus.client.text_layout import TextFields, TextLayout, make_text_collection, read_text_layout
    from elanus.errors import (
        AliasConflict,
        AliasExists,
        AliasNotFound,
        AlreadyExists,
        CollectionNotFound,
        CollectionNotLoaded,
        ElanusError,
        FieldNotFound,
        FilterError,
        IndexNotFound,
        InvalidArgument,
        ModelFailed,
        ModelMismatch,
        NotFound,
        NotSupported,
        RowError,
        SchemaError,
        StoreBusy,
        StoreClosed,
        StoreError,
        StoreFormatError,
        StoreFull,
        StoreReadOnly,
    )
    from elanus.filter import Expression, F, translate_filter
    from elanus.knowledge import Document, KnowledgeBase
    from elanus.rank import (
        AnnSearchRequest,
        DBSFRanker,
        FunctionScore,
        RRFRanker,
        WeightedRanker,
        check_reranker,
        mmr,
        relevance,
        rerank_scores,
    )
    from elanus.schema.collection import CollectionSchema
    from elanus.schema.fields import FieldSchema
    from elanus.schema.functions import Function
    from elanus.schema.indexes import IndexParams
    from elanus.schema.structs import StructFieldSchema
    from elanus.types import ConsistencyLevel, DataType, FunctionType, LoadState

__version__ = "0.1.0"

_HOMES = {
    "elanus.aio": ("AsyncClient",),
    "elanus.client": ("Client", "connect"),
    "elanus.client.suggesting": ("Suggestion", "suggest_weights"),
    "elanus.client.text_layout": ("TextFields", "TextLayout", "make_text_collection", "read_text_layout"),
    "elanus.errors": (
        "AliasConflict",
        "AliasExists",
        "AliasNotFound",
        "AlreadyExists",
        "CollectionNotFound",
        "CollectionNotLoaded",
        "ElanusError",
        "FieldNotFound",
        "FilterError",
        "IndexNotFound",
        "InvalidArgument",
        "ModelFailed",
        "ModelMismatch",
        "NotFound",
        "NotSupported",
        "RowError",
        "SchemaError",
        "StoreBusy",
        "StoreClosed",
        "StoreError",
        "StoreFormatError",
        "StoreFull",
        "StoreReadOnly",
    ),
    "elanus.filter": ("Expression", "F", "translate_filter"),
    "elanus.knowledge": ("Document", "KnowledgeBase"),
    "elanus.rank": (
        "AnnSearchRequest",
        "DBSFRanker",
        "FunctionScore",
        "RRFRanker",
        "WeightedRanker",
        "check_reranker",
        "mmr",
        "relevance",
        "rerank_scores",
    ),
    "elanus.schema.collection": ("CollectionSchema",),
    "elanus.schema.fields": ("FieldSchema",),
    "elanus.schema.functions": ("Function",),
    "elanus.schema.indexes": ("IndexParams",),
    "elanus.schema.structs": ("StructFieldSchema",),
    "elanus.types": ("ConsistencyLevel", "DataType", "FunctionType", "LoadState"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AliasConflict",
    "AliasExists",
    "AliasNotFound",
    "AlreadyExists",
    "AnnSearchRequest",
    "AsyncClient",
    "Client",
    "CollectionNotFound",
    "CollectionNotLoaded",
    "CollectionSchema",
    "ConsistencyLevel",
    "DBSFRanker",
    "DataType",
    "Document",
    "ElanusError",
    "Expression",
    "F",
    "FieldNotFound",
    "FieldSchema",
    "FilterError",
    "Function",
    "FunctionScore",
    "FunctionType",
    "IndexNotFound",
    "IndexParams",
    "InvalidArgument",
    "KnowledgeBase",
    "LoadState",
    "ModelFailed",
    "ModelMismatch",
    "NotFound",
    "NotSupported",
    "RRFRanker",
    "RowError",
    "SchemaError",
    "StoreBusy",
    "StoreClosed",
    "StoreError",
    "StoreFormatError",
    "StoreFull",
    "StoreReadOnly",
    "StructFieldSchema",
    "Suggestion",
    "TextFields",
    "TextLayout",
    "WeightedRanker",
    "check_reranker",
    "connect",
    "make_text_collection",
    "mmr",
    "read_text_layout",
    "relevance",
    "rerank_scores",
    "suggest_weights",
    "translate_filter",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import elanus` costs nothing."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'elanus' has no attribute '{name}'")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
