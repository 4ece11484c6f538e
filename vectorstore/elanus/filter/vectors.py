"""Arrow columns as numpy arrays, without copies where Arrow's layout allows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from elanus.filter.columns import Bools
from elanus.filter.scalars import BOOL, LIST, NUMBER, STRING
from elanus.schema.buffers import bits, from_numbers, numbers, unpack

Array = np.ndarray[Any, Any]
FEW = 4


@dataclass(frozen=True, eq=False)
class Vector:
    """One value per row: numbers and bools as numpy (n,), strings as Arrow; `valid` is None where all are known.

    What stands in the places that are not valid is arbitrary.
    """

    data: Any
    valid: Bools | None = None


def kind_of_array(array: pa.Array) -> str:
    """Return whether a column holds bools, numbers, strings or lists."""
    kind = array.type
    if pa.types.is_boolean(kind):
        return BOOL
    if pa.types.is_list(kind):
        return LIST
    return STRING if is_text(kind) else NUMBER


def is_text(kind: pa.DataType) -> bool:
    """Whether an Arrow type is a string, plain or dictionary-encoded."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind))


def as_vector(array: pa.Array) -> Vector:
    """Return a scalar column as a vector."""
    kind = array.type
    if is_text(kind):
        return Vector(array, validity(array))
    if pa.types.is_boolean(kind):
        return Vector(bits(array), validity(array))
    return Vector(numbers(array), validity(array))


def validity(array: pa.Array) -> Bools | None:
    """Return where a column is not null, or None if it never is."""
    if array.null_count == 0:
        return None
    if array.null_count == len(array):
        return np.zeros(len(array), np.bool_)
    return unpack(array.buffers()[0], array.offset, len(array))


def texts_where(column: pa.Array, test: Callable[[pa.Array], pa.Array]) -> Bools:
    """Return where a test of strings holds; of a dictionary-encoded column it tests each distinct string once."""
    if pa.types.is_dictionary(column.type):
        return gather(column.indices, bits(test(column.dictionary)))
    return bits(test(column))


def gather(codes: pa.Array, table: Bools) -> Bools:
    """Return `table[code]` for every code; arbitrary where the code is null."""
    hits = np.flatnonzero(table)
    if len(hits) <= FEW:
        return _any_of(numbers(codes), hits)
    first, last = hits[0], hits[-1]
    if last - first + 1 == len(hits):
        return _between(numbers(codes), first, last, len(table))
    return numbers(pc.take(from_numbers(table.view(np.uint8)), codes)).astype(np.bool_)


def _any_of(codes: Array, wanted: Array) -> Bools:
    if len(wanted) == 0:
        return np.zeros(len(codes), np.bool_)
    found: Bools = codes == codes.dtype.type(wanted[0])
    for code in wanted[1:]:
        found |= codes == codes.dtype.type(code)
    return found


def _between(codes: Array, first: int, last: int, size: int) -> Bools:
    if first == 0 and last == size - 1:
        return np.ones(len(codes), np.bool_)
    found: Bools = codes <= codes.dtype.type(last)
    if first > 0:
        found &= codes >= codes.dtype.type(first)
    return found


def from_texts(values: Sequence[str]) -> pa.Array:
    """Return strings as an Arrow array; pyarrow's own constructor would import pandas.

    Raises:
        UnicodeEncodeError: a string has half of a surrogate pair.
    """
    encoded = [value.encode() for value in values]
    ends = np.zeros(len(encoded) + 1, np.int32)
    np.cumsum([len(piece) for piece in encoded], out=ends[1:])
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), buffers)


def from_bools(values: Bools) -> pa.Array:
    """Return bools as an Arrow array."""
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, _packed(values)])


def with_nulls(values: Array, valid: Bools) -> pa.Array:
    """Return numbers as an Arrow array that is null where they are not valid."""
    buffers = [_packed(valid), pa.py_buffer(np.ascontiguousarray(values))]
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), buffers)


def _packed(values: Bools) -> pa.Buffer:
    return pa.py_buffer(np.packbits(values, bitorder="little"))


def both(left: Bools | None, right: Bools | None) -> Bools | None:
    """Where two vectors are both valid."""
    if left is None or right is None:
        return right if left is None else left
    return left & right
