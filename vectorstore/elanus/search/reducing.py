"""The functions of aggregates, over columns of rows by group.

Null and missing values are left out, as in SQL: `count` counts the others, and of none of them the rest are None. Sums
of integers are exact, those of floats double. Numbers in JSON are taken for what they are; `sum` and `avg` leave out
what is no number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from elanus.schema.buffers import bits, from_numbers, numbers
from elanus.schema.fields import FLOATS, INTEGERS
from elanus.schema.times import to_iso
from elanus.search.ordering import Direction, arrange
from elanus.search.values import NUMBERS, Named
from elanus.storage.part import Int64s
from elanus.types import DataType

LOW = 32
"""Exact sums add the upper and the lower 32 bits apart."""

Array = np.ndarray[Any, Any]


class Grouped:
    """Rows by the number of their group, 0 to n - 1, each of which has rows."""

    def __init__(self, groups: Int64s) -> None:
        self.groups = groups
        self.sizes = np.bincount(groups)
        self.number = len(self.sizes)
        self._order: Int64s | None = None

    @property
    def order(self) -> Int64s:
        """The rows, group after group, each group's in their order."""
        if self._order is None:
            one = self.number == 1
            self._order = np.arange(len(self.groups)) if one else np.argsort(self.groups, kind="stable")
        return self._order

    def reduce(self, function: np.ufunc, values: Array, there: Array) -> tuple[Array, Array]:
        """A ufunc over each group's values that are there, and how many there are; arbitrary where there are none."""
        rows = self.order[there[self.order]]
        counts = np.bincount(self.groups[rows], minlength=self.number)
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        out = np.zeros(self.number, values.dtype)
        some = counts > 0
        if len(rows):
            out[some] = function.reduceat(values[rows], starts[some])
        return out, counts


def _count(rows: Grouped, of: Named, columns: Sequence[pa.Array]) -> list[Any]:
    return list(np.bincount(rows.groups[_valid(columns[0])], minlength=rows.number).tolist())


def _sum(rows: Grouped, of: Named, columns: Sequence[pa.Array]) -> list[Any]:
    there, doubles, exact = _numbers(of, columns)
    if exact is None:
        sums, counts = rows.reduce(np.add, doubles, there)
        return [value if count else None for value, count in zip(sums.tolist(), counts.tolist(), strict=True)]
    high, counts = rows.reduce(np.add, exact >> LOW, there)
    low, _ = rows.reduce(np.add, exact & (2**LOW - 1), there)
    pairs = zip(high.tolist(), low.tolist(), counts.tolist(), strict=True)
    return [(upper << LOW) + lower if count else None for upper, lower, count in pairs]


def _avg(rows: Grouped, of: Named, columns: Sequence[pa.Array]) -> list[Any]:
    there = _numbers(of, columns)[0]
    counts = np.bincount(rows.groups[there], minlength=rows.number).tolist()
    sums = _sum(rows, of, columns)
    return [None if total is None else total / count for total, count in zip(sums, counts, strict=True)]


def _extreme(descending: bool) -> Callable[[Grouped, Named, Sequence[pa.Array]], list[Any]]:
    function = np.maximum if descending else np.minimum

    def find(rows: Grouped, of: Named, columns: Sequence[pa.Array]) -> list[Any]:
        if of.dtype in INTEGERS | FLOATS:
            found, counts = rows.reduce(function, numbers(columns[0]), _valid(columns[0]))
            return [value if count else None for value, count in zip(found.tolist(), counts.tolist(), strict=True)]
        group = [from_numbers(rows.groups)]
        places = arrange([group, columns], [Direction(), Direction(descending, nulls_first=False)])
        first = places[np.unique(rows.groups[places], return_index=True)[1]]
        return python_values(of, columns, first)

    return find


FUNCTIONS: Mapping[str, Callable[[Grouped, Named, Sequence[pa.Array]], list[Any]]] = {
    "count": _count,
    "sum": _sum,
    "min": _extreme(descending=False),
    "max": _extreme(descending=True),
    "avg": _avg,
}
_NUMERIC = INTEGERS | FLOATS | {DataType.JSON}
_ORDERED = _NUMERIC | {DataType.BOOL, DataType.VARCHAR, DataType.TIMESTAMPTZ}
TYPES = {"count": _ORDERED, "sum": _NUMERIC, "avg": _NUMERIC, "min": _ORDERED, "max": _ORDERED}
SAID = {
    **dict.fromkeys(("count", "min", "max"), "a scalar field, or a key in JSON"),
    **dict.fromkeys(("sum", "avg"), "a number, or a key in JSON"),
}


def _valid(column: pa.Array) -> Array:
    return bits(column.is_valid())


def _numbers(of: Named, columns: Sequence[pa.Array]) -> tuple[Array, Array, Array | None]:
    """Where there are numbers, the numbers as doubles, and exactly if all are whole."""
    if of.dtype == DataType.JSON:
        there = _valid(columns[0]) & (numbers(columns[0]) == NUMBERS)
        doubles, exact = numbers(columns[1]), numbers(columns[2])
        return there, doubles, exact if (exact.astype(np.float64) == doubles)[there].all() else None
    there, values = _valid(columns[0]), numbers(columns[0])
    if of.dtype in FLOATS:
        return there, values.astype(np.float64), None
    return there, values, values.astype(np.int64)


def python_values(of: Named, columns: Sequence[pa.Array], places: Int64s) -> list[Any]:
    """The values at these places as Python values."""
    taken = [column.take(from_numbers(places)).to_pylist() for column in columns]
    if of.dtype == DataType.TIMESTAMPTZ:
        return [None if micros is None else to_iso(micros) for micros in taken[0]]
    return taken[0] if len(taken) == 1 else [JSON[kind](*values) for kind, *values in zip(*taken, strict=True)]


JSON: Mapping[int | None, Callable[[float, int, str], Any]] = {
    None: lambda double, exact, text: None,
    1: lambda double, exact, text: bool(exact),
    2: lambda double, exact, text: exact if float(exact) == double else double,
    3: lambda double, exact, text: text,
}
"""From kind, double, exact and text back to the value."""
