from __future__ import annotations

import pyarrow as pa
from elanus.schema.arrow import arrow_schema, stored_schema
from elanus.schema.collection import CollectionSchema
from elanus.schema.functions import Function
from elanus.types import DataType, FunctionType

from tests.schema.model import make_schema


def test_each_type_has_its_arrow_column_in_schema_order_and_dynamic_fields_are_last():
    assert arrow_schema(make_schema()) == pa.schema(
        {
            "key": pa.string(),
            "flag": pa.bool_(),
            "tiny": pa.int8(),
            "small": pa.int16(),
            "medium": pa.int32(),
            "big": pa.int64(),
            "real": pa.float32(),
            "double": pa.float64(),
            "note": pa.string(),
            "stock": pa.int32(),
            "meta": pa.string(),
            "tags": pa.list_(pa.string()),
            "sizes": pa.list_(pa.int16()),
            "vector": pa.list_(pa.float32(), 4),
            "$meta": pa.string(),
        }
    )
    assert "$meta" not in arrow_schema(make_schema(dynamic=False)).names


def test_a_numbered_key_is_in_the_stored_form_only_and_an_output_of_a_function_in_neither():
    schema = CollectionSchema(auto_id=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=50, enable_analyzer=True)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(Function("bm25", FunctionType.BM25, "text", "sparse"))
    assert arrow_schema(schema).names == ["text"]
    assert stored_schema(schema).names == ["id", "text"]


def test_an_embedding_is_in_the_stored_form_only():
    schema = CollectionSchema(enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=4)
    schema.add_field("text", DataType.VARCHAR, max_length=50)
    schema.add_function(Function("e", FunctionType.TEXTEMBEDDING, "text", "dense", params={"provider": "p"}))
    schema.verify()
    assert arrow_schema(schema).names == ["id", "text", "$meta"]
    assert stored_schema(schema).names == ["id", "text", "$meta", "dense"]
