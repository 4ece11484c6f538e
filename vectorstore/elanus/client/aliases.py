"""Aliases: other names for collections, which can be moved from one to the next while all read and write."""

from __future__ import annotations

from typing import Any

from elanus.client.base import Base, check_collection_name
from elanus.client.options import check_timeout, refuse
from elanus.schema.fields import check_name

DATABASE = "default"


class Aliases(Base):
    """The client's methods on aliases; every call that takes a collection's name takes an alias."""

    def create_alias(self, collection_name: str, alias: str, timeout: float | None = None, **kwargs: Any) -> None:
        """Give a collection a further name; the same again is no error.

        Raises:
            AliasConflict, AliasExists: the name is a collection's, or stands for another one.
        """
        _check("create_alias", alias, kwargs)
        check_collection_name(collection_name)
        with self._store.patience(check_timeout("create_alias", timeout)):
            self._store.create_alias(collection_name, alias)

    def alter_alias(self, collection_name: str, alias: str, timeout: float | None = None, **kwargs: Any) -> None:
        """Let an alias stand for another collection, at once for everybody.

        Raises:
            AliasNotFound: there is no such alias; create_alias makes one.
        """
        _check("alter_alias", alias, kwargs)
        check_collection_name(collection_name)
        with self._store.patience(check_timeout("alter_alias", timeout)):
            self._store.alter_alias(collection_name, alias)

    def drop_alias(self, alias: str, timeout: float | None = None, **kwargs: Any) -> None:
        """Remove an alias; the collection stays. One that does not exist is no error, as in Milvus."""
        _check("drop_alias", alias, kwargs)
        with self._store.patience(check_timeout("drop_alias", timeout)):
            self._store.drop_alias(alias)

    def describe_alias(self, alias: str, timeout: float | None = None, **kwargs: Any) -> dict[str, str]:
        """Which collection an alias stands for: {"alias": ..., "collection_name": ..., "db_name": "default"}."""
        _check("describe_alias", alias, kwargs)
        check_timeout("describe_alias", timeout)
        return {"alias": alias, "collection_name": self._store.aliased(alias), "db_name": DATABASE}

    def list_aliases(self, collection_name: str = "", timeout: float | None = None, **kwargs: Any) -> dict[str, Any]:
        """A collection's aliases, or all: {"aliases": [...], "collection_name": ..., "db_name": "default"}."""
        refuse("list_aliases", kwargs)
        check_timeout("list_aliases", timeout)
        if not collection_name:
            return {"aliases": list(self._store.aliases()), "db_name": DATABASE}
        collection = self._collection(collection_name)
        aliases = list(self._store.aliases(collection.id))
        return {"aliases": aliases, "collection_name": collection.name, "db_name": DATABASE}


def _check(call: str, alias: object, options: dict[str, Any]) -> None:
    refuse(call, options)
    check_name("alias", alias)
