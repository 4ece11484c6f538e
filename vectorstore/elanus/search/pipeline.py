"""Follow a search: a route becomes found rows; several routes are fused; found rows become hits."""

from __future__ import annotations

from dataclasses import replace

from elanus.schema.collection import CollectionSchema
from elanus.search.dense import search_vectors
from elanus.search.found import Found
from elanus.search.matching import Matching, matching
from elanus.search.multi import search_lists
from elanus.search.ranges import ranked_within
from elanus.search.request import Route
from elanus.search.sparse import search_sparse
from elanus.search.text import search_texts
from elanus.storage.view import View


def run_route(view: View, schema: CollectionSchema, route: Route) -> list[Found]:
    """Search one field with each of the route's queries; the best `limit` rows for each, ties by row number.

    With a band, the best of those within it.
    """
    return run_among(view, schema, route, matching(view, route.predicate))


def run_among(view: View, schema: CollectionSchema, route: Route, allowed: Matching) -> list[Found]:
    """As `run_route` among the allowed rows, whatever the route's filter says."""
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
