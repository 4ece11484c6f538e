"""An embedding model of `elanus_models` (or like them) in LlamaIndex."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from elanus_models import OnnxEmbedding
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import ConfigDict, Field, PrivateAttr

from elanus import InvalidArgument

DEFAULT_MODEL = "all-MiniLM-L6-v2"
BATCH = 256


class ElanusEmbedding(BaseEmbedding):
    """Embed on the CPU, without torch.

    Args:
        model_name: a model that `elanus_models.OnnxEmbedding` finds: the name of a card, or a folder.
        model: instead, any object with `embed_documents(texts)` and `embed_queries(texts)`; `to_dict` leaves it out,
            so give it to `from_dict` again.
        model_options: further options of `OnnxEmbedding` (precision, max_length, threads, ...).

    Raises:
        InvalidArgument: `model` lacks a method, or options are given beside it.
        ModelError: as `OnnxEmbedding` raises.
    """

    model_config = ConfigDict(extra="forbid")

    model_options: dict[str, Any] = Field(default_factory=dict, description="Options of OnnxEmbedding.")
    _model: Any = PrivateAttr()

    def __init__(
        self,
        model_name: str | None = None,
        *,
        model: Any = None,
        model_options: dict[str, Any] | None = None,
        embed_batch_size: int = BATCH,
        **fields: Any,
    ) -> None:
        options = dict(model_options or {})
        if model is None:
            model = OnnxEmbedding(model_name or DEFAULT_MODEL, **options)
            model_name = model_name or DEFAULT_MODEL
        elif options:
            raise InvalidArgument("ElanusEmbedding: model_options are for a model_name; this model is made already")
        for method in ("embed_documents", "embed_queries"):
            if not callable(getattr(model, method, None)):
                raise InvalidArgument(f"ElanusEmbedding: model must have a method {method}(texts)")
        fields |= {"model_name": model_name or type(model).__name__, "model_options": options}
        super().__init__(embed_batch_size=embed_batch_size, **fields)
        self._model = model

    @classmethod
    def class_name(cls) -> str:
        """The name under which LlamaIndex serialises the class."""
        return "ElanusEmbedding"

    def _get_query_embedding(self, query: str) -> list[float]:
        return _lists(self._model.embed_queries([query]))[0]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return _lists(self._model.embed_documents(texts))

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return await asyncio.to_thread(self._get_query_embedding, query)

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return await asyncio.to_thread(self._get_text_embedding, text)

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await asyncio.to_thread(self._get_text_embeddings, texts)


def _lists(vectors: Any) -> list[list[float]]:
    return np.asarray(vectors, np.float32).tolist()  # type: ignore[no-any-return]
