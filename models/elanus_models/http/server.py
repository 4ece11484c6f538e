"""What an embedder and a reranker behind HTTP have in common: a provider's server and how it is called."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar

from elanus_models.errors import InvalidInput
from elanus_models.http.address import base_of, endpoint_of, url_of
from elanus_models.http.card import ProviderCard
from elanus_models.http.exchange import Asked, Call, Retries
from elanus_models.http.key import Key
from elanus_models.http.transport import Transport
from elanus_models.model import positive

T = TypeVar("T")
Self = TypeVar("Self", bound="Served")
_TAKEN = ("model", "input", "inputs", "texts", "requests", "query", "documents")


class Server:
    """A provider's server, and the model on it that is asked for."""

    def __init__(
        self,
        card: ProviderCard,
        kind: Literal["embed", "rerank"],
        model: str,
        *,
        api_key: str | None,
        base_url: str | None,
        batch_size: int | None,
        max_retries: int,
        timeout: float,
        requests_per_minute: float | None,
        concurrency: int,
        extra: Mapping[str, object] | None,
        reserved: Sequence[str],
    ) -> None:
        endpoint = endpoint_of(card, kind)
        if not isinstance(model, str) or (endpoint.needs_model and not model.strip()):
            raise InvalidInput(f"model must be the name of a model of '{card.name}', not {model!r}")
        base = base_of(card, base_url)
        self.card = card
        self.model = model
        self.url = url_of(base, endpoint.path, model)
        self.custom = None if base == card.base_url else base
        self.batch_size = endpoint.max_texts if batch_size is None else positive("batch_size", batch_size)
        self.extra = _checked_extra(extra, (*_TAKEN, *reserved))
        if isinstance(max_retries, bool) or not isinstance(max_retries, int) or max_retries < 0:
            raise InvalidInput(f"max_retries must be a whole number of at least 0, not {max_retries!r}")
        if requests_per_minute is not None:
            _above_zero("requests_per_minute", requests_per_minute)
        self.transport = Transport(
            Asked(card.name, model, Key(card, api_key)),
            retries=Retries(max_retries),
            timeout=_above_zero("timeout", timeout),
            concurrency=positive("concurrency", concurrency),
            requests_per_minute=requests_per_minute,
        )

    def call(self, body: Mapping[str, Any], read: Callable[[Any], T], texts: int) -> Call[T]:
        """Return the request; InvalidInput for a text that UTF-8 cannot carry."""
        try:
            data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
        except UnicodeEncodeError as error:
            raise InvalidInput("a text holds half of a surrogate pair, which UTF-8 cannot carry") from error
        return Call(self.url, data, read, texts)

    def info(self) -> dict[str, Any]:
        """Return what was found and chosen."""
        return {
            "provider": self.card.name,
            "model": self.model,
            "url": self.url,
            "key": self.transport.asked.key.origin,
            "batch_size": self.batch_size,
            "concurrency": self.transport.concurrency,
            "requests_per_minute": self.transport.requests_per_minute,
            "max_retries": self.transport.retries.most,
            "timeout": self.transport.timeout,
            "extra": dict(self.extra),
        }

    def identity(self) -> dict[str, Any]:
        """Return what decides about the answers: provider, model, further fields, and an address of one's own."""
        parts: dict[str, Any] = {"provider": self.card.name, "model": self.model}
        if self.custom is not None:
            parts["base_url"] = self.custom
        if self.extra:
            parts["extra"] = dict(self.extra)
        return parts


class Served:
    """Something behind a server, which can be closed; `with` and `async with` do so."""

    server: Server

    @property
    def transport(self) -> Transport:
        """How calls are sent and waited for."""
        return self.server.transport

    def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        self.transport.close()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    async def __aenter__(self: Self) -> Self:
        await self.transport.aopen()
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.transport.aclose()


def batches(texts: Sequence[str], most: int, most_bytes: int | None) -> Iterator[list[str]]:
    """Cut texts into lists of at most so many, together of at most so many bytes unless one alone has more."""
    batch: list[str] = []
    size = 0
    for text in texts:
        added = len(text.encode("utf-8", "surrogatepass")) if most_bytes is not None else 0
        if batch and (len(batch) == most or (most_bytes is not None and size + added > most_bytes)):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += added
    if batch:
        yield batch


def _checked_extra(extra: Mapping[str, object] | None, taken: Sequence[str]) -> dict[str, object]:
    fields = dict(extra or {})
    for name in fields:
        if name in taken:
            raise InvalidInput(f"extra holds '{name}', which the other arguments decide")
    try:
        json.dumps(fields, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"extra must hold what JSON can: {error}") from error
    return fields


def _above_zero(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise InvalidInput(f"{name} must be a number over 0, not {value!r}")
    return float(value)
