"""Rows of any shape into one checked Arrow batch: all of them, or an error that names the first wrong value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from elanus.errors import RowError, did_you_mean
from elanus.schema.arrow import arrow_schema, incoming_fields
from elanus.schema.collection import DYNAMIC_FIELD, CollectionSchema
from elanus.schema.columns import Unfit, from_arrow, json_text, to_column, vector_column
from elanus.schema.fields import DENSE_VECTORS, FieldSchema
from elanus.types import DataType

MAX_SHOWN = 60
Columns = Mapping[str, Any]


def to_batch(schema: CollectionSchema, data: Any) -> pa.RecordBatch:
    """Return rows in the form of `arrow_schema(schema)`.

    Args:
        data: a list of dicts; one dict as a single row; a dict of columns (lists, numpy or Arrow arrays, of equal
            length); a pyarrow Table or RecordBatch; a pandas or polars DataFrame.

    Raises:
        RowError: names the row, the field, the value and the rule.
    """
    shaped = _shape(schema, data)
    return _from_rows(schema, shaped) if isinstance(shaped, list) else _from_columns(schema, shaped)


def _shape(schema: CollectionSchema, data: Any) -> list[Mapping[str, Any]] | Columns:
    """Tell a list of rows from columns."""
    if isinstance(data, (list, tuple)):
        for number, row in enumerate(data):
            if not isinstance(row, Mapping):
                raise RowError(f"row {number} must be a dict, not {type(row).__name__}")
        return list(data)
    if isinstance(data, Mapping):
        return data if _holds_columns(schema, data) else [data]
    if isinstance(data, (pa.Table, pa.RecordBatch)):
        return {name: data.column(i) for i, name in enumerate(data.schema.names)}
    home = type(data).__module__.partition(".")[0]
    if home == "pandas":
        return {str(name): _from_pandas(data[name]) for name in data.columns}
    if home == "polars":
        return _shape(schema, data.to_arrow())
    raise RowError(
        "data must be a list of dicts, a dict, a pyarrow Table or RecordBatch, or a pandas or polars DataFrame, "
        f"not {type(data).__name__}"
    )


def _from_pandas(series: Any) -> Any:
    if series.dtype == object:
        return [None if value is None or value is np.nan else value for value in series]
    return pa.Array.from_pandas(series)


def _holds_columns(schema: CollectionSchema, data: Mapping[str, Any]) -> bool:
    """Whether a dict's values are columns: its first plain field holds a sequence, or a vector field a nested one."""
    for field in incoming_fields(schema):
        value = data.get(field.name)
        if value is None or field.dtype == DataType.JSON:
            continue
        if field.dtype in DENSE_VECTORS or field.dtype == DataType.ARRAY:
            nested = getattr(value, "ndim", None) == 2 or isinstance(value, (pa.Array, pa.ChunkedArray))
            first = value[0] if isinstance(value, (list, tuple)) and len(value) else None
            if field.dtype in DENSE_VECTORS or first is not None:
                return nested or isinstance(first, (list, tuple, np.ndarray))
            continue
        return isinstance(value, (list, tuple, np.ndarray, pa.Array, pa.ChunkedArray))
    return False


# Rows


def _from_rows(schema: CollectionSchema, rows: list[Mapping[str, Any]]) -> pa.RecordBatch:
    fields = incoming_fields(schema)
    arrays = [_located(field, _values(field, rows)) for field in fields]
    declared = {field.name for field in fields}
    if schema.enable_dynamic_field:
        extras = [{key: row[key] for key in row if key not in declared} for row in rows]
        arrays.append(_dynamic(schema, extras))
    else:
        for number, row in enumerate(rows):
            if not row.keys() <= declared:
                _refuse_unknown(schema, (key for key in row if key not in declared), f"row {number}: ")
    return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(schema))


def _values(field: FieldSchema, rows: list[Mapping[str, Any]]) -> list[Any]:
    try:
        return [row[field.name] for row in rows]
    except KeyError:
        if not field.nullable and field.default_value is None:
            missing = next(number for number, row in enumerate(rows) if field.name not in row)
            near = did_you_mean(field.name, [key for key in rows[missing] if isinstance(key, str)])
            raise RowError(f"row {missing}: field '{field.name}' ({field.dtype.name}) is missing{near}") from None
        return [row.get(field.name) for row in rows]


def _located(field: FieldSchema, values: Sequence[Any]) -> pa.Array:
    """Convert a column of Python values; on failure find the first row that fails alone."""
    try:
        return to_column(field, values)
    except Unfit as rule:
        raise _error(field, rule, values, lambda row: to_column(field, [values[row]])) from None


