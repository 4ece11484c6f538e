"""Every kind of vector through the other ways of reading: by stored ids, within a range, in groups, page by page."""

from __future__ import annotations

import random
from typing import Any

import elanus
import pytest
from elanus import DataType

from tests.oracle import Scores, Table, ranked
from tests.types.life import collection
from tests.types.test_dense import DIM, numbers, pack

SPARSE = DataType.SPARSE_FLOAT_VECTOR
KINDS = [
    (DataType.FLOAT16_VECTOR, "L2"),
    (DataType.BFLOAT16_VECTOR, "IP"),
    (DataType.INT8_VECTOR, "COSINE"),
    (DataType.BINARY_VECTOR, "HAMMING"),
    (DataType.BINARY_VECTOR, "JACCARD"),
    (SPARSE, "IP"),
    (DataType.ARRAY, "MAX_SIM_IP"),
    (DataType.ARRAY, "MAX_SIM_L2"),
]


def some(dtype: DataType, rng: random.Random) -> Any:
    if dtype == SPARSE:
        return {i: float(rng.randrange(1, 9)) for i in sorted(rng.sample(range(8), 4))}
    if dtype == DataType.ARRAY:
        return [[float(rng.randrange(-9, 9)) for _ in range(DIM)] for _ in range(rng.randrange(1, 4))]
    return numbers(dtype, rng)


def given(dtype: DataType, vector: Any) -> Any:
    """The vector as a query takes it."""
    return vector if dtype in (SPARSE, DataType.ARRAY) else pack(dtype, vector)


class Filled:
    """A collection "c" of 60 rows, some in a segment, and the scores that a query should have."""

    def __init__(self, client: elanus.Client, dtype: DataType, metric: str) -> None:
        self.client, self.dtype, self.metric = client, dtype, metric
        rng = random.Random(2)
        self.table = Table("id", {"v": metric})
        self.table.write({"id": n, "n": n % 5, "v": some(dtype, rng)} for n in range(60))
        self.query = some(dtype, rng)
        if dtype == DataType.ARRAY:
            struct = client.create_struct_field_schema().add_field("x", DataType.FLOAT_VECTOR, dim=DIM)
            schema = client.create_schema().add_field("id", DataType.INT64, is_primary=True)
            schema.add_field("n", DataType.INT64)
            schema.add_field("v", dtype, element_type=DataType.STRUCT, struct_schema=struct, max_capacity=9)
            client.create_collection("c", schema=schema, index_params=self.index("v[x]"))
        else:
            dim = {} if dtype == SPARSE else {"dim": DIM}
            collection(client, "c", n={"type": DataType.INT64}, v={"type": dtype, "metric": metric, **dim})
        rows = [{**row, "v": self.stored(row["v"])} for row in self.table.rows.values()]
        client.insert("c", rows[:40])
        client.flush("c")
        client.insert("c", rows[40:])

    def index(self, field: str) -> Any:
        return self.client.prepare_index_params(field, metric_type=self.metric)

    def stored(self, vector: Any) -> Any:
        return [{"x": one} for one in vector] if self.dtype == DataType.ARRAY else given(self.dtype, vector)

    def scores(self, query: Any) -> Scores:
        if self.dtype == SPARSE:
            return self.table.sparse("v", query)
        if self.dtype == DataType.ARRAY:
            rows = {key: {**row, "v": [{"x": one} for one in row["v"]]} for key, row in self.table.rows.items()}
            return Table("id", rows=rows).late("v", "x", self.plain, query)
        return self.table.dense("v", query)

    @property
    def plain(self) -> str:
        return self.metric.removeprefix("MAX_SIM_")

    def best(self, query: Any) -> list[float]:
        return [score for _, score in ranked(self.scores(query), self.plain)]


@pytest.fixture(params=KINDS, ids=lambda kind: f"{kind[0].name}-{kind[1]}")
def filled(client: elanus.Client, request: pytest.FixtureRequest) -> Filled:
    return Filled(client, *request.param)


def test_stored_rows_are_searched_with(filled: Filled) -> None:
    found = filled.client.search("c", ids=[7, 55], limit=10)
    for key, hits in zip((7, 55), found, strict=True):
        expected = filled.best(filled.table.rows[key]["v"])
        assert hits.distances == pytest.approx(expected[:10], rel=1e-5, abs=1e-5)


def test_hits_lie_within_a_range(filled: Filled) -> None:
    scores = filled.best(filled.query)
    apart = list(dict.fromkeys(round(score, 4) for score in scores))
    near, far = (apart[0] + apart[1]) / 2, (apart[4] + apart[5]) / 2  # where rounding cannot move a hit over an end
    params = {"params": {"radius": far, "range_filter": near}}
    (hits,) = filled.client.search("c", [given(filled.dtype, filled.query)], search_params=params, limit=50)
    low, high = sorted((near, far))
    assert hits.distances == pytest.approx([score for score in scores if low < score < high], rel=1e-5, abs=1e-5)
    assert hits


def test_groups_have_their_best_hits(filled: Filled) -> None:
    (hits,) = filled.client.search("c", [given(filled.dtype, filled.query)], group_by_field="n", limit=5)
    scores = filled.scores(filled.query)
    best = {n: ranked({k: s for k, s in scores.items() if k % 5 == n}, filled.plain)[0][1] for n in range(5)}
    expected = sorted(best.values(), reverse=filled.plain not in ("L2", "HAMMING", "JACCARD"))
    assert hits.distances == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_pages_follow_each_other(filled: Filled) -> None:
    query = [given(filled.dtype, filled.query)]
    whole = filled.client.search("c", query, limit=20)[0].distances
    pages = [filled.client.search("c", query, limit=5, offset=n)[0].distances for n in (0, 5, 10, 15)]
    assert [distance for page in pages for distance in page] == whole
    assert whole == pytest.approx(filled.best(filled.query)[:20], rel=1e-5, abs=1e-5)


def test_an_iterator_gives_all_hits_in_order(filled: Filled) -> None:
    iterator = filled.client.search_iterator("c", [given(filled.dtype, filled.query)], batch_size=7)
    found: list[float] = []
    while batch := iterator.next():
        found += [hit["distance"] for hit in batch]
    iterator.close()
    assert found == pytest.approx(filled.best(filled.query), rel=1e-5, abs=1e-5)
