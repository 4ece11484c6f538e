"""Why a hit is where it is: its rank and distance in every route, the terms it matched, its shares of the fusion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from elanus.index.metric import to_distance
from elanus.rank import Fuse
from elanus.schema.collection import CollectionSchema
from elanus.search.found import NOTHING, Found
from elanus.search.request import Route
from elanus.search.sparse import matched_indices
from elanus.search.text import matched_terms
from elanus.storage.view import View

Explanation = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Ways:
    """How the hits came about: what each route found, per query; what was merged of it; what a model made of that.

    `fuse` is how they were merged, if a merged score is the sum of the routes' shares. `rescored` is None without a
    model or a formula.
    """

    view: View
    schema: CollectionSchema
    routes: Sequence[Route]
    per_route: Sequence[Sequence[Found]]
    merged: Sequence[Found]
    fuse: Fuse | None = None
    rescored: Sequence[Found] | None = None

    @property
    def final(self) -> Sequence[Found]:
        """Each query's hits in their final order."""
        return self.merged if self.rescored is None else self.rescored

    def of(self, query: int, page: Found) -> list[Explanation]:
        """The explanation of each hit on one query's page."""
        found = [hits[query] for hits in self.per_route]
        ranks = [_ranks(hits) for hits in found]
        shares, judged = self._shares(found), self._judged(query)
        return [
            {
                "routes": [self._route(n, query, rid, ranks[n], found[n]) for n in range(len(found))],
                **self._fused(rid, shares),
                **judged.get(rid, {}),
            }
            for rid in page.rids.tolist()
        ]

    def _route(self, number: int, query: int, rid: int, ranks: dict[int, int], found: Found) -> Explanation:
        """One route's part: rank (from 1) and distance, None where it did not find the row."""
        route = self.routes[number]
        told: Explanation = {"field": route.field.name, "metric": route.spec.metric, "rank": None, "distance": None}
        place = ranks.get(rid)
        if place is None:
            return told
        told["rank"] = place + 1
        told["distance"] = float(to_distance(route.spec.metric, found.scores[place : place + 1])[0])
        if route.texts:
            told["terms"] = matched_terms(self.view, self.schema, route, route.texts[query], rid)
        elif route.sparse is not None:
            told["indices"] = matched_indices(self.view, route, query, rid)
        return told

    def _shares(self, found: Sequence[Found]) -> list[dict[int, float]]:
        """What each route alone brings to a row's fused score, which is the sum of them."""
        if self.fuse is None:
            return []
        shares = []
        for number in range(len(found)):
            alone = [hits if n == number else NOTHING for n, hits in enumerate(found)]
            rids, scores = self.fuse([(hits.rids, hits.scores) for hits in alone])
            shares.append(dict(zip(rids.tolist(), scores.tolist(), strict=True)))
        return shares

    def _fused(self, rid: int, shares: Sequence[dict[int, float]]) -> Explanation:
        if not shares:
            return {}
        names = [route.field.name for route in self.routes]
        if len(set(names)) < len(names):  # several requests over one field
            names = [f"{name} ({number})" for number, name in enumerate(names, 1)]
        own = {name: share.get(rid, 0.0) for name, share in zip(names, shares, strict=True)}
        return {"fusion": {"shares": own, "score": float(np.float32(sum(own.values())))}}

    def _judged(self, query: int) -> dict[int, Explanation]:
        """What a model made of each hit: its score, and the hit's rank (from 1) before and after."""
        if self.rescored is None:
            return {}
        hits, before = self.rescored[query], _ranks(self.merged[query])
        ranked = enumerate(zip(hits.rids.tolist(), hits.scores.tolist(), strict=True), 1)
        return {
            rid: {"reranker": {"score": score, "rank_before": before[rid] + 1, "rank_after": after}}
            for after, (rid, score) in ranked
        }


def _ranks(found: Found) -> dict[int, int]:
    return {rid: place for place, rid in enumerate(found.rids.tolist())}
