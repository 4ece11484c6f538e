"""Vectors of each kind as bytes, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from elanus_models.model import Floats, Sparse


@dataclass(frozen=True)
class Codec:
    """How vectors of one kind are written, read, and put together as an embedder gives them."""

    write: Callable[[Any], bytes]
    read: Callable[[bytes], Any]
    join: Callable[[Sequence[Any]], Any]


def _write_dense(vector: Floats) -> bytes:
    return np.asarray(vector, "<f4").tobytes()


def _read_dense(raw: bytes) -> Floats:
    return np.frombuffer(raw, "<f4")


def _write_sparse(vector: Sparse) -> bytes:
    """All numbers, then all weights: weights as float64, so that they come back unchanged."""
    return np.array(list(vector), "<u4").tobytes() + np.array(list(vector.values()), "<f8").tobytes()


def _read_sparse(raw: bytes) -> Sparse:
    count = len(raw) // 12
    numbers, weights = np.frombuffer(raw, "<u4", count), np.frombuffer(raw, "<f8", count, 4 * count)
    return dict(zip(numbers.tolist(), weights.tolist(), strict=True))


def _write_tokens(vectors: Floats) -> bytes:
    return int(vectors.shape[1]).to_bytes(4, "little") + np.asarray(vectors, "<f4").tobytes()


def _read_tokens(raw: bytes) -> Floats:
    return np.frombuffer(raw, "<f4", offset=4).reshape(-1, int.from_bytes(raw[:4], "little"))


CODECS: Mapping[str, Codec] = {
    "dense": Codec(_write_dense, _read_dense, np.stack),
    "sparse": Codec(_write_sparse, _read_sparse, list),
    "tokens": Codec(_write_tokens, _read_tokens, list),
}
