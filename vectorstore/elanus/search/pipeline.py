"""Follow a search: a route becomes found rows; several routes are fused; found rows become hits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from elanus.schema.collection import CollectionSchema
from elanus.search.dense import planned_vectors, search_vectors
from elanus.search.found import Found
from elanus.search.matching import Matching, matching
from elanus.search.multi import search_lists
from elanus.search.ranges import ranked_within
from elanus.search.request import Route
from elanus.search.sparse import search_sparse
from elanus.search.text import search_texts
from elanus.search.tracing import Trace, stage
from elanus.storage.view import View


def run_route(view: View, schema: CollectionSchema, route: Route, trace: Trace | None = None) -> list[Found]:
    """Search one field with each of the route's queries; the best `limit` rows for each, ties by row number.

    With a band, the best of those within it. A trace notes how it was done.
    """
    with stage(trace, "filter"):
        allowed = matching(view, route.predicate)
    return run_among(view, schema, route, allowed, trace)


def run_among(
    view: View, schema: CollectionSchema, route: Route, allowed: Matching, trace: Trace | None = None
) -> list[Found]:
    """As `run_route` among the allowed rows, whatever the route's filter says."""
    with stage(trace, "search"):
        found = _found(view, schema, route, allowed)
    if trace is not None:
        trace.facts |= {
            "field": route.field.name,
            "metric": route.spec.metric,
            "index": route.spec.index_type,
            "limit": route.limit,
            "rows": view.rows,
            "matching": allowed.total,
            "ways": planned_vectors(view, route, allowed) if route.vectors is not None else [_way(route, allowed)],
        }
    return found


def _way(route: Route, allowed: Matching) -> dict[str, Any]:
    """How a route that is not over dense vectors finds its hits."""
    return {"matching": allowed.total, "way": "postings" if route.lists is None else "every row"}


def _found(view: View, schema: CollectionSchema, route: Route, allowed: Matching) -> list[Found]:
    if route.vectors is not None:
        return search_vectors(view, route, allowed)
    if route.band is not None:
        return ranked_within(lambda k: _ranked(view, schema, replace(route, limit=k), allowed), route.band, route.limit)
    return _ranked(view, schema, route, allowed)


def _ranked(view: View, schema: CollectionSchema, route: Route, allowed: Matching) -> list[Found]:
    """The exact best of a route over an inverted index, or over lists of vectors."""
    if route.lists is not None:
        return search_lists(view, route, allowed)
    if route.sparse is not None:
        return search_sparse(view, route, allowed)
    return search_texts(view, schema, route, allowed)
