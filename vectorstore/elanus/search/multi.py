"""Late interaction over a view's parts: every row that may be a hit and has vectors is compared."""

from __future__ import annotations

import numpy as np

from elanus.index import exact, late
from elanus.index.late import Lists
from elanus.index.metric import norms, of_max_sim
from elanus.schema.buffers import matrix
from elanus.search.found import NOTHING, Found
from elanus.search.matching import Matching
from elanus.search.request import Route
from elanus.storage.part import Part
from elanus.storage.view import View


def search_lists(view: View, route: Route, allowed: Matching) -> list[Found]:
    """The best `route.limit` rows for each query, a matrix of vectors."""
    assert route.lists is not None
    assert route.field.array is not None
    metric = of_max_sim(route.spec.metric)
    inner = route.field.name.partition("[")[2].removesuffix("]")
    found: list[list[Found]] = [[NOTHING] for _ in route.lists]
    for s, choice, count in zip(view.slices, allowed.choices, allowed.counts, strict=True):
        if not count:
            continue
        lists = lists_of(s.part, route.field.array, inner)
        rows = np.arange(s.part.rows) if choice is None else choice.rows
        for query, pieces in zip(route.lists, found, strict=True):
            best, scores = late.search(query, lists, rows, metric, route.limit)
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


def _best(pieces: list[Found], k: int) -> Found:
    rids, scores = np.concatenate([p.rids for p in pieces]), np.concatenate([p.scores for p in pieces])
    return Found(*exact.top(scores, rids, k))
