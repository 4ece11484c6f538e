"""Embedding models and rerankers from whatever package offers them: found by name, called with one kind of error."""

from elanus.models.calling import Embedder, embed_documents, embed_queries, failing, fingerprint
from elanus.models.finding import find_embedder, find_reranker

__all__ = [
    "Embedder",
    "embed_documents",
    "embed_queries",
    "failing",
    "find_embedder",
    "find_reranker",
    "fingerprint",
]
