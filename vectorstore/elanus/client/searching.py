"""Search and hybrid search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from elanus.client.asking import Asked, asked_for
from elanus.client.base import Base
from elanus.client.options import check_dict
from elanus.client.results import Hits, SearchResult, make_hits, rounded
from elanus.client.routes import check_readable, route_of, routes_of, search_data
from elanus.engine.collection import Collection
from elanus.errors import InvalidArgument
from elanus.filter import Expression
from elanus.index.metric import to_distance
from elanus.rank import AnnSearchRequest, as_request
from elanus.schema.collection import CollectionSchema
from elanus.schema.output import Output
from elanus.search.explaining import Ways
from elanus.search.found import Found, fetch_with_keys
from elanus.search.grouping import Grouping, run_grouped
from elanus.search.highlighting import Highlighting
from elanus.search.ranking import Ranking, as_any, as_single
from elanus.search.request import Route, make_predicate
from elanus.search.tracing import stage
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
        highlighter: Any = None,
        ids: Any = None,
        **kwargs: Any,
    ) -> SearchResult:
        """Return, for each query, the `limit` most similar rows that match the filter.

        Args:
            data: vectors (a list, or a float array of shape (queries, dim)), or texts for a field that a BM25 or a
                TEXTEMBEDDING function fills.
            filter, filter_params: a Milvus boolean expression and the values of its `{name}` places, or an
                `elanus.Expression` (`F.year >= 2020`), which holds its own.
            output_fields: fields to return with each hit; "*" means all.
            search_params: {"params": {...}} of the index; see the index's documentation. "radius" and "range_filter"
                keep the hits of a range: IP, COSINE and BM25 radius < distance <= range_filter, L2
                range_filter <= distance < radius; either `radius` alone or both.
            anns_field: the field to search; needed if there are several.
            ranker: a model that ranks the best candidates anew: `Function(name, FunctionType.RERANK, [text_field],
                params={"reranker": "model", "provider": ..., "model_name": ...})`, or any object with
                `rerank(query, documents)`. The question is the text searched with, or the param "queries". It ranks 20
                candidates, or as many as the param "candidates" says, and at least limit + offset. Or a decay:
                params={"reranker": "decay", "function": "gauss", "origin": ..., "scale": ...} over a numeric field,
                which multiplies scores; it ranks 10 * (limit + offset) candidates, or as "candidates" says (Milvus:
                limit + offset). Or a boost: params={"reranker": "boost", "filter": ..., "weight": ...,
                "random_score": {"seed": ..., "field": ...}}, or several in a `FunctionScore`: rows that match count by
                the weight. For both, L2 distances count as 1 - 2 * atan(d) / pi.
            ids: search with what the rows of these keys hold, instead of `data`.
            offset: how many hits to skip, by keyword.
            explain: give each hit an "explanation" (its rank and distance in each route, the terms it matched with what
                each adds, what a model made of it), and the result a `plan` (how the hits were found, and the
                milliseconds of each stage), by keyword.
            highlighter: a `LexicalHighlighter`, which gives each hit a "highlight": by text field its "fragments" with
                the words that were asked for marked.
            round_decimal: to how many places distances are rounded, 0 to 6, by keyword; -1 (default) leaves them.
            group_by_field: return `limit` groups of hits with one value in this field (an integer, BOOL or VARCHAR,
                or a key in JSON), by keyword; null is a value. `group_size` hits of each (default 1); with
                `strict_group_size` as many as there are up to that, however deep they rank. `offset` counts groups.
            order_by_fields: the order in which the hits of the page come back, as `query`'s order_by; groups by their
                best hits.

        Returns:
            One list of hits per query, best first: {key: ..., "distance": ..., "entity": {...}}. min(limit,
            rows that match and lie in the range) hits each. COSINE, IP and BM25 distances grow with likeness, L2 is
            the squared distance; with a ranker the distance is the model's score.

        Raises:
            InvalidArgument, FilterError, CollectionNotFound, CollectionNotLoaded, NotSupported: see each message.
            ModelMismatch, ModelFailed: the model is another one than the one that filled the field, or failed.
        """
        filter_params = kwargs.pop("filter_params", None)
        search_params = check_dict("search", "search_params", search_params)
        offset = kwargs.pop("offset", search_params.get("offset", 0))
        asked = asked_for("search", kwargs, limit, offset, timeout, highlighter)
        ranker, trace = as_single(ranker), asked.trace
        collection = self._loaded(collection_name, asked.level)
        view, schema = collection.view(), collection.definition.schema
        output = collection.definition.output(output_fields)
        inside = collection.definition.partitions.readable(partition_names)
        predicate = make_predicate(schema, filter, filter_params, inside)
        data = search_data(collection, view, anns_field, data, ids)
        grouping = asked.grouping(schema)
        params = {key: value for key, value in search_params.items() if key != "offset"}
        with stage(trace, "embed"):
            route = route_of(collection, anns_field, data, ranker.depth(asked.wanted), predicate, params)
        if ids is not None:
            check_readable(schema, route)
        ranking, marks = ranker.over_one(schema, route, data), asked.highlighting(schema, [route])
        ways = _ranked(view, schema, [route], ranking, grouping, asked, groups=asked.wanted)
        pages = asked.pages(ways, grouping)
        plain = ranking.rescore is None
        distances = [to_distance(route.spec.metric, hits.scores) if plain else hits.scores for hits in pages]
        return _result(collection, ways, pages, distances, output, asked, marks)

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
            highlighter: as for `search`; the texts searched with are those of all BM25 requests. (Not in Milvus.)
            explain: as for `search`; the explanation also tells each request's share of the fused score, which is their
                sum.
            group_by_field, group_size, strict_group_size: as for `search`, over the fused hits; each request then
                brings hits until it has found `limit` groups. `rank_group_scorer` orders the groups by their hits'
                "max" (default), "sum" or "avg" score.
            ranker: `RRFRanker`, `WeightedRanker`, `DBSFRanker`, a `Function` of type RERANK, or any object with
                `rerank(query, documents)`. A model ranks all that the requests found, in the order of RRF, or as many
                as the param "candidates" says, and at least limit + offset; see `search` for its question. A decay
                or a boost ranks all that was found, each row by the best of its scores.

        Raises:
            ElanusError: as `search` does, naming the request.
        """
        offset, highlighter = kwargs.pop("offset", 0), kwargs.pop("highlighter", None)
        asked = asked_for("hybrid_search", kwargs, limit, offset, timeout, highlighter)
        ranker = as_any(ranker)
        collection = self._loaded(collection_name, asked.level)
        view, schema = collection.view(), collection.definition.schema
        output = collection.definition.output(output_fields)
        if not reqs:
            raise InvalidArgument("hybrid_search: reqs is empty; give at least one AnnSearchRequest")
        requests = [as_request(request) for request in reqs]
        with stage(asked.trace, "embed"):
            routes = routes_of(collection, requests, collection.definition.partitions.readable(partition_names))
        ranking = ranker.over_all(schema, routes, [request.data for request in requests])
        grouping, marks = asked.grouping(schema), asked.highlighting(schema, routes)
        ways = _ranked(view, schema, routes, ranking, grouping, asked)
        pages = asked.pages(ways, grouping)
        return _result(collection, ways, pages, [hits.scores for hits in pages], output, asked, marks)


