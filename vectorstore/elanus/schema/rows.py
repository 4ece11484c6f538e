"""Rows of any shape into one checked Arrow batch: all of them, or an error that names the first wrong value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from elanus.errors import RowError, SchemaError, did_you_mean
from elanus.schema.arrow import arrow_schema, incoming_fields
from elanus.schema.casting import from_arrow
from elanus.schema.collection import DYNAMIC_FIELD, CollectionSchema
from elanus.schema.columns import to_column
from elanus.schema.dense import vector_column
from elanus.schema.fields import DENSE_VECTORS, FieldSchema
from elanus.schema.json_text import json_text
from elanus.schema.shapes import Columns, Rows, rows_or_columns
from elanus.schema.unfit import Unfit

MAX_SHOWN = 60


def to_batch(schema: CollectionSchema, data: Any) -> pa.RecordBatch:
    """Return rows in the form of `arrow_schema(schema)`; no rows give an empty batch.

    Args:
        data: a list of dicts; one dict as a single row; a dict of columns (lists, numpy or Arrow arrays, of equal
            length); a pyarrow Table or RecordBatch; a pandas or polars DataFrame.

    Raises:
        RowError: names the row, the field, the value and the rule. Of several wrong values it is the first row's of
            the first field in schema order.
    """
    shaped = rows_or_columns(schema, data)
    return _from_rows(schema, shaped) if isinstance(shaped, list) else _from_columns(schema, shaped)


def check_defaults(schema: CollectionSchema) -> None:
    """Refuse a default_value that no row could hold.

    Raises:
        SchemaError: names the field, the value and the rule.
    """
    for field in schema.fields:
        if field.default_value is not None:
            try:
                to_column(field, [field.default_value])
            except Unfit as rule:
                raise SchemaError(
                    f"field '{field.name}' ({field.dtype.name}), default_value {_shown(field.default_value)}: {rule}"
                ) from None


# Rows


def _from_rows(schema: CollectionSchema, rows: Rows) -> pa.RecordBatch:
    fields = incoming_fields(schema)
    arrays = [_convert(field, to_column, _values(field, rows)) for field in fields]
    declared = {field.name for field in fields}
    if schema.enable_dynamic_field:
        extras = [{key: row[key] for key in row if key not in declared} for row in rows]
        arrays.append(_dynamic(schema, extras))
    else:
        for number, row in enumerate(rows):
            if not row.keys() <= declared:
                _refuse_unknown(schema, (key for key in row if key not in declared), number)
    return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(schema))


def _values(field: FieldSchema, rows: Rows) -> list[Any]:
    try:
        return [row[field.name] for row in rows]
    except KeyError:
        if not field.nullable and field.default_value is None:
            missing = next(number for number, row in enumerate(rows) if field.name not in row)
            near = did_you_mean(field.name, [key for key in rows[missing] if isinstance(key, str)])
            raise RowError(
                f"row {missing}: field '{field.name}' ({field.dtype.name}) is missing{near}", missing
            ) from None
        return [row.get(field.name) for row in rows]


def _dynamic(schema: CollectionSchema, extras: list[dict[str, Any]]) -> pa.Array:
    texts = []
    refused = _not_incoming(schema)
    for number, extra in enumerate(extras):
        if not extra:
            texts.append("{}")
            continue
        if not refused.isdisjoint(extra):
            _refuse_unknown(schema, [key for key in extra if key in refused], number)
        try:
            texts.append(json_text(extra))
        except Unfit as rule:
            raise RowError(f"row {number}, {_guilty(extra)}: {rule}", number) from None
    return pa.array(texts, pa.string())


def _guilty(extra: dict[str, Any]) -> str:
    for key, value in extra.items():
        try:
            json_text({key: value})
        except Unfit:
            return f"dynamic field {key!r}, value {_shown(value)}"
    return "the dynamic fields together"


def _not_incoming(schema: CollectionSchema) -> set[str]:
    """Names that no row may bring: numbered keys, outputs of functions, the dynamic field itself, and none at all."""
    return set(schema.names()) - {f.name for f in incoming_fields(schema)} | {DYNAMIC_FIELD, ""}


def _refuse_unknown(schema: CollectionSchema, names: Iterable[Any], row: int | None = None) -> None:
    where = "" if row is None else f"row {row}: "
    for name in names:
        if name == DYNAMIC_FIELD:
            raise RowError(f"{where}'{DYNAMIC_FIELD}' cannot be given; give its keys as fields of the row", row)
        if name == "":
            raise RowError(f"{where}a dynamic field needs a name; '' is none", row)
        if name in schema.names():
            why = "numbered by the store (auto_id)" if schema.field(name).auto_id else "computed by a function"
            raise RowError(f"{where}field '{name}' is {why}; leave it out", row)
        near = did_you_mean(str(name), schema.names())
        hint = near or "; enable_dynamic_field=True would keep undeclared fields"
        raise RowError(f"{where}no field {name!r} in the schema{hint}", row)


# Columns


def _from_columns(schema: CollectionSchema, columns: Columns) -> pa.RecordBatch:
    count = next((len(column) for column in columns.values()), 0)
    fields = incoming_fields(schema)
    arrays = [_column(field, columns, count) for field in fields]
    declared = {field.name for field in fields}
    others = [name for name in columns if name not in declared]
    _refuse_unknown(schema, [n for n in others if n in _not_incoming(schema) or not schema.enable_dynamic_field])
    if schema.enable_dynamic_field:
        lists = [_as_list(columns[name]) for name in others]
        extras = [dict(zip(others, row, strict=True)) for row in zip(*lists, strict=True)] if others else [{}] * count
        arrays.append(_dynamic(schema, extras))
    return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(schema))


def _column(field: FieldSchema, columns: Columns, count: int) -> pa.Array:
    if field.name not in columns:
        if not field.nullable and field.default_value is None:
            raise RowError(f"column '{field.name}' ({field.dtype.name}) is missing{did_you_mean(field.name, columns)}")
        return _convert(field, to_column, [None] * count)
    column = columns[field.name]
    if isinstance(column, pa.Array):
        return _convert(field, from_arrow, column)
    if isinstance(column, np.ndarray) and field.dtype in DENSE_VECTORS:
        return _convert(field, vector_column, column)
    return _convert(field, to_column, list(column))


def _as_list(column: Any) -> list[Any]:
    return list(column.to_pylist() if isinstance(column, pa.Array) else column)


# Errors


Converter = Callable[[FieldSchema, Any], pa.Array]


def _convert(field: FieldSchema, converter: Converter, values: Any) -> pa.Array:
    try:
        return converter(field, values)
    except Unfit as unfit:
        row = _first_unfit(field, converter, values)
        rule = _unfit(field, converter, values[row : row + 1]) or unfit
        value = values[row].as_py() if isinstance(values, pa.Array) else values[row]
        message = f"row {row}, field '{field.name}' ({field.dtype.name}), value {_shown(value)}: {rule}"
        raise RowError(message, row) from None


def _first_unfit(field: FieldSchema, converter: Converter, values: Any) -> int:
    """Find the first wrong value by halving, which costs about as much as two conversions of the whole."""
    start, end = 0, len(values)
    while end - start > 1:
        middle = (start + end) // 2
        if _unfit(field, converter, values[start:middle]):
            end = middle
        else:
            start = middle
    return start


def _unfit(field: FieldSchema, converter: Converter, values: Any) -> Unfit | None:
    try:
        converter(field, values)
    except Unfit as rule:
        return rule
    return None


def _shown(value: Any) -> str:
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    text = repr(value)
    if isinstance(value, (list, tuple)) and len(value) > 4:
        text = f"{repr(list(value[:3]))[:-1]}, ...]"
    text = " ".join(text.split())
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."
