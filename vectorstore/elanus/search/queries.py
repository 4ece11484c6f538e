"""Queries against vector fields other than FLOAT_VECTOR: checked as the rows of their field are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from elanus.errors import InvalidArgument
from elanus.index.stored import widen
from elanus.schema.buffers import matrix
from elanus.schema.dense import BYTES, dense_column
from elanus.schema.fields import FieldSchema
from elanus.schema.reading import reader
from elanus.schema.sparse import query_rows, sparse_column
from elanus.schema.unfit import Unfit

SparseQueries = tuple[dict[int, float], ...]
ListQueries = tuple["np.ndarray[Any, Any]", ...]
"""Queries of several vectors each, float32 (vectors, dim), or bits as uint8."""


def as_sparse(field: FieldSchema, data: Any) -> SparseQueries:
    """Sparse query vectors as dicts; one vector counts as a list of one."""
    rows = query_rows(data)
    column = _checked(field, rows, sparse_column)
    return tuple(reader(column)(np.arange(len(rows))))


def as_stored(field: FieldSchema, data: Any) -> np.ndarray[Any, Any]:
    """Query vectors of a narrower type, rounded to it, as a float32 matrix; bits as uint8 (queries, dim / 8)."""
    column = _checked(field, _vectors(data), lambda values: dense_column(field, values))
    return widen(matrix(column))


def as_lists(field: FieldSchema, data: Any) -> ListQueries:
    """Queries of several vectors each (lists, matrices or pymilvus's EmbeddingLists); one counts as a list of one.

    Raises:
        InvalidArgument: a query without vectors, or a vector that does not fit the field.
    """
    several = list(data) if isinstance(data, (list, tuple, np.ndarray)) else [data]
    if several and _is_vector(several[0]):
        several = [data]
    queries = []
    for number, query in enumerate(several):
        vectors = query.to_numpy() if hasattr(query, "to_numpy") else query
        if not isinstance(vectors, (list, tuple, np.ndarray)) or not len(vectors):
            raise InvalidArgument(f"query {number} for field '{field.name}': must be a list of vectors, not {query!r}")
        try:
            queries.append(as_stored(field, list(vectors)))
        except InvalidArgument as error:
            raise InvalidArgument(f"query {number}, vector {error.message.removeprefix('query ')}") from None
    return tuple(queries)


def _is_vector(value: Any) -> bool:
    if isinstance(value, BYTES):
        return True
    if not isinstance(value, (list, tuple, np.ndarray)) or not len(value):
        return False
    return np.ndim(value[0]) == 0 and not isinstance(value[0], BYTES)


def _vectors(data: Any) -> list[Any]:
    """The vectors of a search: a list or an array of them, or one alone."""
    if isinstance(data, BYTES):
        return [data]
    if not isinstance(data, (list, tuple, np.ndarray)):
        raise InvalidArgument(f"data must be a vector or a list of vectors, not {type(data).__name__}")
    rows = list(data)
    return [data] if rows and np.ndim(rows[0]) == 0 and not isinstance(rows[0], BYTES) else rows


def _checked(field: FieldSchema, rows: Sequence[Any], convert: Callable[[Sequence[Any]], pa.Array]) -> pa.Array:
    try:
        return convert(rows)
    except Unfit:
        for number, row in enumerate(rows):
            try:
                convert([row])
            except Unfit as rule:
                raise InvalidArgument(f"query {number} for field '{field.name}' ({field.dtype.name}): {rule}") from None
        raise
