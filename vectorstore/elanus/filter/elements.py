"""Conditions on the elements of lists: the elements as rows of their own, and how many of each list match."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from elanus.analysis import Analyzer
from elanus.filter.columns import Bools, PathValues, TextIndex
from elanus.filter.lists import elements, offsets
from elanus.filter.vectors import Array

T = TypeVar("T")
SELF = "$"
"""The name of the elements of a plain list; those of structs have the names of the struct's fields."""


class ElementRows:
    """The elements of all lists, one after the other, as columns."""

    def __init__(self, lists: pa.Array) -> None:
        self._elements = elements(lists)

    def __len__(self) -> int:
        return len(self._elements)

    def column(self, name: str) -> pa.Array:
        return self._elements if name == SELF else self._elements.field(name)

    def path(self, field: str, keys: tuple[str | int, ...]) -> PathValues:
        raise LookupError(f"elements hold no JSON: {field}")

    def text_index(self, field: str, analyzer: Analyzer) -> TextIndex:
        raise LookupError(f"elements have no inverted index: {field}")

    def derive(self, key: Hashable, make: Callable[[], T]) -> T:
        return make()


def counts(hits: Bools, lists: pa.Array) -> Array:
    """Return how many of the elements of each list are hit, int64 (n,)."""
    ends = offsets(lists).astype(np.int64)
    before = np.concatenate(([0], np.cumsum(hits, dtype=np.int64)))
    return np.asarray(before[ends[1:] - ends[0]] - before[ends[:-1] - ends[0]])


def inner_lists(lists: pa.Array, field: str) -> pa.Array:
    """Return a list of structs as a list of one of their fields."""
    child = lists.values.field(field)
    valid, ends = lists.buffers()[:2]
    kind = pa.list_(child.type)
    return pa.Array.from_buffers(kind, len(lists), [valid, ends], lists.null_count, lists.offset, [child])


QUANTIFIERS: dict[str, Callable[[Array, Array, int], Any]] = {
    "element_filter": lambda hits, size, threshold: hits > 0,
    "match_any": lambda hits, size, threshold: hits > 0,
    "match_all": lambda hits, size, threshold: hits == size,
    "match_least": lambda hits, size, threshold: hits >= threshold,
    "match_most": lambda hits, size, threshold: hits <= threshold,
    "match_exact": lambda hits, size, threshold: hits == threshold,
}
"""By function: whether a list matches, of whose `size` elements so many are hit."""
