"""What the evaluator asks of rows: columns by name, and JSON values by path."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import pyarrow as pa

from elanus.analysis import Analyzer
from elanus.index.inverted import Postings

T = TypeVar("T")
Int64s = np.ndarray[Any, np.dtype[np.int64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, eq=False)
class PathValues:
    """The values at one JSON path of n rows.

    Attributes:
        columns: at most one array of length n per type: bool, int64, double, string (plain or dictionary), or a
            list of one of these; null in every row whose value is of another type. Lists in them have no nulls.
        present: bool (n,), where the path leads to a value; a JSON null is one.
        null: bool (n,), where that value is JSON's null.
        residual: row -> value, for what no column holds: larger integers, lists of mixed or nested items.

    A row that is present and in none of these holds an object.
    """

    columns: tuple[pa.Array, ...]
    present: Bools
    null: Bools
    residual: Mapping[int, Any]


class TextIndex(NamedTuple):
    """An inverted index, and which of its rows these rows are, ascending; None if it has just these rows."""

    postings: Postings
    rows: Int64s | None = None


class Columns(Protocol):
    """Rows as columns; what a filter is evaluated on."""

    def __len__(self) -> int: ...

    def column(self, name: str) -> pa.Array:
        """A declared field, contiguous; strings, and strings in lists, may be dictionary-encoded."""
        ...

    def path(self, field: str, keys: tuple[str | int, ...]) -> PathValues:
        """A JSON path; `$meta` is the dynamic field."""
        ...

    def text_index(self, field: str, analyzer: Analyzer) -> TextIndex:
        """The inverted index of a declared VARCHAR field, its texts analysed by `analyzer`."""
        ...

    def derive(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` returns; the rows may keep it, since they never change."""
        ...
