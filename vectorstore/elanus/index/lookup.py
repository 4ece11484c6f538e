"""From the values of a column to the rows that hold them: what a scalar index is.

Rows are kept in the order of their values, with one range of them for each distinct value. So equality, membership,
ranges and prefixes are found by bisection, and their rows are counted before any is read.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from elanus.schema.buffers import bits, numbers

Int64s = np.ndarray[Any, np.dtype[np.int64]]
Arrays = Mapping[str, "np.ndarray[Any, Any]"]
Span: TypeAlias = "tuple[int, int]"
NOTHING: Span = (0, 0)


class Lookup:
    """The rows of each distinct value of one column, values ascending; nulls are nowhere.

    A row of a list column is under each of its distinct elements. `values` are int64, float64 or strings.
    """

    def __init__(self, values: Any, offsets: Int64s, rows: np.ndarray[Any, np.dtype[np.int32]]) -> None:
        self._values = values
        self._offsets = offsets
        self._rows = rows
        self._texts = isinstance(values, pa.Array)

    @classmethod
    def build(cls, column: pa.Array) -> Lookup:
        """Sort a column of numbers, bools or strings, dictionary-encoded or not, or of lists of these."""
        if pa.types.is_list(column.type):
            owners = np.asarray(numbers(pc.list_parent_indices(column)), np.int64)
            return cls._of(column.flatten(), owners)
        return cls._of(column, np.arange(len(column)))

    @classmethod
    def _of(cls, column: pa.Array, owners: Int64s) -> Lookup:
        if column.null_count:
            known = column.is_valid()
            column, owners = column.filter(known), owners[bits(known)]
        codes, values = _coded(column)
        order = np.argsort(codes, kind="stable")
        codes, owners = codes[order], owners[order]
        new = distinct(codes) | distinct(owners)  # a list may hold a value twice
        codes, owners = codes[new], owners[new]
        counts = np.bincount(codes, minlength=len(values))
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])
        return cls(values, offsets, owners.astype(np.int32))

    def to_arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """The lookup as arrays to write."""
        arrays: dict[str, np.ndarray[Any, Any]] = {"offsets": self._offsets, "rows": self._rows}
        if not self._texts:
            return {"values": self._values, **arrays}
        texts = pa.concat_arrays([self._values])  # from offset 0
        _, ends, data = texts.buffers()
        arrays["ends"] = np.frombuffer(ends, np.int32)[: len(texts) + 1] if len(texts) else np.zeros(1, np.int32)
        arrays["text"] = np.frombuffer(data or b"", np.uint8)
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Lookup:
        """Read what `to_arrays` gave."""
        values = arrays.get("values")
        if values is None:
            ends, data = pa.py_buffer(arrays["ends"]), pa.py_buffer(arrays["text"])
            values = pa.StringArray.from_buffers(len(arrays["ends"]) - 1, ends, data)
        return cls(values, arrays["offsets"], arrays["rows"])

    # Spans of distinct values

    def equal(self, value: Any) -> Span:
        """The values equal to a constant; none if it is of another kind."""
        return (self._left(value), self._right(value)) if self._comparable(value) else NOTHING

    def compared(self, op: str, value: Any) -> Span:
        """The values that stand in this relation to a constant: <, <=, >, >= or ==."""
        if op == "==":
            return self.equal(value)
        if not self._comparable(value):
            return NOTHING
        if op in ("<", "<="):
            return 0, (self._left if op == "<" else self._right)(value)
        return (self._right if op == ">" else self._left)(value), len(self._values)

    def starting(self, prefix: str) -> Span:
        """The strings that begin so."""
        if not self._texts:
            return NOTHING
        size = len(prefix)
        places = range(len(self._values))
        begin = bisect_left(places, prefix, key=self._value)
        return begin, bisect_right(places, prefix, lo=begin, key=lambda place: self._value(place)[:size])

    def _comparable(self, value: Any) -> bool:
        return isinstance(value, str) is self._texts

    def _left(self, value: Any) -> int:
        return bisect_left(range(len(self._values)), value, key=self._value)

    def _right(self, value: Any) -> int:
        return bisect_right(range(len(self._values)), value, key=self._value)

    def _value(self, place: int) -> Any:
        """A distinct value as Python's own, which compares integers and floats exactly."""
        value = self._values[place]
        return value.as_py() if self._texts else value.item()

    # Rows

    def count(self, spans: Iterable[Span]) -> int:
        """How many rows stand under these values; a row of a list column counts once for each."""
        return sum(int(self._offsets[stop] - self._offsets[start]) for start, stop in spans if stop > start)

    def rows(self, spans: Iterable[Span]) -> Int64s:
        """The rows under these values, ascending, each once."""
        taken = [(start, stop) for start, stop in spans if stop > start]
        found = [self._rows[self._offsets[start] : self._offsets[stop]] for start, stop in taken]
        if len(taken) == 1 and taken[0][1] - taken[0][0] == 1:  # the rows of one value ascend already
            return found[0].astype(np.int64)
        return ascending(np.concatenate(found)) if found else np.empty(0, np.int64)


def ascending(rows: np.ndarray[Any, np.dtype[np.int32]]) -> Int64s:
    """Rows in order, each once."""
    ordered = np.sort(rows)
    once: Int64s = ordered[distinct(ordered)].astype(np.int64)
    return once


def distinct(ordered: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Where ordered values differ from the one before."""
    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return first


def _coded(column: pa.Array) -> tuple[Int64s, Any]:
    """Each row's place among the distinct values, and these, ascending."""
    if pa.types.is_dictionary(column.type):
        encoded = column
    elif pa.types.is_string(column.type):
        encoded = column.dictionary_encode()
    else:
        plain = bits(column).astype(np.int64) if pa.types.is_boolean(column.type) else numbers(column)
        wide = plain.astype(np.float64 if plain.dtype.kind == "f" else np.int64)
        values, codes = np.unique(wide, return_inverse=True)
        return np.asarray(codes, np.int64).reshape(-1), values
    words = encoded.dictionary
    order = pc.array_sort_indices(words)
    ranks = np.empty(len(words), np.int64)
    ranks[numbers(order)] = np.arange(len(words))
    return ranks[numbers(encoded.indices)], words.take(order)
