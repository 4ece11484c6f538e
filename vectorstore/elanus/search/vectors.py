"""The codes behind a view's dense vectors: which rows lie in which codes, and at which slots."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from elanus.errors import StoreFormatError
from elanus.index.graph import GRAPH_THRESHOLD_ROWS, GraphIndex
from elanus.index.metric import Metric
from elanus.index.recall import Calibration
from elanus.index.registry import IndexSpec
from elanus.index.scan import ScanIndex
from elanus.schema.fields import FLOAT_VECTORS
from elanus.storage.part import Bools, Floats, Int64s, Part
from elanus.storage.view import Slice, View

OWN_CODES_ROWS = 32_768
"""From this many rows on a segment's codes are in a file, loaded in a tenth of the time that encoding takes. It is also
where turbovec begins to scan in stages, three times as fast a row: 30,000 rows take longer than 66,000."""

GARBAGE_SHARE = 0.5

GRAPH_SHARE = 0.3
"""Below this share of matching rows the masked scan is taken: a graph loses recall where few of its rows match."""

Slots = slice | Int64s


@dataclass(frozen=True)
class Field:
    """A dense vector field under one metric."""

    name: str
    metric: Metric


class Codes:
    """The codes of a large segment, if there is one, and of the small parts after it; slots ascend with the rids.

    Rows keep their rids through flush and merge, so neither touches the codes. Slots of rows that died or moved on
    stay until they are the larger part; then the codes are made anew.

    Attributes:
        field: what they are codes of.
        measured: the recall of scanning them, once it has been measured; under the lock `measuring`.
    """

    def __init__(self, dim: int, field: Field, base: Part | None) -> None:
        self._dim, self.field, self._base = dim, field, base
        self._adding = threading.Lock()
        self.measuring = threading.Lock()
        self.measured: Calibration | None = None
        self._reset()

    def _reset(self) -> None:
        if self._base is None:
            self._scan, self._buffer = ScanIndex(self._dim, self.field.metric), np.empty(1024, np.int64)
            self._rids = self._buffer[:0]
        else:
            self._scan = _load_codes(self._base, self.field)
            self._rids = self._buffer = self._base.rids

    @property
    def index(self) -> ScanIndex:
        """What scans them."""
        return self._scan

    def over(self, slices: Sequence[Slice], first: int) -> Source:
        """The source for these slices, the view's from number `first` on, after adding the rows that the codes lack."""
        with self._adding:
            if len(self._scan) != len(self._rids):  # an interrupt came between adding codes and numbering them
                self._reset()
            slots = self._slots(slices)
            rows = sum(s.part.rows for s in slices)
            if slots is None or rows < GARBAGE_SHARE * len(self._rids):
                self._reset()
                slots = self._slots(slices)
            assert slots is not None
            return Source(slices, first, self, self._scan, self._rids, slots)

    def _slots(self, slices: Sequence[Slice]) -> list[Slots] | None:
        """Each slice's slots, newest rows added; None if an old row is missing, which only new codes can mend."""
        found = []
        for s in slices:
            last = self._rids[-1] if len(self._rids) else -1
            start = int(np.searchsorted(s.part.rids, last, "right"))
            if start < s.part.rows:
                self._add(s.part, start)
            slots = _slots_of(self._rids, s.part.rids)
            if slots is None:
                return None
            found.append(slots)
        return found

    def _add(self, part: Part, start: int) -> None:
        old, new = len(self._rids), len(self._rids) + part.rows - start
        self._scan.add(part.matrix(self.field.name)[start:], part.norms(self.field.name)[start:])
        if new > len(self._buffer):
            self._buffer = np.concatenate([self._rids, np.empty(max(new, 2 * old) - old, np.int64)])
        self._buffer[old:new] = part.rids[start:]
        self._rids = self._buffer[:new]


def _slots_of(rids: Int64s, wanted: Int64s) -> Slots | None:
    """Where ascending numbers stand among ascending numbers: a range if they stand together; None if one is missing."""
    first = int(np.searchsorted(rids, wanted[0]))
    if np.array_equal(rids[first : first + len(wanted)], wanted):
        return slice(first, first + len(wanted))
    at = np.searchsorted(rids, wanted)
    inside = at < len(rids)
    return at if inside.all() and np.array_equal(rids[at], wanted) else None


