"""The Milvus-shaped client of an embedded store."""

from __future__ import annotations

import os
from typing import Any

from elanus.client.aliases import Aliases
from elanus.client.altering import Altering
from elanus.client.analyzing import Analyzing
from elanus.client.capabilities import Capabilities
from elanus.client.collections import Collections
from elanus.client.databases import Databases
from elanus.client.embeddings import Embeddings
from elanus.client.indexes import Indexes
from elanus.client.iterators import Iterators
from elanus.client.partitions import Partitions
from elanus.client.reading import Reading
from elanus.client.searching import Searching
from elanus.client.upkeep import Upkeep
from elanus.client.writing import Writing
from elanus.errors import NotSupported

__all__ = ["Client", "connect"]


class Client(
    Collections,
    Databases,
    Altering,
    Aliases,
    Partitions,
    Indexes,
    Writing,
    Reading,
    Searching,
    Iterators,
    Embeddings,
    Analyzing,
    Upkeep,
    Capabilities,
):
    """A store in a folder, with the methods, defaults and result shapes of `pymilvus.MilvusClient`.

    Args:
        path: the folder, made if it does not exist; ":memory:" or None for a private one that ends with the client.
            One that may only be read is opened for reading, as it is at that moment.
        durability: "fsync" (default: an acknowledged write survives a power cut) or "os" (it survives the death
            of the process).
        db_name: the database whose collections the names mean; see `use_database`.

    Safe to share between threads. Any number of processes may have the same folder open.

    Raises:
        InvalidArgument, StoreFormatError, NotSupported: the path cannot be a store; see each message.
    """


def connect(path: str | os.PathLike[str] | None = None, durability: str = "fsync", **options: Any) -> Any:
    """Open a store: a folder or ":memory:" gives a `Client`, a URL pymilvus's own `MilvusClient`, which
    also takes Elanus's filters, requests, rankers and schemas.

    `options` (token, user, password, db_name, ...) go to pymilvus and are refused for a folder.

    Raises:
        NotSupported: an option for a folder, or a URL without pymilvus installed.
    """
    if isinstance(path, str) and "://" in path:
        return _connect_to_server(path, durability, options)
    return Client(path, durability, **options)


def _connect_to_server(url: str, durability: str, options: dict[str, Any]) -> Any:
    if durability != "fsync":
        raise NotSupported("durability is the server's own choice; leave it out with a URL")
    try:
        from elanus.client.remote import MilvusServer
    except ImportError:
        raise NotSupported(f"{url} needs the Milvus client: pip install 'elanus[milvus]'") from None
    return MilvusServer(url, **options)
