from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from elanus.errors import InvalidArgument, NotSupported
from elanus.rank import (
    AnnSearchRequest,
    DBSFRanker,
    RRFRanker,
    WeightedRanker,
    as_ranker,
    as_request,
    dbsf,
    rerank_scores,
    rrf,
    weighted,
)

ROUTES = [
    (np.array([3, 1]), np.array([0.9, 0.5], np.float32)),
    (np.array([1, 2]), np.array([8.0, 7.0], np.float32)),
]
METRICS = ["COSINE", "BM25"]


def same(found: Any, expected: Any) -> None:
    assert [column.tolist() for column in found] == [column.tolist() for column in expected]


def test_a_ranker_fuses_by_its_formula():
    same(as_ranker(RRFRanker(), METRICS)(ROUTES), rrf(ROUTES, 60))
    same(as_ranker(RRFRanker(k=2.5), METRICS)(ROUTES), rrf(ROUTES, 2.5))
    same(as_ranker(WeightedRanker(0.3, 1), METRICS)(ROUTES), weighted(ROUTES, [0.3, 1], METRICS, True))
    raw = WeightedRanker(0.3, 1, norm_score=False)
    same(as_ranker(DBSFRanker(), METRICS)(ROUTES), dbsf(ROUTES))
    same(as_ranker(DBSFRanker(0.3, 1), METRICS)(ROUTES), dbsf(ROUTES, [0.3, 1]))
    same(as_ranker(raw, METRICS)(ROUTES), weighted(ROUTES, [0.3, 1], METRICS, False))


def test_rankers_and_requests_of_pymilvus_are_taken():
    pymilvus = pytest.importorskip("pymilvus")
    same(as_ranker(pymilvus.RRFRanker(7), METRICS)(ROUTES), rrf(ROUTES, 7))
    theirs = pymilvus.WeightedRanker(0.3, 1, norm_score=False)
    same(as_ranker(theirs, METRICS)(ROUTES), weighted(ROUTES, [0.3, 1], METRICS, False))
    with pytest.raises(NotSupported, match="'bogus' is not supported yet"):
        as_ranker(pymilvus.Function("f", pymilvus.FunctionType.RERANK, ["n"], params={"reranker": "bogus"}), METRICS)
    request = as_request(pymilvus.AnnSearchRequest([[1.0]], "v", {"params": {}}, 5, "n > {m}", expr_params={"m": 3}))
    assert (request.data, request.anns_field, request.param, request.limit) == ([[1.0]], "v", {"params": {}}, 5)
    assert (request.expr, request.expr_params) == ("n > {m}", {"m": 3})
    rrf_function = pymilvus.Function("f", pymilvus.FunctionType.RERANK, [], params={"reranker": "rrf", "k": 7})
    same(as_ranker(rrf_function, METRICS)(ROUTES), rrf(ROUTES, 7))
    ours, theirs = RRFRanker(7), pymilvus.RRFRanker(7)
    assert ours.dict() == theirs.dict()
    assert WeightedRanker(0.3, 1).dict() == pymilvus.WeightedRanker(0.3, 1).dict()


@pytest.mark.parametrize("k", [0, -1, 16_384, float("nan"), float("inf"), "60", True, None, 1j])
def test_k_outside_of_milvuss_range_is_refused(k):
    with pytest.raises(InvalidArgument, match="k must be a number over 0 and below 16384"):
        RRFRanker(k)


@pytest.mark.parametrize("k", [0.001, 16_383.9, np.int64(60), np.float32(1)])
def test_k_inside_of_milvuss_range_is_taken(k):
    assert RRFRanker(k).k == k


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan"), "0.5", True, None])
def test_a_weight_outside_of_milvuss_range_is_refused(weight):
    with pytest.raises(InvalidArgument, match="each weight must be a number from 0 to 1"):
        WeightedRanker(0.5, weight)


class Theirs:
    """A ranker in pymilvus's shape."""

    def __init__(self, **raw: Any) -> None:
        self.raw = raw

    def dict(self) -> Any:
        return self.raw


