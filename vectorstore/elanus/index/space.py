"""Coordinates in which an inner product ranks as the metric does, for codes that know inner products only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from elanus.index.metric import Floats, Metric, norms, unit, unit_query

_MULTIPLE = 32
"""turbovec scans 60,000 vectors of 416 coordinates in half the time of 392, and 96 no slower than 72."""

_LARGEST = np.float32(1e15)


@dataclass(frozen=True)
class Space:
    """A map of vectors and queries whose inner product grows with the metric's score.

    COSINE takes unit vectors and IP the vectors as they are. L2 moves the origin to `centre` and appends
    `-|x|^2 / (2 scale)` to a vector and `scale` to a query, so that their product is half the negative
    squared distance but for a term that all rows share. `width`, the number of
    coordinates of a mapped vector, is more than they need: zeros fill it up.
    """

    metric: Metric
    dim: int
    centre: Floats
    scale: float
    width: int

    @classmethod
    def fit(cls, metric: Metric, sample: Floats) -> Space:
        """Return the space for vectors like those of the sample, float32 (m, d).

        Half the median length as the scale gave the best recall for lengths spread over up to two decades
        (0.9995 of the ten best within 20 candidates; the root mean square gave 0.911).
        """
        dim = sample.shape[1]
        width = -(-(dim + (metric is Metric.L2)) // _MULTIPLE) * _MULTIPLE
        if metric is not Metric.L2:
            return cls(metric, dim, np.zeros(0, dtype=np.float32), 1.0, width)
        centre = sample.mean(axis=0, dtype=np.float64).astype(np.float32)
        lengths = norms(sample - centre)
        positive = lengths[lengths > 0]
        return cls(metric, dim, centre, float(np.median(positive)) / 2 if len(positive) else 1.0, width)

    def map_vectors(self, vectors: Floats, lengths: Floats) -> Floats:
        """Return the mapped rows, float32 (n, width)."""
        out = np.zeros((len(vectors), self.width), dtype=np.float32)
        if self.metric is Metric.COSINE:
            out[:, : self.dim] = unit(vectors, lengths)
        elif self.metric is Metric.IP:
            out[:, : self.dim] = vectors
        else:
            with np.errstate(over="ignore"):
                out[:, : self.dim] = vectors - self.centre
                out[:, self.dim] = np.square(norms(out)) / np.float32(-2 * self.scale)
        return np.clip(out, -_LARGEST, _LARGEST, out=out)

    def map_query(self, query: Floats) -> Floats:
        """Return one mapped query, float32 (width,)."""
        out = np.zeros(self.width, dtype=np.float32)
        if self.metric is Metric.COSINE:
            out[: self.dim] = unit_query(query)
            return out
        if self.metric is Metric.IP:
            out[: self.dim] = query
        else:
            out[: self.dim] = query - self.centre
            out[self.dim] = self.scale
        return np.clip(out, -_LARGEST, _LARGEST, out=out)

    def scores(self, query: Floats, products: Floats) -> Floats:
        """Return the metric's scores for inner products of mapped vectors with the mapped query."""
        if self.metric is not Metric.L2:
            return products
        with np.errstate(over="ignore"):
            apart = query - self.centre
            found: Floats = 2 * products - np.dot(apart, apart)
        return found
