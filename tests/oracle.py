"""The whole database in numpy and dicts: slow, obvious, and what every answer of the engine is held against.

A table is a dict from key to row; writing a key again moves it to the end. Scores are computed row by row from the
published formulas, in float64, over living rows only.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

Row = Mapping[str, Any]
Key = int | str
Scores = dict[Key, float]
K1, B = 1.2, 0.75


@dataclass(frozen=True)
class Condition:
    """A filter twice: as the text that the engine parses, and as a test that gives True, False or None (unknown)."""

    text: str
    test: Callable[[Row], bool | None]

    def __and__(self, other: Condition) -> Condition:
        return Condition(f"({self.text}) and ({other.text})", lambda row: _and(self.test(row), other.test(row)))

    def __or__(self, other: Condition) -> Condition:
        either = Condition("", lambda row: _not(_and(_not(self.test(row)), _not(other.test(row)))))
        return Condition(f"({self.text}) or ({other.text})", either.test)

    def __invert__(self) -> Condition:
        return Condition(f"not ({self.text})", lambda row: _not(self.test(row)))


def _and(a: bool | None, b: bool | None) -> bool | None:
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def _not(a: bool | None) -> bool | None:
    return None if a is None else not a


ALL = Condition("", lambda row: True)


@dataclass
class Table:
    """One collection: `metrics` by vector field, `texts` the text field behind each BM25 field."""

    key: str
    metrics: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    rows: dict[Key, Row] = field(default_factory=dict)

    def write(self, rows: Iterable[Row]) -> None:
        """Insert or upsert: the newest row of a key wins."""
        for row in rows:
            self.rows.pop(row[self.key], None)
            self.rows[row[self.key]] = dict(row)

    def delete(self, keys: Iterable[Key]) -> int:
        """Delete by key; return how many rows there were."""
        return sum(self.rows.pop(key, None) is not None for key in keys)

    def delete_where(self, condition: Condition) -> int:
        """Delete by filter; return how many rows there were."""
        return self.delete(self.matching(condition))

    def matching(self, condition: Condition = ALL) -> list[Key]:
        """The keys of the rows for which the condition is true (not unknown)."""
        return [key for key, row in self.rows.items() if condition.test(row) is True]

    def dense(self, name: str, query: Sequence[float], condition: Condition = ALL) -> Scores:
        """Milvus's distance of every matching row that has a vector to a query vector; bits are zeros and ones."""
        measure = MEASURES[self.metrics[name]]
        vector = np.asarray(query, np.float32).astype(np.float64)
        return {
            key: measure(np.asarray(self.rows[key][name], np.float32).astype(np.float64), vector)
            for key in self.matching(condition)
            if self.rows[key][name] is not None
        }

    def late(
        self, array: str, inner: str, metric: str, query: Sequence[Sequence[float]], condition: Condition = ALL
    ) -> Scores:
        """MAX_SIM: the sum, over the query's vectors, of the best measure among a matching row's vectors."""
        best = min if metric in DISTANCES else max
        scores: Scores = {}
        for key in self.matching(condition):
            held = [np.asarray(item[inner], np.float64) for item in self.rows[key][array] or []]
            if held:
                scores[key] = sum(best(MEASURES[metric](one, np.asarray(q, np.float64)) for one in held) for q in query)
        return scores

    def sparse(self, name: str, query: Mapping[int, float], condition: Condition = ALL) -> Scores:
        """The inner product of every matching row that has weight at an index where the query has some."""
        scores: Scores = {}
        for key in self.matching(condition):
            held = self.rows[key][name] or {}
            common = [index for index in query if query[index] > 0 and held.get(index, 0) > 0]
            if common:
                scores[key] = sum(float(np.float32(query[i])) * float(np.float32(held[i])) for i in common)
        return scores

    def bm25(self, name: str, query: str, condition: Condition = ALL, k1: float = K1, b: float = B) -> Scores:
        """BM25 (Robertson, with the idf that is never negative) of every matching row that shares a term."""
        documents = {key: Counter(terms(row[self.texts[name]])) for key, row in self.rows.items()}
        lengths = {key: sum(counts.values()) for key, counts in documents.items()}
        average = sum(lengths.values()) / len(lengths) if lengths else 0.0
        scores: Scores = {}
        for key in self.matching(condition):
            counts, total = documents[key], 0.0
            for term, repeats in Counter(terms(query)).items():
                if counts[term]:
                    frequency = sum(1 for c in documents.values() if c[term])
                    idf = math.log(1 + (len(documents) - frequency + 0.5) / (frequency + 0.5))
                    weight = counts[term] * (k1 + 1)
                    total += repeats * idf * weight / (counts[term] + k1 * (1 - b + b * lengths[key] / average))
            if total:
                scores[key] = total
        return scores


