"""A collection's rows on their way into another one, with the vectors of one field made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from elanus.engine.change import Change
from elanus.engine.collection import Collection
from elanus.engine.store import Store
from elanus.errors import RowError
from elanus.schema.arrow import PARTITION, stored_schema
from elanus.storage.failpoints import reach
from elanus.storage.log import encode
from elanus.storage.part import Int64s
from elanus.storage.tables import DELETE, WRITE, CollectionRow, Transaction, name_in_making
from elanus.storage.view import Slice, View

Report = Callable[[int, int], object]
"""Is told how many rows are embedded, and how many there are so far."""


@dataclass(frozen=True)
class Rest:
    """What a copy lacks at one moment: keys to delete, and per slice the rows to add."""

    gone: pa.Array
    fresh: list[tuple[Slice, Int64s]]

    @property
    def rows(self) -> int:
        """How many rows are to be added."""
        return sum(len(rows) for _, rows in self.fresh)


class Copy:
    """What has been copied from `source` into `target`, by row number and key, and how to go on.

    Row numbers only grow, so what is new has a higher one than all that was copied.
    """

    def __init__(
        self, store: Store, source: Collection, target: Collection, change: Change, batch_rows: int, report: Report
    ) -> None:
        self.source, self.target, self.change = source, target, change
        self.embedded = 0
        self._store = store
        self._batch_rows = batch_rows
        self._report = report
        self._key = source.definition.key_field
        stored = stored_schema(source.definition.schema)
        numbered = pa.field(PARTITION, pa.int32())
        self._kept = pa.schema([*(column for column in stored if column.name != change.field), numbered])
        self._columns = [*stored_schema(target.definition.schema).names, PARTITION]
        self._rids = np.empty(0, np.int64)
        self._keys: pa.Array = pa.array([], stored.field(self._key).type)

    def rest(self, view: View) -> Rest:
        """What the view has that the copy lacks, and the other way round."""
        last = int(self._rids[-1]) if len(self._rids) else -1
        fresh, living = [], [np.empty(0, np.int64)]
        for s in view.slices:
            alive = s.part.rids if s.alive is None else s.part.rids[s.alive]
            living.append(alive)
            rows = np.flatnonzero(s.part.rids > last if s.alive is None else (s.part.rids > last) & s.alive)
            if len(rows):
                fresh.append((s, rows))
        gone = ~np.isin(self._rids, np.concatenate(living), assume_unique=True)
        return Rest(self._keys.filter(pa.array(gone)), fresh)

    def catch_up(self, view: View) -> None:
        """Copy what the copy lacks; rows that died after they were copied go first, for their keys may be back."""
        rest = self.rest(view)
        name = name_in_making(self.source.id)
        if len(rest.gone):
            self._store.write(name, partial(Collection.delete_keys, keys=rest.gone, name=name))
            self._forget(rest.gone)
        rids, keys = [self._rids], [self._keys]
        for batch, numbers in self._batches(rest):
            self._store.write(name, partial(Collection.write, batch=batch, name=name))
            rids.append(numbers)
            keys.append(batch.column(self._key))
            self.embedded += batch.num_rows
            reach("reembed.copied")
            self._report(self.embedded, max(view.rows, self.embedded))
        self._rids, self._keys = np.concatenate(rids), pa.concat_arrays(keys)

    def finish(self, transaction: Transaction, rest: Rest) -> None:
        """Put the last changes into the copy's log, within the transaction that puts it in its source's place."""
        if len(rest.gone):
            gone = pa.RecordBatch.from_arrays([rest.gone], names=[self._key])
            transaction.append(self._row(transaction), DELETE, len(rest.gone), encode(gone))
        for batch, _ in self._batches(rest):
            transaction.append(self._row(transaction), WRITE, batch.num_rows, encode(batch))
            self.embedded += batch.num_rows

    def _row(self, transaction: Transaction) -> CollectionRow:
        row = transaction.collection(self.target.id)
        assert row is not None  # who drops it holds the lock of re-embeddings, or drops the source too
        return row

    def _batches(self, rest: Rest) -> Iterator[tuple[pa.RecordBatch, Int64s]]:
        for s, rows in rest.fresh:
            for start in range(0, len(rows), self._batch_rows):
                chosen = rows[start : start + self._batch_rows]
                yield self._embedded(s.part.taken(chosen, self._kept)), s.part.rids[chosen]

    def _embedded(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        try:
            vectors = self.change.model.column(batch)
        except RowError as error:
            key = batch.column(self._key)[error.row or 0].as_py()
            raise RowError(f"the row of key {key!r} cannot be embedded: {error.message}") from None
        return batch.append_column(self.change.field, vectors).select(self._columns)

    def _forget(self, gone: pa.Array) -> None:
        kept = pc.invert(pc.is_in(self._keys, gone))
        self._rids, self._keys = self._rids[kept.to_numpy(zero_copy_only=False)], self._keys.filter(kept)
