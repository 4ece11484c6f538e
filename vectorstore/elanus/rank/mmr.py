"""Maximal marginal relevance: hits that are near the query and far from each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from elanus.errors import InvalidArgument


def mmr(query: Any, vectors: Any, k: int, lambda_mult: float = 0.5) -> list[int]:
    """Return the places of up to `k` vectors, each the best of `lambda_mult` * likeness to the query minus
    (1 - `lambda_mult`) * its greatest likeness to those already taken; likeness is the cosine.

    Carbonell and Goldstein, "The Use of MMR, Diversity-Based Reranking for Reordering Documents and Producing
    Summaries", SIGIR 1998.

    Args:
        query: float array (dim,).
        vectors: float array (n, dim).

    Raises:
        InvalidArgument: `lambda_mult` outside [0, 1], `k` below 0, or shapes that do not fit.
    """
    if not 0 <= lambda_mult <= 1:
        raise InvalidArgument(f"lambda_mult must be from 0 (diverse) to 1 (near), not {lambda_mult!r}")
    if k < 0:
        raise InvalidArgument(f"k must be at least 0, not {k!r}")
    matrix = _normalised(np.asarray(vectors, np.float32))
    if not len(matrix):
        return []
    wanted = _normalised(np.asarray(query, np.float32).reshape(1, -1))[0]
    if matrix.ndim != 2 or matrix.shape[1] != len(wanted):
        raise InvalidArgument(f"vectors of shape {matrix.shape} do not fit a query of {len(wanted)} numbers")
    gain = lambda_mult * (matrix @ wanted)
    nearest = np.full(len(matrix), -np.inf, np.float32)
    taken: list[int] = []
    for _ in range(min(k, len(matrix))):
        scores = gain - (1 - lambda_mult) * nearest if taken else gain.copy()
        scores[taken] = -np.inf
        best = int(np.argmax(scores))
        taken.append(best)
        nearest = np.maximum(nearest, matrix @ matrix[best])
    return taken


def _normalised(matrix: Any) -> Any:
    if not matrix.size:
        return matrix
    norms = np.linalg.norm(matrix, axis=-1, keepdims=True)
    return matrix / np.where(norms == 0, 1, norms)
