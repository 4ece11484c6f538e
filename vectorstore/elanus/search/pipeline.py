"""Follow a search: a route becomes found rows; several routes are fused; found rows become hits."""

from __future__ import annotations

from elanus.schema.collection import CollectionSchema
from elanus.search.dense import search_vectors
from elanus.search.found import Found
from elanus.search.matching import matching
from elanus.search.multi import search_lists
from elanus.search.request import Route
from elanus.search.sparse import search_sparse
from elanus.search.text import search_texts
from elanus.storage.view import View


def run_route(view: View, schema: CollectionSchema, route: Route) -> list[Found]:
    """Search one field with each of the route's queries; the best `limit` rows for each, ties by row number."""
    allowed = matching(view, route.predicate)
    if route.lists is not None:
        return search_lists(view, route, allowed)
    if route.sparse is not None:
        return search_sparse(view, route, allowed)
    if route.vectors is None:
        return search_texts(view, schema, route, allowed)
    return search_vectors(view, route, allowed)
