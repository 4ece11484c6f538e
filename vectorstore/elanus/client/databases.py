"""Databases: create, use, list, describe, drop."""

from __future__ import annotations

from typing import Any

from elanus.client.base import Base
from elanus.client.options import check_timeout, refuse
from elanus.engine import databases
from elanus.errors import InvalidArgument, NotSupported


class Databases(Base):
    """The client's methods on databases: sets of collections with names of their own, in one folder."""

    def create_database(
        self, db_name: str, properties: dict[str, Any] | None = None, timeout: float | None = None, **kwargs: Any
    ) -> None:
        """Make an empty database.

        Raises:
            AlreadyExists: there is one of that name.
            NotSupported: a property; those of Milvus are about a server's replicas and quotas.
        """
        refuse("create_database", kwargs)
        _refuse_properties("create_database", properties)
        with self._store.patience(check_timeout("create_database", timeout)):
            databases.create_database(self._store, db_name)

    def drop_database(self, db_name: str, timeout: float | None = None, **kwargs: Any) -> None:
        """Remove an empty database; one that does not exist is no error, as in Milvus."""
        refuse("drop_database", kwargs)
        with self._store.patience(check_timeout("drop_database", timeout)):
            databases.drop_database(self._store, db_name)

    def list_databases(self, timeout: float | None = None, **kwargs: Any) -> list[str]:
        """The databases' names; "default" is always there."""
        refuse("list_databases", kwargs)
        check_timeout("list_databases", timeout)
        return databases.list_databases(self._store)

    def describe_database(self, db_name: str, timeout: float | None = None, **kwargs: Any) -> dict[str, Any]:
        """A database's name: {"name": ...}.

        Raises:
            DatabaseNotFound: there is none of that name.
        """
        refuse("describe_database", kwargs)
        check_timeout("describe_database", timeout)
        return {"name": databases.check_database(self._store, db_name)}

    def use_database(self, db_name: str, timeout: float | None = None, **kwargs: Any) -> None:
        """Let this client's names be names in another database from now on, in all its threads.

        Raises:
            DatabaseNotFound: there is none of that name.
        """
        refuse("use_database", kwargs)
        check_timeout("use_database", timeout)
        self._database = databases.check_database(self._store, db_name)

    using_database = use_database

    def alter_database_properties(self, db_name: str, properties: dict[str, Any], **kwargs: Any) -> None:
        """Refuse properties by name: those of Milvus are about a server's replicas and quotas."""
        refuse("alter_database_properties", kwargs)
        databases.check_database(self._store, db_name)
        _refuse_properties("alter_database_properties", properties)

    def drop_database_properties(self, db_name: str, property_keys: list[str], **kwargs: Any) -> None:
        """Refuse properties by name, as `alter_database_properties` does."""
        refuse("drop_database_properties", kwargs)
        databases.check_database(self._store, db_name)
        _refuse_properties("drop_database_properties", dict.fromkeys(property_keys))


def _refuse_properties(call: str, properties: object) -> None:
    if properties is not None and not isinstance(properties, dict):
        raise InvalidArgument(f"{call}: properties must be a dict, not {type(properties).__name__}")
    for name in properties or {}:
        raise NotSupported(f"{call}: property '{name}' is not supported; a database has none here")
