"""What a process knows of a collection, and the one rule of which rows are alive.

The rule: of the rows with one key, the one with the highest row number (rid) is alive, whatever partitions they are
in, unless a later delete named the key or its partition was dropped. Applying the log in order keeps it: a write kills
the older rows of its keys, a delete all rows of its keys, an expulsion all rows of its partitions. Every read path sees
rows only through a `View`, whose slices carry the mask that this file made.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from elanus.schema.arrow import PARTITION
from elanus.schema.buffers import from_numbers, numbers
from elanus.storage.keys import Keys
from elanus.storage.part import Bools, Int64s, Part, TailBlock
from elanus.storage.segment import Segment
from elanus.storage.tables import EXPEL, WRITE, CollectionRow, LogEntry, SegmentRow

T = TypeVar("T")
MOST_BLOCKS = 64

ENTRY_BYTES = 32_768
"""What a log row counts for at least: a page of the catalogue, and the time it takes the next to open to replay it."""


@dataclass(frozen=True, eq=False)
class Slice:
    """A part and the mask of its living rows at one moment (None: all live).

    The mask never changes, so what depends on it (statistics) is cached here, and ends with it.
    """

    part: Part
    alive: Bools | None = None
    cache: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    @property
    def living(self) -> int:
        """How many rows live."""
        alive = self.alive
        return self.part.rows if alive is None else self.once("living", lambda: int(np.count_nonzero(alive)))

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` returns, made once for this part and mask."""
        if key not in self.cache:
            self.cache[key] = make()
        return self.cache[key]  # type: ignore[no-any-return]

    def without(self, rows: Int64s) -> Slice:
        """The slice after these rows died; itself if they were dead already."""
        if not len(rows) or (self.alive is not None and not self.alive[rows].any()):
            return self
        alive = np.ones(self.part.rows, np.bool_) if self.alive is None else self.alive.copy()
        alive[rows] = False
        return Slice(self.part, alive)

    def dead_rids(self) -> Int64s:
        """The row numbers of the dead."""
        return self.part.rids[:0] if self.alive is None else self.part.rids[~self.alive]


