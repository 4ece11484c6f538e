"""Python values of one field into one Arrow array, or the rule that a value breaks.

A converter takes a whole column at once and raises `Unfit` if any value is wrong; who calls it finds the row by
asking again for smaller pieces. So right data pays for no search, and each rule is written once.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from elanus.schema.arrow import arrow_type
from elanus.schema.buffers import from_numbers
from elanus.schema.dense import dense_column
from elanus.schema.fields import DENSE_VECTORS, FLOATS, INTEGERS, FieldSchema
from elanus.schema.geometry import geometry_column
from elanus.schema.json_text import field_text
from elanus.schema.sparse import sparse_column
from elanus.schema.structs import struct_column
from elanus.schema.times import time_column
from elanus.schema.unfit import Unfit
from elanus.types import DataType

Values = Sequence[Any]
NUMPY_INTEGERS = frozenset(np.dtype(f"{sign}int{bits}").type for sign in ("", "u") for bits in (8, 16, 32, 64))
NUMPY_FLOATS = frozenset({np.float16, np.float32, np.float64})
NUMBERS = frozenset({int, float}) | NUMPY_INTEGERS | NUMPY_FLOATS
LISTS = frozenset({list, tuple, np.ndarray})


def to_column(field: FieldSchema, values: Values) -> pa.Array:
    """Return a column of the field's Arrow type; None becomes the default value or, if allowed, null."""
    if any(value is None for value in values):
        return _with_nulls(field, values)
    return CONVERTERS[field.dtype](field, field.dtype, values)


def _with_nulls(field: FieldSchema, values: Values) -> pa.Array:
    if field.default_value is not None:
        return to_column(field, [field.default_value if v is None else v for v in values])
    check_nullable(field)
    column = CONVERTERS[field.dtype](field, field.dtype, [v for v in values if v is not None])
    return spread(column, np.array([v is not None for v in values], np.bool_))


def check_nullable(field: FieldSchema) -> None:
    """Refuse a null in a field that may hold none."""
    if not field.nullable and field.default_value is None:
        raise Unfit("null is not allowed; the field is neither nullable nor has a default_value")


def spread(column: pa.Array, there: np.ndarray[Any, Any]) -> pa.Array:
    """Return the column's values, in order, where `there` is true, and null elsewhere."""
    places = np.where(there, np.cumsum(there) - 1, 0)
    return column.take(pa.array(places, mask=~there))


def _check_types(values: Values, allowed: frozenset[type], what: str) -> None:
    """Refuse values of other types; subclasses of an allowed type pass, but a bool is no number."""
    strange = {
        kind
        for kind in set(map(type, values)) - allowed
        if kind is bool or not any(base in allowed for base in kind.__mro__)
    }
    if strange:
        names = ", ".join(sorted(kind.__name__ for kind in strange))
        raise Unfit(f"must be {what}, not {names}")


def _integers(field: FieldSchema, dtype: DataType, values: Values) -> pa.Array:
    _check_types(values, NUMPY_INTEGERS | {int}, "an integer")
    try:
        return pa.array(values, arrow_type(dtype, field))
    except (pa.ArrowInvalid, OverflowError):
        raise Unfit(f"out of range for {dtype.name}") from None


def _floats(field: FieldSchema, dtype: DataType, values: Values) -> pa.Array:
    _check_types(values, NUMBERS, "a number")
    try:
        with np.errstate(over="ignore"):
            array = np.array(values, np.float32 if dtype == DataType.FLOAT else np.float64)
    except OverflowError:
        raise Unfit(f"out of range for {dtype.name}") from None
    return float_column(dtype, array)


def float_column(dtype: DataType, array: np.ndarray[Any, Any]) -> pa.Array:
    """Return an array of the field's float type as a column, zero copy; it must be finite."""
    if not np.isfinite(array).all():
        raise Unfit(f"NaN, infinity or out of range for {dtype.name}")
    return from_numbers(array)


def _bools(field: FieldSchema, dtype: DataType, values: Values) -> pa.Array:
    _check_types(values, frozenset({bool, np.bool_}), "a bool")
    return pa.array(np.array(values, np.bool_))


def _strings(field: FieldSchema, dtype: DataType, values: Values) -> pa.Array:
    _check_types(values, frozenset({str}), "a str")
    try:
        column = pa.array(values, pa.string())
    except UnicodeEncodeError:
        raise Unfit("no valid Unicode (unpaired surrogate)") from None
    return string_column(field, column)


def string_column(field: FieldSchema, column: pa.Array) -> pa.Array:
    """Return a string column none of whose values is longer than the field allows."""
    longest = pc.max(pc.binary_length(column)).as_py() or 0
    if longest > (field.max_length or 0):
        raise Unfit(f"{longest} bytes in UTF-8, more than max_length={field.max_length}")
    return column


def _json(field: FieldSchema, dtype: DataType, values: Values) -> pa.Array:
    return pa.array([field_text(value) for value in values], pa.string())


def _arrays(field: FieldSchema, dtype: DataType, values: Values) -> pa.Array:
    _check_types(values, LISTS, "a list")
    lists = [v.tolist() if type(v) is np.ndarray else v for v in values]
    if not all(isinstance(v, (list, tuple)) for v in lists):
        raise Unfit("must be a list, not an array without dimensions")
    lengths = np.fromiter(map(len, lists), np.int64, len(lists))
    flat = list(itertools.chain.from_iterable(lists))
    if any(element is None for element in flat):
        raise Unfit("an element is null")
    if field.struct_fields is not None:
        return array_column(field, lengths, lambda _: struct_column(field, CONVERTERS, flat))
    return array_column(field, lengths, lambda element: CONVERTERS[element](field, element, flat))


def array_column(
    field: FieldSchema, lengths: np.ndarray[Any, Any], elements: Callable[[DataType], pa.Array]
) -> pa.Array:
    """Return lists of the given lengths, whose elements (made by type) follow each other."""
    assert field.element_type is not None
    assert field.max_capacity is not None
    if len(lengths) and lengths.max() > field.max_capacity:
        raise Unfit(f"{lengths.max()} elements, more than max_capacity={field.max_capacity}")
    try:
        made = elements(field.element_type)
    except Unfit as rule:
        raise Unfit(f"an element: {rule}") from None
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(from_numbers(offsets), made)


CONVERTERS: Mapping[DataType, Callable[[FieldSchema, DataType, Values], pa.Array]] = {
    **dict.fromkeys(INTEGERS, _integers),
    **dict.fromkeys(FLOATS, _floats),
    DataType.BOOL: _bools,
    DataType.VARCHAR: _strings,
    DataType.JSON: _json,
    DataType.ARRAY: _arrays,
    **dict.fromkeys(DENSE_VECTORS, lambda field, dtype, values: dense_column(field, values)),
    DataType.SPARSE_FLOAT_VECTOR: lambda field, dtype, values: sparse_column(values),
    DataType.TIMESTAMPTZ: lambda field, dtype, values: time_column(values),
    DataType.GEOMETRY: lambda field, dtype, values: geometry_column(values),
}
