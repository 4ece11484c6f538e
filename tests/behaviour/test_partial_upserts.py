"""Partial upserts: what a row leaves out keeps its value, whatever state the row is in and whoever else writes."""

from __future__ import annotations

import random
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import elanus
import pytest
from elanus import DataType
from elanus.errors import InvalidArgument, RowError

from tests import shapes
from tests.behaviour.fleet import Child
from tests.fakes import Words

VECTOR = [1.0] * shapes.DIM


@pytest.fixture
def docs(client: elanus.Client) -> elanus.Client:
    """A client with an empty collection "docs" of `shapes.articles`."""
    shapes.articles(client, "docs")
    return client


def article(key: int, **values: Any) -> dict[str, Any]:
    row = {"id": key, "n": key, "score": 0.5, "flag": True, "color": "red", "tags": ["a"], "meta": {"k": 1}}
    return {**row, "text": "kite", "vector": VECTOR, **values}


def stored(client: elanus.Client) -> dict[int, dict[str, Any]]:
    return {row["id"]: row for row in client.query("docs", filter="id >= 0", output_fields=["*"])}


@pytest.mark.parametrize("flushed", [False, True])
def test_what_a_row_leaves_out_keeps_its_value(docs: elanus.Client, folder: Path, flushed: bool) -> None:
    docs.insert("docs", [article(1, x=1, y=[1]), article(2), article(3, n=None)])
    if flushed:
        docs.flush("docs")
    before = stored(docs)
    data = [{"id": 3, "n": 9}, {"id": 1, "color": "blue", "x": 2, "z": {"new": 1}}, article(4)]
    assert docs.upsert("docs", data, partial_update=True) == {"upsert_count": 3, "ids": [3, 1, 4], "cost": 0}
    expected = {
        1: {**before[1], "color": "blue", "x": 2, "z": {"new": 1}},
        2: before[2],
        3: {**before[3], "n": 9},
        4: article(4),
    }
    assert stored(docs) == expected
    with elanus.connect(folder) as other:
        assert stored(other) == expected
    docs.flush("docs")
    assert stored(docs) == expected
    assert docs.search("docs", ["kite"], anns_field="sparse", filter="color == 'blue'")[0].ids == [1]


def test_columns_can_be_updated_as_well(docs: elanus.Client) -> None:
    docs.insert("docs", [article(key) for key in range(5)])
    docs.upsert("docs", {"id": [3, 1], "n": [30, 10]}, partial_update=True)
    assert [row["n"] for row in stored(docs).values()] == [0, 10, 2, 30, 4]


@pytest.mark.parametrize("flushed", [False, True])
def test_arrays_grow_and_shrink(docs: elanus.Client, flushed: bool) -> None:
    docs.insert("docs", [article(1, tags=["a", "b", "a"]), article(2, tags=[])])
    if flushed:
        docs.flush("docs")
    docs.upsert("docs", [{"id": 1, "tags": ["c"]}, {"id": 2, "tags": ["d", "d"]}], field_ops={"tags": "array_append"})
    assert [row["tags"] for row in stored(docs).values()] == [["a", "b", "a", "c"], ["d", "d"]]
    docs.upsert("docs", [{"id": 1, "tags": ["a"], "n": 7}], field_ops={"tags": "array_remove"})
    assert stored(docs)[1]["tags"] == ["b", "c"]
    assert stored(docs)[1]["n"] == 7
    with pytest.raises(RowError, match=r"row 1, field 'tags', after array_append: .*max_capacity=8"):
        docs.upsert(
            "docs", [{"id": 1, "tags": ["x"]}, {"id": 2, "tags": ["y"] * 7}], field_ops={"tags": "array_append"}
        )
    assert stored(docs)[1]["tags"] == ["b", "c"]


def test_pymilvus_operations_are_taken(docs: elanus.Client) -> None:
    pymilvus = pytest.importorskip("pymilvus")
    docs.insert("docs", [article(1)])
    docs.upsert("docs", [{"id": 1, "tags": ["b"]}], field_ops={"tags": pymilvus.FieldOp.array_append()})
    docs.upsert("docs", [{"id": 1, "tags": ["a"]}], field_ops={"tags": pymilvus.FieldOp.array_remove()})
    assert stored(docs)[1]["tags"] == ["b"]


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ([{"id": 1, "n": 5}, {"id": 7, "n": 5}], {}, r"row 1: there is no row of key 7.*needs field 'score'"),
        ([{"n": 5}], {}, "row 0: field 'id'.*missing"),
        ([{"id": 1, "n": 1}, {"id": 2, "color": "x"}, {"id": 1, "n": 2}], {}, "rows 0 and 2 have the same key 1"),
        ([{"id": 1}, {"id": 2, "n": "x"}], {}, "row 1, field 'n'"),
        ([{"id": 1, "sparse": {1: 1.0}}], {}, "'sparse' is computed"),
        ([{"id": 1, "n": 1}], {"field_ops": {"n": "array_append"}}, "'n' is INT64"),
        ([{"id": 1, "n": 1}], {"field_ops": {"nn": "array_append"}}, "no field 'nn'"),
        ([{"id": 1, "tags": ["b"]}], {"field_ops": {"tags": "append"}}, "did you mean 'array_append'"),
        ([{"id": 1, "tags": ["b"]}], {"field_ops": ["tags"]}, "must be a dict"),
    ],
)
def test_a_wrong_partial_update_changes_nothing(
    docs: elanus.Client, data: Any, options: dict[str, Any], message: str
) -> None:
    docs.insert("docs", [article(1), article(2)])
    before = stored(docs)
    with pytest.raises((InvalidArgument, elanus.ElanusError), match=message):
        docs.upsert("docs", data, partial_update=True, **options)
    assert stored(docs) == before


