"""A few rows of many, as columns: what a filter is evaluated on where lookups left few rows to ask."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import pyarrow as pa

from elanus.analysis import Analyzer
from elanus.filter.columns import Columns, Int64s, PathValues, TextIndex
from elanus.schema.buffers import from_numbers

T = TypeVar("T")


class Subset:
    """Some rows of others, by their ascending numbers."""

    def __init__(self, whole: Columns, rows: Int64s) -> None:
        self._whole, self._rows = whole, rows
        self._at = from_numbers(rows)
        self._derived: dict[Hashable, Any] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def column(self, name: str) -> pa.Array:
        return self._whole.column(name).take(self._at)

    def path(self, field: str, keys: tuple[str | int, ...]) -> PathValues:
        found = self._whole.path(field, keys)
        residual = {i: found.residual[row] for i, row in enumerate(self._rows.tolist()) if row in found.residual}
        columns = tuple(column.take(self._at) for column in found.columns)
        return PathValues(columns, found.present[self._rows], found.null[self._rows], residual)

    def text_index(self, field: str, analyzer: Analyzer) -> TextIndex:
        postings, rows = self._whole.text_index(field, analyzer)
        return TextIndex(postings, self._rows if rows is None else rows[self._rows])

    def derive(self, key: Hashable, make: Callable[[], T]) -> T:
        if key not in self._derived:
            self._derived[key] = make()
        return self._derived[key]  # type: ignore[no-any-return]
