"""Filters with and without a scalar index, at 1,000,000 rows: where an index pays, and what it costs.

    python -m benchmarks.filters [--rows 1000000]

Median CPU milliseconds of a `count(*)` whose constant changes with every call, so that no mask is remembered. The same
rows are asked with and without the index, in turns; `rows` is the share of rows that match.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import elanus
import numpy as np
from elanus import DataType
from rich.console import Console
from rich.table import Table

BATCH, CALLS = 50_000, 30


@dataclass(frozen=True)
class Case:
    """An index, and a filter on its field by the number of the call."""

    field: str
    index_type: str
    filter: Callable[[int], str]
    params: dict[str, Any]


def cases(rows: int) -> list[Case]:
    """Every kind of index where it is used for what it is for."""
    path = {"json_path": "meta['year']", "json_cast_type": "double"}
    grams = {"min_gram": 2, "max_gram": 3}
    return [
        Case("number", "STL_SORT", lambda n: f"number == {n * 977 % rows}", {}),
        Case("number", "STL_SORT", lambda n: f"{n} <= number < {n + rows // 1000}", {}),
        Case("number", "STL_SORT", lambda n: f"{n} <= number < {n + rows // 100}", {}),
        Case("number", "STL_SORT", lambda n: f"{n} <= number < {n + rows // 10}", {}),
        Case("few", "BITMAP", lambda n: f"few == {n % 100}", {}),
        Case("few", "BITMAP", lambda n: f"few == {n % 100} and number > {n}", {}),
        Case("price", "INVERTED", lambda n: f"price > {999 + n / CALLS}", {}),
        Case("word", "INVERTED", lambda n: f"word == 'word{n}'", {}),
        Case("name", "TRIE", lambda n: f"name == 'name {n * 977 % rows} of many'", {}),
        Case("name", "TRIE", lambda n: f"name like 'name {1000 + n}%'", {}),
        Case("name", "NGRAM", lambda n: f"name like '%{100_000 + n * 977 % (rows // 2)}%'", grams),
        Case("tags", "INVERTED", lambda n: f"array_contains(tags, 'tag{n * 31 % 1000}')", {}),
        Case("meta", "INVERTED", lambda n: f"meta['year'] == {n * 31 % 5000}", path),
        Case(
            "year", "INVERTED", lambda n: f"year == {n * 31 % 5000}", {"json_path": "year", "json_cast_type": "double"}
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    table = Table(title=f"count(*) of a filter over {rows:,} rows, CPU ms", box=None)
    for column in ("index", "filter", "rows", "without", "with", "build s"):
        table.add_column(column, justify="left" if column in ("index", "filter") else "right")
    with tempfile.TemporaryDirectory() as root, elanus.connect(Path(root) / "store", durability="os") as client:
        fill(client, rows)
        for case in cases(rows):
            table.add_row(*measured(client, case, rows))
    Console(highlight=False, width=120).print(table)


def fill(client: Any, rows: int) -> None:
    schema = client.create_schema(enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("number", DataType.INT64)
    schema.add_field("few", DataType.INT64)
    schema.add_field("price", DataType.DOUBLE)
    schema.add_field("word", DataType.VARCHAR, max_length=40)
    schema.add_field("name", DataType.VARCHAR, max_length=40)
    schema.add_field("tags", DataType.ARRAY, element_type=DataType.VARCHAR, max_length=20, max_capacity=8)
    schema.add_field("meta", DataType.JSON)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    client.create_collection("docs", schema=schema, index_params=client.prepare_index_params("vector"))
    chance = np.random.default_rng(0)
    numbers, words = chance.permutation(rows), chance.integers(0, 10_000, rows)
    for start in range(0, rows, BATCH):
        some = range(start, min(rows, start + BATCH))
        client.insert("docs", {
            "id": np.arange(some.start, some.stop),
            "number": numbers[some.start : some.stop],
            "few": chance.integers(0, 100, len(some)),
            "price": chance.random(len(some)) * 1000,
            "word": [f"word{word}" for word in words[some.start : some.stop].tolist()],
            "name": [f"name {number} of many" for number in numbers[some.start : some.stop].tolist()],
            "tags": [[f"tag{a}", f"tag{b}"] for a, b in chance.integers(0, 1000, (len(some), 2)).tolist()],
            "meta": [{"year": year} for year in chance.integers(0, 5000, len(some)).tolist()],
            "year": chance.integers(0, 5000, len(some)).tolist(),
            "vector": chance.random((len(some), 2), np.float32),
        })  # fmt: skip
    client.flush("docs")


def measured(client: Any, case: Case, rows: int) -> list[str]:
    def count(number: int) -> int:
        return int(client.query("docs", filter=case.filter(number), output_fields=["count(*)"])[0]["count(*)"])

    found = count(0)
    without = [cpu_ms(lambda n=n: count(n)) for n in range(1, CALLS)]
    index = client.prepare_index_params(case.field, index_type=case.index_type, params=case.params)
    client.create_index("docs", index)
    build = cpu_ms(lambda: count(CALLS))
    assert count(0) == found
    own = [cpu_ms(lambda n=n: count(n)) for n in range(CALLS + 1, 2 * CALLS)]
    client.drop_index("docs", client.list_indexes("docs", case.field)[0])
    medians = (f"{statistics.median(times):.2f}" for times in (without, own))
    return [case.index_type, case.filter(1), f"{found / rows:.3%}", *medians, f"{build / 1e3:.2f}"]


def cpu_ms(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return (time.process_time() - started) * 1e3


if __name__ == "__main__":
    main()
