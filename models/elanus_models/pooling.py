"""From one vector per token to one vector per text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

Pooling = Literal["mean", "cls", "max", "last"]
Floats = npt.NDArray[np.float32]
Lengths = npt.NDArray[np.int64]


def _mean(tokens: Floats, lengths: Lengths) -> Floats:
    sums = np.empty((len(tokens), tokens.shape[2]), dtype=np.float32)
    for row, length, out in zip(tokens, lengths.tolist(), sums, strict=True):
        np.add.reduce(row[:length], axis=0, out=out)
    sums /= np.maximum(lengths, 1).astype(np.float32)[:, None]
    return sums


def _cls(tokens: Floats, lengths: Lengths) -> Floats:
    return tokens[:, 0]


def _max(tokens: Floats, lengths: Lengths) -> Floats:
    largest = np.empty((len(tokens), tokens.shape[2]), dtype=np.float32)
    for row, length, out in zip(tokens, lengths.tolist(), largest, strict=True):
        np.maximum.reduce(row[: max(length, 1)], axis=0, out=out)
    return largest


def _last(tokens: Floats, lengths: Lengths) -> Floats:
    last: Floats = tokens[np.arange(len(tokens)), np.maximum(lengths, 1) - 1]
    return last


POOLINGS: dict[Pooling, Callable[[Floats, Lengths], Floats]] = {
    "mean": _mean,
    "cls": _cls,
    "max": _max,
    "last": _last,
}


def pool(tokens: Floats, lengths: Lengths, how: Pooling) -> Floats:
    """Pool token vectors (texts, width, dim), padded on the right, to text vectors (texts, dim)."""
    return POOLINGS[how](tokens, lengths)


def normalize(vectors: Floats) -> Floats:
    """Return the vectors scaled to unit length; a zero vector stays zero."""
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    unit: Floats = vectors / np.maximum(norms, np.float32(1e-12))[:, None]
    return unit
