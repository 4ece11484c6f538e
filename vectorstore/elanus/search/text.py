"""Text search: BM25 over all of a view's parts."""

from __future__ import annotations

from elanus.analysis import Analyzer, FieldAnalyzer, analyzer_of
from elanus.index import bm25
from elanus.index.inverted_search import PostingsPart
from elanus.schema.collection import CollectionSchema
from elanus.schema.fields import FieldSchema
from elanus.search.found import Found
from elanus.search.matching import Matching
from elanus.search.postings import as_found, place_of
from elanus.search.request import Route
from elanus.storage.view import Slice, View


def search_texts(view: View, schema: CollectionSchema, route: Route, allowed: Matching) -> list[Found]:
    """The best `route.limit` rows for each query text by BM25; rows without a common term are no hits.

    Statistics are those of all living rows, whatever the filter.
    """
    parts, analyzer = _indexed(view, schema, route)
    few = allowed.few_rows
    masks = None if few is not None else allowed.masks
    k1, b = _parameters(route)
    found = []
    for text in route.texts:
        hits = bm25.search(parts, analyzer.tokens(text), route.limit, k1=k1, b=b, allowed=masks, among=few)
        found.append(as_found(view, hits))
    return found


def matched_terms(view: View, schema: CollectionSchema, route: Route, text: str, rid: int) -> dict[str, float]:
    """The terms of a query text that a row has, with what each adds to its score."""
    parts, analyzer = _indexed(view, schema, route)
    k1, b = _parameters(route)
    return bm25.explain(parts, analyzer.tokens(text), *place_of(view, rid), k1=k1, b=b)


def _indexed(view: View, schema: CollectionSchema, route: Route) -> tuple[list[PostingsPart], Analyzer]:
    source = schema.bm25_input(route.field.name)
    assert source is not None
    parts, analyzer = view.once(("text", source.name), lambda: _parts(view, source))
    return parts, analyzer.named(route.params.analyzer_name)


def _parts(view: View, source: FieldSchema) -> tuple[list[PostingsPart], FieldAnalyzer]:
    analyzer = analyzer_of(source)
    return [_with_deaths(s, source, analyzer) for s in view.slices], analyzer


def _parameters(route: Route) -> tuple[float, float]:
    return float(route.spec.params["bm25_k1"]), float(route.spec.params["bm25_b"])


def _with_deaths(s: Slice, source: FieldSchema, analyzer: FieldAnalyzer) -> PostingsPart:
    return s.once(("text", source.name), lambda: PostingsPart(s.part.postings(source.name, analyzer), s.alive))
