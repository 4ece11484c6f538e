"""What every embedder and every reranker can do, whatever stands behind it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from elanus_models.errors import InvalidInput, missing

Floats = npt.NDArray[np.float32]
Sparse = dict[int, float]
"""A sparse vector: term number to weight, weights over zero."""

Role = Literal["document", "query"]
Vectors = TypeVar("Vectors")


class Embedder(ABC, Generic[Vectors]):
    """Turns texts into vectors, one for each, in their order.

    Dense embedders give float32 of shape (texts, dim), sparse ones a list of dicts, those of token vectors a
    list of float32 arrays (tokens, dim).
    """

    gives: Literal["dense", "sparse", "tokens", "multi"] = "dense"
    show_progress: bool = False

    _dim: int

    @property
    def dim(self) -> int:
        """The length of every vector; of sparse ones, how many terms there are."""
        return self._dim

    @property
    def fingerprint(self) -> str:
        """What must agree for vectors to be comparable, as one stable line of text."""
        return json.dumps(self._identity(), sort_keys=True, separators=(",", ":"))

    @abstractmethod
    def _identity(self) -> dict[str, Any]:
        """Return what the fingerprint says; JSON-serialisable."""

    @abstractmethod
    def info(self) -> dict[str, Any]:
        """Return what was found and chosen, and why."""

    def settled(self) -> dict[str, Any]:
        """Return the options that were chosen by this machine, for another one to choose the same."""
        return {}

    @abstractmethod
    def _embed(self, texts: list[str], role: Role) -> Vectors:
        """Embed texts that have been checked; there may be none."""

    def embed_documents(self, texts: Iterable[str]) -> Vectors:
        """Embed passages.

        Raises InvalidInput if `texts` is no iterable of str.
        """
        return self._embed(checked_texts(texts), "document")

    def embed_queries(self, texts: Iterable[str]) -> Vectors:
        """Embed questions.

        Raises InvalidInput if `texts` is no iterable of str.
        """
        return self._embed(checked_texts(texts), "query")

    def encode_documents(self, documents: Iterable[str]) -> Vectors:
        """Embed passages: `embed_documents` by the name it has in pymilvus.model."""
        return self.embed_documents(documents)

    def encode_queries(self, queries: Iterable[str]) -> Vectors:
        """Embed questions: `embed_queries` by the name it has in pymilvus.model."""
        return self.embed_queries(queries)

    def __call__(self, texts: Iterable[str]) -> Vectors:
        """Embed passages."""
        return self.embed_documents(texts)

    async def aembed_documents(self, texts: Iterable[str]) -> Vectors:
        """Embed passages in another thread."""
        return await asyncio.to_thread(self.embed_documents, texts)

    async def aembed_queries(self, texts: Iterable[str]) -> Vectors:
        """Embed questions in another thread."""
        return await asyncio.to_thread(self.embed_queries, texts)


@dataclass(frozen=True)
class RerankResult:
    """A document with how well it answers the query; `index` is its place among the documents given."""

    text: str
    score: float
    index: int


class Reranker(ABC):
    """Orders documents by how well they answer a query."""

    show_progress: bool = False

    @abstractmethod
    def info(self) -> dict[str, Any]:
        """Return what was found and chosen, and why."""

    @abstractmethod
    def _score(self, query: str, documents: list[str]) -> Floats:
        """Score documents that have been checked, at least one."""

    def scores(self, query: str, documents: Iterable[str]) -> Floats:
        """Return how well each document answers the query: float32 (documents,), in their order."""
        if not isinstance(query, str):
            raise InvalidInput(f"query must be a str, not {type(query).__name__}")
        texts = checked_texts(documents, "documents")
        return self._score(query, texts) if texts else np.empty(0, np.float32)

    def rerank(self, query: str, documents: Iterable[str], top_k: int | None = None) -> list[RerankResult]:
        """Return the `top_k` best documents (None: all), best first; equals stay in their order.

        Raises InvalidInput for a query or documents that are no str, or a `top_k` below 1.
        """
        texts = checked_texts(documents, "documents")
        most = len(texts) if top_k is None else positive("top_k", top_k)
        scores = self.scores(query, texts)
        order = np.argsort(-scores, kind="stable")[:most].tolist()
        return [RerankResult(texts[i], float(scores[i]), i) for i in order]

    def __call__(self, query: str, documents: Iterable[str], top_k: int | None = None) -> list[RerankResult]:
        """Rerank, as pymilvus.model's rerank functions are called."""
        return self.rerank(query, documents, top_k)

    async def arerank(self, query: str, documents: Iterable[str], top_k: int | None = None) -> list[RerankResult]:
        """Rerank in another thread."""
        return await asyncio.to_thread(self.rerank, query, documents, top_k)


def checked_texts(texts: Iterable[str], name: str = "texts") -> list[str]:
    """Return the texts as a list, or raise InvalidInput naming the one that is no str."""
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise InvalidInput(f"{name} must be a list of str, not one {type(texts).__name__}; write [text]")
    listed = list(texts)
    for number, text in enumerate(listed):
        if not isinstance(text, str):
            raise InvalidInput(f"{name}[{number}] must be a str, not {type(text).__name__}")
    return listed


def positive(name: str, value: object) -> int:
    """Return a whole number of at least 1, or raise InvalidInput."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidInput(f"{name} must be a whole number of at least 1, not {value!r}")
    return value


@contextlib.contextmanager
def progress(total: int, show: bool, what: str = "embedding") -> Iterator[Callable[[int], object]]:
    """Give a function that is told how many texts are done, and draws a bar if `show`."""
    if not show:
        yield lambda count: None
        return
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        raise missing("tqdm") from error
    with tqdm(total=total, desc=what, unit="text") as bar:
        yield bar.update
