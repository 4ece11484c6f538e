from __future__ import annotations

import math

import numpy as np
import pytest
from elanus.rank import dbsf, rrf, weighted
from hypothesis import given
from hypothesis import strategies as st

from tests import oracle

METRICS = ("COSINE", "IP", "BM25", "L2")


def route(*rids_and_scores):
    rids, scores = zip(*rids_and_scores, strict=True) if rids_and_scores else ((), ())
    return np.array(rids, np.int64), np.array(scores, np.float32)


@st.composite
def routes(draw):
    """Up to four routes as a search makes them: best first, each row once; scores of L2 are negative."""
    made, metrics = [], []
    for _ in range(draw(st.integers(1, 4))):
        metric = draw(st.sampled_from(METRICS))
        low, high = {"COSINE": (-1, 1), "IP": (-50, 50), "BM25": (0, 50), "L2": (-50, 0)}[metric]
        rids = draw(st.lists(st.integers(0, 12), unique=True, max_size=8))
        scores = draw(st.lists(st.floats(low, high, width=32), min_size=len(rids), max_size=len(rids)))
        made.append((np.array(rids, np.int64), np.array(sorted(scores, reverse=True), np.float32)))
        metrics.append(metric)
    return made, metrics


def distances(route, metric):
    """A route as Milvus shows it: pairs of row and distance."""
    rids, scores = route
    return list(zip(rids.tolist(), (-scores if metric == "L2" else scores).tolist(), strict=True))


def check(found, truth):
    rids, scores = found
    assert rids.dtype == np.int64
    assert scores.dtype == np.float32
    assert sorted(rids.tolist()) == sorted(truth)
    assert scores.tolist() == pytest.approx([truth[rid] for rid in rids.tolist()], rel=1e-5, abs=1e-6)
    order = list(zip((-scores).tolist(), rids.tolist(), strict=True))
    assert order == sorted(order), "best first, ties by the smaller row"


@given(routes(), st.sampled_from([0.5, 1, 60, 16_383]))
def test_rrf_is_the_sum_of_reciprocal_ranks(case, k):
    made, metrics = case
    check(rrf(made, k), oracle.rrf([distances(*pair) for pair in zip(made, metrics, strict=True)], k))


@given(routes(), st.data())
def test_weighted_is_the_weighted_sum_of_normalised_scores(case, data):
    made, metrics = case
    weights = data.draw(st.lists(st.floats(0, 1), min_size=len(made), max_size=len(made)))
    shown = [distances(*pair) for pair in zip(made, metrics, strict=True)]
    check(weighted(made, weights, metrics, True), oracle.weighted(shown, metrics, weights))


def test_rrf_by_hand():
    rids, scores = rrf([route((7, 0.9), (3, 0.8)), route((3, 12.0), (5, 11.0))], 60)
    assert rids.tolist() == [3, 7, 5]
    assert scores.tolist() == pytest.approx([1 / 62 + 1 / 61, 1 / 61, 1 / 62])


def test_normalisation_by_hand():
    one = [route((1, 0.5))]
    for metric, expected in (
        ("COSINE", 0.75),
        ("IP", 0.5 + math.atan(0.5) / math.pi),
        ("BM25", 2 * math.atan(0.5) / math.pi),
    ):
        assert weighted(one, [1.0], [metric], True)[1].tolist() == pytest.approx([expected])
    near = weighted([route((1, -0.5))], [1.0], ["L2"], True)[1].tolist()
    assert near == pytest.approx([1 - 2 * math.atan(0.5) / math.pi])


def test_without_normalisation_scores_are_added_as_they_are_but_l2_is_always_turned():
    made = [route((1, 0.5), (2, 0.25)), route((2, 12.0)), route((1, -1.0))]
    rids, scores = weighted(made, [0.5, 0.1, 1.0], ["COSINE", "BM25", "L2"], False)
    assert dict(zip(rids.tolist(), scores.tolist(), strict=True)) == pytest.approx({1: 0.25 + 0.5, 2: 0.125 + 1.2})


@pytest.mark.parametrize("norm_score", [True, False])
def test_a_row_that_every_l2_route_finds_near_comes_before_one_that_a_route_missed(norm_score):
    rids, _ = weighted([route((1, -0.1), (2, -0.2)), route((1, -0.1))], [0.5, 0.5], ["L2", "L2"], norm_score)
    assert rids.tolist() == [1, 2]


def test_ties_go_to_the_smaller_row_whatever_the_order_of_the_sum():
    swapped = [route((9, 0.3), (4, 0.2), (6, 0.1)), route((4, 3.0), (6, 2.0), (9, 1.0)), route((6, 3), (9, 2), (4, 1))]
    rids, scores = rrf(swapped, 60)
    assert rids.tolist() == [4, 6, 9]
    assert len(set(scores.tolist())) == 1


def test_no_hits_are_no_hits():
    for nothing in ([], [route()], [route(), route()]):
        assert [len(column) for column in rrf(nothing, 60)] == [0, 0]
        assert [len(c) for c in weighted(nothing, [1.0] * len(nothing), ["IP"] * len(nothing), True)] == [0, 0]


def test_the_routes_are_left_as_they_were():
    made = [route((1, 0.5), (2, 0.25)), route((2, 12.0))]
    before = [(rids.tolist(), scores.tolist()) for rids, scores in made]
    rrf(made, 60)
    weighted(made, [0.5, 0.5], ["COSINE", "BM25"], True)
    assert [(rids.tolist(), scores.tolist()) for rids, scores in made] == before


@given(routes(), st.data())
def test_dbsf_is_the_weighted_sum_of_standings(case, data):
    made, _ = case
    weights = data.draw(st.lists(st.floats(0, 1), min_size=len(made), max_size=len(made)))
    shown = [list(zip(rids.tolist(), scores.tolist(), strict=True)) for rids, scores in made]
    check(dbsf(made, weights), oracle.dbsf(shown, weights))


def test_dbsf_by_hand():
    rids, scores = dbsf([route((7, 3.0), (3, 2.0), (5, 1.0)), route((3, -4.0))])
    assert rids.tolist() == [3, 7, 5]
    assert scores.tolist() == pytest.approx([0.5 + 0.5, 4 / 6, 2 / 6])


def test_dbsf_clips_what_lies_beyond_three_deviations():
    _, scores = dbsf([route((0, 1e6), *((n, 0.0) for n in range(1, 30)))])
    assert scores[0] == 1
    assert dbsf([])[0].tolist() == dbsf([route()])[0].tolist() == []


def test_dbsf_of_equal_scores_is_a_half_each():
    assert dbsf([route(*((n, 0.1) for n in range(7)))])[1].tolist() == [0.5] * 7


def test_dbsf_does_not_care_for_the_unit_of_a_route():
    one, other = route((1, 3.0), (2, 2.5), (3, 0.5)), route((3, 9.0), (2, 1.0))
    scaled = (one[0], 1000 * one[1] - 7)
    assert dbsf([scaled, other])[1].tolist() == pytest.approx(dbsf([one, other])[1].tolist())
