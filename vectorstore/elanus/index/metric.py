"""How alike two dense vectors are: COSINE, IP and L2, their norms, and Milvus's sign for them."""

from __future__ import annotations

import math
from enum import Enum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

_LEAST_SAFE_SQUARE = 1e-30


class Metric(str, Enum):
    """A dense metric; its `score` always grows with likeness (L2: negative squared distance)."""

    COSINE = "COSINE"
    IP = "IP"
    L2 = "L2"


def to_distance(metric: str, scores: Floats) -> Floats:
    """Return scores under Milvus's sign: L2's as squared distances, every other metric's as they are."""
    return np.float32(0) - scores if metric == Metric.L2 else scores


def from_distance(metric: str, distance: float) -> float:
    """Return the score behind a distance under Milvus's sign, for radius and range_filter."""
    return -distance if metric == Metric.L2 else distance


def dot(vectors: Floats, query: Floats) -> Floats:
    """Return one inner product per row, float32 (n,).

    Each row is its own BLAS dot product, so equal vectors have bit-equal scores wherever they stand, and no
    second BLAS thread wakes up (a matrix-vector product does both wrong from about 1,000 x 384 on).
    """
    products: Floats = np.matmul(vectors[:, None, :], query[:, None])[:, 0, 0]
    return products


def norms(vectors: Floats) -> Floats:
    """Return the L2 norm of every row, float32 (n,); what storage keeps beside the vectors."""
    with np.errstate(over="ignore", under="ignore"):
        squares: Floats = np.matmul(vectors[:, None, :], vectors[:, :, None])[:, 0, 0]
        lengths: Floats = np.sqrt(squares)
        unsafe = np.flatnonzero(~np.isfinite(squares) | (squares < _LEAST_SAFE_SQUARE))
        if len(unsafe):
            lengths[unsafe] = np.linalg.norm(vectors[unsafe].astype(np.float64), axis=1)
    return lengths


def unit(vectors: Floats, lengths: Floats) -> Floats:
    """Return the rows scaled to length 1, float32 (n, d); rows of length zero stay zero."""
    divisor = np.where(lengths > 0, lengths, np.float32(1))
    scaled: Floats = np.divide(vectors, divisor[:, None], dtype=np.float32)
    return scaled


def unit_query(query: Floats) -> Floats:
    """Return one query vector scaled to length 1, float32 (d,); zero stays zero."""
    square = float(np.dot(query, query))
    length = math.sqrt(square) if _LEAST_SAFE_SQUARE < square < math.inf else float(norms(query[None, :])[0])
    scaled: Floats = query / np.float32(length or 1)
    return scaled
