"""A decay ranks by score times closeness of a number: one answer wherever the rows are, and as plain Python says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import elanus
import numpy as np
import pymilvus
import pytest
from elanus import AnnSearchRequest, DataType, FunctionType

DIM, ROWS = 8, 120
RNG = np.random.default_rng(5)
VECTORS = RNG.normal(size=(ROWS, DIM)).astype(np.float32)
YEARS = RNG.integers(1990, 2026, ROWS).tolist()
QUERY = RNG.normal(size=DIM).astype(np.float32)
CURVES = ("gauss", "exp", "linear")


def decay(field: Any = "year", **params: Any) -> elanus.Function:
    given = {"reranker": "decay", "function": "gauss", "origin": 2025, "scale": 10, **params}
    kept = {name: value for name, value in given.items() if value is not None}
    return elanus.Function("fresh", FunctionType.RERANK, field, params=kept)


@pytest.fixture(params=["L2", "IP", "COSINE"])
def metric(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def fill(client: elanus.Client, metric: str = "COSINE", rows: int = ROWS) -> None:
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("year", DataType.INT32)
    schema.add_field("name", DataType.VARCHAR, max_length=20)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=DIM)
    index = client.prepare_index_params()
    index.add_index("v", metric_type=metric, index_type="FLAT")
    client.create_collection("c", schema=schema, index_params=index)
    client.insert("c", [{"id": i, "year": YEARS[i], "name": str(i), "v": VECTORS[i]} for i in range(rows)])


def factor(params: Mapping[str, Any], year: int) -> float:
    """The formulas of Milvus's documentation."""
    far = max(0.0, abs(year - params["origin"]) - params.get("offset", 0))
    rate, scale = params.get("decay", 0.5), params["scale"]
    if params["function"] == "gauss":
        return math.exp(-(far**2) / (2 * (-(scale**2) / (2 * math.log(rate)))))
    if params["function"] == "exp":
        return math.exp(math.log(rate) / scale * far)
    return float(max(rate, 1 - (1 - rate) / scale * far))


def likeness(metric: str) -> list[float]:
    ip = VECTORS @ QUERY
    if metric == "IP":
        return [float(x) for x in ip]
    if metric == "COSINE":
        return [float(x) for x in ip / np.linalg.norm(VECTORS, axis=1) / np.linalg.norm(QUERY)]
    return [1 - 2 * math.atan(float(x)) / math.pi for x in ((VECTORS - QUERY) ** 2).sum(1)]


@pytest.mark.parametrize("function", CURVES)
@pytest.mark.parametrize("more", [{}, {"offset": 3, "decay": 0.2}])
def test_hits_are_ranked_by_score_times_factor(
    client: elanus.Client, metric: str, function: str, more: dict[str, Any]
) -> None:
    fill(client, metric)
    params = {"function": function, "origin": 2020, "scale": 6, **more}
    expected = [s * factor(params, y) for s, y in zip(likeness(metric), YEARS, strict=True)]
    order = sorted(range(ROWS), key=lambda i: -expected[i])[3:23]
    hits = client.search("c", [QUERY], limit=20, offset=3, ranker=decay(**params, candidates=ROWS))[0]
    assert hits.ids == order
    np.testing.assert_allclose([hit["distance"] for hit in hits], [expected[i] for i in order], rtol=1e-5, atol=1e-6)


def test_rows_in_tail_segment_and_after_reopening_give_one_answer(client: elanus.Client, folder: Path) -> None:
    fill(client, rows=70)
    client.flush("c")
    client.delete("c", ids=[3, 4])
    client.insert("c", [{"id": i, "year": YEARS[i], "name": "", "v": VECTORS[i]} for i in [*range(70, ROWS), 5]])
    found = client.search("c", [QUERY, -QUERY], limit=30, ranker=decay())
    client.flush("c")
    assert client.search("c", [QUERY, -QUERY], limit=30, ranker=decay()) == found
    with elanus.connect(folder) as other:
        assert other.search("c", [QUERY, -QUERY], limit=30, ranker=decay()) == found


def test_ten_candidates_for_each_hit_are_ranked_unless_said_otherwise(client: elanus.Client) -> None:
    fill(client)
    nearest = client.search("c", [QUERY], limit=20)[0].ids
    old = decay(origin=YEARS[nearest[15]], scale=0.001)
    assert client.search("c", [QUERY], limit=2, ranker=old)[0][0]["distance"] > 0
    assert client.search("c", [QUERY], limit=2, ranker=decay(candidates=1))[0].ids == sorted(
        nearest[:2],
        key=lambda i: -likeness("COSINE")[i] * factor({"function": "gauss", "origin": 2025, "scale": 10}, YEARS[i]),
    )


