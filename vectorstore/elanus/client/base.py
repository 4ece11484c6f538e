"""What all parts of the client share: the store, and how a method gets at a collection."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any

from elanus.client.options import refuse
from elanus.client.unsupported import UNSUPPORTED_METHODS
from elanus.engine.collection import Collection
from elanus.engine.databases import FullName, check_database, full_name
from elanus.engine.store import Store
from elanus.errors import CollectionNotLoaded, InvalidArgument, NotSupported
from elanus.schema.fields import check_name
from elanus.storage.tables import DEFAULT_DATABASE
from elanus.types import ConsistencyLevel


class Base:
    """Opening, closing, and finding collections."""

    def __init__(self, path: str | os.PathLike[str] | None = None, durability: str = "fsync", **options: Any) -> None:
        database = options.pop("db_name", None) or DEFAULT_DATABASE
        refuse("connect", options, ("path", "durability", "db_name"))
        self._store = Store(path, durability)
        try:
            self._database = check_database(self._store, database)
        except BaseException:
            self._store.close()
            raise

    @property
    def path(self) -> str:
        """The store's folder."""
        return str(self._store.folder)

    def close(self) -> None:
        """Close the store; again is harmless."""
        self._store.close()

    def __enter__(self: Any) -> Any:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        """A method that Milvus's client has and an embedded store cannot, which says why when it is called."""
        if name not in UNSUPPORTED_METHODS:
            raise AttributeError(f"'{type(self).__name__}' has no '{name}'")

        def refused(*args: Any, **kwargs: Any) -> Any:
            raise NotSupported(f"{name} is not supported; {UNSUPPORTED_METHODS[name]}")

        return refused

    def __repr__(self) -> str:
        state = "closed" if self._store.closed else self._store.durability
        return f"<elanus.{type(self).__name__} {self.path} ({state})>"

    def _name(self, name: object, database: str | None = None) -> FullName:
        """A collection's checked name in this client's database, or in another; one that is full already stays."""
        if isinstance(name, FullName):
            return name
        return full_name(database or self._database, check_collection_name(name))

    def _collection(self, name: str) -> Collection:
        return self._store.collection(self._name(name))

    def _loaded(self, name: str, level: ConsistencyLevel | None = None) -> Collection:
        """A collection to read from, as fresh as the level asks (None: as the collection's own does)."""
        full = self._name(name)
        if level is None:
            level = self._store.level_of(full)
        collection = self._store.collection(full, level)
        if not collection.definition.loaded:
            raise CollectionNotLoaded(
                f"collection not loaded[collection={name}]; create an index on its vector fields, then load_collection"
            )
        return collection


def check_collection_name(name: object) -> str:
    """Refuse what cannot be a collection's name, as InvalidArgument."""
    if not isinstance(name, str):
        raise InvalidArgument(f"collection_name must be a str, not {type(name).__name__}")
    check_name("collection", name)
    return name
