"""The codes behind a view's dense vectors: which rows lie in which codes, and at which slots."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Union

import numpy as np

from elanus.index.metric import Metric
from elanus.index.registry import IndexSpec, SearchParams
from elanus.index.scan import ScanIndex
from elanus.storage.part import Bools, Floats, Int64s, Part
from elanus.storage.view import Slice, View

OWN_CODES_ROWS = 32_768
"""From this many rows on a segment has codes of its own, on disk; smaller ones share codes in memory."""

GARBAGE_SHARE = 0.5

Slots = Union[slice, Int64s]


@dataclass(frozen=True)
class Field:
    """A dense vector field under one metric."""

    name: str
    metric: Metric


class Coded(Protocol):
    """Rows of a view that can be scanned together: slots of codes, and the rows at them."""

    slices: Sequence[Slice]
    places: Sequence[int]
    slots: int

    def search(self, query: Floats, k: int, mask: Bools | None) -> Int64s:
        """Up to k slots, likely the best."""

    def mask(self, masks: Sequence[Bools | None]) -> Bools | None:
        """The mask over slots from the masks over the slices' rows; None if every slot may be a hit."""

    def rows_at(self, slots: Int64s) -> list[Int64s]:
        """For each slice, the rows at these slots; slots of no living part are left out."""


class OwnCodes:
    """A large segment: slots are its rows."""

    def __init__(self, s: Slice, place: int, codes: ScanIndex) -> None:
        self.slices, self.places, self.slots = (s,), (place,), s.part.rows
        self._codes = codes

    def search(self, query: Floats, k: int, mask: Bools | None) -> Int64s:
        return self._codes.search(query, k, mask)

    def mask(self, masks: Sequence[Bools | None]) -> Bools | None:
        return masks[0]

    def rows_at(self, slots: Int64s) -> list[Int64s]:
        return [slots]


class SharedCodes:
    """The codes of all small parts of a collection in this process; slots ascend with the rows' numbers.

    Rows keep their numbers through flush and merge, so neither touches the codes. Slots of rows that died or moved
    into a large segment stay until they are the larger part; then the codes are made anew.
    """

    def __init__(self, dim: int, field: Field) -> None:
        self._dim, self._field = dim, field
        self._adding = threading.Lock()
        self._reset()

    def _reset(self) -> None:
        self._codes = ScanIndex(self._dim, self._field.metric)
        self._buffer = np.empty(1024, np.int64)
        self._rids = self._buffer[:0]

    def over(self, slices: Sequence[Slice], places: Sequence[int]) -> SharedSource:
        """The source for these slices, after adding the rows that the codes lack."""
        with self._adding:
            slots = self._slots(slices)
            rows = sum(s.part.rows for s in slices)
            if slots is None or rows < GARBAGE_SHARE * len(self._rids):
                self._reset()
                slots = self._slots(slices)
            assert slots is not None
            return SharedSource(slices, places, self._codes, self._rids, slots)

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
        self._codes.add(part.matrix(self._field.name)[start:], part.norms(self._field.name)[start:])
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


class SharedSource:
    """The shared codes as one view sees them: its slots are those that there were when it looked."""

    def __init__(
        self,
        slices: Sequence[Slice],
        places: Sequence[int],
        codes: ScanIndex,
        rids: Int64s,
        slots_of: Sequence[Slots],
    ) -> None:
        self.slices, self.places, self.slots = slices, places, len(rids)
        self._codes, self._rids, self._slots_of = codes, rids, slots_of
        self._full = sum(s.part.rows for s in slices) == len(rids)

    def search(self, query: Floats, k: int, mask: Bools | None) -> Int64s:
        return self._codes.search(query, k, mask, limit=self.slots)

    def mask(self, masks: Sequence[Bools | None]) -> Bools | None:
        if self._full and all(m is None for m in masks):
            return None
        over_slots = np.zeros(self.slots, np.bool_)
        for slots, m in zip(self._slots_of, masks, strict=True):
            over_slots[slots] = True if m is None else m
        return over_slots

    def rows_at(self, slots: Int64s) -> list[Int64s]:
        rids = self._rids[slots]
        return [s.part.locate(rids)[1] for s in self.slices]


def coded_sources(view: View, field: Field, spec: IndexSpec, params: SearchParams) -> list[Coded]:
    """The sources that together hold all rows of a view; made once per view."""

    def make() -> list[Coded]:
        large = [i for i, s in enumerate(view.slices) if owns_codes(s.part)]
        small = [i for i, s in enumerate(view.slices) if not owns_codes(s.part)]
        sources: list[Coded] = [OwnCodes(view.slices[i], i, own_codes(view.slices[i].part, field)) for i in large]
        if small:
            slices = [view.slices[i] for i in small]
            sources.append(_shared(view, field, slices[0].part).over(slices, small))
        return sources

    return view.once(("sources", field), make)


def _shared(view: View, field: Field, part: Part) -> SharedCodes:
    dim = part.column(field.name).type.list_size
    shared: SharedCodes = view.shared.setdefault(("codes", field), SharedCodes(dim, field))
    return shared


def owns_codes(part: Part) -> bool:
    """Whether a part is large enough for codes of its own, and will not be joined soon."""
    return part.sealed and part.rows >= OWN_CODES_ROWS


def own_codes(part: Part, field: Field) -> ScanIndex:
    """A large segment's codes: from its file, or made now if the file is for another metric."""

    def make() -> ScanIndex:
        arrays = part.arrays(codes_name(part.tag(field.name), field.metric))
        if arrays is not None:
            return ScanIndex.from_arrays(arrays)
        return build_codes(part.matrix(field.name), part.norms(field.name), field.metric)

    return part.derive(("codes", field), make)


def build_codes(matrix: Floats, norms: Floats, metric: Metric) -> ScanIndex:
    """Quantise a matrix."""
    codes = ScanIndex(matrix.shape[1], metric)
    codes.add(matrix, norms)
    return codes


def codes_name(tag: str, metric: Metric) -> str:
    """The name of the file of a field's codes."""
    return f"codes-{tag}-{metric.value}"
