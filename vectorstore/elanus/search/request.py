"""One route of a search, checked when it is made; nothing behind this border asks again."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from elanus.errors import IndexNotFound, InvalidArgument, SchemaError, did_you_mean
from elanus.filter import Predicate, compile_filter, present, split_filter, within
from elanus.index.registry import IndexSpec, SearchParams, check_search_params
from elanus.schema.collection import CollectionSchema
from elanus.schema.fields import FieldSchema
from elanus.search.queries import ListQueries, SparseQueries, as_lists, as_sparse, as_stored
from elanus.search.ranges import Band, as_band
from elanus.storage.part import Floats
from elanus.types import DataType

MAX_LIMIT = 16_384
MAX_QUERIES = 16_384


@dataclass(frozen=True, eq=False)
class Route:
    """Queries against one field: vectors (float32, or bits as uint8), texts, or sparse ones; `limit` hits for each."""

    field: FieldSchema
    spec: IndexSpec
    vectors: Floats | None
    texts: tuple[str, ...]
    limit: int
    predicate: Predicate | None
    params: SearchParams
    sparse: SparseQueries | None = None
    lists: ListQueries | None = None
    band: Band | None = None

    @property
    def queries(self) -> int:
        """How many queries the route carries."""
        given: Sized = next((q for q in (self.vectors, self.sparse, self.lists) if q is not None), self.texts)
        return len(given)

    def only(self, number: int) -> Route:
        """The route with one of its queries."""
        one = slice(number, number + 1)
        vectors = None if self.vectors is None else self.vectors[one]
        sparse = None if self.sparse is None else self.sparse[one]
        lists = None if self.lists is None else self.lists[one]
        return replace(self, vectors=vectors, texts=self.texts[one], sparse=sparse, lists=lists)


def make_route(
    schema: CollectionSchema,
    specs: Mapping[str, IndexSpec],
    field: FieldSchema,
    data: Any,
    limit: int,
    predicate: Predicate | None,
    search_params: Mapping[str, Any] | None,
) -> Route:
    """Check one route's arguments; `field` is what `pick_field` gave.

    Raises:
        InvalidArgument: the data, the limit or a search parameter does not fit the field.
        IndexNotFound: the field cannot be searched.
    """
    spec = specs.get(field.name)
    if spec is None:
        raise IndexNotFound(f"vector field '{field.name}' has no index; create_index first")
    params = check_search_params(spec, search_params)
    vectors: Floats | None = None
    texts: tuple[str, ...] = ()
    sparse: SparseQueries | None = None
    lists: ListQueries | None = None
    source = schema.bm25_input(field.name)
    if source is not None:
        texts = as_texts(field, data)
        if params.analyzer_name is not None and source.multi_analyzer_params is None:
            raise InvalidArgument(f"analyzer_name: field '{source.name}' has one analyzer, no multi_analyzer_params")
    elif field.dtype == DataType.SPARSE_FLOAT_VECTOR:
        sparse = as_sparse(field, data)
        _counted(sparse)
    elif field.array is not None:
        lists = as_lists(field, data)
        _counted(lists)
    elif field.dtype != DataType.FLOAT_VECTOR:
        vectors = as_stored(field, data)
        _counted(vectors)
    else:
        vectors = as_vectors(field, data)
    if field.nullable and vectors is not None:
        predicate = present(predicate, field)
    return Route(field, spec, vectors, texts, limit, predicate, params, sparse, lists, as_band(spec, params))


def pick_field(schema: CollectionSchema, name: str | None) -> FieldSchema:
    """The vector field of that name, or the only one if no name is given.

    Raises:
        InvalidArgument, SchemaError: there is none.
    """
    fields = schema.searchable_fields
    names = [f.name for f in fields]
    if not name:
        if len(fields) > 1:
            raise InvalidArgument(f"anns_field is missing and the collection has several vector fields: {names}")
        return fields[0]
    if not isinstance(name, str):
        raise InvalidArgument(f"anns_field must be a str, not {type(name).__name__}")
    if name not in names:
        if name in schema.names():
            raise SchemaError(f"anns_field '{name}' is no vector field; search one of {names}")
        raise InvalidArgument(f"anns_field: no field '{name}'{did_you_mean(name, names)}")
    return schema.field(name)


def given_texts(data: Any) -> tuple[str, ...] | None:
    """The query texts, if texts were given and not vectors; one str counts as a list of one."""
    texts = [data] if isinstance(data, str) else data
    if isinstance(texts, (list, tuple)) and texts and all(isinstance(text, str) for text in texts):
        return tuple(texts)
    return None


def as_texts(field: FieldSchema, data: Any) -> tuple[str, ...]:
    """Query texts as a tuple; one str counts as a list of one."""
    texts = [data] if isinstance(data, str) else data
    if not isinstance(texts, (list, tuple)) or not all(isinstance(t, str) for t in texts):
        raise InvalidArgument(f"field '{field.name}' is searched with text: data must be a list of str")
    _counted(texts)
    return tuple(texts)


def as_vectors(field: FieldSchema, data: Any) -> Floats:
    """Query vectors as a float32 matrix; one flat vector counts as a list of one."""
    try:
        matrix = np.asarray(data, np.float32)
    except (TypeError, ValueError):
        raise InvalidArgument(
            f"field '{field.name}' is searched with vectors: data must be a list of {field.dim} floats each"
        ) from None
    if matrix.ndim == 1 and matrix.size:
        matrix = matrix.reshape(1, -1)
    if matrix.ndim != 2 or (len(matrix) and matrix.shape[1] != field.dim):
        raise InvalidArgument(f"field '{field.name}' has dim {field.dim}; data has shape {tuple(matrix.shape)}")
    bad = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if len(bad):
        raise InvalidArgument(f"query vector {bad[0]} for field '{field.name}' contains NaN or infinity")
    _counted(matrix)
    return np.asarray(matrix, np.float32)


def _counted(queries: Any) -> None:
    if not 1 <= len(queries) <= MAX_QUERIES:
        raise InvalidArgument(f"data must hold 1 to {MAX_QUERIES} queries; it holds {len(queries)}")


def make_predicate(
    schema: CollectionSchema,
    text: object,
    params: Mapping[str, Any] | None,
    partitions: tuple[int, ...] | None = None,
) -> Predicate | None:
    """Compile a filter, a str or an `Expression`, on the rows of some partitions (None: all); None where all match."""
    return within(_compiled(schema, text, params), partitions)


def _compiled(schema: CollectionSchema, text: object, params: Mapping[str, Any] | None) -> Predicate | None:
    if params is not None and not isinstance(params, Mapping):
        raise InvalidArgument(f"filter_params must be a dict, not {type(params).__name__}")
    text, params = split_filter(text, params)
    if text is None or text == "":
        if params:
            raise InvalidArgument("filter_params were given without a filter")
        return None
    if not isinstance(text, str):
        raise InvalidArgument(f"filter must be a str or an elanus.Expression, not {type(text).__name__}")
    return compile_filter(text, schema, params)


def check_window(limit: object, offset: object) -> tuple[int, int]:
    """Check `limit` and `offset`, whose sum Milvus bounds by 16384."""
    for name, value, low in (("limit", limit, 1), ("offset", offset, 0)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not low <= value <= MAX_LIMIT:
            raise InvalidArgument(f"{name} must be a whole number from {low} to {MAX_LIMIT}, not {value!r}")
    window = int(limit), int(offset)  # type: ignore[call-overload]
    if sum(window) > MAX_LIMIT:
        raise InvalidArgument(f"limit + offset must not exceed {MAX_LIMIT}; it is {sum(window)}")
    return window
