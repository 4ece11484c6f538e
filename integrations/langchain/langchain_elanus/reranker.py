"""A document compressor that lets a model reorder what was retrieved."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from elanus import InvalidArgument, check_reranker, rerank_scores
from langchain_core.callbacks import Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document
from pydantic import ConfigDict, Field, field_validator

SCORE = "relevance_score"


class ElanusReranker(BaseDocumentCompressor):
    """Order documents by a model's scores, best first; the score is added to the metadata as `relevance_score`.

    Args:
        model: any object with `rerank(query, documents)`, such as the rerankers of `elanus_models`.
        top_n: how many documents to keep; None keeps all.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    model: Any
    top_n: int | None = Field(default=None, gt=0)

    @field_validator("model")
    @classmethod
    def _is_reranker(cls, model: Any) -> Any:
        try:
            return check_reranker(model, "model")
        except InvalidArgument as error:
            raise ValueError(str(error)) from None

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> Sequence[Document]:
        """Return the documents that answer the query best."""
        scores = rerank_scores(self.model, query, [document.page_content for document in documents])
        order = sorted(range(len(documents)), key=lambda place: -scores[place])[: self.top_n]
        return [
            documents[place].model_copy(update={"metadata": {**documents[place].metadata, SCORE: float(scores[place])}})
            for place in order
        ]

    async def acompress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> Sequence[Document]:
        """Return the documents that answer the query best, scored on a thread."""
        return await asyncio.to_thread(self.compress_documents, documents, query, callbacks)
