"""Dense vectors: the shapes in which they come, and the Arrow column that holds them, a list of fixed size.

Each type keeps its own width on disk: float32, float16, bfloat16 (as the uint16 of its bits), int8, and bits, eight to
a uint8. Whoever gives bytes gives exactly what is stored, as pymilvus does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from elanus.schema.buffers import from_numbers
from elanus.schema.fields import FieldSchema
from elanus.schema.unfit import Unfit
from elanus.types import DataType

Matrix = np.ndarray[Any, Any]
BYTES = (bytes, bytearray, memoryview)


@dataclass(frozen=True)
class Form:
    """How a type is stored: a component's dtype, how many dimensions share one, what turns numbers into it.

    `check` refuses what bytes may say and numbers may not; `said` names the components in an error.
    """

    dtype: np.dtype[Any]
    store: Callable[[Matrix], Matrix]
    check: Callable[[Matrix], None]
    said: str
    shared: int = 1
    takes_bytes: bool = True


def width(field: FieldSchema) -> int:
    """How many components a field's vectors have in storage: dim, or dim / 8 bytes of bits."""
    assert field.dim is not None
    return field.dim // FORMS[field.dtype].shared


def dense_column(field: FieldSchema, values: Sequence[Any]) -> pa.Array:
    """Return vectors as a column: lists or arrays of numbers, or (but for FLOAT_VECTOR) bytes.

    Raises:
        Unfit: another length, components that are no numbers or out of the type's range.
    """
    if FORMS[field.dtype].takes_bytes:
        values = [_unwrapped(value) for value in values]
        if any(isinstance(value, BYTES) for value in values):
            return _from_bytes(field, values)
    try:
        matrix = _matrix(values, width(field))
    except (TypeError, ValueError, OverflowError):
        raise Unfit(f"must be {_said(field)}") from None
    return vector_column(field, matrix)


def vector_column(field: FieldSchema, matrix: Matrix) -> pa.Array:
    """Return a matrix of numbers (rows, width) as a column, zero copy if it is of the stored dtype already.

    Raises:
        Unfit: as `dense_column`.
    """
    form = FORMS[field.dtype]
    if matrix.ndim != 2:
        raise Unfit(f"must be {_said(field)}")
    if matrix.shape[1] != width(field):
        found = f"dimension {matrix.shape[1]}" if form.shared == 1 else f"{matrix.shape[1]} bytes"
        raise Unfit(f"{found} where dim={field.dim} is declared")
    stored = np.ascontiguousarray(form.store(matrix), form.dtype)
    form.check(stored)
    return pa.FixedSizeListArray.from_arrays(from_numbers(stored.reshape(-1)), width(field))


def _said(field: FieldSchema) -> str:
    form = FORMS[field.dtype]
    packed = f", or {_size(field)} bytes" if form.takes_bytes and form.shared == 1 else ""
    return f"{width(field)} {form.said}{packed}"


def _size(field: FieldSchema) -> int:
    return width(field) * FORMS[field.dtype].dtype.itemsize


def _unwrapped(value: Any) -> Any:
    """A list of one bytes is those bytes: so pymilvus gives them in the rows of a query."""
    return value[0] if type(value) is list and len(value) == 1 and isinstance(value[0], BYTES) else value


def _from_bytes(field: FieldSchema, values: Sequence[Any]) -> pa.Array:
    form, size = FORMS[field.dtype], _size(field)
    pieces = [bytes(v) if isinstance(v, BYTES) else _bytes_of(dense_column(field, [v])) for v in values]
    wrong = next((piece for piece in pieces if len(piece) != size), None)
    if wrong is not None:
        raise Unfit(f"{len(wrong)} bytes where dim={field.dim} takes {size}")
    stored = np.frombuffer(b"".join(pieces), form.dtype)
    form.check(stored)
    return pa.FixedSizeListArray.from_arrays(from_numbers(stored), width(field))


def _bytes_of(column: pa.Array) -> bytes:
    return bytes(column.values.buffers()[1])


def _matrix(values: Sequence[Any], size: int) -> Matrix:
    if not len(values):
        return np.empty((0, size), np.int8)
    if all(type(v) is np.ndarray for v in values):
        shapes = {v.shape for v in values}
        matrix = np.concatenate(values).reshape(len(values), -1) if shapes == {(size,)} else np.stack(values)
    else:
        matrix = np.array(values)
    if matrix.dtype.kind not in "fiu" and matrix.dtype.name != "bfloat16":
        raise ValueError
    return matrix


def _floats(dtype: Any) -> Callable[[Matrix], Matrix]:
    def store(matrix: Matrix) -> Matrix:
        with np.errstate(over="ignore"):
            return matrix.astype(dtype, copy=False)

    return store


def _finite(name: str) -> Callable[[Matrix], None]:
    def check(stored: Matrix) -> None:
        if not np.isfinite(stored).all():
            raise Unfit(f"NaN, infinity or out of range for {name}")

    return check


def _bfloat16(matrix: Matrix) -> Matrix:
    """The upper halves of float32, rounded to nearest, ties to even."""
    if matrix.dtype.name == "bfloat16":
        return np.ascontiguousarray(matrix).view(np.uint16)
    with np.errstate(over="ignore"):
        bits = np.ascontiguousarray(matrix, np.float32).view(np.uint32)
    _finite("bfloat16")(bits.view(np.float32))
    rounded: Matrix = bits + (np.uint32(0x7FFF) + ((bits >> 16) & np.uint32(1)))
    return (rounded >> 16).astype(np.uint16)


def _finite_bfloat16(stored: Matrix) -> None:
    if (stored & 0x7F80 == 0x7F80).any():
        raise Unfit("NaN, infinity or out of range for bfloat16")


def _whole(dtype: Any, rule: str) -> Callable[[Matrix], Matrix]:
    limits = np.iinfo(dtype)

    def store(matrix: Matrix) -> Matrix:
        if matrix.dtype == dtype or not matrix.size:
            return matrix
        if matrix.dtype.kind not in "iu" or matrix.min() < limits.min or matrix.max() > limits.max:
            raise Unfit(rule)
        return matrix.astype(dtype)

    return store


def _anything(stored: Matrix) -> None:
    """Every bit pattern is a value."""


_INT8, _BITS = "integers from -128 to 127", "bytes of 8 bits each, as bytes or integers from 0 to 255"
FORMS: Mapping[DataType, Form] = {
    DataType.FLOAT_VECTOR: Form(
        np.dtype(np.float32), _floats(np.float32), _finite("float32"), "floats", takes_bytes=False
    ),
    DataType.FLOAT16_VECTOR: Form(np.dtype(np.float16), _floats(np.float16), _finite("float16"), "floats"),
    DataType.BFLOAT16_VECTOR: Form(np.dtype(np.uint16), _bfloat16, _finite_bfloat16, "floats"),
    DataType.INT8_VECTOR: Form(np.dtype(np.int8), _whole(np.int8, f"must be {_INT8}"), _anything, _INT8),
    DataType.BINARY_VECTOR: Form(np.dtype(np.uint8), _whole(np.uint8, f"must be {_BITS}"), _anything, _BITS, shared=8),
}