@dataclass(frozen=True, eq=False)
class View:
    """The rows of a collection at one sequence number; immutable, held by a reader without any lock.

    `lookups` are the columns and JSON paths by whose values rows are to be looked up. `cache` ends with the view;
    `shared` belongs to the collection in this process, for what outlives views.
    """

    collection: CollectionRow
    seq: int
    slices: tuple[Slice, ...]
    lookups: frozenset[Hashable] = frozenset()
    shared: dict[Hashable, Any] = field(default_factory=dict, repr=False)
    cache: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    @property
    def rows(self) -> int:
        """How many rows live."""
        return sum(s.living for s in self.slices)

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` returns, made once for this view."""
        if key not in self.cache:
            self.cache[key] = make()
        return self.cache[key]  # type: ignore[no-any-return]


class Tail:
    """The committed rows that no segment holds, by block, and where each key's living row is."""

    def __init__(self) -> None:
        self.slices: list[Slice] = []
        self._rid_of: dict[Any, int] = {}
        self.nbytes = 0

    def append(self, batch: pa.RecordBatch, rids: Int64s, keys: Keys, nbytes: int) -> None:
        """Add a committed batch; of equal keys within it the last lives."""
        last = keys.last_of_each()
        alive = None
        if len(last) < len(keys):
            alive = np.zeros(len(keys), np.bool_)
            alive[last] = True
        self.slices.append(Slice(TailBlock(batch, rids, nbytes), alive))
        self._rid_of.update(zip(keys.values, rids.tolist(), strict=True))
        self.nbytes += nbytes
        if len(self.slices) > MOST_BLOCKS:
            self.settle()

    def kill(self, keys: Keys) -> None:
        """Let the living rows of these keys die."""
        known = self._rid_of
        if not known:
            return
        rids = [known.pop(key) for key in keys.values if key in known]
        if rids:
            wanted = np.sort(np.array(rids, np.int64))
            self.slices = [s.without(s.part.locate(wanted)[1]) for s in self.slices]

    def expel(self, partitions: Int64s, key_field: str) -> None:
        """Let the living rows of these partitions die."""
        for s in list(self.slices):
            inside = _within(s.part, partitions)
            living = inside if s.alive is None else inside[s.alive[inside]]
            if len(living):
                self.kill(Keys(s.part.column(key_field).take(from_numbers(living))))

    def expire(self, first_rid: int, key_field: str) -> None:
        """Let the living rows numbered below `first_rid` die."""
        for s in list(self.slices):
            rows = np.arange(np.searchsorted(s.part.rids, first_rid))
            living = rows if s.alive is None else rows[s.alive[rows]]
            if len(living):
                self.kill(Keys(s.part.column(key_field).take(from_numbers(living))))

    def cut(self, first_rid: int, key_field: str) -> None:
        """Forget the rows numbered below `first_rid`: a segment holds them now."""
        kept: list[Slice] = []
        for old in self.slices:
            block = old.part.after(first_rid)  # type: ignore[attr-defined]
            if block.rows:
                alive = None if old.alive is None else old.alive[old.part.rows - block.rows :]
                kept.append(Slice(block, alive))
        self.slices = kept
        self.nbytes = sum(s.part.nbytes for s in kept)  # type: ignore[attr-defined]
        self._rid_of = {}
        for s in kept:
            keys, rids = Keys(s.part.column(key_field)).values, s.part.rids.tolist()
            living = s.alive.tolist() if s.alive is not None else [True] * len(rids)
            self._rid_of.update((k, r) for k, r, live in zip(keys, rids, living, strict=True) if live)

    def settle(self) -> None:
        """Join blocks so that each is at least twice as large as the next: a few blocks, each row copied rarely."""
        groups: list[list[Slice]] = []
        for s in self.slices:
            groups.append([s])
            while len(groups) > 1 and _rows(groups[-2]) < 2 * _rows(groups[-1]):
                groups[-2:] = [groups[-2] + groups[-1]]
        self.slices = [group[0] if len(group) == 1 else _join(group) for group in groups]


def _within(part: Part, partitions: Int64s) -> Int64s:
    """The rows of a part that are in one of these partitions."""
    return np.flatnonzero(np.isin(numbers(part.column(PARTITION)), partitions))


def _rows(group: list[Slice]) -> int:
    return sum(s.part.rows for s in group)


def _join(group: list[Slice]) -> Slice:
    block = TailBlock.joined([s.part for s in group])  # type: ignore[misc]
    if all(s.alive is None for s in group):
        return Slice(block)
    masks = [np.ones(s.part.rows, np.bool_) if s.alive is None else s.alive for s in group]
    return Slice(block, np.concatenate(masks))


class State:
    """A process's copy of one collection: its segments, its tail, and how far the log has been applied."""

    def __init__(self, row: CollectionRow, key_field: str) -> None:
        self.row = row
        self.applied_seq = row.flushed_seq
        self.tail = Tail()
        self.shared: dict[Hashable, Any] = {}
        self.next_rid = row.flushed_rid
        self._key_field = key_field
        self._first_rid = 0
        self._segments: list[Slice] = []
        self._lookups: frozenset[Hashable] = frozenset()
        self._view: View | None = None

    def lay_out(
        self, row: CollectionRow, segments: Iterable[Segment], tombstones: Int64s, lookups: frozenset[Hashable]
    ) -> None:
        """Take over a new list of segments; rows of the tail that they hold now leave the tail."""
        self._lookups = lookups
        dead = [tombstones, *(s.dead_rids() for s in (*self._segments, *self.tail.slices))]
        gone = np.unique(np.concatenate(dead))
        known = {s.part: s for s in self._segments}
        fresh = [known.get(part, Slice(part)) for part in segments]
        self._segments = [s.without(s.part.locate(gone)[1]) for s in fresh]
        if row.flushed_seq > self.row.flushed_seq:
            self.tail.cut(row.flushed_rid, self._key_field)
        self.applied_seq = max(self.applied_seq, row.flushed_seq)
        self.next_rid = max(self.next_rid, row.flushed_rid)
        self.row = row
        self._first_rid = 0
        self._view = None

    def segments(self) -> dict[SegmentRow, Segment]:
        """The mapped segments by their catalogue rows."""
        return {s.part.row: s.part for s in self._segments if isinstance(s.part, Segment)}

    def apply(self, entry: LogEntry, batch: pa.RecordBatch) -> None:
        """Apply one log entry, the next in order; `batch` is its decoded body."""
        nbytes = max(len(entry.body), ENTRY_BYTES)
        if entry.op == EXPEL:
            self._expel(numbers(batch.column(PARTITION)))
        else:
            keys = Keys(batch.column(self._key_field))
            self._segments = [s.without(s.part.find(keys, self._key_field)[1]) for s in self._segments]
            self.tail.kill(keys)
        if entry.op != WRITE:
            self.tail.nbytes += nbytes
        else:
            rids = np.arange(entry.first_rid, entry.first_rid + entry.rows, dtype=np.int64)
            self.tail.append(batch, rids, keys, nbytes)
            self.next_rid = entry.first_rid + entry.rows
        self.applied_seq = entry.seq
        self._view = None

    def _expel(self, partitions: Int64s) -> None:
        self._segments = [s.without(_within(s.part, partitions)) for s in self._segments]
        self.tail.expel(partitions, self._key_field)

    def expire(self, first_rid: int) -> None:
        """Let the rows numbered below `first_rid` die of age."""
        if first_rid <= self._first_rid:
            return
        self._segments = [s.without(np.arange(np.searchsorted(s.part.rids, first_rid))) for s in self._segments]
        self.tail.expire(first_rid, self._key_field)
        self._first_rid = first_rid
        self._view = None

    def living(self, keys: Keys) -> int:
        """How many living rows have one of these keys."""
        return sum(len(np.unique(rows)) for _, rows in find(self.view(), keys, self._key_field))

    def view(self) -> View:
        """The collection as far as it has been applied."""
        if self._view is None:
            self.tail.settle()
            slices = (*self._segments, *self.tail.slices)
            self._view = View(self.row, self.applied_seq, slices, self._lookups, self.shared)
        return self._view


def find(view: View, keys: Keys, key_field: str) -> list[tuple[Int64s, Int64s]]:
    """For each slice of the view: positions in `keys`, and the living rows that hold those keys."""
    found = []
    for s in view.slices:
        which, rows = s.part.find(keys, key_field)
        if s.alive is not None:
            living = s.alive[rows]
            which, rows = which[living], rows[living]
        found.append((which, rows))
    return found
