"""Changing the model of a vector field while everybody reads and writes.

A new collection with a hidden name gets all rows, their texts embedded anew. Then, in one transaction, it gets what
was written and deleted since, and takes the place of the old one: no reader sees it half-filled, and none finds
nothing. What a crash leaves before that transaction is the old collection, whole, and a hidden one that the next
re-embedding or the drop of the old one removes; after it, the old one's folders as orphans.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator

from elanus.engine import naming
from elanus.engine.change import Change
from elanus.engine.collection import Collection
from elanus.engine.copying import Copy, Report
from elanus.engine.definition import Definition
from elanus.engine.store import Store
from elanus.errors import CollectionNotFound, StoreBusy, StoreClosed, StoreError
from elanus.storage.failpoints import reach
from elanus.storage.locks import FileLock
from elanus.storage.tables import CollectionRow, Transaction, name_in_making

PATIENT_ROUNDS = 10
MOST_UNDER_LOCK = 64
"""Rows that may be embedded while nobody can commit, after that many rounds in which new ones kept coming."""


def reembed(store: Store, name: str, change: Change, into: str | None, batch_rows: int, report: Report) -> int:
    """Fill a field of all rows anew and return how many rows were embedded.

    Args:
        name: a collection, which is replaced under its name and aliases; or an alias of one.
        into: with an alias, the name of the new collection; the alias then stands for it, and the old one stays.

    Raises:
        StoreBusy: another re-embedding is under way in this store.
        ModelFailed, RowError: the model failed, or a row has no text; nothing was changed.
        StoreError: the collection was dropped, truncated or renamed meanwhile; nothing was changed.
    """
    with _alone(store):
        source = store.collection(name)
        copy = Copy(store, source, _begin(store, source, change, into), change, batch_rows, report)
        try:
            _fill(store, name, copy, into)
        except BaseException as error:
            with contextlib.suppress(StoreClosed):
                _drop_leftover(store, source.id)
            if isinstance(error, CollectionNotFound):
                raise _gone(name) from None
            raise
    store.maintainer.wake()
    return copy.embedded


def _fill(store: Store, name: str, copy: Copy, into: str | None) -> None:
    for attempt in itertools.count(1):
        source = store.collection(name)
        if source.id != copy.source.id:
            raise _gone(name)
        copy.catch_up(source.view())
        if _swap(store, name, copy, into, most=0 if attempt < PATIENT_ROUNDS else MOST_UNDER_LOCK):
            return


def _gone(name: str) -> StoreError:
    return StoreError(f"'{name}' was dropped, truncated or renamed while it was re-embedded; nothing was changed")


@contextlib.contextmanager
def _alone(store: Store) -> Iterator[None]:
    """Hold the lock that the kernel frees if this process dies: who holds it knows that a leftover is nobody's."""
    lock = FileLock(store.place.home / "reembed.lock")
    if not lock.try_acquire():
        raise StoreBusy(f"another re-embedding is under way in {store.folder}; try again when it is done")
    try:
        yield
    finally:
        lock.release()
        lock.close()


def _begin(store: Store, source: Collection, change: Change, into: str | None) -> Collection:
    _drop_leftover(store, source.id)
    hidden = name_in_making(source.id)
    with store.catalog.write() as transaction:
        if into is not None:
            naming.check_free(transaction, into)
        transaction.add_collection(hidden, change.apply(source.definition).to_dict())
    return store.collection(hidden)


def _drop_leftover(store: Store, source: int) -> None:
    with store.catalog.write() as transaction:
        if (left := transaction.collection(name_in_making(source))) is not None:
            transaction.drop(left.id)


def _swap(store: Store, name: str, copy: Copy, into: str | None, most: int) -> bool:
    """Put the copy in the place of its source, in one commit, if at most that many rows are still to be embedded."""
    with store.catalog.write() as transaction:
        row = transaction.collection(name)
        if row is None or row.id != copy.source.id:
            raise _gone(name)
        copy.source.catch_up(transaction, row)
        rest = copy.rest(copy.source.view())
        if rest.rows > most:
            return False
        copy.finish(transaction, rest)
        _take_place(transaction, row, copy, name, into)
        reach("reembed.inside")
    reach("reembed.after")
    return True


def _take_place(transaction: Transaction, row: CollectionRow, copy: Copy, name: str, into: str | None) -> None:
    transaction.define(copy.target.id, copy.change.apply(Definition.from_dict(row.definition)).to_dict())
    if into is None:
        transaction.supersede(row, copy.target.id)
        return
    naming.check_free(transaction, into)
    transaction.rename(copy.target.id, into)
    transaction.number_from(copy.target.id, row.next_id)
    transaction.set_alias(name, copy.target.id)
