"""Retrievers over the vector store."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.vectorstores import VectorStoreRetriever
from pydantic import ConfigDict, Field

OWN_TYPES = ("hybrid", "text")


class ElanusVectorStoreRetriever(VectorStoreRetriever):
    """What `ElanusVectorStore.as_retriever` gives: LangChain's search types, and "hybrid" and "text"."""

    allowed_search_types: ClassVar[Collection[str]] = (*VectorStoreRetriever.allowed_search_types, *OWN_TYPES)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, **kwargs: Any
    ) -> list[Document]:
        if self.search_type not in OWN_TYPES:
            return super()._get_relevant_documents(query, run_manager=run_manager, **kwargs)
        return self.vectorstore.search(query, self.search_type, **(self.search_kwargs | kwargs))

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, **kwargs: Any
    ) -> list[Document]:
        if self.search_type not in OWN_TYPES:
            return await super()._aget_relevant_documents(query, run_manager=run_manager, **kwargs)
        return await self.vectorstore.asearch(query, self.search_type, **(self.search_kwargs | kwargs))


class ElanusRetriever(BaseRetriever):
    """Hybrid search and reranking in one call.

    Args:
        vectorstore: an `ElanusVectorStore`.
        k: how many documents to return.
        fetch_k: how many hits each of the two searches brings, and so how many the reranker reads at most.
        filter: as the store's searches take it.
        ranker: RRFRanker, WeightedRanker or DBSFRanker, weights in the order (dense, BM25).
        reranker: any object with `rerank(query, documents)`.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    vectorstore: Any
    k: int = Field(default=4, gt=0)
    fetch_k: int = Field(default=50, gt=0)
    filter: Any = None
    ranker: Any = None
    reranker: Any = None

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, **kwargs: Any
    ) -> list[Document]:
        k, options = self._options(kwargs)
        return self.vectorstore.hybrid_search(query, k, **options)  # type: ignore[no-any-return]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, **kwargs: Any
    ) -> list[Document]:
        k, options = self._options(kwargs)
        return await self.vectorstore.ahybrid_search(query, k, **options)  # type: ignore[no-any-return]

    def _options(self, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        own = {"fetch_k": self.fetch_k, "filter": self.filter, "ranker": self.ranker, "reranker": self.reranker}
        options = own | given
        return options.pop("k", self.k), options
