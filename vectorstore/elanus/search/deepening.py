"""The whole ranking of one query, a stretch at a time."""

from __future__ import annotations

from dataclasses import replace

from elanus.schema.collection import CollectionSchema
from elanus.search.found import NOTHING, Found
from elanus.search.pipeline import run_route
from elanus.search.request import Route
from elanus.storage.view import View

WIDENING = 4
"""Each search goes so many times as deep as the last one, so that few searches reach the end."""


class Ranking:
    """The hits of a route's one query, best first, each once, as they are in one view.

    Every row is scored exactly, whatever the index: only so is what a deeper search finds a continuation.
    """

    def __init__(self, view: View, schema: CollectionSchema, route: Route) -> None:
        self.view, self._schema = view, schema
        self._route = replace(route, spec=replace(route.spec, index_type="FLAT"))
        self._found, self._depth, self._position = NOTHING, 0, 0

    def next(self, count: int) -> Found:
        """The next `count` hits; fewer at the end, then none."""
        end = self._position + count
        if end > len(self._found.rids) == self._depth:
            self._depth = max(WIDENING * self._depth, WIDENING * count, end)
            (self._found,) = run_route(self.view, self._schema, replace(self._route, limit=self._depth))
        hits = self._found.window(self._position, count)
        self._position += len(hits.rids)
        return hits
