"""The formulas of fusion, on columns: each route is (row numbers, scores), best first, each row once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from elanus.errors import InvalidArgument
from elanus.index.metric import DISTANCES

Int64s = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float32]]
Route = tuple[Int64s, Floats]

NORMALISED: Mapping[str, Callable[[Floats], Any]] = {
    "COSINE": lambda score: (1 + score) / 2,
    "IP": lambda score: 0.5 + np.arctan(score) / np.pi,
    "BM25": lambda score: 2 * np.arctan(score) / np.pi,
    **dict.fromkeys(("MAX_SIM", "MAX_SIM_COSINE", "MAX_SIM_IP"), lambda score: 0.5 + np.arctan(score) / np.pi),
    **dict.fromkeys(DISTANCES, lambda score: 1 - 2 * np.arctan(-score) / np.pi),
}
"""Milvus's maps of scores into [0, 1], by metric; the score of a distance (L2's is squared) is its negative."""


def relevance(distances: Any, metric: str) -> Any:
    """Map distances of a metric (L2 distances squared) into [0, 1], growing with likeness.

    These are the maps by which Milvus's weighted ranker normalises scores.

    Raises:
        InvalidArgument: another metric.
    """
    if metric not in NORMALISED:
        raise InvalidArgument(f"no relevance for metric {metric!r}; there are {', '.join(NORMALISED)}")
    scores = np.asarray(distances, np.float32)
    return np.clip(NORMALISED[metric](-scores if metric in DISTANCES else scores), 0.0, 1.0)


def rrf(routes: Sequence[Route], k: float) -> Route:
    """Reciprocal rank fusion: a row's score is the sum of 1 / (k + rank) over the routes that found it, ranks from 1.

    Cormack, Clarke and Buettcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning
    Methods", SIGIR 2009. Ties go to the smaller row number. No routes give no rows.
    """
    return _summed([(rids, 1 / (k + 1 + np.arange(len(rids)))) for rids, _ in routes])


def weighted(routes: Sequence[Route], weights: Sequence[float], metrics: Sequence[str], norm_score: bool) -> Route:
    """A row's score is the weighted sum of its scores in the routes that found it.

    With `norm_score` each is first mapped into [0, 1] as its metric asks. Distances always are, also where Milvus adds
    those of several routes as they are: there a row that one route missed would come out nearer. Ties go to the
    smaller row number.
    """
    scaled = []
    for (rids, scores), weight, metric in zip(routes, weights, metrics, strict=True):
        mapped = NORMALISED[metric](scores) if norm_score or metric in DISTANCES else scores
        scaled.append((rids, weight * mapped.astype(np.float64)))
    return _summed(scaled)


def dbsf(routes: Sequence[Route], weights: Sequence[float] | None = None) -> Route:
    """Distribution-based score fusion: a row's score is the sum of its standings in the routes that found it.

    A standing says where a score lies between three standard deviations below and above the mean of its own route, 0 to
    1, so no other route moves it. Qdrant's formula; ties go to the smaller row number.

    Args:
        weights: one for each route; None: 1 for all.
    """
    factors = [1.0] * len(routes) if weights is None else weights
    return _summed([(rids, factor * standings(s)) for (rids, s), factor in zip(routes, factors, strict=True)])


SPREAD = 3
"""How many standard deviations around the mean `standings` maps into [0, 1]."""


def standings(scores: Floats) -> Any:
    """Scores of one route as float64 (n,) in [0, 1]; 0.5 each where there is no spread to measure them by."""
    exact = scores.astype(np.float64)
    spread = len(exact) > 1 and exact.min() < exact.max()  # the deviation of equals may come out a little over 0
    deviation = exact.std(ddof=1) if spread else 0.0
    if deviation == 0:
        return np.full(len(exact), 0.5)
    return np.clip(0.5 + (exact - exact.mean()) / (2 * SPREAD * deviation), 0.0, 1.0)


def _summed(routes: Sequence[tuple[Int64s, Any]]) -> Route:
    rids = np.concatenate([np.empty(0, np.int64), *(rids for rids, _ in routes)])
    unique, places = np.unique(rids, return_inverse=True)
    parts = np.concatenate([np.empty(0), *(scores for _, scores in routes)])
    scores = np.bincount(places, parts, len(unique)).astype(np.float32)  # before sorting: equal as seen is a tie
    order = np.lexsort((unique, -scores))
    return unique[order], scores[order]
