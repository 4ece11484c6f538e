"""Arrow arrays as numpy arrays and back, without a copy.

pyarrow's own conversions look for pandas first, and import it (0.25 s) wherever it is installed; some versions (25.0)
fail where it is not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

Bools = np.ndarray[Any, np.dtype[np.bool_]]

_NUMBERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64")
_DTYPES: dict[pa.DataType, np.dtype[Any]] = {getattr(pa, name)(): np.dtype(name) for name in _NUMBERS}


def numbers(array: pa.Array) -> np.ndarray[Any, Any]:
    """Return a numeric column's values, read-only; arbitrary where it is null."""
    dtype = _DTYPES[array.type]
    buffer = array.buffers()[1]
    if buffer is None or len(array) == 0:
        return np.zeros(len(array), dtype)
    return np.frombuffer(buffer, dtype, array.offset + len(array))[array.offset :]


def bits(array: pa.Array) -> Bools:
    """Return a bool column's values; arbitrary where it is null."""
    return unpack(array.buffers()[1], array.offset, len(array))


def unpack(buffer: Any, offset: int, length: int) -> Bools:
    """Return `length` bits of a bitmap from bit `offset` on as bools; None counts as no bit set."""
    if buffer is None:
        return np.zeros(length, np.bool_)
    first = offset // 8
    packed = np.frombuffer(buffer, np.uint8)[first : (offset + length + 7) // 8]
    start = offset - 8 * first
    return np.unpackbits(packed, bitorder="little")[start : start + length].view(np.bool_)


def matrix(column: pa.Array) -> np.ndarray[Any, Any]:
    """Return a column of fixed-size lists as a read-only matrix (rows, size); arbitrary where it is null."""
    size = column.type.list_size
    return numbers(column.values)[column.offset * size : (column.offset + len(column)) * size].reshape(-1, size)


def clean_matrix(column: pa.Array) -> np.ndarray[Any, Any]:
    """Return the same with zeros where the column is null, copied only if it is so anywhere."""
    found = matrix(column)
    if column.null_count:
        found = found.copy()
        found[~bits(column.is_valid())] = 0
    return found


def from_numbers(values: np.ndarray[Any, Any]) -> pa.Array:
    """Return a numeric numpy array as an Arrow array that shares its memory."""
    flat = np.ascontiguousarray(values)
    return pa.Array.from_buffers(pa.from_numpy_dtype(flat.dtype), len(flat), [None, pa.py_buffer(flat)])
