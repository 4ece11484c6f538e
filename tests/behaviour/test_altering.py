"""Fields added and changed, properties, and rows that end by their age; on rows in every state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import elanus
import pytest
from elanus import DataType
from elanus.engine import collection as engine_collection
from elanus.errors import AlreadyExists, FieldNotFound, InvalidArgument, NotSupported, RowError

from tests import shapes

VECTOR = [1.0] * shapes.DIM
TTL = "collection.ttl.seconds"


def row(key: int, **values: Any) -> dict[str, Any]:
    return {"id": key, "vector": VECTOR, **values}


def ids(client: elanus.Client, filter: str = "id >= 0") -> list[int]:
    return [found["id"] for found in client.query("docs", filter=filter)]


@pytest.fixture
def docs(client: elanus.Client) -> elanus.Client:
    """A client with collection "docs": row 1 in a segment, row 2 in the tail; the quick form."""
    client.create_collection("docs", dimension=shapes.DIM)
    client.insert("docs", [row(1)])
    client.flush("docs")
    client.insert("docs", [row(2)])
    return client


# Fields


def test_an_added_field_holds_its_default_or_null_in_older_rows(docs: elanus.Client, folder: Path) -> None:
    with elanus.connect(folder) as other:
        assert ids(other) == [1, 2]
        docs.add_collection_field("docs", "n", DataType.INT64, nullable=True, default_value=7)
        docs.add_collection_field("docs", "word", DataType.VARCHAR, nullable=True, max_length=20)
        docs.add_collection_field("docs", "meta", DataType.JSON, nullable=True)
        docs.insert("docs", [row(3, n=1, word="kite", meta={"k": 1})])
        other.insert("docs", [row(4, n=None)])
        for flushes in range(3):
            for reader in (docs, other):
                assert ids(reader, "n == 7") == [1, 2, 4]
                assert ids(reader, "word is null") == [1, 2, 4]
                assert ids(reader, "word == 'kite' and meta['k'] == 1") == [3]
                assert reader.get("docs", [1], ["n", "word", "meta"]) == [{"id": 1, "n": 7, "word": None, "meta": None}]
            if flushes < 2:
                docs.flush("docs")
                docs.upsert("docs", [row(9)])
                docs.delete("docs", ids=[9])
    docs.close()
    with elanus.connect(folder) as again:
        assert ids(again, "n == 7") == [1, 2, 4]
        assert [f["name"] for f in again.describe_collection("docs")["fields"]] == ["id", "vector", "n", "word", "meta"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("n", DataType.INT64, {}), InvalidArgument, "nullable=True"),
        (("id", DataType.INT64, {"nullable": True}), AlreadyExists, "field 'id' already"),
        (("n", DataType.INT64, {"is_primary": True}), InvalidArgument, "cannot be a key"),
        (("n", DataType.INT64, {"is_partition_key": True}), InvalidArgument, "cannot be a key"),
        (("v", DataType.FLOAT_VECTOR, {"dim": 4}), NotSupported, "vector field cannot be added"),
        (("n", DataType.VARCHAR, {"nullable": True}), InvalidArgument, "max_length"),
        (("n", DataType.INT8, {"nullable": True, "default_value": 300}), InvalidArgument, "300"),
        (("1n", DataType.INT8, {"nullable": True}), InvalidArgument, "1n"),
    ],
)
def test_a_field_that_older_rows_cannot_have_is_refused(
    docs: elanus.Client, arguments: tuple[str, DataType, dict[str, Any]], error: type[Exception], message: str
) -> None:
    name, dtype, options = arguments
    with pytest.raises(error, match=message):
        docs.add_collection_field("docs", name, dtype, **options)
    assert ids(docs) == [1, 2]


def test_a_fields_limits_can_be_changed_for_rows_to_come(client: elanus.Client) -> None:
    shapes.files(client, "docs")
    file = {"path": "p" * 100, "n": 1, "color": "red", "place": VECTOR}
    client.insert("docs", [file])
    client.alter_collection_field("docs", "path", {"max_length": 200})
    client.insert("docs", [{**file, "path": "p" * 200}])
    client.alter_collection_field("docs", "color", {"max_length": 2, "mmap.enabled": True})
    with pytest.raises(RowError, match="color"):
        client.insert("docs", [file])
    assert len(client.query("docs", filter="n == 1")) == 2
    with pytest.raises(FieldNotFound, match=r"colour.*'color'"):
        client.alter_collection_field("docs", "colour", {"max_length": 2})
    with pytest.raises(InvalidArgument, match="'dim' cannot be changed"):
        client.alter_collection_field("docs", "place", {"dim": 2})
    with pytest.raises(InvalidArgument, match="max_length"):
        client.alter_collection_field("docs", "color", {"max_length": 0})


# Properties


def test_properties_are_kept_told_and_dropped(docs: elanus.Client, folder: Path) -> None:
    docs.alter_collection_properties("docs", {TTL: "3600", "mmap.enabled": "true"})
    with elanus.connect(folder) as other:
        assert other.describe_collection("docs")["properties"] == {TTL: 3600, "mmap.enabled": True}
    docs.drop_collection_properties("docs", [TTL])
    assert docs.describe_collection("docs")["properties"] == {"mmap.enabled": True}


@pytest.mark.parametrize(
    ("properties", "error", "message"),
    [
        ({"collection.ttl.second": 5}, InvalidArgument, "did you mean 'collection.ttl.seconds'"),
        ({TTL: "soon"}, InvalidArgument, "soon"),
        ({TTL: -5}, InvalidArgument, "whole number of seconds"),
        ({TTL: True}, InvalidArgument, "whole number of seconds"),
        ({"mmap.enabled": 1}, InvalidArgument, "true or false"),
        ({"collection.replica.number": 2}, NotSupported, "no replicas"),
        ({"dynamicfield.enabled": False}, InvalidArgument, "cannot be turned off"),
        ([TTL], InvalidArgument, "must be a dict"),
    ],
)
def test_a_wrong_property_is_refused_by_name(
    docs: elanus.Client, properties: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        docs.alter_collection_properties("docs", properties)
    with pytest.raises(error, match=message):
        docs.create_collection("other", dimension=4, properties=properties)
    assert docs.describe_collection("docs")["properties"] == {}


def test_a_dynamic_field_can_be_turned_on_later(client: elanus.Client) -> None:
    client.create_collection("docs", dimension=shapes.DIM, enable_dynamic_field=False)
    client.insert("docs", [row(1)])
    client.flush("docs")
    client.alter_collection_properties("docs", {"dynamicfield.enabled": True})
    client.insert("docs", [row(2, color="red")])
    client.flush("docs")
    assert ids(client, "color == 'red'") == [2]
    assert ids(client, "color is null") == [1]


# Ages


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Set the time that stores go by, in seconds."""

    def at(seconds: float) -> None:
        monkeypatch.setattr(engine_collection, "time", SimpleNamespace(time=lambda: seconds))

    at(1000)
    return at


