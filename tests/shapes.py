"""The collections that the behaviour tests use, each with the oracle's table of the same shape."""

from __future__ import annotations

from typing import Any

import elanus
from elanus import DataType, FunctionType

from tests.oracle import Table

DIM = 8


def articles(client: elanus.Client, name: str, index_type: str = "AUTOINDEX") -> Table:
    """Create a collection with an INT64 key, every scalar type, text with BM25, JSON and dynamic fields; COSINE."""
    schema = client.create_schema(enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("n", DataType.INT64, nullable=True)
    schema.add_field("score", DataType.DOUBLE)
    schema.add_field("flag", DataType.BOOL)
    schema.add_field("color", DataType.VARCHAR, max_length=20)
    schema.add_field("tags", DataType.ARRAY, element_type=DataType.VARCHAR, max_capacity=8, max_length=20)
    schema.add_field("meta", DataType.JSON)
    schema.add_field("text", DataType.VARCHAR, max_length=1000, enable_analyzer=True)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
    schema.add_function(elanus.Function("bm25", FunctionType.BM25, ["text"], ["sparse"]))
    params = client.prepare_index_params()
    params.add_index("vector", index_type=index_type, metric_type="COSINE")
    params.add_index("sparse", index_type="AUTOINDEX", metric_type="BM25")
    client.create_collection(name, schema=schema, index_params=params)
    return Table("id", {"vector": "COSINE"}, {"sparse": "text"})


def files(client: elanus.Client, name: str) -> Table:
    """Create a collection with a VARCHAR key and an L2 vector."""
    schema = client.create_schema()
    schema.add_field("path", DataType.VARCHAR, is_primary=True, max_length=100)
    schema.add_field("n", DataType.INT32, nullable=True)
    schema.add_field("color", DataType.VARCHAR, max_length=20)
    schema.add_field("place", DataType.FLOAT_VECTOR, dim=DIM)
    params = client.prepare_index_params()
    params.add_index("place", metric_type="L2")
    client.create_collection(name, schema=schema, index_params=params)
    return Table("path", {"place": "L2"})


def senses(client: elanus.Client, name: str) -> Table:
    """Create a collection with nullable vectors of several types, and times."""
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("n", DataType.INT64, nullable=True)
    schema.add_field("color", DataType.VARCHAR, max_length=20)
    schema.add_field("at", DataType.TIMESTAMPTZ, nullable=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM, nullable=True)
    schema.add_field("splade", DataType.SPARSE_FLOAT_VECTOR, nullable=True)
    schema.add_field("half", DataType.FLOAT16_VECTOR, dim=DIM)
    params = client.prepare_index_params()
    for field, metric in (("vector", "L2"), ("splade", "IP"), ("half", "COSINE")):
        params.add_index(field, metric_type=metric)
    client.create_collection(name, schema=schema, index_params=params)
    return Table("id", {"vector": "L2", "splade": "IP"})


def notes(client: elanus.Client, name: str) -> Table:
    """Create a collection of the quick form: numbered by the store, IP, all else dynamic."""
    client.create_collection(name, DIM, metric_type="IP", auto_id=True)
    return Table("id", {"vector": "IP"})


def batches(client: elanus.Client, name: str) -> Table:
    """Create what the process tests write: who wrote a row, in which batch, with a text and a vector."""
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("writer", DataType.INT64)
    schema.add_field("batch", DataType.INT64)
    schema.add_field("text", DataType.VARCHAR, max_length=200, enable_analyzer=True)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
    schema.add_function(elanus.Function("bm25", FunctionType.BM25, "text", "sparse"))
    params = client.prepare_index_params()
    params.add_index("vector", metric_type="COSINE")
    params.add_index("sparse", metric_type="BM25")
    client.create_collection(name, schema=schema, index_params=params)
    return Table("id", {"vector": "COSINE"}, {"sparse": "text"})


def batch_rows(writer: int, batch: int, keys: range) -> list[dict[str, Any]]:
    """The rows of one batch; everything in them follows from the arguments."""
    return [
        {
            "id": key,
            "writer": writer,
            "batch": batch,
            "text": f"writer{writer} batch{batch} row{key} shared",
            "vector": [float((key * 31 + batch * 7 + i * i) % 17 - 8.5) for i in range(DIM)],
        }
        for key in keys
    ]
