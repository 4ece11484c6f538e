"""A store open in this process: its catalogue, its collections, its maintenance, and their end."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa

from elanus.engine import naming, processes
from elanus.engine.collection import Collection, Stale, open_collection
from elanus.engine.definition import Definition
from elanus.engine.maintenance import Maintainer
from elanus.errors import AlreadyExists, CollectionNotFound, InvalidArgument, StoreClosed
from elanus.schema.arrow import PARTITION
from elanus.schema.buffers import from_numbers
from elanus.storage import place
from elanus.storage.catalog import Catalog
from elanus.storage.log import encode
from elanus.storage.tables import EXPEL, HIDDEN, split_name
from elanus.types import ConsistencyLevel

T = TypeVar("T")
DURABILITIES = ("fsync", "os")
REDEFINITIONS = 100

STALE_SECONDS = 1.0
WEAK = frozenset({ConsistencyLevel.Session, ConsistencyLevel.Eventually})


@dataclass
class Opened:
    """A collection in this process: at which epoch of the catalogue it was current, and when it was looked after.

    `looked` and `wrote` are seconds of the monotonic clock: the latest look at the catalogue, and own write.
    """

    collection: Collection
    epoch: int
    looked: float = field(default_factory=time.monotonic)
    wrote: float = 0.0

    def serves(self, level: ConsistencyLevel) -> bool:
        """Whether a read of a weak level can do without another look."""
        own = level == ConsistencyLevel.Eventually or self.wrote < self.looked
        return own and time.monotonic() - self.looked < STALE_SECONDS


class Store:
    """One folder, opened.

    No connection is open while the process forks; parent and child open their own, the child when it first uses the
    store.
    """

    def __init__(self, path: str | os.PathLike[str] | None, durability: str = "fsync") -> None:
        if durability not in DURABILITIES:
            raise InvalidArgument(f"durability must be one of {DURABILITIES}, not {durability!r}")
        self.place = place.prepare(path)
        self.folder = self.place.folder
        self.durability = "none" if self.place.temporary else durability
        self.closed = self._ended = False
        self._ending = threading.RLock()
        self._owner = os.getpid()
        if self.place.temporary:
            weakref.finalize(self, _remove_own, self.place.home, self._owner).atexit = False  # there is `_end_all`
        self._open()
        processes.enter(self)

    def _open(self) -> None:
        self._lock = threading.RLock()
        self._collections: dict[str, Opened] = {}
        home, sync = self.place.home, self.durability == "fsync"
        self.catalog = Catalog(home, self.durability, None if self.place.writable else self.folder)
        self.maintainer = Maintainer(self.folder, self.catalog, self.collection, home, sync=sync)
        self._forked = False

    def check_open(self) -> None:
        """Raise StoreClosed after the end; in a forked child, open what the parent keeps for itself."""
        if self.closed:
            raise StoreClosed(f"the store at {self.folder} was closed")
        if self._forked:
            with self._reopening:
                if self._forked:
                    self._open()

    def end_with_process(self) -> None:
        """At interpreter exit: let maintenance finish its step; what is temporary is removed."""
        if self.place.temporary:
            self.close()
        elif not self._forked:
            self.maintainer.stop()

    def pause(self, held: set[Path]) -> bool:
        """Before a fork: close the connections, until `resume`; False for a store that has none.

        `held` has the folders whose write lock other stores of this process hold for the same reason.
        """
        self._ending.acquire()  # so that nobody closes it while the process forks
        if self.closed:
            self._end()
        if self._ended or self._forked:
            self._ending.release()
            return False
        home = self.place.home.resolve()
        self.catalog.pause(lock=home not in held)
        held.add(home)
        return True

    def resume(self) -> None:
        """After a fork, in the parent."""
        try:
            self.catalog.resume()
        finally:
            self._ending.release()

    def leave_to_parent(self) -> None:
        """In a forked child: let go of everything inherited, without touching what the parent goes on using."""
        self.catalog.leave()
        self.maintainer.leak()
        self._collections = {}
        self._reopening, self._ending = threading.Lock(), threading.RLock()
        self._forked = True

    def patience(self, seconds: float | None) -> AbstractContextManager[None]:
        """Bound, in this thread, how long a commit may wait for another process's; None: as long as it takes."""
        self.check_open()
        return self.catalog.patience(seconds)

    # Reading

    def collection(self, name: str, level: ConsistencyLevel = ConsistencyLevel.Strong) -> Collection:
        """The collection of that name, with every commit made before this call applied.

        A weaker level may leave out what others committed in the last `STALE_SECONDS`: Session never what this store
        wrote itself, Eventually that too.

        Raises:
            CollectionNotFound: with the closest name.
        """
        self.check_open()
        opened = self._collections.get(name)
        if opened is not None and level in WEAK and opened.serves(level):
            return opened.collection
        epoch = self.catalog.epoch()
        if opened is not None and opened.epoch == epoch:
            opened.looked = time.monotonic()
            return opened.collection
        with self._lock:
            try:
                current = open_collection(self.catalog, self.folder, name, self._open_by_id())
            except CollectionNotFound:
                self._collections.pop(name, None)
                raise
            self._collections[name] = Opened(current, epoch)
            self._forget_dropped()
            return current

    def level_of(self, name: str) -> ConsistencyLevel:
        """The consistency level that a collection was created with, as far as this process knows it."""
        opened = self._collections.get(name)
        return ConsistencyLevel.Strong if opened is None else opened.collection.definition.consistency

    def _open_by_id(self) -> dict[int, Collection]:
        return {opened.collection.id: opened.collection for opened in list(self._collections.values())}

    def _forget_dropped(self) -> None:
        """Let go of what the catalogue does not have any more under its name, so that its files are unmapped."""
        if len(self._collections) > 1:
            with self.catalog.read() as transaction:
                ids = transaction.ids()
            for name, opened in list(self._collections.items()):
                if ids.get(name) != opened.collection.id:
                    self._collections.pop(name, None)

    def names(self) -> list[str]:
        """The collections' names, sorted."""
        self.check_open()
        with self.catalog.read() as transaction:
            return transaction.names()

    # Defining

    def create(self, name: str, definition: Definition) -> None:
        """Create a collection; the same one again changes nothing.

        Raises:
            AlreadyExists: a collection of that name with another schema or other indexes, or an alias.
        """
        self.check_open()
        with self.catalog.write() as transaction:
            rule = f"collection name [{name}] conflicts with an existing alias, please choose a unique name"
            naming.refuse_alias(transaction, name, rule)
            row = transaction.collection(name)
            naming.check_database(transaction, split_name(name)[0])
            if row is None:
                transaction.add_collection(name, definition.to_dict())
            elif not Definition.from_dict(row.definition).same_as(definition):
                raise AlreadyExists(
                    f"collection '{name}' exists with another schema or other indexes; drop it or use another name"
                )

    def redefine(self, name: str, change: Callable[[Definition], Definition]) -> Definition:
        """Replace a collection's definition by `change` of the newest one; return the new one."""
        self.check_open()
        with self.catalog.write() as transaction:
            row = naming.named(transaction, name)
            old = Definition.from_dict(row.definition)
            new = change(old)
            if new != old:
                transaction.define(row.id, new.to_dict())
        self.maintainer.wake()
        return new

    def drop_partition(self, name: str, partition: str, check: Callable[[Definition], None]) -> None:
        """Remove a partition and its rows, in one transaction; `check` may refuse it by the newest definition."""
        self.check_open()
        with self.catalog.write() as transaction:
            row = naming.named(transaction, name)
            old = Definition.from_dict(row.definition)
            number = old.partitions.number(partition)
            rest = old.partitions.remove(partition)
            check(old)
            transaction.define(row.id, replace(old, partitions=rest).to_dict())
            batch = pa.RecordBatch.from_arrays([from_numbers(np.array([number], np.int32))], names=[PARTITION])
            transaction.append(row, EXPEL, 1, encode(batch))
        self.maintainer.wake()

    def rename(self, old: str, new: str) -> None:
        """Give a collection another, free name, perhaps in another database."""
        self.check_open()
        with self.catalog.write() as transaction:
            row = naming.named_itself(transaction, old, "unsupported use an alias to rename collection, alias:")
            naming.refuse_alias(transaction, new, f"cannot rename collection to an existing alias: {new}")
            if split_name(old)[0] != split_name(new)[0]:
                naming.check_movable(transaction, row, split_name(new)[0])
            if transaction.collection(new) is not None:
                raise AlreadyExists(f"cannot rename '{old}': collection '{new}' exists")
            transaction.rename(row.id, new)
        if known := self._collections.pop(old, None):
            self._collections[new] = known

    def drop(self, name: str) -> None:
        """Remove a collection and its rows; its files go as soon as nobody can be reading them."""
        self.check_open()
        with self.catalog.write() as transaction:
            row = naming.named_itself(transaction, name, "cannot drop the collection via alias = ")
            naming.check_without_aliases(transaction, row)
            transaction.drop(row.id)
        self._collections.pop(name, None)
        self.maintainer.wake()

    def truncate(self, name: str) -> None:
        """Remove all rows of a collection: it becomes a new one of the same name, aliases and definition."""
        self.check_open()
        with self.catalog.write() as transaction:
            row = naming.named(transaction, name)
            transaction.supersede(row, transaction.add_collection(HIDDEN, row.definition).id)
        self._collections.pop(name, None)
        self.maintainer.wake()

    # Aliases

    def aliases(self, collection: int | None = None) -> dict[str, str]:
        """The name of the collection that each alias stands for, of all aliases or of one collection's, by alias."""
        self.check_open()
        with self.catalog.read() as transaction:
            name_of = {row.id: row.name for row in transaction.collections()}
            return {alias: name_of[number] for alias, number in transaction.aliases(collection).items()}

    def aliased(self, alias: str) -> str:
        """The name of the collection that an alias stands for, or AliasNotFound."""
        self.check_open()
        with self.catalog.read() as transaction:
            return naming.aliased(transaction, alias).name

    def create_alias(self, name: str, alias: str) -> None:
        """Let a free name stand for a collection; if it does already, nothing changes.

        Raises:
            AliasConflict, AliasExists: it is a collection's name, or stands for another one.
        """
        self.check_open()
        with self.catalog.write() as transaction:
            row = naming.named(transaction, name)
            naming.check_new_alias(transaction, alias, row)
            transaction.set_alias(alias, row.id)

    def alter_alias(self, name: str, alias: str) -> None:
        """Let an alias stand for another collection, in one step: who reads by it sees the one or the other.

        Raises:
            AliasConflict, AliasNotFound: it is a collection's name, or stands for nothing.
        """
        self.check_open()
        with self.catalog.write() as transaction:
            row = naming.named(transaction, name)
            naming.check_alias(transaction, alias)
            naming.aliased(transaction, alias)
            transaction.set_alias(alias, row.id)

    def drop_alias(self, alias: str) -> None:
        """Let a name stand for nothing; the collection stays. One that stands for nothing is no error, as in Milvus."""
        self.check_open()
        with self.catalog.write() as transaction:
            transaction.drop_alias(alias)

    # Writing

    def write(self, name: str, action: Callable[[Collection], T]) -> T:
        """Run a write on the newest definition of a collection, again if it was redefined meanwhile."""
        for _ in range(REDEFINITIONS):
            collection = self.collection(name)
            self.maintainer.make_room(collection)
            try:
                result = action(collection)
            except Stale:
                self.catalog.forget()
                continue
            if opened := self._collections.get(name):
                opened.wrote = time.monotonic()
            self.maintainer.notice(collection)
            return result
        raise StoreClosed(f"collection '{name}' is redefined faster than it can be written")

    def flush(self, name: str, timeout: float | None = None) -> None:
        """Turn the collection's tail into a segment now, and merge what has become small."""
        self.collection(name)
        with self.patience(timeout):
            self.maintainer.flush(name, timeout)

    def close(self) -> None:
        """Stop maintenance after its current step, fold a large tail into a segment, close; again is harmless.

        Other threads' calls end with StoreClosed. If this one is interrupted, another completes it.
        """
        with self._ending:
            try:
                if not (self.closed or self._forked):
                    self.maintainer.stop()
                    self._fold()
            finally:
                self._end()

    def _fold(self) -> None:
        self.closed = True  # what others commit from here on stays in the log
        if not self.place.temporary:
            self.maintainer.fold(self._open_by_id().values())

    def _end(self) -> None:
        self.closed = True
        if not (self._ended or self._forked):
            self.maintainer.close()
            self._collections.clear()
            self.catalog.close()
            if self.place.temporary:
                _remove_own(self.place.home, self._owner)
        self._ended = True
        processes.leave(self)


def _remove_own(folder: Path, owner: int) -> None:
    """Remove a temporary home, on closing or when nobody can reach it any more, but never in a forked child."""
    if os.getpid() == owner:
        place.remove(folder)
