"""GEOMETRY: well-known text is checked, kept in one spelling, and given back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import elanus
import numpy as np
import pyarrow as pa
import pytest
from elanus import DataType
from elanus.errors import FilterError, InvalidArgument, NotSupported, RowError, SchemaError
from elanus.schema.geometry import canonical

from tests.types.life import collection

VECTOR: dict[str, Any] = {"type": DataType.FLOAT_VECTOR, "dim": 2}
SAME = [
    ("POINT(13.399710 52.518010)", "POINT (13.39971 52.51801)"),
    (" point ( -1. .5e1 ) ", "POINT (-1 5)"),
    ("POINT Z(1 2 3)", "POINT Z (1 2 3)"),
    ("POINT(1 2 3)", "POINT Z (1 2 3)"),
    ("POINT EMPTY", "POINT EMPTY"),
    ("linestring z empty", "LINESTRING Z EMPTY"),
    ("LINESTRING(0 0,1e3 -2.50)", "LINESTRING (0 0, 1000 -2.5)"),
    ("POLYGON((0 0,4 0,4 4,0 0),(1 1,2 1,2 2,1 1))", "POLYGON ((0 0, 4 0, 4 4, 0 0), (1 1, 2 1, 2 2, 1 1))"),
    ("MULTIPOINT(1 2,3 4)", "MULTIPOINT ((1 2), (3 4))"),
    ("MULTIPOINT((1 2),(3 4))", "MULTIPOINT ((1 2), (3 4))"),
    ("MULTILINESTRING((0 0,1 1),(2 2,3 3))", "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))"),
    ("MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,5 5)))",
     "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5)))"),
    ("GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))", "GEOMETRYCOLLECTION (POINT (1 2), LINESTRING (0 0, 1 1))"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "said"), SAME)
def test_text_has_one_spelling(given: str, said: str) -> None:
    assert canonical(given) == said
    assert canonical(said) == said


@pytest.mark.parametrize(("given", "said"), SAME)
def test_the_spelling_is_shapelys(given: str, said: str) -> None:
    shapely = pytest.importorskip("shapely")
    shape = shapely.from_wkt(given)
    assert shapely.to_wkt(shape, rounding_precision=-1) == said
    assert canonical(shape) == said


@pytest.fixture
def places(client: elanus.Client) -> elanus.Client:
    """A client with an empty collection "c" of a key, a nullable geometry and a vector."""
    collection(client, "c", at={"type": DataType.GEOMETRY, "nullable": True}, v=VECTOR)
    return client


def test_geometries_come_back_from_the_tail_and_from_segments(places: elanus.Client) -> None:
    given = [*(text for text, _ in SAME), None]
    said = [*(text for _, text in SAME), None]
    size = len(given)
    places.insert("c", [{"id": n, "at": text, "v": [1.0, 0.0]} for n, text in enumerate(given)])
    places.insert("c", {"id": range(100, 100 + size), "at": pa.array(given), "v": np.ones((size, 2))})
    places.insert("c", [{"id": 200, "v": [1.0, 0.0]}])
    object_of_shapely = SimpleNamespace(geom_type="Point", wkt="POINT (1 2)")
    places.insert("c", [{"id": 201, "at": object_of_shapely, "v": [1.0, 0.0]}])
    for _ in range(2):
        found = places.query("c", filter="id >= 0", output_fields=["at"])
        assert [row["at"] for row in found] == [*said, *said, None, "POINT (1 2)"]
        assert places.search("c", [[1.0, 0.0]], limit=1, output_fields=["at"])[0][0]["at"] == said[0]
        assert len(places.query("c", filter="at is null")) == 3
        places.flush("c")


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("CIRCLE (0 0, 1)", "POINT or LINESTRING or POLYGON"),
        ("POINT (1 2", "')' expected at 10, not 'the end'"),
        ("POINT (1 2) POINT (1 2)", "the end expected"),
        ("POINT (1)", "2 or 3 coordinates for each point expected"),
        ("POINT (1 2 3 4)", "2 or 3 coordinates for each point expected"),
        ("POINT Z (1 2)", "3 coordinates for each point expected"),
        ("LINESTRING (1 2, 3 4 5)", "2 coordinates for each point expected"),
        ("LINESTRING (1 2)", "a line has two points at least"),
        ("POLYGON ((0 0, 1 0, 1 1))", "a ring has four points at least, and ends where it begins"),
        ("POINT M (1 2 3)", "measures (M) are not supported"),
        ("POINT (1e999 2)", "the coordinate 1e999 is out of range"),
        ("POINT (nan 2)", "2 or 3 coordinates"),
        ("POINT (1;2)", "cannot be read"),
        ("SRID=4326;POINT(1 2)", "POINT or LINESTRING or POLYGON"),
        ("GEOMETRYCOLLECTION(" * 40 + "POINT(1 2)" + ")" * 40, "at most 16 collections expected"),
        ("", "expected at 0, not 'the end'"),
        (7, "must be well-known text such as 'POINT (13.4 52.5)', not int"),
        ((1.0, 2.0), "not tuple"),
    ],
)
def test_a_wrong_geometry_is_refused_by_row_and_field(places: elanus.Client, value: Any, rule: str) -> None:
    rows = [{"id": 1, "at": "POINT (1 2)", "v": [1.0, 0.0]}, {"id": 2, "at": value, "v": [1.0, 0.0]}]
    with pytest.raises(RowError) as caught:
        places.insert("c", rows)
    assert str(caught.value).startswith("row 1, field 'at' (GEOMETRY), value ")
    assert rule in str(caught.value)


def test_what_cannot_be_done_with_a_geometry_is_said(places: elanus.Client) -> None:
    with pytest.raises(FilterError, match="the GEOMETRY field 'at' cannot be filtered"):
        places.query("c", filter="at == 'POINT (1 2)'")
    with pytest.raises((NotSupported, InvalidArgument), match="RTREE"):
        places.create_index("c", places.prepare_index_params("at", index_type="RTREE"))
    with pytest.raises(SchemaError, match="default_value is supported for plain scalars only"):
        places.create_schema().add_field("g", DataType.GEOMETRY, default_value="POINT (1 2)")
