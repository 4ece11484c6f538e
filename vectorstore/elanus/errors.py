"""Every error Elanus raises on purpose, with Milvus's stable codes.

ElanusError
├── InvalidArgument (also ValueError)
│   ├── SchemaError         a schema or an index that cannot be
│   ├── RowError            a row that does not fit its schema; the whole batch is refused
│   ├── FilterError         a filter that does not parse or type-check, with a caret
│   └── NotSupported        a real Milvus option that this version does not implement
├── NotFound (also KeyError)
│   ├── CollectionNotFound · PartitionNotFound · DatabaseNotFound · AliasNotFound · FieldNotFound · IndexNotFound
├── AlreadyExists
│   ├── AliasConflict · AliasExists
├── CollectionNotLoaded · PartitionNotLoaded
├── ModelFailed             an embedding model or a reranker raised; its own error is the cause
├── ModelMismatch           vectors of another model than this process has
└── StoreError
    ├── StoreClosed         used after close()
    ├── StoreFormatError    written by an unknown version, or not a store at all
    ├── StoreFull           the disk, a quota or a file-size limit stopped a write
    ├── StoreReadOnly       a write to a folder that may only be read
    └── StoreBusy           a lock could not be had in time
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ElanusError(Exception):
    """Base of all errors; `code` is the number Milvus uses for the same condition; from 9001 on they are ours."""

    code = 65535

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class InvalidArgument(ElanusError, ValueError):
    """An argument has a value that no call could accept."""

    code = 1100


class SchemaError(InvalidArgument):
    """A collection schema or index definition that contradicts itself or exceeds a limit."""


class RowError(InvalidArgument):
    """A row does not fit its collection's schema; nothing of its batch was stored. `row` is its place in the batch."""

    def __init__(self, message: str, row: int | None = None) -> None:
        super().__init__(message)
        self.row = row


class FilterError(InvalidArgument):
    """A filter expression that does not parse, or does not fit the schema."""


class NotSupported(InvalidArgument):
    """An option that Milvus knows and this version of Elanus does not implement."""


class NotFound(ElanusError, KeyError):
    """A named thing does not exist."""


class CollectionNotFound(NotFound):
    code = 100


class PartitionNotFound(NotFound):
    code = 200


class DatabaseNotFound(NotFound):
    code = 800


class AliasNotFound(NotFound):
    code = 1600


class FieldNotFound(NotFound):
    code = 1700


class IndexNotFound(NotFound):
    code = 700


class AlreadyExists(ElanusError):
    """A different thing of that name is there already."""


class AliasConflict(AlreadyExists):
    """An alias was to have the name of a collection."""

    code = 1601


class AliasExists(AlreadyExists):
    """The alias stands for another collection."""

    code = 1602


class CollectionNotLoaded(ElanusError):
    """The collection was released; load_collection() makes it searchable again."""

    code = 101


class PartitionNotLoaded(ElanusError):
    """The partition was released; load_partitions() makes it searchable again."""

    code = 201


class ModelFailed(ElanusError):
    """An embedding model or a reranker could not be made, or failed; `__cause__` is its own error."""

    code = 9001


class ModelMismatch(ElanusError):
    """A field holds the vectors of one model and was to be used with another; reembed() changes over."""

    code = 9002


class StoreError(ElanusError):
    """The store on disk could not serve the call."""


class StoreClosed(StoreError):
    """The client or store was closed before this call."""


class StoreFormatError(StoreError):
    """The folder is no Elanus store, or one of a version this release cannot read."""


class StoreFull(StoreError):
    """A write found no space; it was rolled back whole and may be tried again."""

    code = 1000


class StoreReadOnly(StoreError):
    """The folder may only be read here, and the call would have changed the store."""


class StoreBusy(StoreError):
    """Another process held a lock longer than the waiting time."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the closest known name, or an empty string."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""
