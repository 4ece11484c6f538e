"""Opening a store, and what of its address may be written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import elanus
from elanus import InvalidArgument


def open_client(
    uri: str | None, client: Any, durability: str, db_name: str | None, secrets: Mapping[str, str | None]
) -> Any:
    """The client given, or one of the folder or server at `uri`."""
    given = {name: value for name, value in {**secrets, "db_name": db_name}.items() if value is not None}
    if client is not None:
        if given:
            raise InvalidArgument(f"ElanusVectorStore: give client= or {', '.join(given)}, not both")
        return client
    if uri is None:
        raise InvalidArgument("ElanusVectorStore: give uri= (a folder, ':memory:' or a URL) or client=")
    return elanus.connect(uri, durability=durability, **given)


def public_uri(uri: str | None) -> str | None:
    """The address without the user and password that may stand in a URL."""
    if uri is None or "://" not in uri:
        return uri
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def refuse_unknown(call: str, given: Mapping[str, Any], known: frozenset[str] = frozenset()) -> None:
    """Raise for the first argument that the call would ignore."""
    for name in given:
        if name not in known:
            takes = f"; it takes {', '.join(sorted(known))}" if known else ""
            raise InvalidArgument(f"{call}: unknown argument '{name}'{takes}")