def terms(text: str | None) -> list[str]:
    """The standard analyzer's terms of a text that consists of ASCII words and blanks."""
    return (text or "").lower().split()


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norms if norms else 0.0


MEASURES: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "COSINE": _cosine,
    "IP": lambda a, b: float(a @ b),
    "L2": lambda a, b: float((a - b) @ (a - b)),
    "HAMMING": lambda a, b: float(np.count_nonzero(a != b)),
    "JACCARD": lambda a, b: 1 - float((a * b).sum()) / float(np.maximum(a, b).sum()) if (a + b).any() else 1.0,
}
DISTANCES = ("L2", "HAMMING", "JACCARD")


def ranked(scores: Scores, metric: str = "BM25") -> list[tuple[Key, float]]:
    """Keys and scores, best first (of distances the smallest)."""
    return sorted(scores.items(), key=lambda item: item[1], reverse=metric not in DISTANCES)


def has_ties(scores: Scores, tolerance: float = 1e-6) -> bool:
    """Whether two scores are so close that their order is anybody's choice."""
    values = sorted(scores.values())
    return any(b - a <= tolerance * max(1.0, abs(b)) for a, b in pairwise(values))


def rrf(routes: Sequence[Sequence[tuple[Key, float]]], k: float = 60) -> Scores:
    """Reciprocal rank fusion (Cormack et al. 2009): the sum of 1 / (k + rank), ranks from 1."""
    fused: Scores = {}
    for route in routes:
        for rank, (key, _) in enumerate(route, 1):
            fused[key] = fused.get(key, 0.0) + 1 / (k + rank)
    return fused


def weighted(routes: Sequence[Sequence[tuple[Key, float]]], metrics: Sequence[str], weights: Sequence[float]) -> Scores:
    """The weighted sum of scores brought to (0, 1) as Milvus brings them."""
    fused: Scores = {}
    for route, metric, weight in zip(routes, metrics, weights, strict=True):
        for key, score in route:
            fused[key] = fused.get(key, 0.0) + weight * NORMALISED[metric](score)
    return fused


def dbsf(routes: Sequence[Sequence[tuple[Key, float]]], weights: Sequence[float]) -> Scores:
    """The weighted sum of each score's place between three standard deviations below and above its route's mean."""
    fused: Scores = {}
    for route, weight in zip(routes, weights, strict=True):
        scores = [score for _, score in route]
        deviation = statistics.stdev(scores) if len(scores) > 1 else 0.0
        for key, score in route:
            low = statistics.fmean(scores) - 3 * deviation
            place = (score - low) / (6 * deviation) if deviation else 0.5
            fused[key] = fused.get(key, 0.0) + weight * min(max(place, 0.0), 1.0)
    return fused


NORMALISED: dict[str, Callable[[float], float]] = {
    "COSINE": lambda s: (1 + s) / 2,
    "IP": lambda s: 0.5 + math.atan(s) / math.pi,
    **dict.fromkeys(DISTANCES, lambda s: 1 - 2 * math.atan(s) / math.pi),
    "BM25": lambda s: 2 * math.atan(s) / math.pi,
}
