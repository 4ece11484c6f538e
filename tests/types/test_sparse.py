"""SPARSE_FLOAT_VECTOR as the user's own: what goes in comes out, and is found by its exact inner product."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import elanus
import numpy as np
import pyarrow as pa
import pytest
from elanus import AnnSearchRequest, DataType, RRFRanker, WeightedRanker
from elanus.errors import InvalidArgument, NotSupported, RowError

from tests.oracle import ALL, Condition, Row, Table, has_ties, ranked, rrf, weighted
from tests.types.life import collection, life

Vector = dict[int, float]
FIELDS: dict[str, dict[str, Any]] = {
    "n": {"type": DataType.INT64},
    "sparse": {"type": DataType.SPARSE_FLOAT_VECTOR},
    "dense": {"type": DataType.FLOAT_VECTOR, "dim": 4},
}


def create(client: elanus.Client, name: str) -> Table:
    collection(client, name, **FIELDS)
    return Table("id", {"sparse": "IP", "dense": "COSINE"})


@pytest.fixture
def docs(client: elanus.Client) -> elanus.Client:
    """A client with an empty collection "c" of a key and a sparse vector."""
    collection(client, "c", v={"type": DataType.SPARSE_FLOAT_VECTOR})
    return client


def vector(rng: random.Random, *, least: int = 0) -> Vector:
    """Up to 12 weights over 40 indices, some of them beyond 31 bits, as float32 holds them."""
    indices = rng.sample([*range(36), 2**31 - 1, 2**31, 2**32 - 3, 2**32 - 2], rng.randrange(least, 12))
    return {i: float(np.float32(rng.uniform(0.01, 3))) for i in indices}


def rows(rng: random.Random, keys: range) -> list[Row]:
    return [
        {"id": key, "n": rng.randrange(4), "sparse": vector(rng), "dense": [rng.uniform(-1, 1) for _ in range(4)]}
        for key in keys
    ]


def ordered(row: Row) -> Row:
    return {**row, "sparse": dict(sorted(row["sparse"].items()))}


CONDITIONS = [
    ALL,
    Condition("n == 1", lambda row: row["n"] == 1),
    Condition("id == 7", lambda row: row["id"] == 7),
    Condition("n == 9", lambda row: False),
]


def test_every_station_of_life_gives_one_answer(folder: Path) -> None:
    rng = random.Random(5)
    batches = [rows(rng, keys) for keys in (range(30), range(20, 60), range(55, 90), range(90, 120))]
    queries = [vector(rng, least=1) for _ in range(4)]
    for station, client, table in life(folder, create, batches, [3, 40, 100, 101]):
        found = client.query("c", limit=1000, output_fields=["n", "sparse"])
        kept = [{k: row[k] for k in ("id", "n", "sparse")} for row in table.rows.values()]
        assert sorted(found, key=lambda row: row["id"]) == sorted(kept, key=lambda row: row["id"]), station
        for condition in CONDITIONS:
            answers = client.search("c", queries, filter=condition.text, limit=7, anns_field="sparse")
            for query, hits in zip(queries, answers, strict=True):
                expected = table.sparse("sparse", query, condition)
                assert [hit["distance"] for hit in hits] == pytest.approx(
                    [score for _, score in ranked(expected)][:7], rel=1e-6
                ), station
                for hit in hits:
                    assert hit["distance"] == pytest.approx(expected[hit["id"]], rel=1e-6), station


@pytest.mark.parametrize("fusion", ["rrf", "weighted"])
def test_a_sparse_route_is_fused_with_a_dense_one(client: elanus.Client, fusion: str) -> None:
    rng = random.Random(11)
    table = create(client, "c")
    table.write(rows(rng, range(60)))
    client.insert("c", list(table.rows.values()))
    sparse, dense = vector(rng, least=6), [0.3, -0.5, 1.0, 0.2]
    scores = [table.sparse("sparse", sparse), table.dense("dense", dense)]
    assert not any(map(has_ties, scores))
    routes = [ranked(some)[:20] for some in scores]
    requests = [AnnSearchRequest([sparse], "sparse", {}, 20), AnnSearchRequest([dense], "dense", {}, 20)]
    if fusion == "rrf":
        expected, ranker = rrf(routes), RRFRanker()
    else:
        expected, ranker = weighted(routes, ("IP", "COSINE"), (0.4, 0.6)), WeightedRanker(0.4, 0.6)
    (hits,) = client.hybrid_search("c", requests, ranker, limit=10)
    assert [hit["distance"] for hit in hits] == pytest.approx([s for _, s in ranked(expected)][:10], rel=1e-5)


class Rows:
    """Looks like a scipy.sparse array in CSR form, so that no test needs scipy."""

    def __init__(self, rows: list[Vector], width: int = 50) -> None:
        self.shape, self.ndim = (len(rows), width), 2
        self.indptr = np.cumsum([0, *map(len, rows)])
        self.indices = np.array([i for row in rows for i in row], np.int32)
        self.data = np.array([w for row in rows for w in row.values()], np.float64)

    def tocsr(self) -> Rows:
        return self

    def __getitem__(self, rows: slice) -> Rows:
        starts, ends = self.indptr[:-1][rows], self.indptr[1:][rows]
        return Rows(
            [dict(zip(self.indices[a:b], self.data[a:b], strict=True)) for a, b in zip(starts, ends, strict=True)]
        )


GIVEN: list[Vector] = [{3: 0.5, 1: 2.0}, {}, {7: 1.0}]
SHAPES: dict[str, Any] = {
    "dicts": GIVEN,
    "pairs": [list(row.items()) for row in GIVEN],
    "tuples of pairs": [tuple(row.items()) for row in GIVEN],
    "strings": [{str(i): str(w) for i, w in row.items()} for row in GIVEN],
    "numpy numbers": [{np.uint32(i): np.float16(w) for i, w in row.items()} for row in GIVEN],
    "scipy rows": [Rows([row]) for row in GIVEN],
    "scipy array": Rows(GIVEN),
    "arrow": pa.array([list(row.items()) for row in GIVEN], pa.map_(pa.int64(), pa.float64())),
    "mixed": [GIVEN[0], [], Rows([GIVEN[2]])],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_taken_as_a_column_as_rows_and_as_queries(docs: elanus.Client, shape: str) -> None:
    given = SHAPES[shape]
    docs.insert("c", {"id": [1, 2, 3], "v": given})
    docs.insert("c", {"v": given, "id": [4, 5, 6]})
    expected = [dict(sorted(row.items())) for row in GIVEN]
    if isinstance(given, list):
        docs.insert("c", [{"id": 7 + n, "v": row} for n, row in enumerate(given)])
        docs.insert("c", {"v": given[2], "id": 9})
        expected *= 3
    else:
        expected *= 2
    found = docs.query("c", filter="id > 0")
    assert [row["v"] for row in found] == expected
    assert [list(row["v"]) for row in found] == [list(row) for row in expected]
    if shape != "arrow":
        answers = docs.search("c", given, filter="id <= 3")
        assert [[(hit.id, hit.distance) for hit in hits] for hits in answers] == [[(1, 4.25)], [], [(3, 1.0)]]


@pytest.mark.parametrize("query", [{1: 1.0}, [(1, 1.0)], [{1: 1.0}], Rows([{1: 1.0}])])
def test_one_query_needs_no_list_around_it(docs: elanus.Client, query: Any) -> None:
    docs.insert("c", {"id": [1, 2], "v": [{1: 2.0}, {2: 2.0}]})
    assert [[hit.id for hit in hits] for hits in docs.search("c", query)] == [[1]]


def test_scipy_itself_is_understood(docs: elanus.Client) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    matrix = sparse.csr_array(np.array([[0, 2, 0, 0.5], [0, 0, 0, 0]]))
    docs.insert("c", {"id": [1, 2], "v": matrix})
    docs.insert("c", {"id": [3, 4], "v": sparse.coo_matrix(matrix)})
    docs.insert("c", [{"id": 5, "v": matrix[:1]}, {"id": 6, "v": sparse.csr_matrix(matrix)[1]}])
    docs.insert("c", [{"id": 7, "v": matrix[0]}, {"id": 8, "v": {}}])
    assert [row["v"] for row in docs.query("c", limit=10)] == [{1: 2.0, 3: 0.5}, {}] * 4
    for query in (matrix[:1], matrix[0], sparse.csr_matrix(matrix)):
        assert [hit.id for hit in docs.search("c", query)[0]] == [1, 3, 5, 7]


BAD: list[tuple[Any, str]] = [
    ({-1: 1.0}, "an index is outside 0 to 4294967294"),
    ({2**32 - 1: 1.0}, "an index is outside 0 to 4294967294"),
    ({2**70: 1.0}, "an index is out of range"),
    ({1: -0.5}, "a weight is negative; Milvus takes weights from 0 on"),
    ({1: float("nan")}, "a weight is NaN, infinite or out of range for float32"),
    ({1: 1e39}, "a weight is NaN, infinite or out of range for float32"),
    ({1.5: 1.0}, "an index must be an integer, not float"),
    ({True: 1.0}, "an index must be a number, not bool"),
    ({1: True}, "a weight must be a number, not bool"),
    ({"x": 1.0}, "an index must be an integer, not str"),
    ({1: "x"}, "a weight must be a number, not str"),
    ({1: None}, "a weight must be a number, not NoneType"),
    ({1: [1.0]}, "a weight must be a number, not list"),
    ([(1, 1.0), (1, 2.0)], "an index occurs twice"),
    ([(1, 1.0, 2.0)], "must be a dict {index: weight}, a list of (index, weight) pairs"),
    ([0.5, 0.25], "must be a dict {index: weight}, a list of (index, weight) pairs"),
    ("text", "not str"),
    (5, "not int"),
    (None, "null is not allowed"),
    (Rows([{1: 1.0}, {2: 1.0}]), "must be one row of a sparse array, not 2"),
    (Rows([{1: -1.0}]), "a weight is negative"),
]


@pytest.mark.parametrize(("value", "rule"), BAD)
def test_a_wrong_vector_is_refused_by_row_and_field(docs: elanus.Client, value: Any, rule: str) -> None:
    good = {1: 1.0}
    for data in (
        [{"id": 1, "v": good}, {"id": 2, "v": value}],
        {"id": [1, 2], "v": [good, value]},
    ):
        with pytest.raises(RowError) as caught:
            docs.insert("c", data)
        assert str(caught.value).startswith("row 1, field 'v' (SPARSE_FLOAT_VECTOR), value ")
        assert rule in str(caught.value)
    assert docs.get_collection_stats("c") == {"row_count": 0}


@pytest.mark.parametrize(("value", "rule"), [case for case in BAD if isinstance(case[0], Mapping)])
def test_a_wrong_query_is_refused_by_its_number(docs: elanus.Client, value: Any, rule: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        docs.search("c", [{1: 1.0}, value])
    assert f"query 1 for field 'v' (SPARSE_FLOAT_VECTOR): {rule}" in str(caught.value)


def test_a_wrong_arrow_column_is_refused_by_its_row(docs: elanus.Client) -> None:
    column = pa.array([[(1, 1.0)], [(1, 1.0)], [(2, -1.0)]], pa.map_(pa.int32(), pa.float32()))
    with pytest.raises(RowError, match=r"row 1, field 'v' .*a weight is negative"):
        docs.insert("c", {"id": [1, 2], "v": column[1:]})
    with pytest.raises(RowError, match="row 0, field 'v'"):
        docs.insert("c", {"id": [1], "v": pa.array([[("a", 1.0)]], pa.map_(pa.string(), pa.float32()))})


def test_text_and_dense_vectors_are_no_query_for_it(docs: elanus.Client) -> None:
    for data in (["words"], "words", [[0.5, 0.25]], 3):
        with pytest.raises(InvalidArgument, match="query 0 for field 'v'"):
            docs.search("c", data)


def test_weights_of_zero_are_kept_and_match_nothing(docs: elanus.Client) -> None:
    docs.insert("c", [{"id": 1, "v": {1: 0.0, 2: 1.0}}, {"id": 2, "v": {1: 1.0}}])
    assert docs.get("c", 1)[0]["v"] == {1: 0.0, 2: 1.0}
    assert [hit.id for hit in docs.search("c", {1: 1.0, 2: 0.0})[0]] == [2]


@pytest.mark.parametrize("index_type", ["SPARSE_INVERTED_INDEX", "SPARSE_WAND", "AUTOINDEX", ""])
def test_index_types_and_their_parameters_are_told(client: elanus.Client, index_type: str) -> None:
    schema = client.create_schema().add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("v", DataType.SPARSE_FLOAT_VECTOR)
    index = client.prepare_index_params()
    index.add_index("v", index_type, metric_type="IP", params={"drop_ratio_build": 0.2})
    client.create_collection("c", schema=schema, index_params=index)
    told = client.describe_index("c", "v")
    assert (told["index_type"], told["metric_type"]) == (index_type or "AUTOINDEX", "IP")
    assert told["drop_ratio_build"] == 0.2
    client.insert("c", {"id": [1], "v": [{1: 1.0}]})
    assert client.search("c", {1: 2.0}, search_params={"params": {"drop_ratio_search": 0.5}})[0][0].distance == 2.0


def test_another_metric_is_refused(client: elanus.Client) -> None:
    with pytest.raises(InvalidArgument, match="'COSINE' does not fit a SPARSE_FLOAT_VECTOR field; use IP"):
        collection(client, "c", v={"type": DataType.SPARSE_FLOAT_VECTOR, "metric": "COSINE"})
    collection(client, "c", v={"type": DataType.SPARSE_FLOAT_VECTOR})
    with pytest.raises(NotSupported, match="dim_max_score_ratio"):
        client.search("c", {1: 1.0}, search_params={"params": {"dim_max_score_ratio": 0.9}})


def test_it_stands_beside_the_output_of_a_bm25_function(client: elanus.Client) -> None:
    schema = client.create_schema().add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=99, enable_analyzer=True)
    schema.add_field("bm25", DataType.SPARSE_FLOAT_VECTOR).add_field("splade", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(elanus.Function("f", elanus.FunctionType.BM25, "text", "bm25"))
    index = client.prepare_index_params("bm25", metric_type="BM25")
    index.add_index("splade")
    client.create_collection("c", schema=schema, index_params=index)
    client.insert("c", [{"id": 1, "text": "kites", "splade": {1: 1.0}}, {"id": 2, "text": "owls", "splade": {2: 1.0}}])
    for _ in range(2):
        assert [hit.id for hit in client.search("c", "kites", anns_field="bm25")[0]] == [1]
        assert [hit.id for hit in client.search("c", {2: 1.0}, anns_field="splade")[0]] == [2]
        assert client.get("c", 2) == [{"id": 2, "text": "owls", "splade": {2: 1.0}}]
        client.flush("c")
    (hits,) = client.hybrid_search(
        "c", [AnnSearchRequest("kites", "bm25", {}, 5), AnnSearchRequest({2: 1.0}, "splade", {}, 5)], RRFRanker()
    )
    assert {hit.id for hit in hits} == {1, 2}
