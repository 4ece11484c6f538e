"""Graphs over large segments, built in the background while the rows are found by scan.

`graphs.lock` is held by the one process that builds. A graph is a further file in its segment's folder: written
beside its name, fsynced, renamed, then made known by raising the segment's revision. A crash before that leaves a
file that is found when the segment is next opened, or goes with a segment that was merged away.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from elanus.engine.collection import Collection
from elanus.engine.definition import Index
from elanus.errors import NotFound
from elanus.index.graph import DEFAULT_EF_CONSTRUCTION, DEFAULT_M, GraphIndex
from elanus.index.metric import Metric
from elanus.index.recall import graph_calibration
from elanus.search.calibrating import keep, recall_name
from elanus.search.vectors import Field, graph_name, graph_of, wants_graph
from elanus.storage.catalog import Catalog
from elanus.storage.failpoints import reach
from elanus.storage.files import sync_folder
from elanus.storage.locks import FileLock
from elanus.storage.segment import Segment

log = logging.getLogger("elanus")


class GraphBuilder:
    """A thread that ends when every segment of a collection that wants a graph has one; `wake` starts it again."""

    def __init__(self, home: Path, catalog: Catalog, collection: Callable[[str], Collection], *, sync: bool) -> None:
        self._catalog = catalog
        self._collection = collection
        self._sync = sync
        self._lock = FileLock(home / "graphs.lock")
        self._starting = threading.Lock()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def wake(self, name: str) -> None:
        """Build what a collection's segments lack, unless a build is under way here already."""
        with self._starting:
            running = self._thread is not None and self._thread.is_alive()
            if running or self._stopping or next(self._missing(name), None) is None:
                return
            self._thread = threading.Thread(target=self._run, args=(name,), name="elanus-graphs", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread after its current step of 500 rows; an unfinished graph is given up."""
        self._stopping = True
        if self._thread is not None:
            self._thread.join()

    def leak(self) -> None:
        """In a forked child: drop the lock's descriptor."""
        self._lock.leak()

    def close(self) -> None:
        """Stop, and let go of the lock file."""
        self.stop()
        self._lock.close()

    def _missing(self, name: str) -> Iterator[tuple[Collection, Segment, Index]]:
        try:
            collection = self._collection(name)
        except NotFound:
            return
        for s in collection.view().slices:
            for index in collection.definition.indexes.values():
                if isinstance(s.part, Segment) and wants_graph(s.part, index.spec):
                    field = Field(index.field, Metric(index.spec.metric))
                    graph = graph_of(s.part, field)
                    if graph is None or not _is_as_asked(graph, index):
                        yield collection, s.part, index

    def _run(self, name: str) -> None:
        if not self._lock.try_acquire():
            return
        try:
            while not self._stopping and (work := next(self._missing(name), None)):
                if not self._build(*work):
                    return
        except Exception as error:
            # Searches go on by scan; the next wake tries again.
            log.warning("building a graph for '%s' failed: %s", name, error)
        finally:
            self._lock.release()

    def _build(self, collection: Collection, segment: Segment, index: Index) -> bool:
        metric, params = Metric(index.spec.metric), index.spec.params
        graph = GraphIndex.build(
            segment.matrix(index.field),
            segment.norms(index.field),
            metric,
            int(params.get("M", DEFAULT_M)),
            int(params.get("efConstruction", DEFAULT_EF_CONSTRUCTION)),
            stop=lambda: self._stopping,
        )
        if graph is None:
            return False
        path = segment.file(graph_name(segment.tag(index.field), metric))
        if not path.parent.exists():  # merged away meanwhile
            return True
        measured = graph_calibration(graph, (segment.matrix(index.field), segment.norms(index.field)))
        keep(measured, segment.file(recall_name(path.name)))
        self._install(graph, path)
        with self._catalog.write() as transaction:
            row = transaction.collection(collection.id)
            if row is not None and transaction.revise_segment(segment.row):
                transaction.lay_out(row.id, row.flushed_seq, row.flushed_rid)
        return True

    def _install(self, graph: GraphIndex, path: Path) -> None:
        temporary = path.with_suffix(".tmp")
        graph.save(temporary)
        if self._sync:
            with open(temporary, "rb+") as written:
                os.fsync(written.fileno())
        os.replace(temporary, path)
        if self._sync:
            sync_folder(path.parent)
        reach("graph.renamed")


def _is_as_asked(graph: GraphIndex, index: Index) -> bool:
    """Whether a graph has the parameters that the index names; it may be older than the index."""
    built = {"M": graph.m, "efConstruction": graph.ef_construction}
    return all(built.get(name, value) == value for name, value in index.spec.params.items())
