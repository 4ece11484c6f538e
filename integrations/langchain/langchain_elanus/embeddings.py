"""An embedding model of `elanus_models` (or like them) in LangChain."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from elanus import InvalidArgument
from langchain_core.embeddings import Embeddings


class ElanusEmbeddings(Embeddings):
    """Embed on the CPU, without torch.

    Args:
        model: a model that `elanus_models.OnnxEmbedding` finds (the name of a card, or a folder), or any object with
            `embed_documents(texts)` and `embed_queries(texts)`.
        options: of `OnnxEmbedding` (precision, max_length, threads, ...).

    Raises:
        InvalidArgument: the object lacks a method, or options are given beside it.
        ModelError: as `OnnxEmbedding` raises.
    """

    def __init__(self, model: Any = "all-MiniLM-L6-v2", **options: Any) -> None:
        if hasattr(model, "embed_documents") and hasattr(model, "embed_queries"):
            if options:
                raise InvalidArgument(
                    f"options are for a model's name, and this model is made already: {list(options)}"
                )
            self.model = model
            return
        if not isinstance(model, str) and not hasattr(model, "__fspath__"):
            raise InvalidArgument(
                f"model must be a name, a folder, or have embed_documents and embed_queries: {model!r}"
            )
        from elanus_models import OnnxEmbedding

        self.model = OnnxEmbedding(model, **options)

    def __repr__(self) -> str:
        return f"ElanusEmbeddings({self.model!r})"

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed passages."""
        return _lists(self.model.embed_documents(texts))

    def embed_query(self, text: str) -> list[float]:
        """Embed a question."""
        return _lists(self.model.embed_queries([text]))[0]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed passages on a thread."""
        return await asyncio.to_thread(self.embed_documents, texts)

    async def aembed_query(self, text: str) -> list[float]:
        """Embed a question on a thread."""
        return await asyncio.to_thread(self.embed_query, text)


def _lists(vectors: Any) -> list[list[float]]:
    return np.asarray(vectors, np.float32).tolist()  # type: ignore[no-any-return]
