"""One collection for all tests of reading, in every layout that rows can have, beside the oracle's table of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import elanus
import numpy as np
from elanus import DataType, FunctionType

from tests.oracle import ALL, Condition, Scores, Table

DIM, ROWS, BATCH = 8, 1800, 150
METRICS = {"cosine": "COSINE", "ip": "IP", "l2": "L2"}
TEXTS = ("kite owl", "heron")
LAYOUTS = ("tail", "flushed", "mixed", "reopened")
WORDS = ["kite", "owl", "heron", "wren", "tern", "gull", "lark", "rook"]


@dataclass
class Shelf:
    """The store, what it holds, and vectors to search with."""

    client: elanus.Client
    table: Table
    queries: np.ndarray
    scores: dict[tuple[str, int, str], Scores] = field(default_factory=dict)


def make_shelf(folder: Path, layout: str, index_type: str = "AUTOINDEX") -> Shelf:
    """Fill a store with updates and deletes between the batches; `layout` says where the rows end up."""
    client = elanus.connect(folder, durability="os")
    _create(client, index_type)
    table = Table("id", dict(METRICS), {"sparse": "text"})
    rng = np.random.default_rng(7)
    centres = rng.normal(size=(12, DIM))
    for start in range(0, ROWS, BATCH):
        fresh = range(start, start + BATCH)
        again = rng.choice(start, 15, replace=False).tolist() if start else []
        rows = [_row(rng, centres, key) for key in (*fresh, *again)]
        client.insert("shelf", rows)
        table.write(rows)
        gone = rng.choice(start + BATCH, 5, replace=False).tolist()
        client.delete("shelf", ids=gone)
        table.delete(gone)
        if layout in ("mixed", "reopened") and start % (5 * BATCH) == 2 * BATCH:
            client.flush("shelf")
    if layout == "flushed":
        client.flush("shelf")
    if layout == "reopened":
        client.close()
        client = elanus.connect(folder, durability="os")
    queries = centres[rng.integers(0, len(centres), 6)] + rng.normal(size=(6, DIM)) * 0.4
    return Shelf(client, table, queries.astype(np.float32))


def _create(client: elanus.Client, index_type: str) -> None:
    schema = client.create_schema(enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("n", DataType.INT32, nullable=True)
    schema.add_field("price", DataType.DOUBLE, nullable=True)
    schema.add_field("flag", DataType.BOOL)
    schema.add_field("place", DataType.VARCHAR, max_length=20, nullable=True)
    schema.add_field("meta", DataType.JSON)
    schema.add_field("tags", DataType.ARRAY, element_type=DataType.INT64, max_capacity=4)
    schema.add_field("text", DataType.VARCHAR, max_length=200, enable_analyzer=True)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(elanus.Function("bm25", FunctionType.BM25, ["text"], ["sparse"]))
    params = client.prepare_index_params()
    params.add_index("sparse", metric_type="BM25")
    for name, metric in METRICS.items():
        schema.add_field(name, DataType.FLOAT_VECTOR, dim=DIM)
        params.add_index(name, index_type=index_type, metric_type=metric)
    client.create_collection("shelf", schema=schema, index_params=params)


def _row(rng: np.random.Generator, centres: np.ndarray, key: int) -> dict[str, Any]:
    vector = (centres[rng.integers(0, len(centres))] + rng.normal(size=DIM) * 0.5).astype(np.float32)
    row: dict[str, Any] = {
        "id": key,
        "n": None if rng.random() < 0.1 else int(rng.integers(-4, 5)),
        "price": None if rng.random() < 0.2 else float(rng.integers(0, 400)) / 4,
        "flag": bool(rng.random() < 0.3),
        "place": None if rng.random() < 0.1 else f"p{int(rng.zipf(1.3)) % 40}",
        "meta": {"kind": ["a", 1, True, None][int(rng.integers(0, 4))]} if rng.random() < 0.8 else {},
        "tags": [1, 2],
        "text": " ".join(rng.choice(WORDS, int(rng.integers(1, 12)))),
        **dict.fromkeys(METRICS, vector),
    }
    if rng.random() < 0.7:
        row["colour"] = str(rng.choice(["red", "green", "blue"]))
    return row


def metric_of(field: str) -> str:
    """The metric of a vector field of the shelf."""
    return METRICS.get(field, "BM25")


def queries_of(shelf: Shelf, field: str, number: int) -> list[Any]:
    """One query for a field, as `data`."""
    return [TEXTS[number % 2]] if field == "sparse" else [shelf.queries[number]]


def scores_of(shelf: Shelf, field: str, number: int, condition: Condition = ALL) -> Scores:
    """The oracle's distances of all rows to that query; calculated once."""
    known = shelf.scores.setdefault((field, number, condition.text), {})
    if not known and field == "sparse":
        known.update(shelf.table.bm25(field, TEXTS[number % 2], condition))
    elif not known:
        known.update(shelf.table.dense(field, shelf.queries[number], condition))
    return known
