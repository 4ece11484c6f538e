"""Databases: sets of collections and aliases, each with names of its own, in one store.

A collection of another database than the default one bears its database's name before its own, with a slash between
them, which no name can contain.
"""

from __future__ import annotations

from elanus.engine.store import Store
from elanus.errors import AlreadyExists, DatabaseNotFound, InvalidArgument, did_you_mean
from elanus.schema.fields import check_name
from elanus.storage.tables import DEFAULT_DATABASE, split_name

MAX_DATABASES = 64


class FullName(str):
    """A checked name of a collection or an alias, with its database's before it unless that is the default one."""

    __slots__ = ()


def full_name(database: str, name: str) -> FullName:
    """A name in a database."""
    return FullName(name if database == DEFAULT_DATABASE else f"{database}/{name}")


def own_name(name: str) -> str:
    """A collection's name within its database."""
    return split_name(name)[1]


def list_databases(store: Store) -> list[str]:
    """The databases' names, the default one first."""
    store.check_open()
    with store.catalog.read() as transaction:
        return [DEFAULT_DATABASE, *transaction.databases()]


def check_database(store: Store, name: str) -> str:
    """Return the name of a database that exists, or raise DatabaseNotFound."""
    if name != DEFAULT_DATABASE and name not in (known := list_databases(store)):
        raise DatabaseNotFound(f"database not found[database={name}]{did_you_mean(str(name), known)}")
    return name


def create_database(store: Store, name: str) -> None:
    """Make an empty database.

    Raises:
        AlreadyExists: there is one of that name, or there are too many.
    """
    check_name("database", name)
    store.check_open()
    with store.catalog.write() as transaction:
        known = [DEFAULT_DATABASE, *transaction.databases()]
        if name in known:
            raise AlreadyExists(f"database already exist: {name}")
        if len(known) >= MAX_DATABASES:
            raise AlreadyExists(f"there are {MAX_DATABASES} databases already, and no more can be")
        transaction.add_database(name)


def drop_database(store: Store, name: str) -> None:
    """Remove an empty database; one that does not exist is no error, as in Milvus.

    Raises:
        InvalidArgument: it is the default one, or has collections.
    """
    if name == DEFAULT_DATABASE:
        raise InvalidArgument("can not drop default database")
    store.check_open()
    with store.catalog.write() as transaction:
        held = [own for full in transaction.names() for database, own in [split_name(full)] if database == name]
        if held:
            raise InvalidArgument(
                f"database:{name} not empty, must drop all collections before dropping database: {', '.join(held)}"
            )
        transaction.drop_database(name)
