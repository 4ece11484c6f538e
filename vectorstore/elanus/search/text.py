"""Text search: BM25 over all of a view's parts."""

from __future__ import annotations

from elanus.analysis import Analyzer, analyzer_of
from elanus.index import bm25
from elanus.index.inverted_search import PostingsPart
from elanus.schema.collection import CollectionSchema
from elanus.schema.fields import FieldSchema
from elanus.search.found import Found
from elanus.search.matching import Matching
from elanus.search.postings import as_found
from elanus.search.request import Route
from elanus.storage.view import Slice, View


def search_texts(view: View, schema: CollectionSchema, route: Route, allowed: Matching) -> list[Found]:
    """The best `route.limit` rows for each query text by BM25; rows without a common term are no hits.

    Statistics are those of all living rows, whatever the filter.
    """
    source = schema.bm25_input(route.field.name)
    assert source is not None
    analyzer = analyzer_of(source)
    parts = view.once(("text", source.name), lambda: [_with_deaths(s, source, analyzer) for s in view.slices])
    few = allowed.few_rows
    masks = None if few is not None else allowed.masks
    k1, b = float(route.spec.params["bm25_k1"]), float(route.spec.params["bm25_b"])
    found = []
    for text in route.texts:
        hits = bm25.search(parts, analyzer.tokens(text), route.limit, k1=k1, b=b, allowed=masks, among=few)
        found.append(as_found(view, hits))
    return found


def _with_deaths(s: Slice, source: FieldSchema, analyzer: Analyzer) -> PostingsPart:
    return s.once(("text", source.name), lambda: PostingsPart(s.part.postings(source.name, analyzer), s.alive))
