"""From a provider and a base URL to the address that is posted to."""

from __future__ import annotations

import difflib
import os
from typing import Literal, overload
from urllib.parse import quote, urlsplit

from elanus_models.errors import InvalidInput
from elanus_models.http.card import EmbedEndpoint, ProviderCard, RerankEndpoint
from elanus_models.http.providers import PROVIDERS


def find_provider(provider: str | ProviderCard) -> ProviderCard:
    """Return the card of that name or alias, or the card itself; InvalidInput lists the names."""
    if isinstance(provider, ProviderCard):
        return provider
    for card in PROVIDERS.values():
        if provider in (card.name, *card.aliases):
            return card
    close = difflib.get_close_matches(str(provider), PROVIDERS, n=1)
    hint = f", did you mean '{close[0]}'?" if close else ";"
    raise InvalidInput(f"no provider {provider!r}{hint} there are: {', '.join(PROVIDERS)}; or give a ProviderCard")


@overload
def endpoint_of(card: ProviderCard, kind: Literal["embed"]) -> EmbedEndpoint: ...
@overload
def endpoint_of(card: ProviderCard, kind: Literal["rerank"]) -> RerankEndpoint: ...
def endpoint_of(card: ProviderCard, kind: Literal["embed", "rerank"]) -> EmbedEndpoint | RerankEndpoint:
    """Return how the provider embeds or reranks; InvalidInput lists those that do."""
    endpoint = card.embed if kind == "embed" else card.rerank
    if endpoint is None:
        able = [name for name, one in PROVIDERS.items() if getattr(one, kind) is not None]
        raise InvalidInput(f"provider '{card.name}' does not {kind}; those that do: {', '.join(able)}")
    return endpoint


def base_of(card: ProviderCard, base_url: str | None) -> str:
    """Return the base URL that was given, or the environment's, or the provider's.

    One without a path gets the path of the provider's own: "http://gpu:8000" becomes "http://gpu:8000/v1".
    Raises InvalidInput for one that is no plain http or https URL, without showing what else it holds.
    """
    given, origin = base_url, "base_url"
    for name in card.url_names:
        if given is None and os.environ.get(name):
            given, origin = os.environ[name], f"environment variable {name}"
    if given is None:
        given = card.base_url
    if not given:
        names = "".join(f", or set {name}" for name in card.url_names)
        raise InvalidInput(f"provider '{card.name}' has no common address; give base_url{names}")
    try:
        parts = urlsplit(given) if isinstance(given, str) else urlsplit("")
        plain = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        plain = False
    if not plain:
        raise InvalidInput(f"{origin} must be a URL such as '{card.base_url or 'https://host'}'")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InvalidInput(
            f"{origin} must hold neither a user, a query nor a fragment; a key goes into api_key, "
            "other queries into the path of a ProviderCard"
        )
    path = parts.path.rstrip("/") or urlsplit(card.base_url).path
    return f"{parts.scheme}://{parts.netloc}{path}"


def url_of(base: str, path: str, model: str) -> str:
    """Return the URL below the base; a base that ends with the path already is taken as it is."""
    name = quote(model.removeprefix("models/"), safe="")
    tail, question, query = path.format(model=name).partition("?")
    return base.removesuffix(tail) + tail + question + query
