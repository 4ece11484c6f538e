"""The right answers, found slowly: exact cosine, the BM25 formula over all rows, and their fusion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from elanus.analysis import make_analyzer

from benchmarks.data import Dataset

K1, B, RRF = 1.2, 0.75, 60
SLACK = 1e-5  # relative difference below which two scores are equal

Scores = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Truth:
    """One score per row for each judged query; a hit is right if its score reaches the k-th best."""

    scores: Scores

    def recall(self, found: Sequence[Sequence[int]], k: int, mask: Mask | None = None) -> float:
        """Return the mean share of the best `k` rows in the mask that were found."""
        shares = []
        for scores, rows in zip(self.scores, found, strict=False):
            allowed = np.where(mask, scores, -np.inf) if mask is not None else scores
            expected = min(k, int(np.count_nonzero(np.isfinite(allowed))))
            if not expected:
                continue
            worst = np.partition(allowed, -expected)[-expected]
            good = allowed[np.asarray(rows[:k], np.int64)] >= worst - SLACK * abs(worst)
            shares.append(np.count_nonzero(good) / expected)
        return float(np.mean(shares)) if shares else float("nan")


def cosine(data: Dataset, judged: int) -> Truth:
    return Truth((data.query_vectors[:judged] @ data.vectors.T).astype(np.float64))


def bm25(data: Dataset, judged: int) -> Truth:
    """Score all rows by Okapi BM25 with Lucene's idf; rows without a query term get minus infinity."""
    analyze = make_analyzer({"type": "english"}).tokens
    queries = [analyze(text) for text in data.query_texts[:judged]]
    wanted = {term for terms in queries for term in terms}
    lengths = np.zeros(len(data))
    postings: dict[str, tuple[list[int], list[int]]] = {term: ([], []) for term in wanted}
    for row, text in enumerate(data.texts):
        terms = analyze(text)
        lengths[row] = len(terms)
        for term, count in Counter(terms).items():
            if term in wanted:
                postings[term][0].append(row)
                postings[term][1].append(count)
    norms = K1 * (1 - B + B * lengths / lengths.mean())
    scores = np.full((len(queries), len(data)), -np.inf)
    for line, terms in zip(scores, queries, strict=True):
        for term in terms:
            rows, counts = (np.array(column, np.int64) for column in postings[term])
            idf = np.log(1 + (len(data) - len(rows) + 0.5) / (len(rows) + 0.5))
            line[rows] = np.where(np.isfinite(line[rows]), line[rows], 0) + idf * counts * (K1 + 1) / (
                counts + norms[rows]
            )
    return Truth(scores)


def fused(routes: Sequence[Truth], k: int) -> Truth:
    """Fuse each route's best `k` rows by reciprocal rank."""
    scores = np.zeros_like(routes[0].scores)
    for route in routes:
        for line, out in zip(route.scores, scores, strict=True):
            best = np.argsort(-line, kind="stable")[:k]
            best = best[np.isfinite(line[best])]
            out[best] += 1 / (RRF + 1 + np.arange(len(best)))
    return Truth(np.where(scores > 0, scores, -np.inf))