def test_an_embedded_text_is_embedded_again_only_if_it_changes(client: elanus.Client, fake_models: Path) -> None:
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=100)
    schema.add_field("n", DataType.INT64)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=8)
    function = elanus.Function(
        "embed", elanus.FunctionType.TEXTEMBEDDING, "text", "vector", params={"provider": "words"}
    )
    schema.add_function(function)
    client.create_collection("docs", schema=schema, index_params=client.prepare_index_params("vector"))
    client.insert("docs", [{"id": 1, "text": "red kite", "n": 1}])
    calls, before = len(Words.calls), stored(client)[1]
    client.upsert("docs", [{"id": 1, "n": 2}], partial_update=True)
    assert (len(Words.calls), stored(client)[1]) == (calls, {**before, "n": 2})
    client.upsert("docs", [{"id": 1, "text": "blue string"}], partial_update=True)
    assert len(Words.calls) == calls + 1
    assert stored(client)[1]["vector"] != before["vector"]
    with pytest.raises(RowError, match="needs field 'text'"):
        client.upsert("docs", [{"id": 2, "n": 2}], partial_update=True)


def _count_up(pipe: Connection, folder: Path, field: str) -> None:
    with elanus.connect(folder) as client:
        for value in range(1, 41):
            client.upsert("docs", [{"id": 1, field: value}], partial_update=True)


def test_two_processes_update_two_fields_of_one_row_and_neither_is_lost(docs: elanus.Client, folder: Path) -> None:
    docs.insert("docs", [article(1, n=0, score=0.0)])
    children = [Child(_count_up, folder, field) for field in ("n", "score")]
    for child in children:
        assert child.join() == 0
    assert (stored(docs)[1]["n"], stored(docs)[1]["score"]) == (40, 40.0)


def test_random_partial_updates_agree_with_dicts(docs: elanus.Client) -> None:
    chance, table = random.Random(3), {key: article(key) for key in range(20)}
    docs.insert("docs", list(table.values()))
    for step in range(60):
        data = []
        for key in chance.sample(range(20), 3):
            fields = chance.sample(["n", "color", "tags", "text", "x", "y"], chance.randint(0, 3))
            values = {"n": step, "color": f"c{step}", "tags": [str(step)], "text": f"kite {step}", "x": step, "y": None}
            data.append({"id": key, **{field: values[field] for field in fields}})
            table[key].update(data[-1])
        docs.upsert("docs", data, partial_update=True)
        if step % 20 == 10:
            docs.flush("docs")
    assert stored(docs) == table


# Keys that the store gives


def test_rows_may_bring_keys_of_the_stores_own_series(client: elanus.Client) -> None:
    shapes.notes(client, "docs")
    assert client.insert("docs", [{"vector": VECTOR}])["ids"] == [1]
    with pytest.raises(RowError, match="auto_id"):
        client.insert("docs", [{"id": 9, "vector": VECTOR}])
    assert client.upsert("docs", [{"id": 9, "vector": VECTOR, "x": 1}])["ids"] == [9]
    assert client.insert("docs", [{"vector": VECTOR}])["ids"] == [10]
    assert client.upsert("docs", [{"id": 1, "vector": VECTOR, "x": 2}])["ids"] == [1]
    client.alter_collection_properties("docs", {"allow_insert_auto_id": True})
    assert client.insert("docs", [{"id": 30, "vector": VECTOR}])["ids"] == [30]
    assert client.insert("docs", [{"vector": VECTOR}])["ids"] == [31]
    assert client.upsert("docs", [{"id": 30, "x": 3}], partial_update=True)["ids"] == [30]
    assert {row["id"]: row.get("x") for row in client.query("docs", filter="id > 0")} == {
        1: 2, 9: 1, 10: None, 30: 3, 31: None,
    }  # fmt: skip