@pytest.mark.parametrize(
    ("ranker", "error", "message"),
    [
        (WeightedRanker(0.5), InvalidArgument, "1 weights for 2 requests"),
        (DBSFRanker(0.5), InvalidArgument, "DBSFRanker has 1 weights for 2 requests"),
        (Theirs(strategy="dbsf", params={"k": 60}), NotSupported, "parameter 'k'.*takes weights"),
        (Theirs(strategy="dbsf", params={"weights": [0.5, 2]}), InvalidArgument, "not 2"),
        (WeightedRanker(), InvalidArgument, "0 weights for 2 requests"),
        (Theirs(strategy="weighted", params={}), InvalidArgument, "0 weights for 2 requests"),
        (Theirs(strategy="weighted", params={"weights": [0.5, 2]}), InvalidArgument, "not 2"),
        (Theirs(strategy="weighted", params={"weights": [0, 1], "norm_score": "yes"}), InvalidArgument, "norm_score"),
        (Theirs(strategy="rrf", params={"k": 0}), InvalidArgument, "k must be"),
        (Theirs(strategy="rrf", params={"k": 60, "weights": [1, 2]}), NotSupported, "parameter 'weights'.*takes k"),
        (
            Theirs(strategy="bogus", params={}),
            NotSupported,
            "strategy 'bogus'.*use rrf, weighted, dbsf, decay, boost or",
        ),
        (Theirs(), NotSupported, "strategy None"),
        (None, InvalidArgument, "an RRFRanker, a WeightedRanker, .*, not NoneType"),
        ("rrf", InvalidArgument, "not str"),
        ({"strategy": "rrf"}, InvalidArgument, "not dict"),
    ],
)
def test_what_is_no_ranker_or_not_implemented_is_refused(ranker, error, message):
    with pytest.raises(error, match=message):
        as_ranker(ranker, METRICS)


def test_a_request_takes_its_filter_by_either_name():
    for given in ({"expr": "n > 1"}, {"filter": "n > 1"}):
        request = AnnSearchRequest([[1.0]], "v", None, 5, **given)
        assert (request.expr, request.filter, request.param) == ("n > 1", "n > 1", {})
    assert as_request(request) is request
    assert repr(request) == "AnnSearchRequest(anns_field='v', param={}, limit=5, expr='n > 1')"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"expr": "n > 1", "filter": "n > 1"}, "expr or filter, not both"),
        ({"expr": 5}, "filter must be a str, not int"),
        ({"param": "ef=10"}, "param must be a dict, not str"),
        ({"expr": "n > {m}", "expr_params": [1]}, "expr_params must be a dict, not list"),
    ],
)
def test_a_wrong_argument_of_a_request_is_refused(given, message):
    with pytest.raises(InvalidArgument, match=message):
        AnnSearchRequest(**{"data": [[1.0]], "anns_field": "v", "param": {}, "limit": 5} | given)


@pytest.mark.parametrize("request_", ["v", None, {"data": []}])
def test_what_is_no_request_is_refused(request_):
    with pytest.raises(InvalidArgument, match="reqs must hold AnnSearchRequest objects"):
        as_request(request_)


def test_rankers_show_what_they_are():
    assert repr(RRFRanker(5)) == "RRFRanker(k=5)"
    assert repr(WeightedRanker(0.5, 1)) == "WeightedRanker(0.5, 1, norm_score=True)"


@pytest.mark.parametrize(
    "found", [[{"index": 0, "score": 1.0}, {"index": 1, "score": 0.5}], [1.0], ["high", "low"], None]
)
def test_a_reranker_that_gives_no_scores_is_told_so(found: object) -> None:
    class Odd:
        def rerank(self, query: str, documents: list[str]) -> object:
            return found

    with pytest.raises(InvalidArgument, match=r"Odd\.rerank gave no score for each of 2 documents, but"):
        rerank_scores(Odd(), "kites", ["red kite", "fox"])
