"""Compaction: parts in, one segment out. A flush compacts the tail's blocks, a merge compacts segments.

What a crash leaves, step by step: after the reservation, a row that the next maintainer drops; while writing or
after the rename, a folder that nothing lists; after the publishing transaction, the old folders as orphans. The
transaction itself lists the segment, unlists what it replaces, sets the tombstones and drops the covered log.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from elanus.engine.collection import Collection
from elanus.search.files import IndexWriter
from elanus.storage.catalog import Catalog
from elanus.storage.failpoints import reach
from elanus.storage.segment import Segment, write_segment
from elanus.storage.tables import CollectionRow, SegmentRow, Transaction
from elanus.storage.view import Slice, View

Stop = Callable[[], bool]


class Stopped(Exception):
    """The work was given up because the process wants to end; nothing was published."""


class Compaction:
    """The compaction of neighbouring slices of one view; `run` does it, `replaced` are the segments it unlists."""

    def __init__(
        self,
        catalog: Catalog,
        segments: Path,
        collection: Collection,
        view: View,
        group: list[Slice],
        sync: bool,
    ) -> None:
        self._catalog = catalog
        self._segments = segments
        self._collection = collection
        self._definition = collection.definition
        self._view = view
        self._kept = [(s.part, s.alive) for s in group if s.living]
        self._others = [(s, s.part.row) for s in view.slices if s not in group and isinstance(s.part, Segment)]
        self._flushes = not any(isinstance(s.part, Segment) for s in group)
        self._sync = sync
        self.replaced: list[SegmentRow] = [s.part.row for s in group if isinstance(s.part, Segment)]

    def run(self, stopping: Stop) -> bool:
        """Write the new segment and publish it; say whether it was, which it is not if it has become outdated.

        Raises:
            Stopped: `stopping()` said so before it was published.
        """
        written = self._write(stopping) if self._kept else None
        if stopping():
            raise Stopped
        with self._catalog.write() as transaction:
            row = transaction.collection(self._collection.id)
            if row is None or not self._fits(transaction, row):
                return False
            self._publish(transaction, row, written)
            reach("publish.inside")
        reach("publish.after")
        return True

    def _write(self, stopping: Stop) -> SegmentRow:
        with self._catalog.write() as transaction:
            number = transaction.reserve_segment(self._collection.id)
        reach("segment.reserved")
        schema, specs, lookups = self._definition.schema, self._definition.specs, self._definition.lookups
        indexes = IndexWriter(schema, specs, lookups, self._kept, stopping, self._sync)
        row = write_segment(self._segments, number, schema, self._kept, indexes.write, self._sync)
        reach("segment.renamed")
        return row

    def _fits(self, transaction: Transaction, row: CollectionRow) -> bool:
        """Whether what this work was based on still stands: the segments, and how far the log is flushed."""
        listed = {segment.id for segment in transaction.segments(row.id)}
        expected = {segment.id for segment in self.replaced} | {segment.id for _, segment in self._others}
        return listed == expected and row.flushed_seq == self._view.collection.flushed_seq

    def _publish(self, transaction: Transaction, row: CollectionRow, written: SegmentRow | None) -> None:
        if written is not None:
            transaction.list_segment(row.id, written)
        transaction.release_segments(old.id for old in self.replaced)
        dead = [s.dead_rids() for s, _ in self._others]
        transaction.set_tombstones(row.id, np.concatenate([np.empty(0, np.int64), *dead]))
        if self._definition.ttl is not None and self._view.slices:
            transaction.forget_ticks(row.id, min(int(s.part.rids[0]) for s in self._view.slices))
        if self._flushes:
            transaction.lay_out(row.id, self._view.seq, _end_rid(self._view, row))
        else:
            transaction.lay_out(row.id, row.flushed_seq, row.flushed_rid)


def _end_rid(view: View, row: CollectionRow) -> int:
    """The row number after the last one that the view has seen."""
    return max([row.flushed_rid, *(int(s.part.rids[-1]) + 1 for s in view.slices[-1:])])
