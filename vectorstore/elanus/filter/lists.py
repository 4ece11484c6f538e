"""Lists in columns: one element, the length, and whether they contain something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from elanus.filter.columns import Bools
from elanus.filter.vectors import Array, Vector, as_vector, both, validity, with_nulls

Ints = np.ndarray[Any, np.dtype[np.int32]]
WORD = 8
FEW_WORDS = 2


def offsets(lists: pa.Array) -> Ints:
    """Return where each list starts in `lists.values`, and where the last one ends; int32 (n + 1,)."""
    if len(lists) == 0:
        return np.zeros(1, np.int32)
    buffer = lists.buffers()[1]
    return np.frombuffer(buffer, np.int32, lists.offset + len(lists) + 1)[lists.offset :]


def elements(lists: pa.Array) -> pa.Array:
    """Return the elements of all lists, in one column."""
    ends = offsets(lists)
    return lists.values.slice(int(ends[0]), int(ends[-1] - ends[0]))


def owners(lists: pa.Array) -> Ints:
    """Return for each of `elements` the row whose list holds it, int32."""
    return np.repeat(np.arange(len(lists), dtype=np.int32), np.diff(offsets(lists)))


def length(lists: pa.Array) -> Vector:
    """Return the number of elements of each list."""
    return Vector(np.diff(offsets(lists)).astype(np.int64), validity(lists))


def element(lists: pa.Array, index: int) -> Vector:
    """Return the element at `index` of each list; unknown where the list is shorter."""
    ends = offsets(lists)
    inside: Bools = np.diff(ends) > index
    places = with_nulls(np.where(inside, ends[:-1].astype(np.int64) + index, 0), inside)
    taken = as_vector(lists.values.take(places))
    return Vector(taken.data, both(validity(lists), inside))


def rows_of(hits: Bools, rows_by_element: Ints, rows: int) -> Bools:
    """Return the rows of which at least one element is hit."""
    found = np.zeros(rows, np.bool_)
    found[rows_by_element[true_places(hits)]] = True
    return found


def true_places(mask: Bools) -> Array:
    """Return where a mask is true; faster than numpy's own search where few places are."""
    whole = len(mask) // WORD * WORD
    packed = mask[:whole].view(np.uint64)
    words = np.flatnonzero(packed != 0)
    if len(words) > len(packed) // FEW_WORDS:
        return np.flatnonzero(mask)
    within = np.flatnonzero(packed[words].view(np.bool_))
    return np.concatenate([(words[within >> 3] << 3) + (within & 7), whole + np.flatnonzero(mask[whole:])])


def equal_to(lists: pa.Array, values: Sequence[Any], compare: Any) -> Bools:
    """Return where a list has exactly these elements; `compare(vector, value)` compares one position."""
    equal: Bools = np.diff(offsets(lists)) == len(values)
    for index, value in enumerate(values):
        equal &= compare(element(lists, index), value)
    return equal
