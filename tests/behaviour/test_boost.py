"""Boosts: rows that match a filter rank higher or lower, by formulas that plain Python repeats."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import elanus
import numpy as np
import pytest
from elanus import AnnSearchRequest, Function, FunctionScore, FunctionType

from tests import shapes

ROWS = 200
VECTORS = np.random.default_rng(4).standard_normal((ROWS, shapes.DIM)).astype(np.float32)
QUERY = VECTORS[0] * 0.5


def boost(name: str = "boost", **params: Any) -> Function:
    return Function(name, FunctionType.RERANK, [], params={"reranker": "boost", **params})


@pytest.fixture(params=["COSINE", "IP", "L2"])
def docs(request: pytest.FixtureRequest, client: elanus.Client) -> tuple[elanus.Client, str]:
    """A client with "docs" of 200 rows, half of them in a segment, and the metric of its vectors."""
    client.create_collection("docs", dimension=shapes.DIM, metric_type=request.param)
    rows = [{"id": n, "vector": VECTORS[n], "n": n, "kind": f"k{n % 4}"} for n in range(ROWS)]
    client.insert("docs", rows[:100])
    client.flush("docs")
    client.insert("docs", rows[100:])
    client.upsert("docs", rows[50:60])
    return client, request.param


def scores(client: elanus.Client, metric: str) -> dict[int, float]:
    """Every row's score as boosts see it: L2 mapped into [0, 1]."""
    hits = client.search("docs", [QUERY], limit=ROWS)[0]
    return {h.id: 1 - 2 * math.atan(h.score) / math.pi if metric == "L2" else h.score for h in hits}


def found(client: elanus.Client, ranker: Any, limit: int = 10) -> list[tuple[int, float]]:
    return [(hit.id, hit.score) for hit in client.search("docs", [QUERY], limit=limit, ranker=ranker)[0]]


def best(expected: dict[int, float], limit: int = 10) -> list[tuple[int, Any]]:
    ordered = sorted(expected.items(), key=lambda item: (-item[1], item[0]))
    return [(key, pytest.approx(score, rel=1e-5, abs=1e-6)) for key, score in ordered[:limit]]


@pytest.mark.parametrize("weight", [3.0, 0.2, -1.0])
def test_matching_rows_count_by_the_weight(docs: tuple[elanus.Client, str], folder: Path, weight: float) -> None:
    client, metric = docs
    plain = scores(client, metric)
    expected = {key: score * weight if key % 4 == 1 else score for key, score in plain.items()}
    asked = boost(filter="kind == 'k1'", weight=weight, candidates=ROWS)
    assert found(client, asked) == best(expected)
    client.flush("docs")
    with elanus.connect(folder) as other:
        assert found(other, asked) == best(expected)


@pytest.mark.parametrize("boost_mode", ["multiply", "Sum"])
@pytest.mark.parametrize("function_mode", ["Multiply", "sum"])
def test_several_boosts_come_together(docs: tuple[elanus.Client, str], boost_mode: str, function_mode: str) -> None:
    client, metric = docs
    expected = {}
    for key, score in scores(client, metric).items():
        weights = [w for w, fits in ((2.0, key % 4 == 1), (0.5, key < 120)) if fits]
        total = math.prod(weights) if function_mode == "Multiply" else sum(weights)
        expected[key] = score if not weights else score * total if boost_mode == "multiply" else score + total
    several = [boost("a", filter="kind == 'k1'", weight=2.0, candidates=ROWS), boost("b", filter="n < 120", weight=0.5)]
    params = {"boost_mode": boost_mode, "function_mode": function_mode}
    assert found(client, FunctionScore(several, params)) == best(expected)


