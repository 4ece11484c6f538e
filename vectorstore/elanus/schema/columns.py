"""Values of one field into one Arrow array, or the rule that a value breaks.

A converter takes a whole column at once and raises `Unfit` if any value is wrong; who calls it finds the row by
asking again for smaller pieces. So right data pays for no search, and each rule is written once.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from elanus.schema.arrow import arrow_type
from elanus.schema.fields import FLOATS, INTEGERS, FieldSchema
from elanus.types import DataType

Values = Sequence[Any]
MAX_JSON_BYTES = 65_536
NUMPY_INTEGERS = frozenset(np.dtype(f"{sign}int{bits}").type for sign in ("", "u") for bits in (8, 16, 32, 64))
NUMPY_FLOATS = frozenset({np.float16, np.float32, np.float64})


class Unfit(Exception):
    """A value breaks this rule."""


def to_column(field: FieldSchema, values: Values) -> pa.Array:
    """Return a column of the field's Arrow type; None becomes the default value or, if allowed, null."""
    if any(value is None for value in values):
        return _with_nulls(field, values)
    return CONVERTERS[field.dtype](field, field.dtype, values)


def _with_nulls(field: FieldSchema, values: Values) -> pa.Array:
    if field.default_value is not None:
        return to_column(field, [field.default_value if v is None else v for v in values])
    if not field.nullable:
        raise Unfit("null is not allowed; the field is neither nullable nor has a default_value")
    there = np.array([v is not None for v in values], np.bool_)
    column = CONVERTERS[field.dtype](field, field.dtype, [v for v in values if v is not None])
    places = np.where(there, np.cumsum(there) - 1, 0)
    return column.take(pa.array(places, mask=~there))


def _check_types(values: Values, allowed: frozenset[type], what: str) -> None:
    strange = set(map(type, values)) - allowed
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
    _check_types(values, NUMPY_INTEGERS | NUMPY_FLOATS | {int, float}, "a number")
    try:
        with np.errstate(over="ignore"):
            array = np.array(values, np.float32 if dtype == DataType.FLOAT else np.float64)
    except OverflowError:
        raise Unfit(f"out of range for {dtype.name}") from None
    if not np.isfinite(array).all():
        raise Unfit(f"NaN, infinity or out of range for {dtype.name}")
    return pa.array(array)


def _bools(field: FieldSchema, dtype: DataType, values: Values) -> pa.Array:
    _check_types(values, frozenset({bool, np.bool_}), "a bool")
    return pa.array(np.array(values, np.bool_))


def _strings(field: FieldSchema, dtype: DataType, values: Values) -> pa.Array:
    _check_types(values, frozenset({str, np.str_}), "a str")
    try:
        column = pa.array(values, pa.string())
    except UnicodeEncodeError:
        raise Unfit("no valid Unicode (unpaired surrogate)") from None
    return _within_length(field, column)


def _within_length(field: FieldSchema, column: pa.Array) -> pa.Array:
    longest = pc.max(pc.binary_length(column)).as_py() or 0
    if longest > (field.max_length or 0):
        raise Unfit(f"{longest} bytes in UTF-8, more than max_length={field.max_length}")
    return column


def _json(field: FieldSchema, dtype: DataType, values: Values) -> pa.Array:
    return pa.array([json_text(value) for value in values], pa.string())


def json_text(value: Any) -> str:
    """Return a value as JSON; numpy scalars and arrays count as numbers and lists.

    Raises:
        Unfit: NaN or infinity, keys that are no str, other types, nesting too deep, more than 65,536 bytes.
    """
    try:
        _check_keys(value)
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
        size = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        raise Unfit("no valid Unicode (unpaired surrogate)") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise Unfit(f"no JSON: {error}") from None
    if size > MAX_JSON_BYTES:
        raise Unfit(f"{size} bytes as JSON, more than {MAX_JSON_BYTES}")
    return text


def _check_keys(value: Any) -> None:
    if type(value) is dict:
        for key, inner in value.items():
            if type(key) is not str:
                raise TypeError(f"key {key!r} is no str")
            if type(inner) in (dict, list):
                _check_keys(inner)
    elif type(value) is list:
        for inner in value:
            if type(inner) in (dict, list):
                _check_keys(inner)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not JSON serialisable")


def _arrays(field: FieldSchema, dtype: DataType, values: Values) -> pa.Array:
    _check_types(values, frozenset({list, tuple, np.ndarray}), "a list")
    assert field.element_type is not None
    assert field.max_capacity is not None
    lists = [v.tolist() if type(v) is np.ndarray else v for v in values]
    lengths = np.fromiter(map(len, lists), np.int64, len(lists))
    if len(lengths) and lengths.max() > field.max_capacity:
        raise Unfit(f"{lengths.max()} elements, more than max_capacity={field.max_capacity}")
    flat = list(itertools.chain.from_iterable(lists))
    if any(element is None for element in flat):
        raise Unfit("an element is null")
    try:
        elements = CONVERTERS[field.element_type](field, field.element_type, flat)
    except Unfit as rule:
        raise Unfit(f"an element: {rule}") from None
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), elements)


