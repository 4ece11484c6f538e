"""Search and hybrid search."""

from __future__ import annotations

from typing import Any

from elanus.client.base import Base
from elanus.client.options import check_consistency, check_dict, check_timeout, refuse
from elanus.client.results import Hits, SearchResult, make_hits
from elanus.engine.collection import Collection
from elanus.errors import InvalidArgument
from elanus.filter import Expression
from elanus.index.metric import to_distance
from elanus.rank import AnnSearchRequest, as_ranker, as_request
from elanus.schema.output import Output
from elanus.search.found import Found, fetch_with_keys
from elanus.search.pipeline import run_route
from elanus.search.request import check_window, make_predicate, make_route
from elanus.storage.view import View


class Searching(Base):
    """The client's methods that rank rows."""

    def search(
        self,
        collection_name: str,
        data: Any = None,
        filter: str | Expression | None = "",
        limit: int = 10,
        output_fields: list[str] | None = None,
        search_params: dict[str, Any] | None = None,
        timeout: float | None = None,
        partition_names: list[str] | None = None,
        anns_field: str | None = None,
        **kwargs: Any,
    ) -> SearchResult:
        """Return, for each query, the `limit` most similar rows that match the filter.

        Args:
            data: vectors (a list, or a float array of shape (queries, dim)), or texts for a BM25 field.
            filter, filter_params: a Milvus boolean expression and the values of its `{name}` places, or an
                `elanus.Expression` (`F.year >= 2020`), which holds its own.
            output_fields: fields to return with each hit; "*" means all.
            search_params: {"params": {...}} of the index; see the index's documentation.
            anns_field: the field to search; needed if there are several.
            offset: how many hits to skip, by keyword.

        Returns:
            One list of hits per query, best first: {key: ..., "distance": ..., "entity": {...}}. min(limit,
            matching rows) hits each. COSINE, IP and BM25 distances grow with likeness, L2 is the squared distance.

        Raises:
            InvalidArgument, FilterError, CollectionNotFound, CollectionNotLoaded, NotSupported: see each message.
        """
        filter_params = kwargs.pop("filter_params", None)
        search_params = check_dict("search", "search_params", search_params)
        offset = kwargs.pop("offset", search_params.get("offset", 0))
        check_consistency("search", kwargs.pop("consistency_level", None))
        refuse("search", {"partition_names": partition_names, **kwargs}, ("filter_params", "offset"))
        check_timeout("search", timeout)
        limit, offset = check_window(limit, offset)
        collection = self._loaded(collection_name)
        view, schema = collection.view(), collection.definition.schema
        output = collection.definition.output(output_fields)
        predicate = make_predicate(schema, filter, filter_params)
        params = {key: value for key, value in search_params.items() if key != "offset"}
        route = make_route(schema, collection.definition.specs, anns_field, data, limit + offset, predicate, params)
        found = [hits.window(offset, limit) for hits in run_route(view, schema, route)]
        return SearchResult(
            [
                _hits(collection, view, hits, to_distance(route.spec.metric, hits.scores).tolist(), output)
                for hits in found
            ]
        )

    def hybrid_search(
        self,
        collection_name: str,
        reqs: list[AnnSearchRequest],
        ranker: Any,
        limit: int = 10,
        output_fields: list[str] | None = None,
        timeout: float | None = None,
        partition_names: list[str] | None = None,
        **kwargs: Any,
    ) -> SearchResult:
        """Run several searches and fuse their hits with `RRFRanker` or `WeightedRanker`.

        Each `AnnSearchRequest` has its own field, data, limit and filter, and as many queries as the others. The
        distance of a hit is its fused score.

        Raises:
            as `search` does, naming the request.
        """
        offset = kwargs.pop("offset", 0)
        check_consistency("hybrid_search", kwargs.pop("consistency_level", None))
        refuse("hybrid_search", {"partition_names": partition_names, **kwargs}, ("offset",))
        check_timeout("hybrid_search", timeout)
        limit, offset = check_window(limit, offset)
        collection = self._loaded(collection_name)
        view, schema = collection.view(), collection.definition.schema
        output = collection.definition.output(output_fields)
        if not reqs:
            raise InvalidArgument("hybrid_search: reqs is empty; give at least one AnnSearchRequest")
        routes = [self._route(collection, as_request(request)) for request in reqs]
        if len({route.queries for route in routes}) > 1:
            counts = [route.queries for route in routes]
            raise InvalidArgument(f"hybrid_search: the requests have different numbers of queries: {counts}")
        fuse = as_ranker(ranker, [route.spec.metric for route in routes])
        per_route = [run_route(view, schema, route) for route in routes]
        results = []
        for query in range(routes[0].queries):
            rids, scores = fuse([(found[query].rids, found[query].scores) for found in per_route])
            hits = Found(rids, scores).window(offset, limit)
            results.append(_hits(collection, view, hits, hits.scores.tolist(), output))
        return SearchResult(results)

    def _route(self, collection: Collection, request: AnnSearchRequest) -> Any:
        definition = collection.definition
        limit, _ = check_window(request.limit, 0)
        predicate = make_predicate(definition.schema, request.expr, request.expr_params)
        return make_route(
            definition.schema,
            definition.specs,
            request.anns_field,
            request.data,
            limit,
            predicate,
            request.param,
        )


def _hits(collection: Collection, view: View, found: Found, distances: list[float], output: Output) -> Hits:
    definition = collection.definition
    rows = fetch_with_keys(view, definition.key_field, found.rids, output)
    return make_hits(definition.key_field, rows, distances)
