"""What all parts of the client share: the store, and how a method gets at a collection."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any

from elanus.client.options import METHODS_INSTEAD, refuse
from elanus.engine.collection import Collection
from elanus.engine.store import Store
from elanus.errors import CollectionNotLoaded, InvalidArgument
from elanus.schema.fields import check_name


class Base:
    """Opening, closing, and finding collections."""

    def __init__(self, path: str | os.PathLike[str] | None = None, durability: str = "fsync", **options: Any) -> None:
        refuse("connect", options, ("path", "durability"))
        self._store = Store(path, durability)

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
        hint = METHODS_INSTEAD.get(name)
        said = f"; Milvus has it, this version does not yet: {hint}" if hint else ""
        raise AttributeError(f"'{type(self).__name__}' has no '{name}'{said}")

    def __repr__(self) -> str:
        state = "closed" if self._store.closed else self._store.durability
        return f"<elanus.{type(self).__name__} {self.path} ({state})>"

    def _collection(self, name: str) -> Collection:
        check_collection_name(name)
        return self._store.collection(name)

    def _loaded(self, name: str) -> Collection:
        collection = self._collection(name)
        if not collection.definition.loaded:
            raise CollectionNotLoaded(
                f"collection '{name}' is not loaded; create an index on its vector fields, then load_collection"
            )
        return collection


def check_collection_name(name: object) -> str:
    """Refuse what cannot be a collection's name, as InvalidArgument."""
    if not isinstance(name, str):
        raise InvalidArgument(f"collection_name must be a str, not {type(name).__name__}")
    check_name("collection", name)
    return name
