"""An answered question: hits with their rank on every route, and the terms they share with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rank:
    """A place in one route's list, from 1, and the score that gave it."""

    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found. `dense` and `bm25` are None where a route did not find it among its best.

    `matched` has the terms of the question that the passage has, with what each adds to its BM25 score.
    """

    id: str
    title: str
    module: str
    kind: str
    text: str
    fused: Rank
    dense: Rank | None
    bm25: Rank | None
    matched: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Answer:
    """A question, its hits best first, and the milliseconds its embedding and its hybrid search took."""

    question: str
    hits: list[Hit]
    embed_ms: float
    search_ms: float