def _error(field: FieldSchema, rule: Unfit, values: Any, convert: Callable[[int], Any]) -> RowError:
    """Ask row by row: `convert(row)` raises for the guilty one, whose value is shown."""
    for row in range(len(values)):
        try:
            convert(row)
        except Unfit as alone:
            value = values[row].as_py() if isinstance(values, pa.Array) else values[row]
            return RowError(f"row {row}, field '{field.name}' ({field.dtype.name}), value {_shown(value)}: {alone}")
    return RowError(f"field '{field.name}' ({field.dtype.name}): {rule}")


def _shown(value: Any) -> str:
    text = repr(value[:4] if isinstance(value, (list, tuple, np.ndarray)) else value)
    text = " ".join(text.split())
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def _dynamic(schema: CollectionSchema, extras: list[dict[str, Any]]) -> pa.Array:
    texts = []
    refused = _not_incoming(schema)
    for number, extra in enumerate(extras):
        if not extra:
            texts.append("{}")
            continue
        if not refused.isdisjoint(extra):
            _refuse_unknown(schema, [key for key in extra if key in refused], f"row {number}: ")
        try:
            texts.append(json_text(extra))
        except Unfit as rule:
            raise RowError(f"row {number}, dynamic field {_guilty(extra)}: {rule}") from None
    return pa.array(texts, pa.string())


def _guilty(extra: dict[str, Any]) -> str:
    for key, value in extra.items():
        try:
            json_text({key: value})
        except Unfit:
            return f"{key!r}, value {_shown(value)}"
    return "keys together"


def _not_incoming(schema: CollectionSchema) -> set[str]:
    """Names that no row may bring: numbered keys, outputs of functions, and the dynamic field itself."""
    return set(schema.names()) - {f.name for f in incoming_fields(schema)} | {DYNAMIC_FIELD}


def _refuse_unknown(schema: CollectionSchema, names: Iterable[Any], where: str) -> None:
    for name in names:
        if name == DYNAMIC_FIELD:
            raise RowError(f"{where}'{DYNAMIC_FIELD}' cannot be given; give its keys as fields of the row")
        if name in schema.names():
            why = "numbered by the store (auto_id)" if schema.field(name).auto_id else "computed by a function"
            raise RowError(f"{where}field '{name}' is {why}; leave it out")
        near = did_you_mean(str(name), schema.names())
        hint = near or "; enable_dynamic_field=True would keep undeclared fields"
        raise RowError(f"{where}no field {name!r} in the schema{hint}")


# Columns


def _from_columns(schema: CollectionSchema, columns: Columns) -> pa.RecordBatch:
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise RowError(f"the columns have different lengths: {lengths}")
    count = next(iter(lengths.values()), 0)
    fields = incoming_fields(schema)
    arrays = [_column(field, columns, count) for field in fields]
    declared = {field.name for field in fields}
    others = [name for name in columns if name not in declared]
    _refuse_unknown(schema, [n for n in others if n in _not_incoming(schema) or not schema.enable_dynamic_field], "")
    if schema.enable_dynamic_field:
        lists = [_as_list(columns[name]) for name in others]
        extras = [dict(zip(others, row, strict=True)) for row in zip(*lists, strict=True)] if others else [{}] * count
        arrays.append(_dynamic(schema, extras))
    return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(schema))


def _column(field: FieldSchema, columns: Columns, count: int) -> pa.Array:
    if field.name not in columns:
        if not field.nullable and field.default_value is None:
            raise RowError(f"column '{field.name}' ({field.dtype.name}) is missing{did_you_mean(field.name, columns)}")
        return _located(field, [None] * count)
    column = columns[field.name]
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
        column = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
    if isinstance(column, np.ndarray):
        if field.dtype in DENSE_VECTORS and column.ndim == 2 and column.dtype.kind in "fiu":
            return _from_matrix(field, column)
        column = pa.array(column) if column.ndim == 1 and column.dtype.kind in "fiub" else column.tolist()
    if not isinstance(column, pa.Array):
        return _located(field, list(column))
    try:
        return from_arrow(field, column)
    except Unfit as rule:
        raise _error(field, rule, column, lambda row: from_arrow(field, column.slice(row, 1))) from None


def _from_matrix(field: FieldSchema, matrix: np.ndarray[Any, Any]) -> pa.Array:
    try:
        return vector_column(field, matrix)
    except Unfit as rule:
        raise _error(field, rule, matrix, lambda row: vector_column(field, matrix[row : row + 1])) from None


def _as_list(column: Any) -> list[Any]:
    if isinstance(column, (pa.Array, pa.ChunkedArray)):
        return list(column.to_pylist())
    return list(column.tolist() if isinstance(column, np.ndarray) else column)
