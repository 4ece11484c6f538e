"""TIMESTAMPTZ: times with a zone in, the same points in time out, as text of UTC."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

import elanus
import numpy as np
import pyarrow as pa
import pytest
from elanus import DataType
from elanus.errors import FilterError, RowError, SchemaError
from elanus.schema.times import to_iso, to_micros

from tests.oracle import Row, Table
from tests.types.life import collection, life

EAST = dt.timezone(dt.timedelta(hours=8))
SAME: list[tuple[Any, str]] = [
    ("2025-05-01T23:59:59+08:00", "2025-05-01T15:59:59Z"),
    ("2025-05-01 23:59:59+0800", "2025-05-01T15:59:59Z"),
    ("2025-05-01T23:59:59 +08", "2025-05-01T15:59:59Z"),
    ("2025-05-01t15:59:59z", "2025-05-01T15:59:59Z"),
    ("2025-05-01 15:59:59 Z", "2025-05-01T15:59:59Z"),
    ("2025-05-01T15:59:59", "2025-05-01T15:59:59Z"),
    ("2025-05-01T15:59:59.25Z", "2025-05-01T15:59:59.25Z"),
    ("2025-05-01T15:59:59.123456999-00:30", "2025-05-01T16:29:59.123456Z"),
    ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
    (dt.datetime(2025, 5, 1, 23, 59, 59, tzinfo=EAST), "2025-05-01T15:59:59Z"),
    (dt.datetime(2025, 5, 1, 15, 59, 59), "2025-05-01T15:59:59Z"),
]


@pytest.fixture
def docs(client: elanus.Client) -> elanus.Client:
    """A client with an empty collection "c" of a key, a time and a vector."""
    collection(client, "c", at={"type": DataType.TIMESTAMPTZ}, v={"type": DataType.FLOAT_VECTOR, "dim": 2})
    return client


def row(key: int, at: Any) -> Row:
    return {"id": key, "at": at, "v": [1.0, 0.0]}


@pytest.mark.parametrize(("given", "said"), SAME)
def test_a_time_is_a_point_in_time(docs: elanus.Client, given: Any, said: str) -> None:
    docs.insert("c", [row(1, given)])
    docs.insert("c", {"id": [2, 3], "at": [given, "2000-01-01T00:00:00Z"], "v": np.ones((2, 2))})
    for _ in range(2):
        assert [found["at"] for found in docs.query("c", limit=9)] == [said, said, "2000-01-01T00:00:00Z"]
        assert docs.search("c", [[1.0, 0.0]], output_fields=["at"])[0][0]["at"] == said
        docs.flush("c")


def test_micros_and_text_are_each_others_inverse() -> None:
    rng = random.Random(1)
    for _ in range(200):
        micros = rng.randrange(-(10**15), 10**16)
        assert to_micros(to_iso(micros)) == micros
        seconds, _, fraction = to_iso(micros).removesuffix("Z").partition(".")
        read = dt.datetime.fromisoformat(f"{seconds}.{fraction:0<6}+00:00")  # Python 3.10 wants six digits
        assert read == dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc) + dt.timedelta(microseconds=micros)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([dt.datetime(2025, 5, 1, 15)], pa.timestamp("s")),
        pa.array([dt.datetime(2025, 5, 1, 15)], pa.timestamp("ns", "UTC")),
        pa.array([dt.datetime(2025, 5, 1, 23, tzinfo=EAST)], pa.timestamp("us", "Asia/Shanghai")),
        pa.array(["2025-05-01T23:00:00+08:00"]),
        pa.array(["2025-05-01T23:00:00+08:00"]).dictionary_encode(),
    ],
    ids=lambda column: str(column.type),
)
def test_arrow_columns_are_taken(docs: elanus.Client, column: pa.Array) -> None:
    docs.insert("c", {"id": [1], "at": column, "v": [[1.0, 0.0]]})
    assert docs.get("c", 1)[0]["at"] == "2025-05-01T15:00:00Z"


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("yesterday", "must be an ISO 8601 time such as '2025-05-01T23:59:59+08:00', or a datetime"),
        ("2025-05-01", "must be an ISO 8601 time"),
        ("", "must be an ISO 8601 time"),
        ("2025-13-01T00:00:00Z", "no time: month must be in 1..12"),
        ("2025-02-30T00:00:00Z", "no time: day"),
        ("2025-02-03T25:00:00Z", "no time: hour must be in 0..23"),
        ("2025-02-03T00:00:00+25:00", "no time: offset must be"),
        ("0001-01-01T00:00:00+01:00", "outside the years 1 to 9999 in UTC"),
        (1746115199, "must be an ISO 8601 time such as '2025-05-01T23:59:59+08:00', or a datetime, not int"),
        (True, "not bool"),
        (dt.date(2025, 5, 1), "not date"),
        (None, "null is not allowed"),
    ],
)
def test_a_wrong_time_is_refused_by_row_and_field(docs: elanus.Client, value: Any, rule: str) -> None:
    good = "2025-05-01T00:00:00Z"
    for data in (
        [row(1, good), row(2, value)],
        {"id": [1, 2], "at": [good, value], "v": np.ones((2, 2))},
    ):
        with pytest.raises(RowError) as caught:
            docs.insert("c", data)
        assert str(caught.value).startswith("row 1, field 'at' (TIMESTAMPTZ), value ")
        assert rule in str(caught.value)


def test_defaults_and_nulls(client: elanus.Client) -> None:
    vector = {"type": DataType.FLOAT_VECTOR, "dim": 2}
    first = "2025-01-01T00:00:00+08:00"
    collection(
        client,
        "c",
        a={"type": DataType.TIMESTAMPTZ, "nullable": True},
        b={"type": DataType.TIMESTAMPTZ, "default_value": first},
        c={"type": DataType.TIMESTAMPTZ, "default_value": dt.datetime(2025, 1, 1, tzinfo=EAST), "nullable": True},
        v=vector,
    )
    client.insert("c", [{"id": 1, "v": [1.0, 0.0]}, {"id": 2, "a": first, "b": None, "v": [1.0, 0.0]}])
    told = "2024-12-31T16:00:00Z"
    assert [(r["a"], r["b"], r["c"]) for r in client.query("c", limit=9)] == [(None, told, told), (told, told, told)]
    assert [r["id"] for r in client.query("c", filter="a is null")] == [1]
    with pytest.raises(SchemaError, match=r"field 'b' \(TIMESTAMPTZ\), default_value 'now': must be an ISO 8601 time"):
        collection(client, "d", b={"type": DataType.TIMESTAMPTZ, "default_value": "now"}, v=vector)


def test_a_time_added_later_is_its_default_in_the_rows_that_there_are(client: elanus.Client) -> None:
    collection(client, "c", v={"type": DataType.FLOAT_VECTOR, "dim": 2})
    client.insert("c", [{"id": 1, "v": [1.0, 0.0]}])
    client.flush("c")
    client.insert("c", [{"id": 2, "v": [1.0, 0.0]}])
    client.add_collection_field("c", "at", DataType.TIMESTAMPTZ, nullable=True, default_value="2025-01-01T00:00:00Z")
    client.add_collection_field("c", "then", DataType.TIMESTAMPTZ, nullable=True)
    client.insert("c", [{"id": 3, "v": [1.0, 0.0], "then": "2024-01-01T00:00:00Z"}])
    for _ in range(2):
        assert [(r["at"], r["then"]) for r in client.query("c", limit=9)] == [
            ("2025-01-01T00:00:00Z", None),
            ("2025-01-01T00:00:00Z", None),
            ("2025-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
        ]
        client.flush("c")


def test_every_station_of_life_gives_one_answer(folder: Path) -> None:
    rng = random.Random(8)

    def create(client: elanus.Client, name: str) -> Table:
        collection(
            client,
            name,
            at={"type": DataType.TIMESTAMPTZ, "nullable": True},
            v={"type": DataType.FLOAT_VECTOR, "dim": 2},
        )
        return Table("id", {"v": "COSINE"})

    def some() -> str | None:
        return None if rng.random() < 0.3 else to_iso(rng.randrange(-(10**15), 10**16))

    ranges = (range(30), range(20, 60), range(55, 90), range(90, 120))
    batches = [[row(key, some()) for key in keys] for keys in ranges]
    for station, client, table in life(folder, create, batches, [3, 40, 100, 101]):
        found = {r["id"]: r["at"] for r in client.query("c", limit=1000, output_fields=["at"])}
        assert found == {key: r["at"] for key, r in table.rows.items()}, station
        nulls = client.query("c", filter="at is null", output_fields=["id"])
        assert {r["id"] for r in nulls} == {key for key, r in table.rows.items() if r["at"] is None}, station


def test_an_array_cannot_hold_times(client: elanus.Client) -> None:
    with pytest.raises(SchemaError, match="field 'a': an ARRAY cannot hold TIMESTAMPTZ"):
        client.create_schema().add_field("a", DataType.ARRAY, element_type=DataType.TIMESTAMPTZ, max_capacity=3)


def test_a_time_has_no_subscript(docs: elanus.Client) -> None:
    with pytest.raises(FilterError, match="the TIMESTAMPTZ field 'at' cannot be"):
        docs.query("c", filter="at[0] == 1")
