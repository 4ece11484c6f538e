"""Reranking by a provider's server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from elanus_models.errors import InvalidInput
from elanus_models.http.address import endpoint_of, find_provider
from elanus_models.http.card import ProviderCard
from elanus_models.http.exchange import Call
from elanus_models.http.formats import RERANK_FORMATS, scores
from elanus_models.http.server import Served, Server, batches
from elanus_models.model import Floats, Reranker, RerankResult, checked_texts, positive, progress


class HttpReranker(Served, Reranker):
    """A reranking model behind HTTP: a hosted provider, or a server of one's own.

    `provider` is "cohere", "jina", "voyage", "tei" or "vllm", or a `ProviderCard`; a server with one model, as tei
    and vllm run, may be asked without its name (""). The other arguments are those of `HttpEmbedding`. Every document
    gets a score; more than `batch_size` documents go in several requests.

    Raises ProviderRefused, RateLimited, ProviderError, MissingDependency or InvalidInput.
    """

    def __init__(
        self,
        model: str,
        *,
        provider: str | ProviderCard = "cohere",
        api_key: str | None = None,
        base_url: str | None = None,
        extra: Mapping[str, object] | None = None,
        batch_size: int | None = None,
        concurrency: int = 4,
        requests_per_minute: float | None = None,
        max_retries: int = 5,
        timeout: float = 60.0,
        show_progress: bool = False,
    ) -> None:
        card = find_provider(provider)
        self._endpoint = endpoint_of(card, "rerank")
        self.show_progress = show_progress
        self.server = Server(
            card,
            "rerank",
            model,
            api_key=api_key,
            base_url=base_url,
            batch_size=batch_size,
            max_retries=max_retries,
            timeout=timeout,
            requests_per_minute=requests_per_minute,
            concurrency=concurrency,
            extra=extra,
            reserved=("top_n", "top_k"),
        )

    def info(self) -> dict[str, Any]:
        """Return what was found and chosen."""
        return self.server.info()

    def __repr__(self) -> str:
        return f"HttpReranker('{self.server.model}', provider='{self.server.card.name}')"

    async def arerank(self, query: str, documents: Iterable[str], top_k: int | None = None) -> list[RerankResult]:
        """Rerank without a thread."""
        if not isinstance(query, str):
            raise InvalidInput(f"query must be a str, not {type(query).__name__}")
        texts = checked_texts(documents, "documents")
        if top_k is not None:
            positive("top_k", top_k)
        with progress(len(texts), self.show_progress, "reranking") as advance:
            found = await self.transport.arun(self._plan(query, texts), advance)
        return _Scored(found).rerank(query, texts, top_k)

    def _score(self, query: str, documents: list[str]) -> Floats:
        found: list[Floats] = []
        with progress(len(documents), self.show_progress, "reranking") as advance:
            for part in self.transport.run(self._plan(query, documents)):
                found.append(part)
                advance(len(part))
        return np.concatenate(found)

    def _plan(self, query: str, documents: list[str]) -> list[Call[Floats]]:
        endpoint = self._endpoint
        form = RERANK_FORMATS[endpoint.format]
        calls = []
        for batch in batches(documents, self.server.batch_size, None):
            top = {endpoint.top_option: len(batch)} if endpoint.top_option else {}
            options: dict[str, Any] = {**top, **dict(endpoint.always), **self.server.extra}
            body = form.write(self.server.model, query, batch, options)
            calls.append(self.server.call(body, _reader(endpoint.format, len(batch)), len(batch)))
        return calls


class _Scored(Reranker):
    """Orders documents whose scores are there already."""

    def __init__(self, found: list[Floats]) -> None:
        self._found = found

    def info(self) -> dict[str, Any]:
        return {}

    def _score(self, query: str, documents: list[str]) -> Floats:
        return np.concatenate(self._found)


def _reader(name: str, count: int) -> Any:
    return lambda answer: scores(answer, RERANK_FORMATS[name], count)
