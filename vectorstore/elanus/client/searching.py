"""Search and hybrid search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from elanus.client.base import Base
from elanus.client.options import check_consistency, check_dict, check_timeout, refuse
from elanus.client.results import Hits, SearchResult, make_hits
from elanus.engine.collection import Collection
from elanus.engine.embedding import query_data
from elanus.errors import InvalidArgument
from elanus.filter import Expression, Predicate
from elanus.index.metric import to_distance
from elanus.rank import AnnSearchRequest, Reranking, RRFRanker, as_decay, as_ranker, as_request, as_reranking
from elanus.schema.output import Output
from elanus.search.decaying import check_decay, fade
from elanus.search.found import Found, fetch_with_keys
from elanus.search.pipeline import run_route
from elanus.search.request import MAX_LIMIT, Route, check_window, make_predicate, make_route, pick_field
from elanus.search.reranking import make_judge
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
        ranker: Any = None,
        **kwargs: Any,
    ) -> SearchResult:
        """Return, for each query, the `limit` most similar rows that match the filter.

        Args:
            data: vectors (a list, or a float array of shape (queries, dim)), or texts for a field that a BM25 or a
                TEXTEMBEDDING function fills.
            filter, filter_params: a Milvus boolean expression and the values of its `{name}` places, or an
                `elanus.Expression` (`F.year >= 2020`), which holds its own.
            output_fields: fields to return with each hit; "*" means all.
            search_params: {"params": {...}} of the index; see the index's documentation.
            anns_field: the field to search; needed if there are several.
            ranker: a model that ranks the best candidates anew: `Function(name, FunctionType.RERANK, [text_field],
                params={"reranker": "model", "provider": ..., "model_name": ...})`, or any object with
                `rerank(query, documents)`. The question is the text searched with, or the param "queries". It ranks 20
                candidates, or as many as the param "candidates" says, and at least limit + offset. Or a decay:
                params={"reranker": "decay", "function": "gauss", "origin": ..., "scale": ...} over a numeric field,
                which multiplies scores; it ranks 10 * (limit + offset) candidates, or as "candidates" says (Milvus:
                limit + offset). L2 distances count as 1 - 2 * atan(d) / pi.
            offset: how many hits to skip, by keyword.

        Returns:
            One list of hits per query, best first: {key: ..., "distance": ..., "entity": {...}}. min(limit,
            matching rows) hits each. COSINE, IP and BM25 distances grow with likeness, L2 is the squared distance;
            with a ranker the distance is the model's score.

        Raises:
            InvalidArgument, FilterError, CollectionNotFound, CollectionNotLoaded, NotSupported: see each message.
            ModelMismatch, ModelFailed: the model is another one than the one that filled the field, or failed.
        """
        filter_params = kwargs.pop("filter_params", None)
        search_params = check_dict("search", "search_params", search_params)
        offset = kwargs.pop("offset", search_params.get("offset", 0))
        check_consistency("search", kwargs.pop("consistency_level", None))
        refuse("search", {"partition_names": partition_names, **kwargs}, ("filter_params", "offset"))
        check_timeout("search", timeout)
        limit, offset = check_window(limit, offset)
        decay = as_decay(ranker)
        reranking = None if decay else _of_a_model(ranker)
        collection = self._loaded(collection_name)
        view, schema = collection.view(), collection.definition.schema
        output = collection.definition.output(output_fields)
        predicate = make_predicate(schema, filter, filter_params)
        params = {key: value for key, value in search_params.items() if key != "offset"}
        depth = _depth(reranking, limit + offset)
        if decay is not None:
            check_decay(schema, decay)
            depth, _ = check_window(decay.depth(limit + offset, MAX_LIMIT), 0)
        route = _route(collection, anns_field, data, depth, predicate, params)
        judge = None if reranking is None else make_judge(schema, reranking, [data], route.queries)
        found = run_route(view, schema, route)
        if judge is not None:
            found = judge.rerank(view, found, limit + offset)
        metric = route.spec.metric
        if decay is not None:
            found = [fade(view, decay, [hits], [metric]) for hits in found]
        windows = [hits.window(offset, limit) for hits in found]
        distances = [hits.scores if judge or decay else to_distance(metric, hits.scores) for hits in windows]
        return _result(collection, view, windows, distances, output)

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
        """Run several searches and fuse their hits, by formula or with a model.

        Each `AnnSearchRequest` has its own field, data, limit and filter, and as many queries as the others. The
        distance of a hit is its fused score.

        Args:
            ranker: `RRFRanker`, `WeightedRanker`, a `Function` of type RERANK, or any object with
                `rerank(query, documents)`. A model ranks all that the requests found, in the order of RRF, or as many
                as the param "candidates" says, and at least limit + offset; see `search` for its question. A decay
                ranks all that was found, each row by the best of its scores times its factor.

        Raises:
            as `search` does, naming the request.
        """
        offset = kwargs.pop("offset", 0)
        check_consistency("hybrid_search", kwargs.pop("consistency_level", None))
        refuse("hybrid_search", {"partition_names": partition_names, **kwargs}, ("offset",))
        check_timeout("hybrid_search", timeout)
        limit, offset = check_window(limit, offset)
        decay = as_decay(ranker)
        reranking = None if decay else as_reranking(ranker)
        collection = self._loaded(collection_name)
        view, schema = collection.view(), collection.definition.schema
        output = collection.definition.output(output_fields)
        if not reqs:
            raise InvalidArgument("hybrid_search: reqs is empty; give at least one AnnSearchRequest")
        requests = [as_request(request) for request in reqs]
        routes = _routes(collection, requests)
        metrics = [route.spec.metric for route in routes]
        if decay is not None:
            check_decay(schema, decay)
            if decay.candidates is not None:
                raise InvalidArgument(f"{decay.who}: in hybrid_search the requests' limits say how many candidates")
        fuse = as_ranker(RRFRanker() if reranking or decay else ranker, metrics)
        data = [request.data for request in requests]
        judge = None if reranking is None else make_judge(schema, reranking, data, routes[0].queries)
        per_route = [run_route(view, schema, route) for route in routes]
        per_query = list(zip(*per_route, strict=True))
        if decay is not None:
            fused = [fade(view, decay, query, metrics) for query in per_query]
        else:
            fused = [Found(*fuse([(hits.rids, hits.scores) for hits in query])) for query in per_query]
        if judge is not None:
            fused = judge.rerank(view, fused, limit + offset)
        windows = [hits.window(offset, limit) for hits in fused]
        return _result(collection, view, windows, [hits.scores for hits in windows], output)


def _of_a_model(ranker: Any) -> Reranking | None:
    """What a plain search may be ranked by: a model, or nothing."""
    if ranker is None:
        return None
    reranking = as_reranking(ranker)
    if reranking is None:
        as_ranker(ranker, [""])  # tells what is wrong with anything but a fusion
        raise InvalidArgument("search: the ranker fuses several requests; use hybrid_search, or a model as ranker")
    return reranking


def _depth(reranking: Reranking | None, wanted: int) -> int:
    return wanted if reranking is None else check_window(reranking.depth(wanted), 0)[0]


def _routes(collection: Collection, requests: Sequence[AnnSearchRequest]) -> list[Route]:
    routes = []
    for request in requests:
        limit, _ = check_window(request.limit, 0)
        predicate = make_predicate(collection.definition.schema, request.expr, request.expr_params)
        routes.append(_route(collection, request.anns_field, request.data, limit, predicate, request.param))
    counts = [route.queries for route in routes]
    if len(set(counts)) > 1:
        raise InvalidArgument(f"hybrid_search: the requests have different numbers of queries: {counts}")
    return routes


def _route(
    collection: Collection,
    anns_field: str | None,
    data: Any,
    limit: int,
    predicate: Predicate | None,
    params: Mapping[str, Any] | None,
) -> Route:
    definition = collection.definition
    field = pick_field(definition.schema, anns_field)
    vectors_or_texts = query_data(collection.name, definition, field, data)
    return make_route(definition.schema, definition.specs, field, vectors_or_texts, limit, predicate, params)


def _result(
    collection: Collection, view: View, found: Sequence[Found], distances: Sequence[Any], output: Output
) -> SearchResult:
    return SearchResult(
        [_hits(collection, view, hits, said.tolist(), output) for hits, said in zip(found, distances, strict=True)]
    )


def _hits(collection: Collection, view: View, found: Found, distances: list[float], output: Output) -> Hits:
    definition = collection.definition
    rows = fetch_with_keys(view, definition.key_field, found.rids, output)
    return make_hits(definition.key_field, rows, distances)
