"""How good a knowledge base's answers are, on judged questions."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Evaluation:
    """Means over the judged questions: nDCG, recall and reciprocal rank among the best `k` documents; milliseconds."""

    questions: int
    k: int
    ndcg: float
    recall: float
    mrr: float
    median_ms: float

    def __str__(self) -> str:
        return (
            f"{self.questions} questions: nDCG@{self.k} {self.ndcg:.3f}, recall@{self.k} {self.recall:.3f}, "
            f"MRR@{self.k} {self.mrr:.3f}, {self.median_ms:.1f} ms"
        )


def ndcg(found: Sequence[str], relevance: Mapping[str, float], k: int) -> float:
    """Normalised discounted cumulative gain of the best k, with gain 2^relevance - 1 (Burges et al. 2005)."""
    gains = [2 ** relevance.get(key, 0) - 1 for key in found[:k]]
    ideal = sorted((2**value - 1 for value in relevance.values()), reverse=True)[:k]
    return _discounted(gains) / max(_discounted(ideal), 1e-12)


def _discounted(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 2) for rank, gain in enumerate(gains))


def recall(found: Sequence[str], relevance: Mapping[str, float], k: int) -> float:
    """The share of the relevant documents that is among the best k."""
    relevant = {key for key, value in relevance.items() if value > 0}
    return len(relevant & set(found[:k])) / len(relevant)


def reciprocal_rank(found: Sequence[str], relevance: Mapping[str, float], k: int) -> float:
    """One over the rank of the first relevant document among the best k, or zero."""
    return next((1 / rank for rank, key in enumerate(found[:k], 1) if relevance.get(key, 0) > 0), 0.0)


def summarise(
    answers: Sequence[tuple[Sequence[str], Mapping[str, float]]], milliseconds: Sequence[float], k: int
) -> Evaluation:
    """Average over (documents found, their relevance)."""

    def mean(of: Callable[[Sequence[str], Mapping[str, float], int], float]) -> float:
        return statistics.fmean(of(found, judged, k) for found, judged in answers)

    return Evaluation(len(answers), k, mean(ndcg), mean(recall), mean(reciprocal_rank), statistics.median(milliseconds))
