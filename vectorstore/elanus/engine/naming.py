"""What a name means, and which names are free: collections and aliases share one set of them.

Each rule is asked within the transaction that relies on it. The words are Milvus's, with a way out behind them.
"""

from __future__ import annotations

from elanus.errors import (
    AliasConflict,
    AliasExists,
    AliasNotFound,
    AlreadyExists,
    CollectionNotFound,
    DatabaseNotFound,
    InvalidArgument,
    did_you_mean,
)
from elanus.storage.tables import DEFAULT_DATABASE, CollectionRow, Transaction, split_name


def named(transaction: Transaction, name: str) -> CollectionRow:
    """The collection of that name or alias, or CollectionNotFound with the closest one."""
    row = transaction.collection(name)
    if row is None:
        known = [*transaction.names(), *transaction.aliases()]
        database, own = split_name(name)
        raise CollectionNotFound(
            f"collection not found[database={database}][collection={own}]{did_you_mean(name, known)}"
        )
    return row


def named_itself(transaction: Transaction, name: str, by_alias: str) -> CollectionRow:
    """The collection of that name; by an alias of it InvalidArgument, which says so in the words `by_alias`."""
    row = named(transaction, name)
    if name != row.name:
        raise InvalidArgument(f"{by_alias}{name}; give the collection's own name, '{row.name}'")
    return row


def refuse_alias(transaction: Transaction, name: str, rule: str) -> None:
    """Refuse an alias as the name of a collection to be, in the words `rule`."""
    if name in transaction.aliases():
        raise AlreadyExists(rule)


def check_free(transaction: Transaction, name: str) -> None:
    """Refuse a name that a collection or an alias has."""
    if name in transaction.ids():
        raise AlreadyExists(f"'{name}' exists; give another name for the new collection")


def check_without_aliases(transaction: Transaction, row: CollectionRow) -> None:
    """Refuse to drop a collection for which aliases stand."""
    if aliases := transaction.aliases(row.id):
        raise InvalidArgument(
            f"unable to drop the collection [{row.name}] because it has associated aliases {list(aliases)}, "
            "please remove all aliases before dropping the collection"
        )


def check_database(transaction: Transaction, name: str) -> None:
    """Refuse a database that does not exist."""
    if name != DEFAULT_DATABASE and name not in (known := transaction.databases()):
        raise DatabaseNotFound(f"database not found[database={name}]{did_you_mean(name, known)}")


def check_movable(transaction: Transaction, row: CollectionRow, database: str) -> None:
    """Refuse to move a collection into a database that does not exist, or away from its aliases."""
    check_database(transaction, database)
    if aliases := transaction.aliases(row.id):
        raise InvalidArgument(
            f"collection '{row.name}' has aliases {list(aliases)} in its database; drop_alias before it is moved to "
            f"'{database}'"
        )


def _place(alias: str) -> str:
    database, own = split_name(alias)
    return f"[database={database}][alias={own}]"


def check_alias(transaction: Transaction, alias: str) -> None:
    """Refuse a collection's name as an alias."""
    if alias in transaction.names():
        raise AliasConflict(f"alias and collection name conflict{_place(alias)}: a collection has that name")


def check_new_alias(transaction: Transaction, alias: str, row: CollectionRow) -> None:
    """Refuse an alias that is a collection's name, or stands for another collection than this."""
    check_alias(transaction, alias)
    known = transaction.collection(alias)
    if known is not None and known.id != row.id:
        raise AliasExists(
            f"{alias} is alias to another collection: {known.name}: alias already exist"
            f"{_place(alias)}; alter_alias changes it"
        )


def aliased(transaction: Transaction, alias: str) -> CollectionRow:
    """The collection that an alias stands for, or AliasNotFound."""
    known = transaction.aliases()
    if alias not in known:
        raise AliasNotFound(f"alias not found{_place(alias)}{did_you_mean(alias, known)}")
    return named(transaction, alias)