class Source:
    """Neighbouring slices of a view that are scanned together; its slots are those that there were when it looked."""

    def __init__(
        self,
        slices: Sequence[Slice],
        first: int,
        codes: Codes,
        scan: ScanIndex,
        rids: Int64s,
        slots_of: Sequence[Slots],
    ) -> None:
        self.slices, self.first, self.codes = slices, first, codes
        self.rows = sum(s.part.rows for s in slices)
        self._scan, self._rids, self._slots_of = scan, rids, slots_of
        self._graph: GraphIndex | None = None
        self._full = self.rows == len(rids)

    def with_graph(self, graph: GraphIndex) -> Source:
        """The same, which may also be searched by a graph over the slots."""
        self._graph = graph
        return self

    @property
    def has_graph(self) -> bool:
        """Whether `walk` can be asked."""
        return self._graph is not None

    def scan(self, query: Floats, k: int, mask: Bools | None) -> Int64s:
        """Up to k slots, likely the best of those under the mask, by their codes."""
        return self._scan.search(query, k, mask, limit=len(self._rids))

    def walk(self, query: Floats, k: int, ef: int, mask: Bools | None) -> Int64s:
        """Up to k slots, likely the best of those under the mask, by the graph; `ef` is the breadth of the search."""
        assert self._graph is not None
        return self._graph.search(query, k, ef, mask)

    def rids_at(self, slots: Int64s) -> Int64s:
        """The numbers of the rows at these slots, dead or alive."""
        found: Int64s = self._rids[slots]
        return found

    def mask(self, masks: Sequence[Bools | None]) -> Bools | None:
        """The mask over slots from the masks over the slices' rows; None if every slot may be a hit."""
        if self._full and all(m is None for m in masks):
            return None
        if self._full and len(masks) == 1:
            return masks[0]
        over_slots = np.zeros(len(self._rids), np.bool_)
        for slots, m in zip(self._slots_of, masks, strict=True):
            over_slots[slots] = True if m is None else m
        return over_slots

    def rows_at(self, slots: Int64s) -> list[Int64s]:
        """For each slice, the rows at these slots; slots of no living part are left out."""
        if self._full and len(self.slices) == 1:
            return [slots]
        rids = self._rids[slots]
        return [s.part.locate(rids)[1] for s in self.slices]


def coded_sources(view: View, field: Field) -> list[Source]:
    """The sources that together hold all rows of a view; made once per view.

    Each large segment begins a source, and the small parts behind it join it: what is new is scanned with what is
    large, as one. A segment with a graph stays alone.
    """

    def make() -> list[Source]:
        sources: list[Source] = []
        first = 0
        while first < len(view.slices):
            end = first + 1
            graph = graph_of(view.slices[first].part, field)
            while graph is None and end < len(view.slices) and not _is_large(view.slices[end].part):
                end += 1
            source = _codes(view, field, first).over(view.slices[first:end], first)
            sources.append(source if graph is None else source.with_graph(graph))
            first = end
        return sources

    return view.once(("sources", field), make)


def made_sources(view: View, field: Field) -> Sequence[Source]:
    """The sources of a view, if a search has made them."""
    made: Sequence[Source] = view.cache.get(("sources", field), ())
    return made


def _codes(view: View, field: Field, first: int) -> Codes:
    part = view.slices[first].part
    dim = part.column(field.name).type.list_size
    if _is_large(part):
        return part.derive(("codes", field), lambda: Codes(dim, field, part))
    if first:
        return view.slices[first - 1].part.derive(("codes behind", field), lambda: Codes(dim, field, None))
    codes: Codes = view.shared.setdefault(("codes", field), Codes(dim, field, None))
    return codes


def _is_large(part: Part) -> bool:
    return part.sealed and part.rows >= OWN_CODES_ROWS


def _load_codes(part: Part, field: Field) -> ScanIndex:
    """A large segment's codes: from its file, or made now if it has none for this metric."""
    arrays = part.arrays(codes_name(part.tag(field.name), field.metric))
    if arrays is not None:
        return ScanIndex.from_arrays(arrays)
    return build_codes(part.matrix(field.name), part.norms(field.name), field.metric)


def build_codes(matrix: Floats, norms: Floats, metric: Metric) -> ScanIndex:
    """Quantise a matrix."""
    codes = ScanIndex(matrix.shape[1], metric)
    codes.add(matrix, norms)
    return codes


def codes_name(tag: str, metric: Metric) -> str:
    """The name of the file of a field's codes."""
    return f"codes-{tag}-{metric.value}"


def graph_of(part: Part, field: Field) -> GraphIndex | None:
    """The graph over a segment, if one has been built."""

    def load() -> GraphIndex | None:
        path = part.file(graph_name(part.tag(field.name), field.metric))
        if path is None or not path.exists():
            return None
        try:
            return GraphIndex.load(path, field.metric)
        except StoreFormatError:
            return None  # damaged, or merged away just now: the scan answers

    return part.derive(("graph", field), load)


def graph_name(tag: str, metric: Metric) -> str:
    """The name of the file of a field's graph."""
    return f"graph-{tag}-{metric.value}.faiss"


def wants_graph(part: Part, spec: IndexSpec) -> bool:
    """Whether a part should get a graph: asked for by HNSW in every large segment, by AUTOINDEX where it is faster."""
    least = {"HNSW": OWN_CODES_ROWS, "AUTOINDEX": GRAPH_THRESHOLD_ROWS}.get(spec.index_type)
    return least is not None and spec.data_type in FLOAT_VECTORS and part.sealed and part.rows >= least
