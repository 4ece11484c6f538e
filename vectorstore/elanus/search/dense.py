"""Dense search: each source of rows finds its best by the cheapest way, scored exactly; the best of all win.

A large segment is a source of its own, with its codes and, above the crossover, its graph. All small segments and
the tail together are one source, so that many of them cost no more than one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from elanus.index import exact
from elanus.index.graph import LEAST_EF
from elanus.index.metric import Metric
from elanus.index.planning import EXACT_ROWS, Strategy, candidates, plan_filtered
from elanus.search.found import NOTHING, Found
from elanus.search.matching import Matching
from elanus.search.request import Route
from elanus.search.vectors import Field, Source, coded_sources
from elanus.storage.part import Bools, Floats, Int64s
from elanus.storage.view import Slice, View


@dataclass(frozen=True, eq=False)
class Rows:
    """Slices with the masks of the rows that may be hits; what every way of searching reads."""

    slices: Sequence[Slice]
    masks: Sequence[Bools | None]
    counts: Sequence[int]

    @property
    def size(self) -> int:
        """All rows, dead or alive."""
        return sum(s.part.rows for s in self.slices)

    @property
    def matches(self) -> int:
        """The rows that may be hits."""
        return sum(self.counts)


@dataclass(frozen=True)
class Aim:
    """What all queries of a route have in common."""

    field: Field
    k: int
    ef: int


def search_vectors(view: View, route: Route, allowed: Matching) -> list[Found]:
    """The best `route.limit` rows for each query vector, by exact score; never fewer than match."""
    assert route.vectors is not None
    field, k = Field(route.field.name, Metric(route.spec.metric)), route.limit
    aim = Aim(field, k, route.params.ef or LEAST_EF)
    everything = Rows(view.slices, allowed.masks, allowed.counts)
    if route.spec.index_type == "FLAT" or everything.matches <= max(k, EXACT_ROWS):
        return [_exact(aim, everything, query) for query in route.vectors]
    plans = [_plan(source, allowed, k) for source in coded_sources(view, field)]
    return [_best([_search_source(aim, plan, query) for plan in plans], k) for query in route.vectors]


@dataclass(frozen=True, eq=False)
class Plan:
    """Rows of one source that may be hits, and their mask over slots; no source where scoring all is cheaper."""

    rows: Rows
    source: Source | None = None
    mask: Bools | None = None


def _plan(source: Source, allowed: Matching, k: int) -> Plan:
    masks, counts = [allowed.masks[i] for i in source.places], [allowed.counts[i] for i in source.places]
    rows = Rows(source.slices, masks, counts)
    if plan_filtered(rows.size, rows.matches, k) is Strategy.EXACT:
        return Plan(rows)
    return Plan(rows, source, allowed.once(source, lambda: source.mask(rows.masks)))


def _search_source(aim: Aim, plan: Plan, query: Floats) -> Found:
    """The best k of one source; scoring all its rows where the candidates turn out too few."""
    if plan.source is not None:
        slots = plan.source.search(query, candidates(aim.k, aim.field.metric), aim.ef, plan.mask)
        found = _score(aim.field, plan.source, plan.rows, query, slots)
        if len(found.rids) >= min(aim.k, plan.rows.matches):
            return found
    return _exact(aim, plan.rows, query)


def _score(field: Field, source: Source, rows: Rows, query: Floats, slots: Int64s) -> Found:
    """The candidates that may be hits, with their exact scores, in no order."""
    pieces = []
    for s, mask, at in zip(rows.slices, rows.masks, source.rows_at(slots), strict=True):
        kept = at if mask is None else at[mask[at]]
        if len(kept):
            matrix, norms = s.part.matrix(field.name), s.part.norms(field.name)
            scores = exact.scores(query, matrix, norms, kept, field.metric)
            pieces.append(Found(s.part.rids[kept], scores))
    return _joined(pieces)


def _exact(aim: Aim, rows: Rows, query: Floats) -> Found:
    """The best k by scoring every row that may be a hit."""
    pieces = []
    for s, mask, count in zip(rows.slices, rows.masks, rows.counts, strict=True):
        if count:
            at = None if mask is None else np.flatnonzero(mask)
            matrix, norms = s.part.matrix(aim.field.name), s.part.norms(aim.field.name)
            found, scores = exact.search(query, matrix, norms, at, aim.field.metric, min(aim.k, count))
            pieces.append(Found(s.part.rids[found], scores))
    return _best(pieces, aim.k)


def _best(pieces: Sequence[Found], k: int) -> Found:
    """The best k of several, ties by row number."""
    joined = _joined(pieces)
    return Found(*exact.top(joined.scores, joined.rids, k))


def _joined(pieces: Sequence[Found]) -> Found:
    if not pieces:
        return NOTHING
    if len(pieces) == 1:
        return pieces[0]
    return Found(np.concatenate([p.rids for p in pieces]), np.concatenate([p.scores for p in pieces]))