def _ranked(
    view: View,
    schema: CollectionSchema,
    routes: Sequence[Route],
    ranking: Ranking,
    grouping: Grouping | None,
    asked: Asked,
    groups: int | None = None,
) -> Ways:
    """Run the routes, merge what they found, and score it anew where that is asked for.

    `groups` is how many groups each route is to find; None: as many as its own limit.
    """
    trace = asked.trace
    per_route = [
        run_grouped(view, schema, route, grouping, groups or route.limit, None if trace is None else trace.route())
        for route in routes
    ]
    with stage(trace if len(routes) > 1 else None, "fuse"):
        merged = [ranking.merge(hits) for hits in zip(*per_route, strict=True)]
    if ranking.rescore is None:
        return Ways(view, schema, routes, per_route, merged, ranking.fuse)
    with stage(trace, "rerank"):
        rescored = ranking.rescore(view, merged, _rows_for(grouping, merged, asked.wanted))
    return Ways(view, schema, routes, per_route, merged, ranking.fuse, rescored)


def _rows_for(grouping: Grouping | None, found: Sequence[Found], wanted: int) -> int:
    """How many hits a model ranks at least: all that the groups need."""
    return wanted if grouping is None else max(len(hits.rids) for hits in found)


def _result(
    collection: Collection,
    ways: Ways,
    found: Sequence[Found],
    distances: Sequence[Any],
    output: Output,
    asked: Asked,
    marks: Highlighting | None,
) -> SearchResult:
    trace = asked.trace
    with stage(trace, "fetch"):
        hits = [
            _hits(collection, ways.view, page, rounded(said, asked.digits), output)
            for page, said in zip(found, distances, strict=True)
        ]
    if marks is not None:
        with stage(trace, "highlight"):
            for query, (page, own) in enumerate(zip(found, hits, strict=True)):
                for hit, highlight in zip(own, marks.of(ways.view, query, page), strict=True):
                    hit["highlight"] = highlight
    if trace is None:
        return SearchResult(hits)
    with stage(trace, "explain"):
        for query, (page, own) in enumerate(zip(found, hits, strict=True)):
            for hit, explanation in zip(own, ways.of(query, page), strict=True):
                hit["explanation"] = explanation
    return SearchResult(hits, trace.plan())


def _hits(collection: Collection, view: View, found: Found, distances: list[float], output: Output) -> Hits:
    definition = collection.definition
    rows = fetch_with_keys(view, definition.key_field, found.rids, output)
    return make_hits(definition.key_field, rows, distances)
