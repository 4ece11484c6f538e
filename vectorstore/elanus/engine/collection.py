"""A collection in this process: kept current with the log, and written to.

A write is prepared outside the lock (validated, turned into Arrow, encoded) and committed inside it. If this
process had applied everything before its own commit, the batch is applied to memory directly; otherwise the next
read fetches it from the log with the rest. Either way the log's order decides.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from elanus.engine.definition import Definition
from elanus.engine.merging import merged
from elanus.engine.naming import named
from elanus.errors import StoreError
from elanus.filter import Predicate
from elanus.schema.arrow import PARTITION, stored_schema
from elanus.schema.buffers import from_numbers, numbers
from elanus.schema.partial import Piece
from elanus.search.matching import matching
from elanus.storage.catalog import Catalog
from elanus.storage.clock import COARSE_SECONDS, Clock
from elanus.storage.keys import Keys
from elanus.storage.log import completed, decode, encode
from elanus.storage.segment import Segment
from elanus.storage.tables import DELETE, WRITE, CollectionRow, LogEntry, SegmentRow, Transaction
from elanus.storage.view import State, View, find

OPEN_ATTEMPTS = 20
LAST_ID = 2**62
"""Keys that the store gives go on behind the highest that rows brought, if it is below this."""


class Stale(Exception):
    """The name means another collection, or another definition of it, since this object read it; look it up again."""


@dataclass(frozen=True)
class Written:
    """A committed batch: its keys, in order, as an Arrow array."""

    keys: pa.Array
    rows: int


class Collection:
    """One collection's state in this process; `Store.collection(name)` returns it caught up."""

    def __init__(self, catalog: Catalog, folder: Path, row: CollectionRow, transaction: Transaction) -> None:
        self.definition = Definition.from_dict(row.definition)
        self.id = row.id
        self._catalog = catalog
        self._folder = folder
        self._lock = threading.RLock()
        self._state = State(row, self.definition.key_field)
        self._laid_out = -1
        self._clock = Clock()
        self.catch_up(transaction, row)

    @property
    def name(self) -> str:
        """The name as of the last catch-up."""
        return self._state.row.name

    @property
    def schema(self) -> Any:
        """The collection's schema."""
        return self.definition.schema

    def catch_up(self, transaction: Transaction, row: CollectionRow) -> None:
        """Apply what was committed since the last time; `row` is the collection as `transaction` sees it."""
        with self._lock:
            if row.layout > self._laid_out:  # an older snapshot than another thread's is never taken over
                self._lay_out(transaction, row)
            for entry in transaction.log(self.id, self._state.applied_seq):
                self._apply(entry, decode(entry, self.definition.schema))
            if self.definition.ttl is not None:
                self._clock.add(transaction.ticks(self.id, self._clock.last))

    def _apply(self, entry: LogEntry, batch: pa.RecordBatch) -> None:
        with self._whole():
            self._state.apply(entry, batch)

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Change the state as a whole: what an exception (Ctrl-C, say) left half-changed is read anew."""
        try:
            yield
        except BaseException:
            self._state, self._laid_out = State(self._state.row, self.definition.key_field), -1
            self._catalog.forget()
            raise

    def _lay_out(self, transaction: Transaction, row: CollectionRow) -> None:
        before, self.definition = self.definition, Definition.from_dict(row.definition)
        if before.schema.to_dict() != self.definition.schema.to_dict():
            self._state = State(row, self.definition.key_field)  # parts know their schema: they are opened anew
        known = self._state.segments()
        rows = transaction.segments(self.id)
        segments = [known[r] if r in known else self._map(r) for r in rows]
        tombstones = transaction.tombstones(self.id)
        with self._whole():
            self._state.lay_out(row, segments, tombstones, self.definition.lookups)
            self._laid_out = row.layout

    def _map(self, row: SegmentRow) -> Segment:
        return Segment(self._folder / "segments" / str(row.id), row, self.definition.schema)

    def view(self) -> View:
        """The rows as far as this process has applied the log, without those that have ended by their age."""
        with self._lock:
            self._expire()
            return self._state.view()

    def _expire(self) -> None:
        seconds = self.definition.ttl
        if seconds is not None:
            with self._whole():
                self._state.expire(self._clock.first_alive(time.time(), seconds, self._state.next_rid))

    @property
    def tail_bytes(self) -> int:
        """The size of the log that no segment holds yet, as far as this process knows."""
        return self._state.tail.nbytes

    def write(self, batch: pa.RecordBatch, name: str, partition: int = 0) -> Written:
        """Commit rows in the form of `stored_schema(schema)`, with or without the keys that the store gives.

        Rows with the same keys are replaced, in whatever partition they are.

        Raises:
            Stale: `name`, the collection's or an alias, means something else meanwhile; nothing was written.
        """
        if partition:
            batch = batch.append_column(PARTITION, from_numbers(np.full(batch.num_rows, partition, np.int32)))
        body = encode(batch)
        with self._catalog.write() as transaction:
            row = self._row(transaction, name)
            entry = self._append(transaction, row, batch, body)
        return self._written(row, entry, batch)

    def merge(
        self, pieces: Sequence[Piece], operations: Mapping[str, str], name: str, partition: int | None
    ) -> Written:
        """Commit rows that bring some of their fields; the others keep their values, as of the moment of the commit.

        Stale and RowError as in `write` and `merged`.
        """
        with self._catalog.write() as transaction:
            row = self._row(transaction, name)
            with self._lock:
                self.catch_up(transaction, row)
                batch = merged(self.view(), self.definition.schema, pieces, operations, partition)
            entry = self._append(transaction, row, batch, encode(batch))
        return self._written(row, entry, batch)

    def _append(
        self, transaction: Transaction, row: CollectionRow, batch: pa.RecordBatch, body: memoryview
    ) -> LogEntry:
        transaction.tick(row, time.time(), COARSE_SECONDS if self.definition.ttl is None else 1)
        key = self.definition.schema.primary_field
        keyed = key.name in batch.schema.names
        entry = transaction.append(row, WRITE, batch.num_rows, body, keyed=keyed)
        if key.auto_id and keyed:
            transaction.number_from(row.id, _highest(batch.column(key.name)) + 1)
        return entry

    def _written(self, row: CollectionRow, entry: LogEntry, batch: pa.RecordBatch) -> Written:
        stored = completed(batch, entry, self.definition.schema)
        self._applied(row, entry, stored)
        return Written(stored.column(self.definition.key_field), batch.num_rows)

    def delete(self, choose: Callable[[View], pa.Array], name: str) -> int:
        """Delete the rows whose keys `choose` returns from the newest view; return how many lived.

        The choice is made inside the write lock, so that it is of the moment the delete commits. Stale as in `write`.
        """
        with self._catalog.write() as transaction:
            row = self._row(transaction, name)
            with self._lock:
                self.catch_up(transaction, row)
                keys = Keys(choose(self.view()))
                living = self._state.living(keys)
            if not living:
                return 0
            batch = pa.RecordBatch.from_arrays([keys.array], names=[self.definition.key_field])
            entry = transaction.append(row, DELETE, len(keys), encode(batch))
        self._applied(row, entry, batch)
        return living

    def delete_keys(self, keys: pa.Array, name: str) -> int:
        """Delete the rows of these keys; return how many there were."""
        return self.delete(lambda _: keys, name)

    def delete_keys_within(self, keys: pa.Array, partitions: Sequence[int], name: str) -> int:
        """Delete the rows of these keys that are in one of these partitions; return how many there were."""
        return self.delete(lambda view: _keys_within(view, keys, partitions, self.definition.key_field), name)

    def delete_matching(self, predicate: Predicate, name: str) -> int:
        """Delete the rows that match a filter; return how many there were."""
        return self.delete(lambda view: _matching_keys(view, predicate, self.definition), name)

    def _row(self, transaction: Transaction, name: str) -> CollectionRow:
        row = transaction.collection(name)
        if row is None or row.id != self.id or row.version != self._state.row.version:
            raise Stale
        return row

    def _applied(self, before: CollectionRow, entry: LogEntry, batch: pa.RecordBatch) -> None:
        if self.definition.ttl is not None:
            return  # the next read takes over the batch together with its time
        with self._lock:
            if self._state.applied_seq == before.last_seq and self._laid_out == before.layout:
                self._apply(entry, batch)


def _matching_keys(view: View, predicate: Predicate, definition: Definition) -> pa.Array:
    field = stored_schema(definition.schema).field(definition.key_field)
    pieces = [pa.array([], field.type)]
    for s, choice in zip(view.slices, matching(view, predicate).choices, strict=True):
        keys = s.part.column(definition.key_field)
        pieces.append((keys if choice is None else keys.take(from_numbers(choice.rows))).cast(field.type))
    return pa.concat_arrays(pieces)


def _highest(keys: pa.Array) -> int:
    """The highest number among keys, be they numbers or strings that say one; 0 if there is none."""
    said = (int(key) for key in keys.to_pylist() if isinstance(key, int) or (key.isascii() and key.isdigit()))
    return max((number for number in said if number < LAST_ID), default=0)


def _keys_within(view: View, keys: pa.Array, partitions: Sequence[int], key_field: str) -> pa.Array:
    inside = np.zeros(len(keys), np.bool_)
    for s, (which, rows) in zip(view.slices, find(view, Keys(keys), key_field), strict=True):
        inside[which] = np.isin(numbers(s.part.column(PARTITION))[rows], partitions)
    return keys.filter(pa.array(inside))


def open_collection(catalog: Catalog, folder: Path, name: str, known: Mapping[int, Collection]) -> Collection:
    """Return the collection of that name or alias, caught up; `known` are those open in this process, by id.

    A segment may be merged away between reading the catalogue and mapping its files: then the catalogue already
    lists another, and reading it again finds it.
    """
    for attempt in range(OPEN_ATTEMPTS):
        with catalog.read() as transaction:
            row = named(transaction, name)
            try:
                if row.id not in known:
                    return Collection(catalog, folder, row, transaction)
                known[row.id].catch_up(transaction, row)
                return known[row.id]
            except FileNotFoundError as error:
                if attempt == OPEN_ATTEMPTS - 1:
                    raise StoreError(f"collection '{name}': a listed segment file is missing: {error}") from error
    raise AssertionError("unreachable")
