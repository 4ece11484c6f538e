"""A column's values as Python objects, quickly for a few scattered rows.

Arrow makes a Python scalar in about 0.5 us, from a dictionary 2 us, a list of them 5 us; a search returns some fifty
values. So each column gets, once, the reader that its type allows: 0.1 to 0.4 us a value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from elanus.schema.buffers import bits, matrix, numbers

Rows = np.ndarray[Any, np.dtype[np.int64]]
Reader = Callable[[Rows], list[Any]]
Take = Callable[[Any], list[Any]]


def reader(column: pa.Array) -> Reader:
    """Return a function from row numbers to Python values: what `column[row].as_py()` gives for each."""
    take = _take(column)
    if column.null_count == 0 or pa.types.is_dictionary(column.type):
        return take
    valid = bits(column.is_valid())
    return lambda rows: [
        value if there else None for value, there in zip(take(rows), valid[rows].tolist(), strict=True)
    ]


def _take(column: pa.Array) -> Take:
    """Return a function from row numbers, or a slice of rows, to Python values; arbitrary where the column is null."""
    kind = column.type
    if pa.types.is_fixed_size_list(kind):
        return _from_numpy(matrix(column)) if kind.value_type == pa.float32() else _of_bytes(matrix(column))
    if pa.types.is_boolean(kind):
        return _from_numpy(bits(column))
    if pa.types.is_dictionary(kind):
        return _of_dictionary(column)
    if pa.types.is_struct(kind):
        return _of_structs(column)
    if pa.types.is_map(kind):
        return _of_maps(column)
    if pa.types.is_list(kind):
        return _of_lists(column)
    if pa.types.is_string(kind):
        return _of_strings(column)
    return _from_numpy(numbers(column))


def _from_numpy(values: np.ndarray[Any, Any]) -> Take:
    return lambda rows: list(values[rows].tolist())


def _of_bytes(values: np.ndarray[Any, Any]) -> Take:
    """Each row's own bytes: how vectors narrower than float32 leave, as pymilvus gives them."""
    return lambda rows: [row.tobytes() for row in values[rows]]


def _of_dictionary(column: pa.DictionaryArray) -> Take:
    codes, values = numbers(column.indices), column.dictionary.to_pylist()
    if column.null_count:
        codes = np.where(bits(column.is_valid()), codes, len(values))
        values.append(None)
    return lambda rows: [values[code] for code in codes[rows].tolist()]


def _of_strings(column: pa.StringArray) -> Take:
    starts, ends = _bounds(column)
    data = memoryview(column.buffers()[2] or b"")
    return lambda rows: [
        str(data[start:end], "utf-8") for start, end in zip(starts[rows].tolist(), ends[rows].tolist(), strict=True)
    ]


def _of_lists(column: pa.ListArray) -> Take:
    starts, ends = _bounds(column)
    take = _stretches(column.values)
    return lambda rows: [
        take(slice(start, end)) for start, end in zip(starts[rows].tolist(), ends[rows].tolist(), strict=True)
    ]


def _of_structs(column: pa.StructArray) -> Take:
    names = [field.name for field in column.type]
    takes = [_take(column.field(name)) for name in names]
    return lambda rows: [
        dict(zip(names, values, strict=True)) for values in zip(*(take(rows) for take in takes), strict=True)
    ]


def _of_maps(column: pa.MapArray) -> Take:
    starts, ends = _bounds(column)
    keys, items = numbers(column.keys), numbers(column.items)
    return lambda rows: [
        dict(zip(keys[start:end].tolist(), items[start:end].tolist(), strict=True))
        for start, end in zip(starts[rows].tolist(), ends[rows].tolist(), strict=True)
    ]


def _stretches(elements: pa.Array) -> Take:
    if pa.types.is_string(elements.type):  # Arrow is the quicker one for a short stretch of strings
        return lambda stretch: list(elements[stretch].to_pylist())
    return _take(elements)


def _bounds(column: pa.Array) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Where each string's bytes, or each list's elements, start and end."""
    offsets = np.frombuffer(column.buffers()[1] or bytes(4), np.int32)[column.offset : column.offset + len(column) + 1]
    return offsets[:-1], offsets[1:]
