"""Aliases: other names for collections, which can be moved from one to the next while all read and write."""

from __future__ import annotations

from typing import Any

from elanus.client.base import Base
from elanus.client.options import check_timeout, refuse
from elanus.engine.databases import FullName, full_name, own_name
from elanus.schema.fields import check_name
from elanus.storage.tables import split_name


class Aliases(Base):
    """The client's methods on aliases; every call that takes a collection's name takes an alias."""

    def create_alias(self, collection_name: str, alias: str, timeout: float | None = None, **kwargs: Any) -> None:
        """Give a collection a further name; the same again is no error.

        Raises:
            AliasConflict, AliasExists: the name is a collection's, or stands for another one.
        """
        alias = self._alias("create_alias", alias, kwargs)
        collection_name = self._name(collection_name)
        with self._store.patience(check_timeout("create_alias", timeout)):
            self._store.create_alias(collection_name, alias)

    def alter_alias(self, collection_name: str, alias: str, timeout: float | None = None, **kwargs: Any) -> None:
        """Let an alias stand for another collection, at once for everybody.

        Raises:
            AliasNotFound: there is no such alias; create_alias makes one.
        """
        alias = self._alias("alter_alias", alias, kwargs)
        collection_name = self._name(collection_name)
        with self._store.patience(check_timeout("alter_alias", timeout)):
            self._store.alter_alias(collection_name, alias)

    def drop_alias(self, alias: str, timeout: float | None = None, **kwargs: Any) -> None:
        """Remove an alias; the collection stays. One that does not exist is no error, as in Milvus."""
        alias = self._alias("drop_alias", alias, kwargs)
        with self._store.patience(check_timeout("drop_alias", timeout)):
            self._store.drop_alias(alias)

    def describe_alias(self, alias: str, timeout: float | None = None, **kwargs: Any) -> dict[str, str]:
        """Which collection an alias stands for: {"alias": ..., "collection_name": ..., "db_name": "default"}."""
        full = self._alias("describe_alias", alias, kwargs)
        check_timeout("describe_alias", timeout)
        return {"alias": alias, "collection_name": own_name(self._store.aliased(full)), "db_name": self._database}

    def list_aliases(self, collection_name: str = "", timeout: float | None = None, **kwargs: Any) -> dict[str, Any]:
        """A collection's aliases, or all: {"aliases": [...], "collection_name": ..., "db_name": "default"}."""
        refuse("list_aliases", kwargs)
        check_timeout("list_aliases", timeout)
        if not collection_name:
            known = map(split_name, self._store.aliases())
            return {
                "aliases": [own for database, own in known if database == self._database],
                "db_name": self._database,
            }
        collection = self._collection(collection_name)
        aliases = [own_name(alias) for alias in self._store.aliases(collection.id)]
        return {"aliases": aliases, "collection_name": own_name(collection.name), "db_name": self._database}

    def _alias(self, call: str, alias: object, options: dict[str, Any]) -> FullName:
        refuse(call, options)
        check_name("alias", alias)
        return full_name(self._database, str(alias))
