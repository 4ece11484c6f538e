"""Nullable vector fields: null comes back as None, is never a hit, and filters can ask for it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import elanus
import numpy as np
import pyarrow as pa
import pytest
from elanus import AnnSearchRequest, DataType, RRFRanker
from elanus.errors import FilterError, InvalidArgument, RowError, SchemaError

from tests.oracle import ALL, Condition, Row, Scores, Table, ranked
from tests.types.life import collection, life
from tests.types.test_dense import DIM, numbers, pack

FLOAT, SPARSE = DataType.FLOAT_VECTOR, DataType.SPARSE_FLOAT_VECTOR
METRICS = {
    FLOAT: "COSINE",
    DataType.FLOAT16_VECTOR: "L2",
    DataType.BFLOAT16_VECTOR: "IP",
    DataType.INT8_VECTOR: "COSINE",
    DataType.BINARY_VECTOR: "HAMMING",
    SPARSE: "IP",
}


@pytest.fixture(params=METRICS, ids=lambda dtype: dtype.name)
def dtype(request: pytest.FixtureRequest) -> DataType:
    return request.param


def field(dtype: DataType, **options: Any) -> dict[str, Any]:
    dim = {} if dtype == SPARSE else {"dim": DIM}
    return {"type": dtype, "metric": METRICS[dtype], "nullable": True, **dim, **options}


def some(dtype: DataType, rng: random.Random) -> Any:
    """A vector as the oracle has it."""
    if dtype == SPARSE:
        return {i: float(np.float32(rng.uniform(0.1, 2))) for i in sorted(rng.sample(range(20), rng.randrange(5)))}
    if dtype == FLOAT:
        return [float(np.float32(rng.uniform(-3, 3))) for _ in range(DIM)]
    return numbers(dtype, rng)


def given(dtype: DataType, vector: Any) -> Any:
    """The vector as the client takes it."""
    return vector if vector is None or dtype in (FLOAT, SPARSE) else pack(dtype, vector)


def answered(dtype: DataType, vector: Any) -> Any:
    """The vector as a query answers it."""
    return vector if vector is None or dtype in (FLOAT, SPARSE) else [pack(dtype, vector)]


def expected(table: Table, query: Any, condition: Condition) -> Scores:
    return table.sparse("v", query, condition) if isinstance(query, dict) else table.dense("v", query, condition)


CONDITIONS = [
    ALL,
    Condition("n == 1", lambda row: row["n"] == 1),
    Condition("v is null", lambda row: row["v"] is None),
    Condition("v is not null and n < 2", lambda row: row["v"] is not None and row["n"] < 2),
    Condition("not (v is null) or n == 3", lambda row: row["v"] is not None or row["n"] == 3),
]


@pytest.mark.parametrize("share", [0.4, 1.0])
def test_every_station_of_life_gives_one_answer(folder: Path, dtype: DataType, share: float) -> None:
    rng = random.Random(4)

    def create(client: elanus.Client, name: str) -> Table:
        collection(client, name, n={"type": DataType.INT64}, v=field(dtype))
        return Table("id", {"v": METRICS[dtype]})

    def row(key: int) -> Row:
        return {"id": key, "n": rng.randrange(4), "v": None if rng.random() < share else some(dtype, rng)}

    ranges = (range(30), range(20, 60), range(55, 90), range(90, 420))
    batches = [[row(key) for key in keys] for keys in ranges]
    queries = [some(dtype, rng) for _ in range(3)]

    def encode(row: Row) -> Row:
        return {**row, "v": given(dtype, row["v"])}

    for station, client, table in life(folder, create, batches, [3, 40, 100, 101], encode):
        found = {row["id"]: row["v"] for row in client.query("c", limit=1000, output_fields=["v"])}
        assert found == {key: answered(dtype, row["v"]) for key, row in table.rows.items()}, station
        for condition in CONDITIONS:
            if condition is not ALL:
                rows = client.query("c", filter=condition.text)
                assert sorted(row["id"] for row in rows) == sorted(table.matching(condition)), station
            answers = client.search("c", [given(dtype, q) for q in queries], filter=condition.text, limit=9)
            for query, hits in zip(queries, answers, strict=True):
                scores = expected(table, query, condition)
                best = [score for _, score in ranked(scores, METRICS[dtype])][:9]
                assert [hit["distance"] for hit in hits] == pytest.approx(best, rel=1e-5, abs=1e-5), station
                assert all(hit.id in scores for hit in hits), station


def test_null_is_left_out_or_given_as_none_in_every_shape(client: elanus.Client, dtype: DataType) -> None:
    collection(client, "c", v=field(dtype))
    vector = some(dtype, random.Random(1))
    put, got = given(dtype, vector), answered(dtype, vector)
    client.insert("c", [{"id": 1, "v": None}, {"id": 2}, {"id": 3, "v": put}])
    client.insert("c", {"id": [4, 5], "v": [None, put]})
    client.insert("c", {"id": [6]})
    arrow = pa.array([None, list(vector.items())], pa.map_(pa.uint32(), pa.float32())) if dtype == SPARSE else None
    if dtype not in (SPARSE, DataType.BINARY_VECTOR):
        kind = pa.int8() if dtype == DataType.INT8_VECTOR else pa.float32()
        arrow = pa.array([None, vector], pa.list_(kind, DIM))
    client.insert("c", {"id": [7, 8], "v": [None, put] if arrow is None else arrow})
    for _ in range(2):
        rows = client.query("c", limit=10)
        assert [row["v"] for row in rows] == [None, None, got, None, got, None, None, got]
        assert [row["id"] for row in client.query("c", filter="v is not null")] == [3, 5, 8]
        (hits,) = client.search("c", [put], output_fields=["v"])
        assert sorted(hit.id for hit in hits) == [3, 5, 8]
        assert client.describe_collection("c")["fields"][1]["nullable"] is True
        client.flush("c")
    client.upsert("c", [{"id": 3, "v": None}, {"id": 1, "v": put}])
    assert sorted(hit.id for hit in client.search("c", [put])[0]) == [1, 5, 8]


def test_none_is_no_query(client: elanus.Client, dtype: DataType) -> None:
    collection(client, "c", v=field(dtype))
    with pytest.raises(InvalidArgument):
        client.search("c", [None])
    with pytest.raises(InvalidArgument):
        client.search("c", None)


def test_a_field_that_is_not_nullable_refuses_null(client: elanus.Client, dtype: DataType) -> None:
    collection(client, "c", v=field(dtype, nullable=False))
    with pytest.raises(RowError, match=f"row 0, field 'v' .{dtype.name}., value None: null is not allowed"):
        client.insert("c", [{"id": 1, "v": None}])
    client.insert("c", [{"id": 1, "v": given(dtype, some(dtype, random.Random(1)))}])
    assert client.query("c", filter="v is null") == []
    assert len(client.query("c", filter="v is not null")) == 1


def test_a_route_over_nulls_is_fused_with_one_that_has_none(client: elanus.Client) -> None:
    collection(client, "c", a=field(FLOAT), b=field(FLOAT, nullable=False))
    rng = random.Random(1)
    rows = [{"id": n, "a": some(FLOAT, rng) if n % 3 == 0 else None, "b": some(FLOAT, rng)} for n in range(30)]
    client.insert("c", rows)
    query = some(FLOAT, rng)
    requests = [AnnSearchRequest([query], name, {}, 30) for name in ("a", "b")]
    (hits,) = client.hybrid_search("c", requests, RRFRanker(), limit=30)
    assert len(hits) == 30
    assert {hit.id for hit in client.search("c", [query], anns_field="a", limit=30)[0]} == set(range(0, 30, 3))


def test_vectors_can_be_asked_for_null_and_for_nothing_else(client: elanus.Client, dtype: DataType) -> None:
    collection(client, "c", v=field(dtype))
    for text in ("v == 1", "v in [1]", "v > 0", "v", "v[0] is null", "v like 'a'"):
        with pytest.raises(FilterError, match=f"the {dtype.name} field 'v' cannot be filtered"):
            client.query("c", filter=text)


def test_the_output_of_a_function_cannot_be_nullable(client: elanus.Client) -> None:
    schema = client.create_schema().add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=99, enable_analyzer=True)
    schema.add_field("v", SPARSE, nullable=True)
    schema.add_function(elanus.Function("f", elanus.FunctionType.BM25, "text", "v"))
    with pytest.raises(SchemaError, match="function 'f': output 'v' cannot be nullable"):
        client.create_collection("c", schema=schema)


@pytest.mark.parametrize("metric", ["COSINE", "L2"])
def test_codes_are_fitted_to_the_vectors_and_not_to_the_nulls(client: elanus.Client, metric: str) -> None:
    rng = np.random.default_rng(2)
    size, share = 40_000, 10
    centres = rng.normal(size=(300, 32)) + 3
    vectors = (centres[rng.integers(0, 300, size)] + 0.3 * rng.normal(size=(size, 32))).astype(np.float32)
    there = np.arange(size) % share == 0
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), 32, mask=pa.array(~there))
    collection(client, "c", v={"type": FLOAT, "dim": 32, "metric": metric, "nullable": True})
    client.insert("c", {"id": np.arange(size), "v": column})
    client.flush("c")
    found = 0
    exact = vectors[there].astype(np.float64)
    for query in exact[::400]:
        scores = -((exact - query) ** 2).sum(1)
        if metric == "COSINE":
            scores = exact @ query / np.linalg.norm(exact, axis=1)
        (hits,) = client.search("c", [query], limit=10)
        assert all(key % share == 0 for key in hits.ids)
        found += len(set(hits.ids) & set((np.argsort(-scores)[:10] * share).tolist()))
    assert found >= 98  # of 100
