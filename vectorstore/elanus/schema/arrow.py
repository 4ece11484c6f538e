"""The Arrow form of a schema: what a batch of rows looks like in the log and on disk."""

from __future__ import annotations

import pyarrow as pa

from elanus.schema.collection import DYNAMIC_FIELD, CollectionSchema
from elanus.schema.fields import FieldSchema
from elanus.types import DataType

_TYPES = {
    DataType.BOOL: pa.bool_(),
    DataType.INT8: pa.int8(),
    DataType.INT16: pa.int16(),
    DataType.INT32: pa.int32(),
    DataType.INT64: pa.int64(),
    DataType.FLOAT: pa.float32(),
    DataType.DOUBLE: pa.float64(),
    DataType.VARCHAR: pa.string(),
    DataType.JSON: pa.string(),
}


def arrow_type(dtype: DataType, field: FieldSchema) -> pa.DataType:
    """The Arrow type of a column: JSON is its text, a dense vector a fixed-size list of float32."""
    if dtype == DataType.FLOAT_VECTOR:
        return pa.list_(pa.float32(), field.dim)
    if dtype == DataType.ARRAY:
        assert field.element_type is not None
        return pa.list_(_TYPES[field.element_type])
    return _TYPES[dtype]


def stored_fields(schema: CollectionSchema) -> list[FieldSchema]:
    """The fields that rows bring or the store numbers; outputs of functions are computed, not stored."""
    return [f for f in schema.fields if f.dtype != DataType.SPARSE_FLOAT_VECTOR]


def incoming_fields(schema: CollectionSchema) -> list[FieldSchema]:
    """The fields that a row may bring."""
    return [f for f in stored_fields(schema) if not f.auto_id]


def arrow_schema(schema: CollectionSchema, *, with_auto_id: bool = False) -> pa.Schema:
    """The columns of an incoming batch, in order; `$meta` (JSON text) is last if there are dynamic fields."""
    fields = stored_fields(schema) if with_auto_id else incoming_fields(schema)
    columns = [pa.field(f.name, arrow_type(f.dtype, f)) for f in fields]
    if schema.enable_dynamic_field:
        columns.append(pa.field(DYNAMIC_FIELD, pa.string()))
    return pa.schema(columns)
