"""Dense search: each source of rows finds its best by the cheapest way, scored exactly; the best of all win.

A large segment is a source of its own, with its codes and, above the crossover, its graph. All small segments and
the tail together are one source, so that many of them cost no more than one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from elanus.index import exact
from elanus.index.metric import AnyMetric, BitMetric, as_metric
from elanus.index.planning import EXACT_ROWS, MOST_CANDIDATES_SHARE, Strategy, candidates, plan_filtered
from elanus.search.calibrating import graph_effort, scan_effort
from elanus.search.found import NOTHING, Found
from elanus.search.matching import Matching
from elanus.search.ranges import Band
from elanus.search.request import Route
from elanus.search.vectors import GRAPH_SHARE, Field, Source, coded_sources
from elanus.storage.part import Bools, Floats, Int64s
from elanus.storage.view import Slice, View


@dataclass(frozen=True, eq=False)
class Rows:
    """Neighbouring slices of a view, the first of them number `first`, and which of their rows may be hits."""

    slices: Sequence[Slice]
    allowed: Matching
    first: int = 0

    @property
    def masks(self) -> Sequence[Bools | None]:
        """Per slice, the mask of the rows that may be hits."""
        return self.allowed.masks[self.first : self.first + len(self.slices)]

    @property
    def counts(self) -> Sequence[int]:
        """Per slice, how many rows may be hits."""
        return self.allowed.counts[self.first : self.first + len(self.slices)]

    def positions(self, number: int) -> Int64s | None:
        """The rows of one slice that may be hits; None for all."""
        choice = self.allowed.choices[self.first + number]
        return None if choice is None else choice.rows

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

    field: str
    metric: AnyMetric
    k: int
    ef: int | None
    band: Band | None = None
    target: float | None = None


def search_vectors(view: View, route: Route, allowed: Matching) -> list[Found]:
    """The best `route.limit` rows for each query vector, by exact score; never fewer than match."""
    assert route.vectors is not None
    aim, everything = _aim(route), Rows(view.slices, allowed)
    plans = _plans(view, route, aim, everything)
    if plans is None:
        return [_exact(aim, everything, query) for query in route.vectors]
    if route.band is not None:
        return [_search_within(aim, route.band, plans, everything, query) for query in route.vectors]
    return [_best([_search_source(aim, plan, query) for plan in plans], aim.k) for query in route.vectors]


def planned_vectors(view: View, route: Route, allowed: Matching) -> list[dict[str, Any]]:
    """How `search_vectors` finds its candidates: for each source its rows, those that may be hits, and the way."""
    aim, everything = _aim(route), Rows(view.slices, allowed)
    plans = _plans(view, route, aim, everything)
    return [plan.told(aim) for plan in ([Plan(everything)] if plans is None else plans)]


def _aim(route: Route) -> Aim:
    metric = as_metric(route.spec.metric)
    params = route.params
    return Aim(route.field.name, metric, route.limit, params.ef, route.band, params.target_recall)


def _plans(view: View, route: Route, aim: Aim, everything: Rows) -> list[Plan] | None:
    """The plan of each source; None where scoring every row that may be a hit is asked for, or costs less."""
    few = everything.matches <= max(aim.k, EXACT_ROWS)
    if few or route.spec.index_type == "FLAT" or isinstance(aim.metric, BitMetric):
        return None
    return [_plan(source, everything.allowed, aim) for source in coded_sources(view, Field(aim.field, aim.metric))]


@dataclass(frozen=True)
class Effort:
    """How many candidates are looked for, and how broadly in the graph; by scan where `ef` is None."""

    candidates: int
    ef: int | None


@dataclass(frozen=True, eq=False)
class Plan:
    """Rows of one source that may be hits, and their mask over slots; no source where scoring all is cheaper."""

    rows: Rows
    source: Source | None = None
    mask: Bools | None = None

    @property
    def by_graph(self) -> bool:
        """Whether there is a graph, and enough of its rows may be hits: where few may, it loses recall."""
        source = self.source
        return source is not None and source.has_graph and self.rows.matches >= GRAPH_SHARE * self.rows.size

    def effort(self, aim: Aim) -> Effort | None:
        """How hard to search for the aim; None where only scoring all rows will do."""
        if self.source is None:
            return None
        usual, asked = candidates(aim.k, aim.metric), aim.target
        if self.by_graph:
            ef = aim.ef or graph_effort(self.source, aim.k, asked)
            if ef is not None:
                return Effort(usual, ef if aim.ef else int(ef * self.rows.size / self.rows.matches))
        wanted = scan_effort(self.source, aim.k, asked, usual)
        if wanted is None or wanted > MOST_CANDIDATES_SHARE * self.rows.matches:
            return None
        return Effort(wanted, None)

    def told(self, aim: Aim) -> dict[str, Any]:
        """The plan as plain data; `scored` is how many rows are scored exactly for each query."""
        matches, effort = self.rows.matches, self.effort(aim)
        told: dict[str, Any] = {"rows": self.rows.size, "matching": matches}
        if effort is None:
            return {**told, "way": "exact", "scored": matches}
        scored = min(matches, effort.candidates)
        if effort.ef is None:
            return {**told, "way": "scan", "scored": scored}
        return {**told, "way": "graph", "ef": effort.ef, "scored": scored}


def _plan(source: Source, allowed: Matching, aim: Aim) -> Plan:
    rows = Rows(source.slices, allowed, source.first)
    if plan_filtered(rows.size, rows.matches, aim.k) is Strategy.EXACT or aim.target == 1:
        return Plan(rows)
    return Plan(rows, source, allowed.once(source, lambda: source.mask(rows.masks)))


def _search_source(aim: Aim, plan: Plan, query: Floats) -> Found:
    """The best k of one source; scoring all its rows where the candidates turn out too few."""
    effort = plan.effort(aim)
    if plan.source is not None and effort is not None:
        if effort.ef is None:
            slots = plan.source.scan(query, effort.candidates, plan.mask)
        else:
            slots = plan.source.walk(query, effort.candidates, effort.ef, plan.mask)
        found = _score(aim, plan.source, plan.rows, query, slots)
        if len(found.rids) >= min(aim.k, plan.rows.matches):
            return found
    return _exact(aim, plan.rows, query)


def _search_within(aim: Aim, band: Band, plans: Sequence[Plan], everything: Rows, query: Floats) -> Found:
    """The best k within a band; scoring all rows where the candidates do not hold k of them.

    The rows that are too near take the room of others, so their number is asked for besides.
    """
    near = _joined([_search_source(aim, plan, query) for plan in plans])
    too_near = band.above(near.scores)
    if too_near:
        wider = replace(aim, k=aim.k + too_near)
        near = _joined([_search_source(wider, plan, query) for plan in plans])
    found = band.keep(near)
    if len(found.rids) >= aim.k and band.above(near.scores) == too_near:
        return _best([found], aim.k)
    return _exact(aim, everything, query)


def _score(aim: Aim, source: Source, rows: Rows, query: Floats, slots: Int64s) -> Found:
    """The candidates that may be hits, with their exact scores, in no order."""
    rids, vectors, norms = [], [], []
    for s, mask, at in zip(rows.slices, rows.masks, source.rows_at(slots), strict=True):
        kept = at if mask is None else at[mask[at]]
        if len(kept):
            rids.append(s.part.rids[kept])
            vectors.append(s.part.matrix(aim.field)[kept])
            norms.append(s.part.norms(aim.field)[kept])
    if not rids:
        return NOTHING
    return Found(_one(rids), exact.scores(query, _one(vectors), _one(norms), None, aim.metric))


def _one(pieces: Sequence[Any]) -> Any:
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def _exact(aim: Aim, rows: Rows, query: Floats) -> Found:
    """The best k by scoring every row that may be a hit."""
    pieces = []
    for number, (s, count) in enumerate(zip(rows.slices, rows.counts, strict=True)):
        if count:
            at = rows.positions(number)
            matrix, norms = s.part.matrix(aim.field), s.part.norms(aim.field)
            if aim.band is None:
                found, scores = exact.search(query, matrix, norms, at, aim.metric, min(aim.k, count))
                pieces.append(Found(s.part.rids[found], scores))
            else:
                rids = s.part.rids if at is None else s.part.rids[at]
                pieces.append(aim.band.keep(Found(rids, exact.scores(query, matrix, norms, at, aim.metric))))
    return _best(pieces, aim.k)


def _best(pieces: Sequence[Found], k: int) -> Found:
    """The best k of several, ties by row number."""
    joined = _joined(pieces)
    return Found(*exact.top(joined.scores, joined.rids, k))


def _joined(pieces: Sequence[Found]) -> Found:
    return Found(_one([p.rids for p in pieces]), _one([p.scores for p in pieces])) if pieces else NOTHING
