"""Text to one dense vector by a provider's server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from elanus_models.errors import InvalidInput
from elanus_models.http.address import endpoint_of, find_provider
from elanus_models.http.card import EmbedEndpoint, ProviderCard
from elanus_models.http.exchange import Call
from elanus_models.http.formats import EMBED_FORMATS, vectors
from elanus_models.http.server import Served, Server, batches
from elanus_models.model import Embedder, Floats, Role, checked_texts, positive, progress


class HttpEmbedding(Served, Embedder[Floats]):
    """A dense embedding model behind HTTP: a hosted provider, or a server of one's own.

    `provider` is one of `PROVIDERS`, or a `ProviderCard`. The key is `api_key` or the environment's, read at every
    call; it is in no repr, log, error or pickle. `base_url` is the address of another server that speaks the same.
    `dim` asks for vectors of that length. `document_type` and `query_type` replace the provider's words for the two
    ("" sends none), the prefixes go before each text, `extra` holds further fields of the request. Requests have at
    most `batch_size` texts, `concurrency` of them are under way at once, and `requests_per_minute` start. After
    errors that may pass a request is sent again up to `max_retries` times, later each time. Vectors are as the
    provider gives them, normalised or not. One object may be used by many threads; inside `async with`, the async
    methods keep their connections.

    Raises ProviderRefused, RateLimited, ProviderError, MissingDependency or InvalidInput.
    """

    def __init__(
        self,
        model: str,
        *,
        provider: str | ProviderCard = "openai",
        api_key: str | None = None,
        base_url: str | None = None,
        dim: int | None = None,
        document_type: str | None = None,
        query_type: str | None = None,
        document_prefix: str = "",
        query_prefix: str = "",
        extra: Mapping[str, object] | None = None,
        batch_size: int | None = None,
        concurrency: int = 4,
        requests_per_minute: float | None = None,
        max_retries: int = 5,
        timeout: float = 60.0,
        show_progress: bool = False,
    ) -> None:
        card = find_provider(provider)
        self._endpoint = endpoint_of(card, "embed")
        self.show_progress = show_progress
        self._types = _types(card, self._endpoint, model, document_type, query_type)
        self._prefixes: dict[Role, str] = {"document": document_prefix, "query": query_prefix}
        if not all(isinstance(prefix, str) for prefix in self._prefixes.values()):
            raise InvalidInput("document_prefix and query_prefix must be str")
        known = dict(self._endpoint.dims).get(str(model))
        self._asked_dim = None if dim is None else positive("dim", dim)
        self._known_dim = self._asked_dim or known
        self._dim_field = {} if self._asked_dim in (None, known) else {self._endpoint.dim_option: self._asked_dim}
        if "" in self._dim_field:
            raise InvalidInput(f"provider '{card.name}' cannot be asked for a dimension; leave dim out")
        self.server = Server(
            card,
            "embed",
            model,
            api_key=api_key,
            base_url=base_url,
            batch_size=batch_size,
            max_retries=max_retries,
            timeout=timeout,
            requests_per_minute=requests_per_minute,
            concurrency=concurrency,
            extra=extra,
            reserved=(self._endpoint.type_option, self._endpoint.dim_option),
        )

    @property
    def dim(self) -> int:
        """The length of every vector; unless it was given or is known, one text is embedded to learn it."""
        if self._known_dim is None:
            self._embed(["dimension"], "document")
        assert self._known_dim is not None
        return self._known_dim

    def _identity(self) -> dict[str, Any]:
        parts = {**self.server.identity(), "types": self._types, "prefixes": self._prefixes}
        if self._dim_field:
            parts["dim"] = self._asked_dim
        return parts

    def info(self) -> dict[str, Any]:
        """Return what was found and chosen; `dim` is None while it is unknown."""
        return {
            **self.server.info(),
            "dim": self._known_dim,
            "document_type": self._types["document"],
            "query_type": self._types["query"],
            "document_prefix": self._prefixes["document"],
            "query_prefix": self._prefixes["query"],
            "fingerprint": self.fingerprint,
        }

    def __repr__(self) -> str:
        return f"HttpEmbedding('{self.server.model}', provider='{self.server.card.name}', dim={self._known_dim})"

    async def aembed_documents(self, texts: Iterable[str]) -> Floats:
        """Embed passages without a thread."""
        return await self._aembed(checked_texts(texts), "document")

    async def aembed_queries(self, texts: Iterable[str]) -> Floats:
        """Embed questions without a thread."""
        return await self._aembed(checked_texts(texts), "query")

    def _embed(self, texts: list[str], role: Role) -> Floats:
        calls = self._plan(texts, role)
        found: list[Floats] = []
        with progress(len(texts), self.show_progress) as advance:
            for part in self.transport.run(calls):
                found.append(part)
                advance(len(part))
        return np.concatenate(found) if found else np.empty((0, self.dim), np.float32)

    async def _aembed(self, texts: list[str], role: Role) -> Floats:
        calls = self._plan(texts or ([] if self._known_dim else ["dimension"]), role)
        with progress(len(texts), self.show_progress) as advance:
            found = await self.transport.arun(calls, advance)
        return np.concatenate(found)[: len(texts)] if found else np.empty((0, self.dim), np.float32)

    def _plan(self, texts: list[str], role: Role) -> list[Call[Floats]]:
        endpoint = self._endpoint
        prefix = self._prefixes[role]
        prefixed = [prefix + text for text in texts] if prefix else texts
        word = self._types[role]
        options: dict[str, Any] = {
            **dict(endpoint.always),
            **({endpoint.type_option: word} if word else {}),
            **self._dim_field,
            **self.server.extra,
        }
        write = EMBED_FORMATS[endpoint.format].write
        return [
            self.server.call(write(self.server.model, batch, options), self._reader(len(batch)), len(batch))
            for batch in batches(prefixed, self.server.batch_size, endpoint.max_bytes)
        ]

    def _reader(self, count: int) -> Any:
        form = EMBED_FORMATS[self._endpoint.format]

        def read(answer: Any) -> Floats:
            found = vectors(answer, form, count, self._known_dim)
            self._known_dim = found.shape[1]
            return found

        return read


def _types(
    card: ProviderCard, endpoint: EmbedEndpoint, model: str, document: str | None, query: str | None
) -> dict[Role, str]:
    given: dict[Role, str | None] = {"document": document, "query": query}
    for role, word in given.items():
        if word is not None and not isinstance(word, str):
            raise InvalidInput(f"{role}_type must be a str, not {type(word).__name__}")
        if word and not endpoint.type_option:
            raise InvalidInput(f"provider '{card.name}' knows no types of text; leave {role}_type out")
    return {role: endpoint.word(str(model), role) if word is None else word for role, word in given.items()}
