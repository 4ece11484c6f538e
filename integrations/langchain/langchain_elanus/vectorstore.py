"""The vector store."""

from __future__ import annotations

import asyncio
from typing import Any

from langchain_core.embeddings import Embeddings

from langchain_elanus.reading import Reading
from langchain_elanus.retrievers import ElanusVectorStoreRetriever
from langchain_elanus.writing import Writing


class ElanusVectorStore(Writing, Reading):
    """Documents in a collection of Elanus: a folder on disk, `:memory:`, or a Milvus server.

    A collection that exists is opened by its own schema; otherwise the first documents make it.

    Args:
        embedding: the model of the vectors; or a dict from vector field to model, where documents have several
            vectors (searches take `vector_field=`, and the first one by default).
        collection_name: the collection.
        path: the folder, ":memory:", or a server's URL.
        client: an `elanus` or pymilvus client to use instead of opening `path`; it stays the caller's to close.
        metric, index_type, index_params: of the vector indexes of a new collection.
        search_params: of every dense search, where it gives none of its own.
        bm25: whether a new collection can be searched by text (search types "text" and "hybrid").
        analyzer: how its text is cut into terms: a built-in analyzer's name, or Milvus's analyzer_params; with
            "by_field" multi_analyzer_params, by the metadata of that key, and searches by text take `analyzer_name=`.
        pk_field, text_field, vector_field, sparse_field: the names of the fields.
        partition_key_field: a metadata key, a str that every document of a new collection has, such as its tenant:
            a search with `filter={key: value}` costs what the tenant holds.
        drop_old: drop an existing collection first.
        connection: further arguments of `elanus.connect` (durability, token, user, password, db_name, ...).

    Raises:
        InvalidArgument, SchemaError, NotSupported: see each message.
    """

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> ElanusVectorStore:
        """Open a store (arguments as the class) and add texts to it."""
        store = cls(embedding, **kwargs)
        store.add_texts(texts, metadatas, ids=ids)
        return store

    @classmethod
    async def afrom_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> ElanusVectorStore:
        """Like `from_texts`."""
        store = await asyncio.to_thread(cls, embedding, **kwargs)
        await store.aadd_texts(texts, metadatas, ids=ids)
        return store

    def as_retriever(self, **kwargs: Any) -> ElanusVectorStoreRetriever:
        """Return a retriever; `search_type` may also be "hybrid" or "text", `search_kwargs` go to the search."""
        tags = [*(kwargs.pop("tags", None) or []), *self._get_retriever_tags()]
        return ElanusVectorStoreRetriever(vectorstore=self, tags=tags, **kwargs)
