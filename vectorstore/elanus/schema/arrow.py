"""The Arrow form of a schema: what a batch of rows looks like in the log and on disk."""

from __future__ import annotations

import pyarrow as pa

from elanus.schema.collection import DYNAMIC_FIELD, CollectionSchema
from elanus.schema.dense import FORMS, width
from elanus.schema.fields import DENSE_VECTORS, FieldSchema
from elanus.schema.sparse import SPARSE
from elanus.schema.times import to_micros
from elanus.types import DataType

PARTITION = "$partition"
"""The column of the numbers of partitions: int32, 0 for the default one."""

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
    DataType.SPARSE_FLOAT_VECTOR: SPARSE,
    DataType.TIMESTAMPTZ: pa.int64(),
    DataType.GEOMETRY: pa.string(),
}


def arrow_type(dtype: DataType, field: FieldSchema) -> pa.DataType:
    """The Arrow type of a column: JSON is its text, a dense vector a list of fixed size, a sparse one a map."""
    if dtype in DENSE_VECTORS:
        return pa.list_(pa.from_numpy_dtype(FORMS[dtype].dtype), width(field))
    if dtype == DataType.ARRAY:
        assert field.element_type is not None
        if field.struct_fields is not None:
            inner = [pa.field(one.name, arrow_type(one.dtype, one)) for one in field.struct_fields]
            return pa.list_(pa.struct(inner))
        return pa.list_(_TYPES[field.element_type])
    return _TYPES[dtype]


def stored_fields(schema: CollectionSchema) -> list[FieldSchema]:
    """The fields whose values are kept: all but BM25's outputs, which are made from the text when needed."""
    sparse = DataType.SPARSE_FLOAT_VECTOR
    return [f for f in schema.fields if f.dtype != sparse or schema.bm25_input(f.name) is None]


def incoming_fields(schema: CollectionSchema) -> list[FieldSchema]:
    """The fields that a row may bring: not those that the store numbers or a function computes."""
    return [f for f in stored_fields(schema) if not f.auto_id and schema.embedding(f.name) is None]


def arrow_schema(schema: CollectionSchema) -> pa.Schema:
    """The columns of an incoming batch, in order; `$meta` (JSON text) is last if there are dynamic fields."""
    columns = [_column(f) for f in incoming_fields(schema)]
    if schema.enable_dynamic_field:
        columns.append(pa.field(DYNAMIC_FIELD, pa.string()))
    return pa.schema(columns)


def stored_schema(schema: CollectionSchema) -> pa.Schema:
    """The columns of a committed batch: the numbered key first, then the incoming ones, then the computed vectors."""
    numbered = [_column(f) for f in schema.fields if f.auto_id]
    computed = [_column(schema.field(f.output_field_names[0])) for f in schema.embeddings]
    return pa.schema([*numbered, *arrow_schema(schema), *computed])


def _column(field: FieldSchema) -> pa.Field:
    return pa.field(field.name, arrow_type(field.dtype, field))


def blank_column(field: FieldSchema, rows: int) -> pa.Array:
    """A column for rows that are older than the field: its default value, or null."""
    default = field.default_value
    if field.dtype == DataType.TIMESTAMPTZ and default is not None:
        default = to_micros(default)
    return pa.repeat(pa.scalar(default, arrow_type(field.dtype, field)), rows)