def test_chance_is_repeated_by_its_seed_and_field(docs: tuple[elanus.Client, str]) -> None:
    client, _ = docs

    def drawn(**chance: Any) -> list[tuple[int, float]]:
        return found(client, boost(weight=1.0, random_score=chance, candidates=ROWS))

    assert drawn(seed=7, field="id") == drawn(seed=7, field="id")
    assert drawn(seed=7, field="id") != drawn(seed=8, field="id")
    assert drawn() != drawn()
    plain = dict(found(client, boost(weight=1.0, candidates=ROWS), ROWS))
    shares = [score / plain[key] for key, score in drawn(seed=1) if abs(plain[key]) > 1e-3]
    assert all(0 <= share < 1 for share in shares)
    before = drawn(seed=7, field="id")
    client.flush("docs")
    assert drawn(seed=7, field="id") == before


def test_a_hybrid_search_is_boosted_over_the_best_score_of_each_row(docs: tuple[elanus.Client, str]) -> None:
    client, metric = docs
    plain = scores(client, metric)
    requests = [AnnSearchRequest([QUERY], "vector", {}, ROWS), AnnSearchRequest([QUERY], "vector", {}, 5)]
    asked = boost(filter="kind == 'k2'", weight=4.0)
    hits = client.hybrid_search("docs", requests, asked, limit=10, explain=True)[0]
    expected = {key: score * 4 if key % 4 == 2 else score for key, score in plain.items()}
    assert [(hit.id, hit.score) for hit in hits] == best(expected)
    assert hits[0]["explanation"]["reranker"]["rank_after"] == 1


def test_pymilvus_objects_are_taken(docs: tuple[elanus.Client, str]) -> None:
    pymilvus = pytest.importorskip("pymilvus")
    client, _ = docs
    params = {"reranker": "boost", "filter": "n == 170", "weight": 1000}
    function = pymilvus.Function("b", pymilvus.FunctionType.RERANK, [], params=params)
    plain = boost(filter="n == 170", weight=1000)
    for asked in (function, pymilvus.FunctionScore([function], {"boost_mode": "sum"})):
        assert len(found(client, asked)) == 10
    assert found(client, function) == found(client, plain)


@pytest.mark.parametrize(
    ("ranker", "message"),
    [
        (boost(), "function 'boost': boost needs a weight"),
        (boost(weight="2"), "a finite number, not '2'"),
        (boost(weight=True), "a finite number, not True"),
        (boost(weight=math.inf), "a finite number, not inf"),
        (boost(weight=1, filter="n >"), r"function 'boost': (.|\n)*n >"),
        (boost(weight=1, filter="n = 'a'"), "function 'boost'"),
        (boost(weight=1, filter=7), "filter must be an expression, not 7"),
        (boost(weight=1, bogus=1), "'bogus' is not supported; boost takes filter, weight"),
        (boost(weight=1, random_score=7), "random_score must be a dict"),
        (boost(weight=1, random_score={"sed": 7}), "random_score must be a dict of seed and field"),
        (boost(weight=1, random_score={"seed": 1.5}), "seed of random_score must be a whole number"),
        (boost(weight=1, random_score={"field": "kind"}), "integer field, not 'kind'"),
        (boost(weight=1, candidates=0), "candidates must be a whole number"),
        (Function("b", FunctionType.RERANK, ["n"], params={"reranker": "boost", "weight": 1}), "reads no input field"),
        (FunctionScore(boost(weight=1), {"boost_mode": "max"}), "boost_mode must be multiply or sum, not 'max'"),
        (FunctionScore(boost(weight=1), {"function_mode": 3}), "function_mode must be multiply or sum"),
        (FunctionScore(boost(weight=1), {"mode": "sum"}), "param 'mode' is not supported"),
        (FunctionScore([]), "its functions must be boosts"),
        (
            FunctionScore([boost(weight=1), Function("r", FunctionType.RERANK, [], params={"reranker": "rrf"})]),
            "its functions must be boosts, not boost, rrf",
        ),
    ],
)
def test_a_wrong_boost_is_refused_by_name(client: elanus.Client, ranker: Any, message: str) -> None:
    client.create_collection("docs", dimension=shapes.DIM)
    client.insert("docs", [{"id": 1, "vector": VECTORS[1], "kind": "a"}])
    with pytest.raises(elanus.InvalidArgument, match=message):
        client.search("docs", [QUERY], ranker=ranker)
