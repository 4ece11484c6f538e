from __future__ import annotations

import numpy as np
import pytest
from elanus.index import exact
from elanus.index.metric import Metric, from_distance, norms, to_distance

from tests.index.dense_data import METRICS, best, clustered, oracle, stretched


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("n", "dim"), [(1, 1), (7, 5), (1300, 33), (600, 384)])
def test_scores_agree_with_plain_numpy(metric, n, dim):
    vectors, query = stretched(n, dim, 2), stretched(1, dim, 2, seed=5)[0]
    expected = oracle(query, vectors, metric)
    found = exact.scores(query, vectors, norms(vectors), None, metric)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-5 * np.abs(expected).max())
    rows = np.random.default_rng(1).permutation(n)[: max(1, n // 2)]
    np.testing.assert_array_equal(exact.scores(query, vectors, norms(vectors), rows, metric), found[rows])


@pytest.mark.parametrize("metric", METRICS)
def test_several_queries_score_as_one_by_one(metric):
    vectors, queries = clustered(900, 24), clustered(4, 24, seed=3)
    lengths = norms(vectors)
    together = exact.scores(queries, vectors, lengths, None, metric)
    apart = [exact.scores(query, vectors, lengths, None, metric) for query in queries]
    np.testing.assert_array_equal(together, apart)
    assert exact.scores(queries, vectors, lengths, np.array([3, 1]), metric).shape == (4, 2)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dim", [5, 33, 128])
def test_equal_vectors_have_equal_scores_wherever_they_stand(metric, dim):
    vectors = clustered(1501, dim)
    places = [0, 1, 500, 511, 512, 1500]
    vectors[places] = vectors[0]
    lengths, query = norms(vectors), clustered(1, dim, seed=9)[0]
    everywhere = exact.scores(query, vectors, lengths, None, metric)[places]
    alone = exact.scores(query, vectors, lengths, np.array([1500]), metric)
    assert len(set(everywhere.tolist() + alone.tolist())) == 1


def test_no_rows_have_no_scores():
    empty = np.empty((0, 4), np.float32)
    assert exact.scores(np.ones(4, np.float32), empty, norms(empty), None, Metric.IP).shape == (0,)
    ids, scores = exact.search(np.ones(4, np.float32), empty, norms(empty), None, Metric.L2, 3)
    assert len(ids) == len(scores) == 0


def test_cosine_of_a_zero_vector_is_zero_and_never_leaves_its_range():
    vectors = np.concatenate((np.zeros((1, 7)), np.full((3, 7), 0.1), -np.full((1, 7), 3e-20))).astype(np.float32)
    found = exact.scores(vectors[1], vectors, norms(vectors), None, Metric.COSINE)
    assert found[0] == 0
    assert np.all(np.abs(found) <= 1)
    np.testing.assert_allclose(found[1:], [1, 1, 1, -1], atol=1e-6)
    assert not exact.scores(vectors[0], vectors, norms(vectors), None, Metric.COSINE).any()


def test_l2_does_not_cancel_far_from_the_origin():
    base = np.full(16, 1000.0, np.float32)
    vectors = np.stack([base, base + np.float32(0.25)])
    found = exact.scores(base, vectors, norms(vectors), None, Metric.L2)
    np.testing.assert_array_equal(found, [0, -16 * 0.0625])


def test_norms_survive_squares_that_float32_cannot_hold():
    vectors = np.array([[3e25, 4e25], [3e-25, 4e-25], [0, 0], [3, 4]], np.float32)
    np.testing.assert_allclose(norms(vectors), [5e25, 5e-25, 0, 5], rtol=1e-6)


def test_huge_vectors_raise_no_warning():
    vectors = np.full((3, 4), 1e30, np.float32)
    assert exact.scores(-vectors[0], vectors, norms(vectors), None, Metric.L2)[0] == -np.inf
    rows = np.zeros(2000, np.int64)
    assert len(exact.search(-vectors[0], vectors, norms(vectors), rows, Metric.IP, 3)[0]) == 3


def test_read_only_vectors_are_scored():
    vectors = clustered(1200, 8)
    vectors.setflags(write=False)
    rows = np.arange(1200)
    assert len(exact.search(vectors[0], vectors, norms(vectors), rows, Metric.IP, 5)[0]) == 5


@pytest.mark.parametrize("n", [10, 100, 5000, 40_000])
@pytest.mark.parametrize("k", [0, 1, 10, 100])
@pytest.mark.parametrize("levels", [1, 3, 10**6])
def test_top_breaks_ties_by_least_id_even_at_the_cut(n, k, levels):
    random = np.random.default_rng(n + k)
    scores = random.integers(0, levels, n).astype(np.float32)
    ids = random.permutation(n * 2)[:n]
    expected = np.lexsort((ids, -scores))[:k]
    found, found_scores = exact.top(scores, ids, k)
    np.testing.assert_array_equal(found, ids[expected])
    np.testing.assert_array_equal(found_scores, scores[expected])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("k", [1, 10, 300])
def test_search_of_many_rows_gives_what_scoring_all_of_them_gives(metric, k):
    vectors = stretched(6000, 20, 1)
    vectors[3000:] = vectors[:3000]
    lengths, query = norms(vectors), stretched(1, 20, 1, seed=4)[0]
    rows = np.sort(np.random.default_rng(2).permutation(6000)[:5000])
    expected = exact.top(exact.scores(query, vectors, lengths, rows, metric), rows, k)
    found = exact.search(query, vectors, lengths, rows, metric, k)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])


def test_search_of_all_rows_agrees_with_plain_numpy():
    vectors, query = clustered(3000, 12), clustered(1, 12, seed=8)[0]
    found, _ = exact.search(query, vectors, norms(vectors), None, Metric.COSINE, 20)
    np.testing.assert_array_equal(found, best(oracle(query, vectors, Metric.COSINE), 20))


@pytest.mark.parametrize("metric", METRICS)
def test_milvus_sign_is_positive_for_distances_and_goes_there_and_back(metric):
    scores = np.array([-4.0, -0.0], np.float32)
    outside = to_distance(metric, scores)
    np.testing.assert_array_equal(outside, [4, 0] if metric is Metric.L2 else scores)
    assert metric is not Metric.L2 or not np.signbit(outside).any()
    assert [from_distance(metric, d) for d in outside.tolist()] == scores.tolist()
