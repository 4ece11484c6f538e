"""`elanus export` and `import`: what goes out comes back, of every type."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import elanus
import numpy as np
import pyarrow.parquet as pq
import pytest
from elanus import DataType, Function, FunctionType
from elanus.cli.app import app
from typer.testing import CliRunner, Result


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A store with "docs": 50 rows of nearly every type, some values null, some keys dynamic."""
    path = str(tmp_path / "store")
    with elanus.connect(path) as client:
        schema = client.create_schema(enable_dynamic_field=True, auto_id=True)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("tenant", DataType.VARCHAR, max_length=20, is_partition_key=True)
        schema.add_field("text", DataType.VARCHAR, max_length=100, enable_analyzer=True)
        schema.add_field("flag", DataType.BOOL, nullable=True)
        schema.add_field("price", DataType.FLOAT, default_value=1.5)
        schema.add_field("tags", DataType.ARRAY, element_type=DataType.INT32, max_capacity=4, nullable=True)
        schema.add_field("meta", DataType.JSON)
        schema.add_field("at", DataType.TIMESTAMPTZ, nullable=True)
        for kind in ("FLOAT_VECTOR", "FLOAT16_VECTOR", "BFLOAT16_VECTOR", "INT8_VECTOR", "BINARY_VECTOR"):
            schema.add_field(kind.lower(), DataType[kind], dim=8, nullable=kind == "FLOAT16_VECTOR")
        schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR, nullable=True)
        schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
        schema.add_function(Function("bm25", FunctionType.BM25, "text", "words"))
        indexes = client.prepare_index_params("words", metric_type="BM25", params={"bm25_k1": 1.4})
        for name in ("float_vector", "float16_vector", "bfloat16_vector", "int8_vector", "binary_vector", "sparse"):
            indexes.add_index(name)
        indexes.add_index("tags", "INVERTED")
        indexes.add_index("color", "INVERTED", json_path="color", json_cast_type="varchar")
        client.create_collection(
            "docs", schema=schema, index_params=indexes, num_partitions=3, properties={"mmap.enabled": True}
        )
        client.insert("docs", [row(n) for n in range(50)])
        client.flush("docs")
        client.upsert("docs", [{"id": 3, "color": "späte"}], partial_update=True)
    return path


def row(n: int) -> dict[str, Any]:
    vector = np.arange(8) + n / 4
    return {
        "tenant": f"t{n % 3}", "text": f"kite {n}", "flag": None if n % 5 == 0 else n % 2 == 0,
        "tags": None if n % 4 == 0 else [n, n + 1], "meta": {"deep": [n, {"x": None}], "ü": "é"},
        "at": None if n % 3 else f"2026-01-{n % 28 + 1:02d}T10:00:00+07:00",
        "float_vector": vector, "float16_vector": None if n % 2 else vector.astype(np.float16),
        "bfloat16_vector": vector.tolist(), "int8_vector": (np.arange(8) - n).tolist(), "binary_vector": bytes([n]),
        "sparse": None if n % 6 == 0 else {n: 0.5, n + 100: 1.25},
        **({"color": f"c{n}", "list": [1, "a"]} if n % 2 else {}),
    }  # fmt: skip


def rows(path: str, name: str = "docs") -> list[dict[str, Any]]:
    with elanus.connect(path) as client:
        return [dict(found) for found in client.query(name, filter="id > 0", output_fields=["*"])]


def told(path: str, name: str = "docs") -> tuple[Any, ...]:
    with elanus.connect(path) as client:
        described = client.describe_collection(name)
        indexes = [client.describe_index(name, index) for index in client.list_indexes(name)]
        keys = ("fields", "functions", "properties", "num_partitions", "enable_dynamic_field", "auto_id")
        return ([described[key] for key in keys], indexes)


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_a_collection_comes_back_as_it_was(store: str, tmp_path: Path, ending: str) -> None:
    file, copy = str(tmp_path / f"docs.{ending}"), str(tmp_path / "copy")
    assert run("export", store, "docs", file).stdout == f"{file}, 50 rows\n"
    assert run("import", file, copy).stdout == "docs, 50 rows\n"
    assert rows(copy) == rows(store)
    assert told(copy) == told(store)
    assert run("import", file, copy, "--json").stdout == '{"collection": "docs", "rows": 50}\n'
    assert rows(copy) == rows(store)
    with elanus.connect(copy) as client:
        (best,) = client.search("docs", ["kite 7"], anns_field="words", limit=1)[0]
        assert client.get("docs", [best.id], ["text"])[0]["text"] == "kite 7"
        assert client.insert("docs", [row(60)])["ids"] == [51]


def test_a_filter_takes_a_part_and_any_reader_opens_the_file(store: str, tmp_path: Path) -> None:
    file = tmp_path / "some.parquet"
    assert run("export", store, "docs", str(file), "--filter", "tenant == 't1'", "--json").exit_code == 0
    table = pq.read_table(file)
    assert table.num_rows == 17
    assert set(table["tenant"].to_pylist()) == {"t1"}
    assert table["float_vector"][0].as_py() == [n + 0.25 for n in range(8)]
    assert json.loads(table["$meta"][0].as_py()) == {"color": "c1", "list": [1, "a"]}


def test_rows_of_other_programs_go_into_a_collection_that_exists(tmp_path: Path) -> None:
    path, file = str(tmp_path / "store"), tmp_path / "rows.jsonl"
    file.write_text('{"id": 1, "vector": [1, 2], "word": "kite"}\n\n{"id": 2, "vector": [3, 4]}\n')
    refused = run("import", str(file), path, "docs")
    assert (refused.exit_code, "create the collection 'docs' first" in refused.stderr) == (1, True)
    with elanus.connect(path) as client:
        client.create_collection("docs", dimension=2)
    assert run("import", str(file), path, "docs").stdout == "docs, 2 rows\n"
    assert rows(path)[0] == {"id": 1, "vector": [1.0, 2.0], "word": "kite"}


def test_what_cannot_be_moved_is_one_line_and_leaves_no_file(store: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"id": 1}\n{"id": \n')
    for arguments, said in (
        (["export", store, "docs", str(tmp_path / "x.csv")], "must be .parquet or .jsonl"),
        (["export", store, "nope", str(tmp_path / "x.jsonl")], "collection=nope"),
        (["export", store, "docs", str(tmp_path / "x.jsonl"), "--filter", "n >"], "n >"),
        (["export", str(tmp_path / "none"), "docs", str(tmp_path / "x.jsonl")], "there is no store"),
        (["import", str(tmp_path / "none.jsonl"), store], "there is no file"),
        (["import", str(broken), store, "docs"], "line 2"),
    ):
        result = run(*arguments)
        assert (result.exit_code, result.stdout, said in result.stderr) == (1, "", True), result.output
    assert not list(tmp_path.glob("x.*"))
