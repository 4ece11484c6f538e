"""Late interaction: rows that hold several vectors each, compared with queries of several vectors each.

    score(row) = sum over the query's vectors of the best likeness among the row's vectors

Khattab & Zaharia, "ColBERT: Efficient and Effective Passage Search via Contextualized Late Interaction over BERT",
SIGIR 2020.
Every row that may be a hit is scored exactly; rows without vectors are no hits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from elanus.index import exact
from elanus.index.metric import AnyMetric, Floats, norms, of_max_sim
from elanus.schema.buffers import matrix
from elanus.search.found import NOTHING, Found
from elanus.search.matching import Matching
from elanus.search.request import Route
from elanus.storage.part import Int64s, Part
from elanus.storage.view import View

VECTORS_AT_ONCE = 16_384
"""How many of the rows' vectors are scored together, so that their scores stay in cache."""


@dataclass(frozen=True, eq=False)
class Lists:
    """The vectors in one struct array of a part: row i has vectors[bounds[i]:bounds[i + 1]]; their L2 norms."""

    bounds: Int64s
    vectors: np.ndarray[Any, Any]
    norms: Floats


def search_lists(view: View, route: Route, allowed: Matching) -> list[Found]:
    """The best `route.limit` rows for each query, a matrix of vectors."""
    assert route.lists is not None
    metric = of_max_sim(route.spec.metric)
    found: list[list[Found]] = [[NOTHING] for _ in route.lists]
    for s, choice in zip(view.slices, allowed.choices, strict=True):
        lists = lists_of(s.part, route.field.array or "", _inner_name(route.field.name))
        rows = _with_vectors(lists, np.arange(s.part.rows) if choice is None else choice.rows)
        if len(rows):
            for query, pieces in zip(route.lists, found, strict=True):
                best, scores = exact.top(_scores(query, lists, rows, metric), rows, route.limit)
                pieces.append(Found(s.part.rids[best], scores))
    return [_best(pieces, route.limit) for pieces in found]


def lists_of(part: Part, array: str, inner: str) -> Lists:
    """The vectors in the field `inner` of the struct array `array` of a part."""

    def make() -> Lists:
        column = part.column(array)
        offsets = np.frombuffer(column.buffers()[1] or bytes(4), np.int32)
        bounds = offsets[column.offset : column.offset + len(column) + 1].astype(np.int64)
        vectors = matrix(column.values.field(inner))
        return Lists(bounds, vectors, norms(vectors))

    return part.derive(("lists", array, inner), make)


def _inner_name(nested: str) -> str:
    return nested.partition("[")[2].removesuffix("]")


def _with_vectors(lists: Lists, rows: Int64s) -> Int64s:
    return rows[lists.bounds[rows + 1] > lists.bounds[rows]]


def _scores(query: Floats, lists: Lists, rows: Int64s, metric: AnyMetric) -> Floats:
    """Each row's score, float32 (rows,); all of them have vectors."""
    out = np.empty(len(rows), np.float32)
    for part in _groups(lists.bounds[rows + 1] - lists.bounds[rows]):
        starts, counts = lists.bounds[rows[part]], lists.bounds[rows[part] + 1] - lists.bounds[rows[part]]
        places = np.cumsum(counts) - counts
        at = np.repeat(starts - places, counts) + np.arange(int(counts.sum()))
        likeness = exact.scores(query, lists.vectors, lists.norms, at, metric)
        out[part] = np.maximum.reduceat(likeness, places, axis=1).sum(axis=0)
    return out


def _groups(counts: Int64s) -> Iterator[slice]:
    """Neighbouring rows of about `VECTORS_AT_ONCE` vectors together, at least one."""
    ends = np.cumsum(counts)
    start = 0
    while start < len(counts):
        done = int(ends[start - 1]) if start else 0
        end = max(start + 1, int(np.searchsorted(ends, done + VECTORS_AT_ONCE, "right")))
        yield slice(start, end)
        start = end


def _best(pieces: list[Found], k: int) -> Found:
    rids, scores = np.concatenate([p.rids for p in pieces]), np.concatenate([p.scores for p in pieces])
    return Found(*exact.top(scores, rids, k))
