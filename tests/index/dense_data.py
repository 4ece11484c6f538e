"""Seeded vectors for the tests of the dense indexes, and the plain numpy scan that they are compared with."""

from __future__ import annotations

import numpy as np
from elanus.index.metric import Metric
from numpy.typing import NDArray

METRICS = list(Metric)
Floats = NDArray[np.float32]


def clustered(n: int, dim: int, seed: int = 0, clusters: int = 50, noise: float = 0.7) -> Floats:
    """Return n vectors around cluster centres that are the same for every seed."""
    centres = np.random.default_rng(99).standard_normal((clusters, dim))
    random = np.random.default_rng(seed)
    spread = noise * random.standard_normal((n, dim))
    return (centres[random.integers(0, clusters, n)] + spread).astype(np.float32)


def stretched(n: int, dim: int, decades: float, seed: int = 0) -> Floats:
    """Return clustered vectors whose lengths spread evenly over so many decades."""
    vectors = clustered(n, dim, seed)
    powers = np.random.default_rng(seed + 1).uniform(-decades / 2, decades / 2, (n, 1))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True) * 10**powers).astype(np.float32)


def oracle(query: Floats, vectors: Floats, metric: Metric) -> NDArray[np.float64]:
    """Return the scores of all rows, in float64."""
    q, x = query.astype(np.float64), vectors.astype(np.float64)
    if metric is Metric.L2:
        return -((x - q) ** 2).sum(axis=1)
    if metric is Metric.IP:
        return x @ q
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(q)
    return np.divide(x @ q, lengths, out=np.zeros(len(x)), where=lengths > 0)


def best(scores: NDArray[np.float64], k: int, mask: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
    """Return the k best rows under a mask, ties to the least row."""
    rows = np.arange(len(scores)) if mask is None else np.flatnonzero(mask)
    return rows[np.lexsort((rows, -scores[rows]))[:k]]
