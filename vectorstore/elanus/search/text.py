"""Text search: a part's inverted index, and BM25 over all of a view's parts."""

from __future__ import annotations

import json
from functools import lru_cache

import pyarrow as pa

from elanus.analysis import Analyzer, make_analyzer
from elanus.index import bm25
from elanus.index.inverted import Postings
from elanus.index.inverted_build import from_texts
from elanus.index.inverted_search import PostingsPart
from elanus.schema.collection import CollectionSchema
from elanus.schema.fields import FieldSchema
from elanus.search.found import Found
from elanus.search.matching import Matching
from elanus.search.postings import as_found, postings_of
from elanus.search.request import Route
from elanus.storage.part import Part
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


def analyzer_of(field: FieldSchema) -> Analyzer:
    """The analyzer of a text field."""
    return _analyzer(json.dumps(field.analyzer_params, sort_keys=True, default=dict))


@lru_cache(maxsize=64)
def _analyzer(params: str) -> Analyzer:
    return make_analyzer(json.loads(params))


def _with_deaths(s: Slice, source: FieldSchema, analyzer: Analyzer) -> PostingsPart:
    return s.once(("text", source.name), lambda: PostingsPart(text_postings(s.part, source, analyzer), s.alive))


def text_postings(part: Part, source: FieldSchema, analyzer: Analyzer) -> Postings:
    """A part's inverted index over a text field."""

    def invert(texts: pa.Array) -> Postings:
        return from_texts(analyzer.encode(texts.to_pylist()))

    return postings_of(part, source.name, text_name(part.tag(source.name)), invert)


def text_name(tag: str) -> str:
    """The name of the file of a text field's inverted index."""
    return f"text-{tag}"
