"""Late interaction over arrays: ranking by matrix products first changes nothing about the answer."""

from __future__ import annotations

import numpy as np
import pytest
from elanus.index import late
from elanus.index.late import Lists
from elanus.index.metric import AnyMetric, BitMetric, Metric, norms


def make(rows: int, dtype: type, seed: int = 0, scale: float = 1.0) -> Lists:
    """Rows of up to 30 vectors, some without any, some alike."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 30, rows)
    vectors = (rng.normal(size=(int(counts.sum()), 24)) * 20 * scale).clip(-3e38, 3e38)
    vectors = vectors.astype(np.int8) if dtype is np.int8 else vectors.astype(dtype)
    if dtype is np.uint8:
        vectors = rng.integers(0, 256, vectors.shape).astype(np.uint8)
    alike = len(vectors) // 4
    vectors[:alike] = vectors[alike : 2 * alike]
    return Lists(np.concatenate([[0], np.cumsum(counts)]), vectors, norms(vectors))


def slowly(query: np.ndarray, lists: Lists, metric: AnyMetric) -> dict[int, float]:
    """Every row's score by its definition."""
    scores = {}
    for row, (start, end) in enumerate(zip(lists.bounds[:-1], lists.bounds[1:], strict=True)):
        if end > start:
            block = lists.vectors[start:end]
            if isinstance(metric, BitMetric):
                one, other = np.unpackbits(block, axis=1).astype(float), np.unpackbits(query, axis=1).astype(float)
                shared = one @ other.T
                if metric is BitMetric.HAMMING:
                    like = -(one.sum(1)[:, None] + other.sum(1) - 2 * shared)
                else:
                    like = shared / (one.sum(1)[:, None] + other.sum(1) - shared) - 1
            else:
                one, other = block.astype(np.float64), query.astype(np.float64)
                like = one @ other.T
                if metric is Metric.COSINE:
                    like /= np.linalg.norm(one, axis=1)[:, None] * np.linalg.norm(other, axis=1)
                elif metric is Metric.L2:
                    like = -((one[:, None] - other) ** 2).sum(-1)
            scores[row] = float(like.max(0).sum())
    return scores


@pytest.mark.parametrize("metric", [*Metric, *BitMetric])
@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int8])
@pytest.mark.parametrize("rows", [40, 700])
def test_the_best_rows_are_those_of_the_definition(metric: AnyMetric, dtype: type, rows: int) -> None:
    bits = isinstance(metric, BitMetric)
    lists = make(rows, np.uint8 if bits else dtype)
    query = make(9, np.uint8 if bits else np.float32, seed=1).vectors[:5]
    expected = slowly(query, lists, metric)
    asked = np.arange(0, rows, 2)
    allowed = {row: score for row, score in expected.items() if row % 2 == 0}
    found, scores = late.search(query, lists, asked, metric, 12)
    best = sorted(allowed.values(), reverse=True)[:12]
    np.testing.assert_allclose(scores, best, rtol=2e-5, atol=1e-4)
    np.testing.assert_allclose(scores, [allowed[row] for row in found.tolist()], rtol=2e-5, atol=1e-4)


@pytest.mark.parametrize("metric", list(Metric))
def test_ranking_first_and_scoring_all_give_the_same_bits(metric: Metric, monkeypatch: pytest.MonkeyPatch) -> None:
    lists = make(900, np.float32)
    query = make(9, np.float32, seed=1).vectors[:7]
    ranked = late.search(query, lists, np.arange(900), metric, 30)
    monkeypatch.setattr(late, "FEW_VECTORS", 10**9)
    scored = late.search(query, lists, np.arange(900), metric, 30)
    np.testing.assert_array_equal(ranked[0], scored[0])
    np.testing.assert_array_equal(ranked[1], scored[1])


@pytest.mark.parametrize("metric", list(Metric))
def test_values_beyond_what_float32_can_multiply_are_ranked_all_the_same(metric: Metric) -> None:
    lists = make(400, np.float32, scale=1e24)
    found, scores = late.search(lists.vectors[:2], lists, np.arange(400), metric, 5)
    assert len(found) == 5
    if metric is Metric.COSINE:
        assert scores[0] == pytest.approx(2, abs=1e-5)


def test_rows_without_vectors_are_not_found() -> None:
    lists = Lists(np.array([0, 0, 2, 2]), np.eye(2, dtype=np.float32), np.ones(2, np.float32))
    found, scores = late.search(np.eye(2, dtype=np.float32), lists, np.arange(3), Metric.IP, 5)
    assert (found.tolist(), scores.tolist()) == ([1], [2.0])
    assert late.search(np.eye(2, dtype=np.float32), lists, np.array([0, 2]), Metric.IP, 5)[0].tolist() == []
