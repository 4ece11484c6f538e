"""Spatial functions through the client, in every state of the rows; shapely computes them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import elanus
import pytest
from elanus import DataType, F

from tests.filter.states import NAME, states

SHAPES = [
    "POINT (1 1)",
    "POINT (5 5)",
    "LINESTRING (0 0, 4 4)",
    "POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0))",
    "POLYGON ((1 1, 3 1, 3 3, 1 3, 1 1))",
    "POLYGON ((2 0, 4 0, 4 2, 2 2, 2 0))",
    "LINESTRING (9 9, 8 9)",
    None,
    "POINT EMPTY",
    "MULTIPOINT ((1 1), (9 9))",
]
SQUARE = "'POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0))'"
CASES = [
    (f"st_within(at, {SQUARE})", [0, 3]),
    (f"ST_INTERSECTS(at, {SQUARE})", [0, 2, 3, 4, 5, 9]),
    (f"not (st_intersects(at, {SQUARE}))", [1, 6, 8]),
    (f"st_equals(at, {SQUARE})", [3]),
    (f"st_overlaps(at, {SQUARE})", [4]),
    (f"st_touches(at, {SQUARE})", [5]),
    (f"st_crosses(at, {SQUARE})", [2, 9]),
    ("st_contains(at, 'POINT (1.5 1.5)')", [2, 3, 4]),
    ("st_contains(at, 'point(1 1)')", [0, 2, 3, 9]),
    ("at is null", [7]),
    ("st_dwithin(at, 'POINT (1 1)', 0)", [0, 2, 3, 4, 9]),
    ("st_dwithin(at, 'POINT (5 5)', 160000)", [1, 2]),
    ("not (st_dwithin(at, 'POINT (5 5)', 160000.5))", [0, 3, 4, 5, 6, 8, 9]),
]


def create(client: elanus.Client) -> None:
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("at", DataType.GEOMETRY, nullable=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    indexes = client.prepare_index_params()
    indexes.add_index("vector", index_type="FLAT", metric_type="L2")
    client.create_collection(NAME, schema=schema, index_params=indexes)


def found(client: elanus.Client, filter: Any, **params: Any) -> list[int]:
    kept = {"filter_params": params} if params else {}
    return [row["id"] for row in client.query(NAME, filter=filter, output_fields=["id"], **kept)]


def rows(texts: list[str | None]) -> list[dict[str, Any]]:
    return [{"id": n, "at": text, "vector": [1.0, float(n)]} for n, text in enumerate(texts)]


def test_every_state_of_the_rows_answers_alike(folder: Path) -> None:
    pytest.importorskip("shapely")
    for state, client in states(folder, create, rows(SHAPES)):
        for text, expected in CASES:
            assert found(client, text) == expected, (state, text)
        assert found(client, "st_within(at, {area})", area=SQUARE[1:-1]) == [0, 3]
        hits = client.search(NAME, [[1.0, 0.0]], limit=9, filter=f"st_within(at, {SQUARE})")[0]
        assert sorted(hits.ids) == [0, 3]


def test_spatial_conditions_built_in_python_say_the_same(client: elanus.Client) -> None:
    shapely = pytest.importorskip("shapely")
    create(client)
    client.insert(NAME, rows(SHAPES))
    assert found(client, F.at.st("within", SQUARE[1:-1])) == [0, 3]
    assert found(client, ~F.at.st("intersects", shapely.box(0, 0, 2, 2)) & (F.id > 1)) == [6, 8]
    assert found(client, F.at.st("isvalid")) == [0, 1, 2, 3, 4, 5, 6, 8, 9]
    near = F.at.st("dwithin", shapely.Point(5, 5), 1000.5)
    assert str(near) == 'st_dwithin(at, "POINT (5 5)", 1000.5)'
    assert found(client, near) == [1]
    with pytest.raises(elanus.FilterError, match="no relation 'inside'"):
        F.at.st("inside", "POINT (1 1)")
    with pytest.raises(elanus.FilterError, match="a shape must be well-known text"):
        F.at.st("within", 5)


def test_a_shape_that_crosses_itself_is_not_valid(client: elanus.Client) -> None:
    pytest.importorskip("shapely")
    create(client)
    client.insert(NAME, rows(["POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))", "POINT (1 1)", None]))
    assert found(client, "ST_ISVALID(at)") == [1]
    assert found(client, "not (st_isvalid(at))") == [0]


def test_the_distance_of_two_points_is_along_the_great_circle(client: elanus.Client) -> None:
    pytest.importorskip("shapely")
    create(client)
    client.insert(NAME, rows(["POINT (13.4050 52.5200)", "POINT (2.3522 48.8566)", "POINT (13.4050 52.5201)"]))
    berlin_to_paris = 877_463  # metres, by the haversine formula on a sphere of 6,371 km
    near = "st_dwithin(at, 'POINT (13.4050 52.5200)', {metres})"
    assert found(client, near, metres=berlin_to_paris + 1_000) == [0, 1, 2]
    assert found(client, near, metres=berlin_to_paris - 1_000) == [0, 2]
    degree = 6_371_000 * math.pi / 180
    assert found(client, near, metres=degree * 0.00011) == [0, 2]
    assert found(client, near, metres=degree * 0.00009) == [0]


@pytest.mark.parametrize(
    ("text", "marked", "message"),
    [
        ("st_within(id, 'POINT (1 1)')", "id", "st_within needs a GEOMETRY field, not the INT64 field 'id'"),
        ("st_within(vector, 'POINT (1 1)')", "vector", "not the FLOAT_VECTOR field 'vector'"),
        ("st_within(at, 'POIN (1 1)')", "'POIN (1 1)'", "the shape of st_within: no well-known text"),
        ("st_within(at, 5)", "5", "must be well-known text"),
        ("st_within(at)", "st_within(at)", "takes 2 arguments, not 1"),
        ("st_dwithin(at, 'LINESTRING (0 0, 1 1)', 5)", "'LINESTRING (0 0, 1 1)'", "st_dwithin measures from a point"),
        ("st_dwithin(at, 'POINT EMPTY', 5)", "'POINT EMPTY'", "st_dwithin measures from a point"),
        ("st_dwithin(at, 'POINT (1 1)', -1)", "-1", "takes a distance in metres, 0 or more, not the number -1"),
        ("st_dwithin(at, 'POINT (1 1)', 'x')", "'x'", "takes a distance in metres"),
        ("st_isvalid(at, 'POINT (1 1)')", "st_isvalid(at, 'POINT (1 1)')", "takes 1 argument, not 2"),
        ("at == 'POINT (1 1)'", "at", "the GEOMETRY field 'at' cannot be filtered"),
    ],
)
def test_an_error_marks_its_place(client: elanus.Client, text: str, marked: str, message: str) -> None:
    pytest.importorskip("shapely")
    create(client)
    with pytest.raises(elanus.FilterError) as caught:
        client.query(NAME, filter=text)
    said, shown, carets = str(caught.value).split("\n")
    assert message in said
    assert shown[carets.index("^") : carets.rindex("^") + 1] == marked


def test_without_shapely_the_way_to_it_is_named(client: elanus.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    create(client)
    monkeypatch.setattr("elanus.filter.spatial_calls.has_shapely", lambda: False)
    with pytest.raises(
        elanus.NotSupported, match=r"st_isvalid needs the package shapely: pip install 'elanus\[geometry\]'"
    ):
        client.query(NAME, filter="st_isvalid(at)")
