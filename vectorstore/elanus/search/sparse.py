"""Sparse vector search: a part's inverted index over dimensions, and exact inner products over a view's parts."""

from __future__ import annotations

import pyarrow as pa

from elanus.index.inverted import Postings
from elanus.index.inverted_build import from_sparse
from elanus.index.inverted_search import PostingsPart, inner_product, products
from elanus.schema.buffers import bits
from elanus.schema.sparse import flat
from elanus.search.found import Found
from elanus.search.matching import Matching
from elanus.search.postings import as_found, place_of
from elanus.search.request import Route
from elanus.storage.part import Part
from elanus.storage.view import Slice, View


def search_sparse(view: View, route: Route, allowed: Matching) -> list[Found]:
    """The best `route.limit` rows for each sparse query by inner product; rows without a common index are no hits."""
    assert route.sparse is not None
    parts = _indexed(view, route.field.name)
    few = allowed.few_rows
    masks = None if few is not None else allowed.masks
    found = [inner_product(parts, query, route.limit, allowed=masks, among=few) for query in route.sparse]
    return [as_found(view, hits) for hits in found]


def matched_indices(view: View, route: Route, query: int, rid: int) -> dict[int, float]:
    """The indices that a query and a row share, with what each adds to their inner product, largest first."""
    assert route.sparse is not None
    number, row = place_of(view, rid)
    return products(_indexed(view, route.field.name)[number], route.sparse[query], row)


def _indexed(view: View, field: str) -> list[PostingsPart]:
    return view.once(("sparse", field), lambda: [_with_deaths(s, field) for s in view.slices])


def _with_deaths(s: Slice, field: str) -> PostingsPart:
    return s.once(("sparse", field), lambda: PostingsPart(sparse_postings(s.part, field), s.alive))


def sparse_postings(part: Part, field: str) -> Postings:
    """A part's inverted index over a sparse vector field."""
    return part.inverted((field,), sparse_name(part.tag(field)), _invert)


def _invert(column: pa.Array) -> Postings:
    return from_sparse(*flat(column), there=bits(column.is_valid()) if column.null_count else None)


def sparse_name(tag: str) -> str:
    """The name of the file of a sparse vector field's inverted index."""
    return f"sparse-{tag}"
