"""BM25 over all parts of a collection at once, with exact statistics.

    score(row) = sum over query terms of  qtf * idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / average))
    idf        = ln(1 + (N - df + 0.5) / (df + 0.5))

Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), with the idf that adds 1
inside the logarithm, as Lucene and Milvus do, so that no score is negative. qtf is how often the query has the term.

N, df and the average count every row that is alive and has a text: an empty text counts with length 0, a missing
one (null) does not count at all. Filters never change statistics. Sums are float32, within 1e-6 of the formula.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from elanus.errors import InvalidArgument
from elanus.index.inverted_search import Entry, Hits, Mask, PostingsPart, Rows, best_among, best_rows

K1 = 1.2
B = 0.75
"""Milvus's defaults."""


@dataclass(frozen=True)
class Statistics:
    """What BM25 needs to know of a collection: how many rows have a text, and how many tokens these hold."""

    rows: int
    tokens: int

    @property
    def average_length(self) -> float:
        return self.tokens / self.rows if self.tokens else 1.0

    def idf(self, frequency: int) -> float:
        """Return the inverse document frequency of a term that `frequency` rows have."""
        return math.log(1 + (self.rows - frequency + 0.5) / (frequency + 0.5))


def statistics(parts: Iterable[PostingsPart]) -> Statistics:
    """Return the statistics of all rows alive in these parts."""
    rows = tokens = 0
    for part in parts:
        rows += part.live_rows
        tokens += part.live_tokens
    return Statistics(rows, tokens)


def search(
    parts: Sequence[PostingsPart],
    terms: Iterable[str],
    k: int,
    *,
    allowed: Sequence[Mask | None] | None = None,
    among: Sequence[Rows] | None = None,
    k1: float = K1,
    b: float = B,
) -> Hits:
    """Return the k best rows of all parts for a query's terms, as `Analyzer.tokens` gives them.

    allowed: per part bool[rows], the rows that a filter lets through and that are alive; None: all alive.
    among: per part the same as ascending row numbers, instead of `allowed`, where they are few.
    Rows that have none of the terms are not returned. Raises InvalidArgument for k1 < 0 or b outside 0..1.
    """
    query = _weigh(parts, terms, k1, b)
    if among is not None:
        return best_among(parts, among, query.entries, query.weights, k, flat=query.flat, slope=query.slope)
    return best_rows(parts, query.entries, query.weights, k, allowed=allowed, flat=query.flat, slope=query.slope)


def explain(
    parts: Sequence[PostingsPart], terms: Iterable[str], part: int, row: int, *, k1: float = K1, b: float = B
) -> dict[str, float]:
    """Return what each query term that a row has adds to its score."""
    query = _weigh(parts, terms, k1, b)
    postings = parts[part].postings
    added = {}
    for term, weight in zip(query.terms, query.weights, strict=True):
        tf = postings.weight(term, row)
        if tf is not None:
            added[term] = weight * tf / (tf + query.flat + query.slope * float(postings.lengths[row]))
    return added


class _Query(NamedTuple):
    """A query's distinct terms by falling weight, qtf * idf * (k1 + 1), and where each part has them."""

    terms: list[str]
    weights: list[float]
    entries: list[list[Entry | None]]
    flat: float
    slope: float


def _weigh(parts: Sequence[PostingsPart], terms: Iterable[str], k1: float, b: float) -> _Query:
    if not (0 <= k1 < math.inf and 0 <= b <= 1):
        raise InvalidArgument(f"BM25 needs bm25_k1 >= 0 and 0 <= bm25_b <= 1, not {k1} and {b}")
    counts: dict[str, int] = {}
    for term in terms:
        counts[term] = counts.get(term, 0) + 1
    known = statistics(parts)
    weighed = []
    for term, count in counts.items():
        entries = [part.find(term) for part in parts]
        frequency = sum([entry.alive for entry in entries if entry is not None])
        if frequency:
            weighed.append((count * known.idf(frequency) * (k1 + 1), term, entries))
    weighed.sort(key=_by_weight)
    return _Query(
        [term for _, term, _ in weighed],
        [weight for weight, _, _ in weighed],
        [[entries[part] for _, _, entries in weighed] for part in range(len(parts))],
        k1 * (1 - b),
        k1 * b / known.average_length,
    )


def _by_weight(weighed: tuple[float, str, object]) -> tuple[float, str]:
    return -weighed[0], weighed[1]