@pytest.mark.parametrize("flushed", [False, True])
def test_rows_end_at_their_age_on_every_path_of_reading(
    client: elanus.Client, folder: Path, at: Callable[[float], None], flushed: bool
) -> None:
    shapes.articles(client, "docs")
    client.alter_collection_properties("docs", {TTL: 10})
    rows = [
        {
            "id": key,
            "score": 0.0,
            "flag": True,
            "color": "red",
            "tags": [],
            "meta": {},
            "text": "kite",
            "vector": VECTOR,
        }
        for key in range(6)
    ]
    for second in range(3):
        at(1000 + second)
        client.insert("docs", rows[2 * second : 2 * second + 2])
    at(1005)
    client.upsert("docs", [rows[0]])
    if flushed:
        client.flush("docs")
    for now, alive in (
        (1009.9, {0, 1, 2, 3, 4, 5}),
        (1010, {0, 2, 3, 4, 5}),
        (1011.5, {0, 4, 5}),
        (1012, {0}),
        (1015, set()),
    ):
        at(now)
        with elanus.connect(folder) as other:
            for reader in (client, other):
                assert set(ids(reader)) == alive
                assert {h.id for h in reader.search("docs", [VECTOR], anns_field="vector")[0]} == alive
                assert {h.id for h in reader.search("docs", ["kite"], anns_field="sparse")[0]} == alive
                assert {found["id"] for found in reader.get("docs", list(range(6)))} == alive
                assert reader.get_collection_stats("docs") == {"row_count": len(alive)}
    assert client.delete("docs", ids=[0, 1]) == {"delete_count": 0}


def test_the_space_of_ended_rows_is_taken_back(client: elanus.Client, at: Callable[[float], None]) -> None:
    client.create_collection("docs", dimension=shapes.DIM, properties={TTL: 10})
    client.insert("docs", [row(key) for key in range(100)])
    client.flush("docs")
    at(1008)
    client.insert("docs", [row(200)])
    client.flush("docs")
    at(1012)
    client.flush("docs")
    assert client.get_collection_stats("docs") == {"row_count": 1}
    folders = list(Path(client.path, "segments").iterdir())
    assert len(folders) == 1
    at(1018)
    client.flush("docs")
    assert not list(Path(client.path, "segments").iterdir())


def test_rows_written_before_an_age_was_set_count_from_when_they_were_written(
    client: elanus.Client, at: Callable[[float], None]
) -> None:
    client.create_collection("docs", dimension=shapes.DIM)
    client.insert("docs", [row(1)])
    at(2000)
    client.insert("docs", [row(2)])
    client.alter_collection_properties("docs", {TTL: 500})
    assert ids(client) == [2]
    client.alter_collection_properties("docs", {TTL: 0})
    client.insert("docs", [row(3)])
    at(9000)
    assert 3 in ids(client)
