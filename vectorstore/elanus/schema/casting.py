"""Arrow columns into a field's type: without Python values where the types are kin, through them where not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from elanus.schema.arrow import arrow_type
from elanus.schema.buffers import bits, numbers
from elanus.schema.columns import (
    array_column,
    check_nullable,
    float_column,
    spread,
    string_column,
    to_column,
)
from elanus.schema.dense import vector_column, width
from elanus.schema.fields import DENSE_VECTORS, FLOATS, INTEGERS, FieldSchema
from elanus.schema.sparse import checked_column
from elanus.schema.times import from_timestamps
from elanus.schema.unfit import Unfit
from elanus.types import DataType


def from_arrow(field: FieldSchema, column: pa.Array) -> pa.Array:
    """Return a column in the field's type; nulls become the default value or, if allowed, stay.

    Raises:
        Unfit: as for Python values; an integer field takes integers only, a float field takes both.
    """
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if column.null_count:
        return _with_nulls(field, column)
    made = _cast(field, field.dtype, column)
    return to_column(field, column.to_pylist()) if made is None else made


def _with_nulls(field: FieldSchema, column: pa.Array) -> pa.Array:
    check_nullable(field)
    made = spread(from_arrow(field, column.drop_null()), bits(column.is_valid()))
    if field.default_value is None:
        return made
    return made.fill_null(to_column(field, [field.default_value])[0])


def _cast(field: FieldSchema, dtype: DataType, column: pa.Array) -> pa.Array | None:
    """Return the column as `dtype`, or None if only Python values can tell."""
    kind = column.type
    if dtype in INTEGERS and pa.types.is_integer(kind):
        return _integers(field, dtype, column)
    if dtype in FLOATS and (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
        return _floats(field, dtype, column)
    if dtype == DataType.BOOL and pa.types.is_boolean(kind):
        return column
    if dtype == DataType.VARCHAR and _is_string(kind):
        return string_column(field, column.cast(pa.string()))
    if dtype in DENSE_VECTORS and _is_list(kind) and _is_number(kind.value_type):
        return _vectors(field, column)
    if dtype == DataType.SPARSE_FLOAT_VECTOR and pa.types.is_map(kind):
        return checked_column(column)
    if dtype == DataType.TIMESTAMPTZ and pa.types.is_timestamp(kind):
        return from_timestamps(column)
    if dtype == DataType.ARRAY and _is_list(kind) and field.struct_fields is None:
        return _arrays(field, column)
    return None


def _integers(field: FieldSchema, dtype: DataType, column: pa.Array) -> pa.Array:
    try:
        return column.cast(arrow_type(dtype, field))
    except pa.ArrowInvalid:
        raise Unfit(f"out of range for {dtype.name}") from None


def _floats(field: FieldSchema, dtype: DataType, column: pa.Array) -> pa.Array:
    values = numbers(column)
    with np.errstate(over="ignore"):
        return float_column(dtype, values.astype(np.float32 if dtype == DataType.FLOAT else np.float64, copy=False))


def _vectors(field: FieldSchema, column: pa.Array) -> pa.Array:
    lengths = _lengths(column)
    wrong = lengths[lengths != width(field)]
    if len(wrong):
        raise Unfit(f"{wrong[0]} components where dim={field.dim} is declared")
    flat = column.flatten()
    if flat.null_count:
        raise Unfit("a component is null")
    return vector_column(field, numbers(flat).reshape(len(column), width(field)))


def _arrays(field: FieldSchema, column: pa.Array) -> pa.Array:
    flat = column.flatten()
    flat = flat.dictionary_decode() if pa.types.is_dictionary(flat.type) else flat
    if flat.null_count:
        raise Unfit("an element is null")

    def elements(dtype: DataType) -> pa.Array:
        made = _cast(field, dtype, flat)
        if made is None:
            raise Unfit(f"must be {dtype.name}, not Arrow's {flat.type}")
        return made

    return array_column(field, _lengths(column), elements)


def _lengths(column: pa.Array) -> np.ndarray[Any, Any]:
    return numbers(pc.list_value_length(column))


def _is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))
