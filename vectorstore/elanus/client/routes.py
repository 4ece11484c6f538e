"""From the arguments of a search to checked routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from elanus.client.keys import as_keys
from elanus.engine.collection import Collection
from elanus.engine.embedding import query_data
from elanus.errors import InvalidArgument
from elanus.filter import Predicate
from elanus.rank import AnnSearchRequest
from elanus.schema.collection import CollectionSchema
from elanus.search.request import Route, check_window, make_predicate, make_route, pick_field
from elanus.search.stored import stored_queries
from elanus.storage.view import View


def search_data(collection: Collection, view: View, anns_field: str | None, data: Any, ids: Any) -> Any:
    """What to search with: the data, or what the rows of `ids` hold."""
    if ids is None:
        return data
    if data is not None:
        raise InvalidArgument("search: give either data or ids")
    schema = collection.definition.schema
    return stored_queries(view, schema, pick_field(schema, anns_field), as_keys(collection, ids))


def check_readable(schema: CollectionSchema, route: Route) -> None:
    """Refuse stored texts as queries where several analyzers could read them and nobody says which."""
    source = schema.bm25_input(route.field.name)
    if source is not None and source.multi_analyzer_params and route.params.analyzer_name is None:
        raise InvalidArgument(
            f"search: ids: '{source.name}' has several analyzers; say which reads the stored texts, with search_params "
            "{'analyzer_name': ...}"
        )


def routes_of(
    collection: Collection, requests: Sequence[AnnSearchRequest], inside: tuple[int, ...] | None
) -> list[Route]:
    """The routes of a hybrid search; `inside` are the partitions to search, None for all."""
    routes = []
    for request in requests:
        limit, _ = check_window(request.limit, 0)
        predicate = make_predicate(collection.definition.schema, request.expr, request.expr_params, inside)
        routes.append(route_of(collection, request.anns_field, request.data, limit, predicate, request.param))
    counts = [route.queries for route in routes]
    if len(set(counts)) > 1:
        raise InvalidArgument(f"hybrid_search: the requests have different numbers of queries: {counts}")
    return routes


def route_of(
    collection: Collection,
    anns_field: str | None,
    data: Any,
    limit: int,
    predicate: Predicate | None,
    params: Mapping[str, Any] | None,
) -> Route:
    """One route; texts for a field that an embedding function fills are embedded."""
    definition = collection.definition
    field = pick_field(definition.schema, anns_field)
    vectors_or_texts = query_data(collection.name, definition, field, data)
    return make_route(definition.schema, definition.specs, field, vectors_or_texts, limit, predicate, params)
