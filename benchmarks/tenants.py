"""What a tenant's search costs, by how many other tenants there are: partition key, plain field, and a store alone.

    python -m benchmarks.tenants [--tenants 10000] [--rows 100]

Each tenant holds `--rows` rows of 128 floats and a text. Median CPU milliseconds of 500 searches, each by another
tenant and with another filter, so that no answer is remembered; all kinds take turns in every round.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import elanus
import numpy as np
from elanus import DataType, Function, FunctionType
from rich.console import Console
from rich.table import Table

DIM, BATCH, SEARCHES = 128, 20_000, 500
WORDS = np.array([f"word{n}" for n in range(5_000)])
KINDS = ("partition key", "plain field", "alone")
ASKS = ("dense", "BM25", "query", "count")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tenants", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root, elanus.connect(Path(root) / "store", durability="os") as client:
        for kind in KINDS:
            tenants = 1 if kind == "alone" else options.tenants
            fill(client, kind.replace(" ", "_"), tenants, options.rows, kind == "partition key")
        show(measure(client, options.tenants), options.tenants, options.rows)


def fill(client: Any, name: str, tenants: int, rows: int, is_key: bool) -> None:
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("tenant", DataType.VARCHAR, max_length=20, is_partition_key=is_key)
    schema.add_field("text", DataType.VARCHAR, max_length=500, enable_analyzer=True)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=DIM)
    schema.add_function(Function("bm25", FunctionType.BM25, "text", "sparse"))
    indexes = client.prepare_index_params("dense", metric_type="IP")
    indexes.add_index("sparse", metric_type="BM25")
    client.create_collection(name, schema=schema, index_params=indexes)
    for batch in batches(tenants, rows):
        client.insert(name, batch)
    client.flush(name)


def batches(tenants: int, rows: int) -> Iterator[dict[str, Any]]:
    """Rows of tenants as they come, mixed."""
    chance, total = np.random.default_rng(1), tenants * rows
    owners = chance.permutation(total) % tenants
    for start in range(0, total, BATCH):
        size = min(BATCH, total - start)
        yield {
            "id": np.arange(start, start + size),
            "tenant": [f"tenant{owner}" for owner in owners[start : start + size].tolist()],
            "text": [" ".join(words) for words in WORDS[chance.integers(0, len(WORDS), (size, 12))].tolist()],
            "dense": chance.standard_normal((size, DIM), np.float32),
        }


def measure(client: Any, tenants: int) -> dict[str, dict[str, float]]:
    chance = np.random.default_rng(2)
    vectors = chance.standard_normal((SEARCHES, DIM), np.float32)
    texts = [" ".join(words) for words in WORDS[chance.integers(0, len(WORDS), (SEARCHES, 4))].tolist()]
    taken: dict[str, dict[str, list[float]]] = {kind: {ask: [] for ask in ASKS} for kind in KINDS}
    for number in range(SEARCHES):
        for kind in KINDS:
            name, tenant = kind.replace(" ", "_"), 0 if kind == "alone" else number * 7919 % tenants
            calls = asks(client, name, f"tenant == 'tenant{tenant}'", vectors[number], texts[number])
            for turn, (ask, call) in enumerate(calls.items()):
                taken[kind][ask].append(cpu_ms(partial(call, f" and id != -{len(ASKS) * number + turn + 1}")))
    return {kind: {ask: statistics.median(times) for ask, times in asked.items()} for kind, asked in taken.items()}


def asks(client: Any, name: str, own: str, vector: Any, text: str) -> dict[str, Callable[[str], object]]:
    """The calls of one tenant; each takes a condition that makes its filter a new one."""
    return {
        "dense": lambda more: client.search(name, [vector], filter=own + more, anns_field="dense", limit=10),
        "BM25": lambda more: client.search(name, [text], filter=own + more, anns_field="sparse", limit=10),
        "query": lambda more: client.query(name, filter=own + more, output_fields=["id"], limit=10),
        "count": lambda more: client.query(name, filter=own + more, output_fields=["count(*)"]),
    }


def cpu_ms(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return (time.process_time() - started) * 1e3


def show(medians: dict[str, dict[str, float]], tenants: int, rows: int) -> None:
    table = Table(title=f"CPU ms of one tenant of {rows} rows; {tenants} tenants, {tenants * rows:,} rows", box=None)
    for column in ("", *ASKS):
        table.add_column(column, justify="right")
    for kind, asked in medians.items():
        table.add_row(kind, *(f"{asked[ask]:.2f}" for ask in ASKS))
    Console(highlight=False).print(table)


if __name__ == "__main__":
    main()
