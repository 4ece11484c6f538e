"""Flush and merge, by one process at a time: the tail becomes a segment, small segments become larger ones.

`maintenance.lock` is held by the kernel for the process that maintains; if it dies, another goes on. What it was
writing is then an orphan: a folder that no catalogue row names or whose reservation is dropped by the next one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from elanus.engine import compaction
from elanus.engine.collection import Collection
from elanus.engine.graphs import GraphBuilder
from elanus.errors import ElanusError, NotFound, StoreBusy, StoreClosed, StoreError, StoreFull
from elanus.storage.catalog import Catalog
from elanus.storage.failpoints import reach
from elanus.storage.files import remove_folder
from elanus.storage.locks import FileLock
from elanus.storage.segment import Segment
from elanus.storage.view import Slice, View

log = logging.getLogger("elanus")

FLUSH_BYTES = 64 << 20
WAIT_BYTES = 3 * FLUSH_BYTES
FOLD_BYTES = FLUSH_BYTES // 4
MAX_SEGMENT_ROWS = 2_000_000
MAX_SEGMENT_BYTES = 8 << 30
MAX_EXTENT = 2**31 - 1  # a column becomes one Arrow array, whose offsets into strings or lists are int32
DEAD_SHARE = 0.3
LOCK_SECONDS = 600.0
WAIT_SECONDS = 0.02
IDLE_SECONDS = 5.0
RETRY_SECONDS = 0.05


class Maintainer:
    """A thread that flushes and merges when woken and ends when idle, and the same work on demand."""

    def __init__(
        self, folder: Path, catalog: Catalog, collection: Callable[[str], Collection], home: Path, *, sync: bool
    ) -> None:
        self._segments = folder / "segments"
        self._catalog = catalog
        self._collection = collection
        self._sync = sync
        self._lock = FileLock(home / "maintenance.lock")
        self._graphs = GraphBuilder(home, catalog, collection, sync=sync)
        self._wake = threading.Condition()
        self._asked = 0
        self._done = 0
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._trouble: Exception | None = None

    # Asked for by others

    def wake(self) -> None:
        """Let the thread look at everything soon."""
        with self._wake:
            self._asked += 1
            if self._thread is None and not self._stopping:
                self._thread = threading.Thread(target=self._run, name="elanus-maintenance", daemon=True)
                self._thread.start()
            self._wake.notify_all()

    def notice(self, collection: Collection) -> None:
        """After a write: wake the thread if the tail has become large, or many rows have ended by their age."""
        if collection.tail_bytes >= FLUSH_BYTES or (
            collection.definition.ttl is not None and any(map(_is_mostly_dead, collection.view().slices))
        ):
            self.wake()

    def make_room(self, collection: Collection) -> None:
        """Before a write: wait while the tail is three times as large as it should get.

        Raises:
            StoreFull: the tail cannot be flushed because there is no space.
            StoreBusy: it took longer than the write may wait.
        """
        tried, began, most = False, time.monotonic(), self._catalog.waiting_seconds
        while collection.tail_bytes >= WAIT_BYTES and not self._stopping:
            if self._done >= self._asked:
                if tried and self._trouble is not None:
                    full = isinstance(self._trouble, (OSError, StoreFull))
                    kind = StoreFull if full else StoreError
                    raise kind(f"the log is full and cannot be flushed: {self._trouble}") from self._trouble
                self.wake()
                tried = True
            with self._wake:
                self._wake.wait(WAIT_SECONDS)
            if most is not None and time.monotonic() - began > most:
                raise StoreBusy(f"the log of '{collection.name}' is full, and was not flushed within {most:g} s")
            collection = self._collection(collection.name)

    def flush(self, name: str, timeout: float | None = None) -> None:
        """Flush one collection's tail, however small, and merge.

        Raises:
            StoreFull: there was no space; the rows stay in the log.
            StoreBusy: another process has been maintaining for `timeout` seconds.
            StoreClosed: the store was closed meanwhile; the rows stay in the log.
        """
        self._lock.acquire(LOCK_SECONDS if timeout is None else timeout)
        try:
            self._maintain(name, flush_from=1)
            self._collect_orphans()
        except compaction.Stopped:
            raise StoreClosed(f"the store was closed while '{name}' was flushed; its rows stay in the log") from None
        except OSError as error:
            raise StoreFull(f"could not flush '{name}' ({error}); its rows stay in the log") from error
        finally:
            self._lock.release()
        self._graphs.wake(name)
        self._catalog.give_back()

    def fold(self, collections: Iterable[Collection]) -> None:
        """On closing: flush what is too large to be replayed by the next to open; leave it if another maintains."""
        large = [c for c in collections if c.tail_bytes >= FOLD_BYTES]
        if not large or not self._lock.try_acquire():
            return
        try:
            for collection in large:
                self._compact(collection, collection.view(), _tail(collection.view()), lambda: False)
        except (ElanusError, OSError) as error:
            log.warning("the log of %s stays for the next to open: %s", self._segments.parent, error)
        finally:
            self._lock.release()

    def stop(self) -> None:
        """End the thread after its current step."""
        with self._wake:
            self._stopping = True
            thread = self._thread
            self._wake.notify_all()
        if thread is not None:
            thread.join()
        self._graphs.stop()

    def leak(self) -> None:
        """In a forked child, where the threads do not run: drop the locks' descriptors."""
        self._lock.leak()
        self._graphs.leak()

    def close(self) -> None:
        """End the thread, wait for another thread's `flush` to stop, and let go of the lock file."""
        self.stop()
        self._graphs.close()
        self._lock.close()

    # The thread

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._asked > self._done or self._stopping, IDLE_SECONDS)
                if self._stopping or self._asked <= self._done:
                    self._thread = None
                    return
                asked = self._asked
            done = self._round()
            with self._wake:
                if done:
                    self._done = asked
                    self._wake.notify_all()
                else:
                    self._wake.wait_for(lambda: self._stopping, RETRY_SECONDS)

    def _round(self) -> bool:
        """Do everything once; False if another maintains, who may have begun before there was reason to ask."""
        self._trouble = None
        if not self._lock.try_acquire():
            return False
        try:
            self._try(self._maintain_all)
        finally:
            self._lock.release()
        if not self._trouble and not self._stopping:
            self._try(self._catalog.give_back)
        return True

    def _maintain_all(self) -> None:
        with self._catalog.read() as transaction:
            names = [row.name for row in transaction.collections()]
        for name in names:
            self._try(partial(self._maintain, name, FLUSH_BYTES))
            self._try(partial(self._graphs.wake, name))
        self._collect_orphans()

    def _try(self, step: Callable[[], None]) -> None:
        """Do one step of a round; if it fails the others are done all the same.

        Nothing is lost: the log still holds what was not flushed. Writers that must wait are told.
        """
        try:
            step()
        except compaction.Stopped:
            return
        except Exception as error:
            log.warning("maintenance of %s failed and will be tried again: %s", self._segments.parent, error)
            self._trouble = error
            time.sleep(0.05)

    # The work, under the lock

    def _maintain(self, name: str, flush_from: int) -> None:
        try:
            collection = self._collection(name)
        except NotFound:
            return
        if collection.tail_bytes >= flush_from:
            view = collection.view()
            self._compact(collection, view, _tail(view))
        while group := self._next_merge(name):
            collection, view, slices = group
            self._compact(collection, view, slices)

    def _next_merge(self, name: str) -> tuple[Collection, View, list[Slice]] | None:
        try:
            collection = self._collection(name)
        except NotFound:
            return None
        view = collection.view()
        slices = _to_merge(view)
        return (collection, view, slices) if slices else None

    def _compact(
        self, collection: Collection, view: View, group: list[Slice], stopping: compaction.Stop | None = None
    ) -> None:
        work = compaction.Compaction(self._catalog, self._segments, collection, view, group, self._sync)
        if not work.run(stopping or (lambda: self._stopping)):
            return
        reach("merge.published")
        for old in work.replaced:
            remove_folder(self._segments / str(old.id))

    def _collect_orphans(self) -> None:
        """Remove folders that no catalogue row names, and reservations of those who died before publishing."""
        with self._catalog.write() as transaction:
            transaction.drop_reservations()
            known = {str(number) for number in transaction.known_segments()}
        for path in self._segments.iterdir():
            if path.name not in known:
                reach("orphan.remove")
                remove_folder(path)


