"""Maximal marginal relevance against a plain reading of its definition, and relevance by metric."""

from __future__ import annotations

from typing import Any

import elanus
import numpy as np
import pytest


def plain_mmr(query: Any, vectors: Any, k: int, weight: float) -> list[int]:
    def cosine(a: Any, b: Any) -> float:
        return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))

    taken: list[int] = []
    while len(taken) < min(k, len(vectors)):
        rest = [n for n in range(len(vectors)) if n not in taken]
        near = {n: max((cosine(vectors[n], vectors[t]) for t in taken), default=0.0) for n in rest}
        taken.append(max(rest, key=lambda n: weight * cosine(query, vectors[n]) - (1 - weight) * near[n]))
    return taken


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.5, 0.9, 1.0])
def test_mmr_is_what_its_paper_says(weight: float) -> None:
    rng = np.random.default_rng(3)
    query, vectors = rng.normal(size=16), rng.normal(size=(20, 16))
    first = elanus.mmr(query, vectors, 8, weight)
    assert len(first) == len(set(first)) == 8
    if weight:  # at 0 the first pick is a tie of all
        assert first == plain_mmr(query, vectors, 8, weight)


def test_mmr_of_few_or_no_vectors() -> None:
    assert elanus.mmr([1, 0], [[1, 0], [0, 0]], 5) == [0, 1]
    assert elanus.mmr([1, 0], [], 5) == []
    assert elanus.mmr([1, 0], [[1, 0]], 0) == []


@pytest.mark.parametrize("wrong", [{"lambda_mult": 1.5}, {"k": -1}, {"vectors": [[1, 2, 3]]}])
def test_mmr_refuses_what_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(elanus.InvalidArgument):
        elanus.mmr(**{"query": [1, 0], "vectors": [[1, 0]], "k": 1, **wrong})


@pytest.mark.parametrize(
    ("metric", "best_first", "ends"),
    [
        ("COSINE", [1, 0.5, 0, -1], (1.0, 0.0)),
        ("IP", [100, 1, 0, -100], (1.0, 0.0)),
        ("BM25", [50, 3, 0.1, 0], (1.0, 0.0)),
        ("L2", [0, 0.5, 2, 10_000], (1.0, 0.0)),
    ],
)
def test_relevance_falls_from_one_to_nought(metric: str, best_first: list[float], ends: tuple[float, float]) -> None:
    scores = elanus.relevance(best_first, metric)
    assert list(scores) == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(ends[0], abs=0.02)
    assert scores[-1] == pytest.approx(ends[1], abs=0.02)


def test_relevance_of_an_unknown_metric_is_refused() -> None:
    with pytest.raises(elanus.InvalidArgument, match="TANIMOTO"):
        elanus.relevance([1.0], "TANIMOTO")