def _vectors(field: FieldSchema, dtype: DataType, values: Values) -> pa.Array:
    assert field.dim is not None
    try:
        with np.errstate(over="ignore"):
            matrix = _matrix(values, field.dim)
    except (TypeError, ValueError, OverflowError):
        raise Unfit(f"must be {field.dim} floats") from None
    return vector_column(field, matrix)


def _matrix(values: Values, dim: int) -> np.ndarray[Any, Any]:
    if not len(values):
        return np.empty((0, dim), np.float32)
    if all(type(v) is np.ndarray for v in values):
        if any(v.ndim != 1 or v.dtype.kind not in "fiu" for v in values):
            raise ValueError
        return np.concatenate(values).reshape(len(values), -1).astype(np.float32, copy=False)
    matrix = np.array(values)
    if matrix.dtype.kind not in "fiu":
        raise ValueError
    return matrix.astype(np.float32)


def vector_column(field: FieldSchema, matrix: np.ndarray[Any, Any]) -> pa.Array:
    """Return a float matrix (rows, dim) as a column, zero copy if it is float32 already."""
    if matrix.ndim != 2 or matrix.shape[1] != field.dim:
        raise Unfit(f"dimension {matrix.shape[-1]} where dim={field.dim} is declared")
    with np.errstate(over="ignore"):
        flat = np.ascontiguousarray(matrix, np.float32).reshape(-1)
    if not np.isfinite(flat).all():
        raise Unfit("NaN, infinity or out of range for float32")
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), field.dim)


CONVERTERS: Mapping[DataType, Callable[[FieldSchema, DataType, Values], pa.Array]] = {
    **dict.fromkeys(INTEGERS, _integers),
    **dict.fromkeys(FLOATS, _floats),
    DataType.BOOL: _bools,
    DataType.VARCHAR: _strings,
    DataType.JSON: _json,
    DataType.ARRAY: _arrays,
    DataType.FLOAT_VECTOR: _vectors,
}


def from_arrow(field: FieldSchema, column: pa.Array) -> pa.Array:
    """Return an Arrow or numpy column in the field's type: without Python values where the types are kin."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if column.null_count == 0:
        if field.dtype in INTEGERS and pa.types.is_integer(kind):
            return _cast(column, field)
        if field.dtype in FLOATS and (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
            return _floats_from_arrow(field, column)
        if field.dtype == DataType.BOOL and pa.types.is_boolean(kind):
            return column
        if field.dtype == DataType.VARCHAR and _is_string(kind):
            return _within_length(field, column.cast(pa.string()))
        if field.dtype == DataType.FLOAT_VECTOR and _is_list_of_floats(kind):
            return _vectors_from_arrow(field, column)
        if field.dtype == DataType.ARRAY and pa.types.is_list(kind):
            return _arrays_from_arrow(field, column)
    return to_column(field, column.to_pylist())


def _cast(column: pa.Array, field: FieldSchema) -> pa.Array:
    try:
        return column.cast(arrow_type(field.dtype, field))
    except pa.ArrowInvalid:
        raise Unfit(f"out of range for {field.dtype.name}") from None


def _floats_from_arrow(field: FieldSchema, column: pa.Array) -> pa.Array:
    with np.errstate(over="ignore"):
        array = column.to_numpy(zero_copy_only=False).astype(arrow_type(field.dtype, field).to_pandas_dtype())
    if not np.isfinite(array).all():
        raise Unfit(f"NaN, infinity or out of range for {field.dtype.name}")
    return pa.array(array)


def _vectors_from_arrow(field: FieldSchema, column: pa.Array) -> pa.Array:
    if not pa.types.is_fixed_size_list(column.type):
        lengths = pc.list_value_length(column).to_numpy()
        wrong = lengths[lengths != field.dim]
        if len(wrong):
            raise Unfit(f"dimension {wrong[0]} where dim={field.dim} is declared")
    flat = column.flatten()
    if flat.null_count:
        raise Unfit("a component is null")
    size = len(flat) // len(column) if len(column) else field.dim
    return vector_column(field, flat.to_numpy(zero_copy_only=False).reshape(len(column), size))


def _arrays_from_arrow(field: FieldSchema, column: pa.Array) -> pa.Array:
    assert field.element_type is not None
    assert field.max_capacity is not None
    lengths = pc.list_value_length(column).to_numpy()
    if len(lengths) and lengths.max() > field.max_capacity:
        raise Unfit(f"{lengths.max()} elements, more than max_capacity={field.max_capacity}")
    flat = column.flatten()
    if flat.null_count:
        raise Unfit("an element is null")
    element = FieldSchema(field.name, field.element_type, max_length=field.max_length)
    try:
        elements = from_arrow(element, flat)
    except Unfit as rule:
        raise Unfit(f"an element: {rule}") from None
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), elements)


def _is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_list_of_floats(kind: pa.DataType) -> bool:
    listed = pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind) or pa.types.is_large_list(kind)
    return bool(listed and (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)))