def _tail(view: View) -> list[Slice]:
    return [s for s in view.slices if not s.part.sealed]


def _to_merge(view: View) -> list[Slice]:
    """One segment with many dead rows, or the next neighbours to merge.

    A segment is merged with all that follow it once these together hold as many rows. So each segment outweighs its
    followers, there are about log2(rows) of them, and a row is rewritten about as often.
    """
    sealed = [s for s in view.slices if s.part.sealed]
    for s in sealed:
        if _is_mostly_dead(s):
            return [s]
    for place, s in enumerate(sealed[:-1]):
        if s.living <= sum(other.living for other in sealed[place + 1 :]) and _fit_in_one(sealed[place:]):
            return sealed[place:]
    return []


def _is_mostly_dead(s: Slice) -> bool:
    return s.part.sealed and s.living < (1 - DEAD_SHARE) * s.part.rows


def _fit_in_one(group: list[Slice]) -> bool:
    """Whether one segment may hold all of these."""
    parts = [s.part for s in group]
    extents = [part.extents() for part in parts]
    return (
        sum(s.living for s in group) <= MAX_SEGMENT_ROWS
        and sum(part.row.bytes for part in parts if isinstance(part, Segment)) <= MAX_SEGMENT_BYTES
        and all(sum(extent.get(name, 0) for extent in extents) <= MAX_EXTENT for name in set().union(*extents))
    )
