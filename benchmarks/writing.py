"""Filling stores: how many rows a second are acknowledged, and what it costs until they are indexed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import elanus

from benchmarks.cases import DOCS, LOOSE
from benchmarks.data import DIM, Dataset
from benchmarks.measure import Span, settle, span

BATCH = 1_000
COMMITS = 100


def create_docs(client: elanus.Client) -> None:
    """Declared metadata, text with BM25, string keys."""
    types = elanus.DataType
    schema = client.create_schema()
    schema.add_field("id", types.VARCHAR, is_primary=True, max_length=64)
    schema.add_field("text", types.VARCHAR, max_length=4096, enable_analyzer=True, analyzer_params={"type": "english"})
    schema.add_field("vector", types.FLOAT_VECTOR, dim=DIM)
    schema.add_field("category", types.VARCHAR, max_length=64)
    schema.add_field("year", types.INT64)
    schema.add_field("price", types.FLOAT)
    schema.add_field("in_stock", types.BOOL)
    schema.add_field("tags", types.ARRAY, element_type=types.VARCHAR, max_capacity=16, max_length=64)
    schema.add_field("sparse", types.SPARSE_FLOAT_VECTOR)
    schema.add_function(elanus.Function("bm25", elanus.FunctionType.BM25, ["text"], ["sparse"]))
    index = client.prepare_index_params()
    index.add_index("vector", index_type="AUTOINDEX", metric_type="COSINE")
    index.add_index("sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    client.create_collection(DOCS, schema=schema, index_params=index)


def create_loose(client: elanus.Client) -> None:
    """Everything but key and vector in dynamic fields, as LangChain's metadata arrives."""
    schema = client.create_schema(enable_dynamic_field=True)
    schema.add_field("id", elanus.DataType.VARCHAR, is_primary=True, max_length=64)
    schema.add_field("vector", elanus.DataType.FLOAT_VECTOR, dim=DIM)
    index = client.prepare_index_params()
    index.add_index("vector", index_type="AUTOINDEX", metric_type="COSINE")
    client.create_collection(LOOSE, schema=schema, index_params=index)


def insert(client: elanus.Client, collection: str, batches: Iterable[Any]) -> Span:
    """Insert batch after batch; the time until the last one is acknowledged."""
    with span() as measured:
        for batch in batches:
            client.insert(collection, batch)
    return measured


def row_batches(data: Dataset, commits: int | None = None) -> list[list[dict[str, Any]]]:
    """Cut the rows, as dicts, into batches of `BATCH`, or smaller ones to make so many commits."""
    rows = data.rows()
    size = min(BATCH, -(-len(rows) // commits)) if commits else BATCH
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def figures(data: Dataset, measured: Span) -> dict[str, float]:
    return {"rows_per_s": len(data) / measured.wall, "wall_s": measured.wall, "cpu_s": measured.cpu}


def write_arrow(data: Dataset, folder: Path) -> dict[str, dict[str, float]]:
    """Insert as Arrow tables into a new store, then flush: the figures of both moments."""
    table = data.table()
    with elanus.connect(folder) as client:
        create_docs(client)
        slices = [table.slice(start, BATCH) for start in range(0, len(table), BATCH)]
        acknowledged = insert(client, DOCS, slices)
        with span() as rest:
            client.flush(DOCS)
            settle_seconds = settle()
        indexed = Span(acknowledged.wall + rest.wall - settle_seconds, acknowledged.cpu + rest.cpu)
    return {"insert Arrow": figures(data, acknowledged), "until indexed": figures(data, indexed)}