def test_over_several_requests_each_row_counts_by_its_best_score(client: elanus.Client) -> None:
    fill(client)
    requests = [AnnSearchRequest([query], "v", {}, 15) for query in (QUERY, -QUERY)]
    best: dict[int, float] = {}
    for query in (QUERY, -QUERY):
        for hit in client.search("c", [query], limit=15)[0]:
            best[hit["id"]] = max(best.get(hit["id"], -9), hit["distance"])
    params = {"function": "exp", "origin": 2010, "scale": 5}
    expected = sorted(best, key=lambda i: -best[i] * factor(params, YEARS[i]))[:10]
    assert client.hybrid_search("c", requests, decay(**params), limit=10)[0].ids == expected


@pytest.mark.parametrize("metric", ["HAMMING", "JACCARD"])
def test_distances_of_bits_fade_and_rise_like_any_score(client: elanus.Client, metric: str) -> None:
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("year", DataType.INT32)
    schema.add_field("bits", DataType.BINARY_VECTOR, dim=8)
    index = client.prepare_index_params()
    index.add_index("bits", metric_type=metric)
    client.create_collection("b", schema=schema, index_params=index)
    bits = {1: 0b11111111, 2: 0b11111110, 3: 0b00001111, 4: 0b00000001}
    years = {1: 2000, 2: 2025, 3: 2025, 4: 2025}
    client.insert("b", [{"id": i, "year": years[i], "bits": bytes([b])} for i, b in bits.items()])

    def ranked(ranker: Any) -> list[int]:
        return [hit.id for hit in client.search("b", [bytes([255])], limit=4, ranker=ranker)[0]]

    assert ranked(decay(scale=1, decay=0.01)) == [2, 3, 4, 1]
    params = {"reranker": "boost", "filter": "id == 3", "weight": 100}
    assert ranked(elanus.Function("up", FunctionType.RERANK, [], params=params)) == [3, 1, 2, 4]


def test_a_function_score_of_one_decay_is_that_decay(client: elanus.Client) -> None:
    fill(client)
    ours = elanus.FunctionScore(decay())
    theirs = pymilvus.FunctionScore(
        [pymilvus.Function("fresh", pymilvus.FunctionType.RERANK, ["year"], params=decay().params)], {}
    )
    for ranker in (ours, theirs):
        assert client.search("c", [QUERY], ranker=ranker) == client.search("c", [QUERY], ranker=decay())


def test_a_number_beyond_all_bounds_fades_without_a_warning(client: elanus.Client) -> None:
    fill(client)
    for function in CURVES:
        hits = client.search("c", [QUERY], limit=5, ranker=decay(function=function, scale=1e-300, origin=1e300))[0]
        assert len(hits) == 5


def test_pymilvus_function_asks_the_same(client: elanus.Client) -> None:
    fill(client)
    params = {"reranker": "decay", "function": "linear", "origin": 2025, "scale": 10}
    theirs = pymilvus.Function("fresh", pymilvus.FunctionType.RERANK, ["year"], params=params)
    ours = decay(function="linear")
    assert client.search("c", [QUERY], ranker=theirs) == client.search("c", [QUERY], ranker=ours)


@pytest.mark.parametrize(
    ("field", "params", "says"),
    [
        ("name", {}, "'name' is no numeric field"),
        ("yaer", {}, "did you mean 'year'"),
        ([], {}, "one numeric field"),
        (["year", "id"], {}, "one numeric field"),
        ("year", {"function": "cubic"}, "gauss, exp, linear"),
        ("year", {"function": None}, "gauss, exp, linear"),
        ("year", {"origin": None}, "needs the param 'origin'"),
        ("year", {"scale": None}, "needs the param 'scale'"),
        ("year", {"origin": "now"}, "origin must be"),
        ("year", {"origin": math.nan}, "origin must be"),
        ("year", {"scale": 0}, "over 0"),
        ("year", {"scale": True}, "over 0"),
        ("year", {"offset": -1}, "at least 0"),
        ("year", {"decay": 0}, "below 1"),
        ("year", {"decay": 1}, "below 1"),
        ("year", {"candidates": 0}, "candidates"),
        ("year", {"candidates": 16_385}, "16384"),
        ("year", {"scope": 3}, "parameter 'scope' is not supported"),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    client: elanus.Client, field: Any, params: dict[str, Any], says: str
) -> None:
    fill(client, rows=3)
    with pytest.raises(elanus.InvalidArgument, match=says):
        client.search("c", [QUERY], ranker=decay(field, **params))


def test_hybrid_search_takes_its_candidates_from_the_requests(client: elanus.Client) -> None:
    fill(client, rows=3)
    with pytest.raises(elanus.InvalidArgument, match="requests' limits"):
        client.hybrid_search("c", [AnnSearchRequest([QUERY], "v", {}, 3)], decay(candidates=5))
