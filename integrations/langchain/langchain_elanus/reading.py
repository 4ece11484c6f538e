"""Searches, by meaning, by words, and by both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import elanus
from langchain_core.documents import Document

from langchain_elanus.documents import to_document
from langchain_elanus.opened import Opened
from langchain_elanus.searching import DENSE, HYBRID, NEAR, TEXT, Scored, check_options


class Reading(Opened):
    """The store's methods that read; for asyncio models are awaited and the store works on a thread."""

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Read documents by id, in the order of the ids; those that are not there are left out."""
        searcher = self._found()
        if searcher is None or not ids:
            return []
        layout = searcher.layout
        rows = self.client.get(self.collection_name, layout.keys(list(ids)), output_fields=layout.output)
        return [to_document(row[layout.key], row, layout) for row in rows]

    def search(self, query: str, search_type: str, **kwargs: Any) -> list[Document]:
        """Search by "similarity", "mmr", "similarity_score_threshold", "hybrid" or "text"."""
        own = {"hybrid": self.hybrid_search, "text": self.text_search}.get(search_type)
        return super().search(query, search_type, **kwargs) if own is None else own(query, **kwargs)

    def similarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """Return the `k` documents nearest to the query; options as `similarity_search_with_score`."""
        return _documents(self.similarity_search_with_score(query, k, **kwargs))

    def similarity_search_with_score(self, query: str, k: int = 4, **kwargs: Any) -> Scored:
        """Return the `k` documents nearest to the query with their scores (L2: squared distances, which fall).

        Args:
            filter: (keyword) a dict of `$` operators, a Milvus expression, or an `elanus.F` filter.
            vector_field: (keyword) the field to search, if there are several.
            search_params: (keyword) of the index.
            reranker: (keyword) an object with `rerank(query, documents)`, to order `fetch_k` (50) near documents.
            group_by_field, group_size, strict_group_size: (keyword) `k` groups of documents with one value in a field
                or metadata key, so many of each.
            explain: (keyword) put why each document was found into its metadata, as "explanation".
            partition_names: (keyword) the partitions to search.
        """
        check_options("similarity_search", kwargs, DENSE, k)
        vector = self._model(kwargs).embed_query(query)
        return self._dense(query, vector, k, kwargs)

    def similarity_search_by_vector(self, embedding: Any, k: int = 4, **kwargs: Any) -> list[Document]:
        """Return the `k` documents nearest to a vector."""
        return _documents(self.similarity_search_with_score_by_vector(embedding, k, **kwargs))

    def similarity_search_with_score_by_vector(self, embedding: Any, k: int = 4, **kwargs: Any) -> Scored:
        """Return the `k` documents nearest to a vector, with their scores."""
        check_options("similarity_search_by_vector", kwargs, NEAR, k)
        return self._dense(None, embedding, k, kwargs)

    def max_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """Return `k` of the `fetch_k` nearest documents, weighing nearness (`lambda_mult`) against variety."""
        check_options("max_marginal_relevance_search", kwargs, NEAR, max(k, fetch_k))
        vector = self._model(kwargs).embed_query(query)
        return self._diverse(vector, k, fetch_k, lambda_mult, kwargs)

    def max_marginal_relevance_search_by_vector(
        self, embedding: list[float], k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """Like `max_marginal_relevance_search`, by vector."""
        check_options("max_marginal_relevance_search_by_vector", kwargs, NEAR, max(k, fetch_k))
        return self._diverse(embedding, k, fetch_k, lambda_mult, kwargs)

    def text_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """Return the `k` best documents by BM25; options of `similarity_search_with_score` but those of vectors.

        `analyzer_name` (keyword) says by which of several analyzers the query is read.
        """
        return _documents(self.text_search_with_score(query, k, **kwargs))

    def text_search_with_score(self, query: str, k: int = 4, **kwargs: Any) -> Scored:
        """Return the `k` best documents by BM25, with their scores."""
        check_options("text_search", kwargs, TEXT, k)
        searcher = self._found()
        return [] if searcher is None else searcher.text(query, k, kwargs)

    def hybrid_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """Return the `k` best documents by meaning and words together; see `hybrid_search_with_score`."""
        return _documents(self.hybrid_search_with_score(query, k, **kwargs))

    def hybrid_search_with_score(self, query: str, k: int = 4, **kwargs: Any) -> Scored:
        """Fuse the dense and the BM25 search, with the fused scores or, with a model, the model's.

        Args:
            fetch_k: (keyword) how many hits each search brings (50).
            ranker: (keyword) RRFRanker (the default), WeightedRanker or DBSFRanker, weights in the order (dense, BM25).
            reranker: (keyword) an object with `rerank(query, documents)`; or the fusion, like `ranker`.
            analyzer_name: (keyword) by which of several analyzers the query is read.
            filter, vector_field, search_params, group_by_field, explain, ...: (keyword) as in
                `similarity_search_with_score`.
        """
        check_options("hybrid_search", kwargs, HYBRID, k)
        vector = self._model(kwargs).embed_query(query)
        return self._hybrid(query, vector, k, kwargs)

    def _dense(self, query: str | None, vector: Any, k: int, options: Mapping[str, Any]) -> Scored:
        searcher = self._found()
        return [] if searcher is None else searcher.dense(query, vector, k, options)

    def _hybrid(self, query: str, vector: Any, k: int, options: Mapping[str, Any]) -> Scored:
        searcher = self._found()
        return [] if searcher is None else searcher.hybrid(query, vector, k, options)

    def _diverse(
        self, vector: Any, k: int, fetch_k: int, lambda_mult: float, options: Mapping[str, Any]
    ) -> list[Document]:
        searcher = self._found()
        return [] if searcher is None else _documents(searcher.diverse(vector, k, fetch_k, lambda_mult, options))

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        searcher = self._found()
        metric = str(self._making["metric"]) if searcher is None else searcher.layout.metrics[searcher.layout.vector]
        return lambda distance: float(elanus.relevance(distance, metric))

    async def aget_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Like `get_by_ids`."""
        return await asyncio.to_thread(self.get_by_ids, ids)

    async def asearch(self, query: str, search_type: str, **kwargs: Any) -> list[Document]:
        """Like `search`."""
        own = {"hybrid": self.ahybrid_search, "text": self.atext_search}.get(search_type)
        return await (super().asearch(query, search_type, **kwargs) if own is None else own(query, **kwargs))

    async def asimilarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """Like `similarity_search`."""
        return _documents(await self.asimilarity_search_with_score(query, k, **kwargs))

    async def asimilarity_search_with_score(self, query: str, k: int = 4, **kwargs: Any) -> Scored:
        """Like `similarity_search_with_score`."""
        check_options("similarity_search", kwargs, DENSE, k)
        vector = await self._model(kwargs).aembed_query(query)
        return await asyncio.to_thread(self._dense, query, vector, k, kwargs)

    async def asimilarity_search_by_vector(self, embedding: Any, k: int = 4, **kwargs: Any) -> list[Document]:
        """Like `similarity_search_by_vector`."""
        return await asyncio.to_thread(self.similarity_search_by_vector, embedding, k, **kwargs)

    async def amax_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """Like `max_marginal_relevance_search`."""
        check_options("max_marginal_relevance_search", kwargs, NEAR, max(k, fetch_k))
        vector = await self._model(kwargs).aembed_query(query)
        return await asyncio.to_thread(self._diverse, vector, k, fetch_k, lambda_mult, kwargs)

    async def amax_marginal_relevance_search_by_vector(
        self, embedding: list[float], k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """Like `max_marginal_relevance_search_by_vector`."""
        return await asyncio.to_thread(
            self.max_marginal_relevance_search_by_vector, embedding, k, fetch_k, lambda_mult, **kwargs
        )

    async def atext_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """Like `text_search`."""
        return await asyncio.to_thread(self.text_search, query, k, **kwargs)

    async def ahybrid_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """Like `hybrid_search`."""
        check_options("hybrid_search", kwargs, HYBRID, k)
        vector = await self._model(kwargs).aembed_query(query)
        return _documents(await asyncio.to_thread(self._hybrid, query, vector, k, kwargs))


def _documents(scored: Scored) -> list[Document]:
    return [document for document, _ in scored]
