"""How alike two dense vectors are: the metrics, the vectors' norms, and Milvus's sign for them."""

from __future__ import annotations

import math
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from elanus.index.stored import chunks, count_bits, widen

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

_LEAST_SAFE_SQUARE = 1e-30
_LARGEST = 3e38


class Metric(str, Enum):
    """A metric of vectors of numbers; its `score` always grows with likeness (L2: negative squared distance)."""

    COSINE = "COSINE"
    IP = "IP"
    L2 = "L2"


class BitMetric(str, Enum):
    """A metric of binary vectors; its score is the negative distance."""

    HAMMING = "HAMMING"
    JACCARD = "JACCARD"


AnyMetric = Metric | BitMetric
MAX_SIM = "MAX_SIM"
DISTANCES = ("L2", "HAMMING", "JACCARD", "MAX_SIM_L2", "MAX_SIM_HAMMING", "MAX_SIM_JACCARD")
"""The metrics whose values fall with likeness, as Milvus tells them; their score is the negative."""


def as_metric(name: str) -> AnyMetric:
    """Return the metric of that name."""
    return BitMetric(name) if name in BitMetric.__members__ else Metric(name)


def of_max_sim(name: str) -> AnyMetric:
    """Return the metric by which a MAX_SIM metric compares single vectors; MAX_SIM alone is by COSINE."""
    return as_metric(name.removeprefix(MAX_SIM).removeprefix("_") or Metric.COSINE.value)


def to_distance(metric: str, scores: Floats) -> Floats:
    """Return scores under Milvus's sign: distances as such (L2's squared), every other metric's as they are."""
    return np.float32(0) - scores if metric in DISTANCES else scores


def from_distance(metric: str, distance: float) -> float:
    """Return the score behind a distance under Milvus's sign, for radius and range_filter."""
    return -distance if metric in DISTANCES else distance


def dot(vectors: Floats, query: Floats) -> Floats:
    """Return one inner product per row, float32 (n,).

    Each row is its own BLAS dot product, so equal vectors have bit-equal scores wherever they stand, and no
    second BLAS thread wakes up (a matrix-vector product does both wrong from about 1,000 x 384 on).
    """
    products: Floats = np.matmul(vectors[:, None, :], query[:, None])[:, 0, 0]
    return products


def norms(vectors: Floats) -> Floats:
    """Return the L2 norm of every row, float32 (n,), what storage keeps beside the vectors; of bits their number."""
    if vectors.dtype == np.uint8:
        return count_bits(vectors)
    if vectors.dtype != np.float32:
        return np.concatenate([np.empty(0, np.float32), *(norms(widen(vectors[at])) for at in chunks(*vectors.shape))])
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
    wide = query.astype(np.float64)  # in which no square of a float32 overflows
    length = math.sqrt(float(np.dot(wide, wide)))
    scaled: Floats = query / np.float32(length or 1) if length < _LARGEST else (wide / length).astype(np.float32)
    return scaled
