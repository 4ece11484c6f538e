"""Sparse vectors: the shapes in which they come, and the Arrow column that holds them, a map of uint32 to float32.

A row's indices ascend. The rules are Milvus's: indices from 0 to 2**32 - 2, weights finite and not negative; a vector
may be empty. Whatever has `tocsr()` is taken for a sparse array of scipy's, which is never imported.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from elanus.schema.buffers import from_numbers, numbers
from elanus.schema.unfit import Unfit

SPARSE = pa.map_(pa.uint32(), pa.float32())
MAX_INDEX = 2**32 - 2
SHAPE = "must be a dict {index: weight}, a list of (index, weight) pairs, or one row of a scipy.sparse array"

Array = np.ndarray[Any, Any]


class Flat(NamedTuple):
    """Rows end to end: row i has indices[bounds[i]:bounds[i + 1]] and the weights there. bounds int64 [rows + 1]."""

    bounds: Array
    indices: Array
    weights: Array


def is_scipy(value: Any) -> bool:
    """Whether a value is a sparse array or matrix of scipy's."""
    return hasattr(value, "tocsr") and hasattr(value, "shape")


def scipy_column(matrix: Any) -> pa.Array:
    """Return a sparse array's rows as a map column of its own number types, which `checked_column` checks."""
    rows = matrix.tocsr()
    parts = rows.indptr.astype(np.int32), rows.indices, rows.data.astype(np.float64)
    return pa.MapArray.from_arrays(*map(from_numbers, parts))


def holds_several(value: Any) -> bool | None:
    """Whether a value holds several sparse vectors and is not one; None if it may be either."""
    if isinstance(value, Mapping):
        return False
    if is_scipy(value):
        return False if value.ndim == 1 else True if value.shape[0] != 1 else None
    if not isinstance(value, Collection) or isinstance(value, (str, bytes)) or not len(value):
        return None
    first = next(iter(value))
    if first is None or isinstance(first, Mapping) or is_scipy(first):
        return True
    if not isinstance(first, Collection) or isinstance(first, (str, bytes)):
        return False
    return len(first) == 0 or isinstance(next(iter(first)), Collection)


def query_rows(data: Any) -> list[Any]:
    """Return the sparse vectors that a search is given: one alone, a list, or the rows of a sparse array."""
    several = holds_several(data)
    if is_scipy(data) and several is not False:
        rows = data.tocsr()
        return [rows[number : number + 1] for number in range(rows.shape[0])]
    if several or (several is None and isinstance(data, (list, tuple))):
        return list(data)
    return [data]


def sparse_column(values: Sequence[Any]) -> pa.Array:
    """Return sparse vectors of any of the shapes as a column, one pass over all of them.

    Raises:
        Unfit: a value of another shape, an index or weight out of range, or an index twice.
    """
    items = [_pairs(value) for value in values]
    counts = np.fromiter((len(indices) for indices, _ in items), np.int64, len(items))
    indices = _numbers(list(itertools.chain.from_iterable(i for i, _ in items)), "an index", "iu")
    weights = _numbers(list(itertools.chain.from_iterable(w for _, w in items)), "a weight", "fiu")
    if len(indices) != len(weights):
        raise Unfit(SHAPE)
    return _column(np.concatenate(([0], np.cumsum(counts))), indices, weights)


def checked_column(column: pa.Array) -> pa.Array | None:
    """Return a map column without nulls as one of sparse vectors; None if its types are not numbers.

    Raises:
        Unfit: as `sparse_column`.
    """
    kinds = column.type.key_type, column.type.item_type
    if not pa.types.is_integer(kinds[0]) or not (pa.types.is_integer(kinds[1]) or pa.types.is_floating(kinds[1])):
        return None
    bounds, indices, weights = flat(column)
    if column.items.null_count:
        raise Unfit("a weight is null")
    return _column(bounds, indices, weights)


def flat(column: pa.Array) -> Flat:
    """Return a map column's rows end to end, without copying; a null row has no entries."""
    bounds = np.frombuffer(column.buffers()[1] or bytes(4), np.int32)[column.offset : column.offset + len(column) + 1]
    start, end = int(bounds[0]), int(bounds[-1])
    return Flat(bounds.astype(np.int64) - start, numbers(column.keys)[start:end], numbers(column.items)[start:end])


def _pairs(value: Any) -> tuple[Sequence[Any], Sequence[Any]]:
    """One vector's indices and weights."""
    if isinstance(value, Mapping):
        return list(value), list(value.values())
    if is_scipy(value):
        if value.ndim == 2 and value.shape[0] != 1:
            raise Unfit(f"must be one row of a sparse array, not {value.shape[0]}")
        row = value.tocsr()
        return row.indices.tolist(), row.data.tolist()
    if not isinstance(value, (list, tuple, np.ndarray)):
        raise Unfit(f"{SHAPE}, not {type(value).__name__}")
    try:
        pairs = [(index, weight) for index, weight in value]
    except (TypeError, ValueError):
        raise Unfit(SHAPE) from None
    return [index for index, _ in pairs], [weight for _, weight in pairs]


def _numbers(values: list[Any], what: str, kinds: str) -> Array:
    """Return numbers, or strings that spell them (as pymilvus takes them), as an array of one of the kinds."""
    if not values:
        return np.empty(0, np.int64)
    types = set(map(type, values))
    if bool in types or np.bool_ in types:
        raise Unfit(f"{what} must be a number, not bool")
    try:
        if str in types:
            values = [(int if kinds == "iu" else float)(value) for value in values]
        array = np.array(values)
    except (TypeError, ValueError, OverflowError):
        array = np.empty(0, object)
    if array.dtype.kind == "O" and all(isinstance(value, int) for value in values):  # beyond 64 bits
        raise Unfit(f"{what} is out of range")
    if array.ndim != 1 or array.dtype.kind not in kinds:
        strange = sorted({kind.__name__ for kind in types})
        raise Unfit(f"{what} must be {'an integer' if kinds == 'iu' else 'a number'}, not {', '.join(strange)}")
    return array


def _column(bounds: Array, indices: Array, weights: Array) -> pa.Array:
    """Check numbers and return them as a column, sorted within each row."""
    if len(indices) and not (int(indices.min()) >= 0 and int(indices.max()) <= MAX_INDEX):
        raise Unfit(f"an index is outside 0 to {MAX_INDEX}")
    with np.errstate(over="ignore"):
        narrow = weights.astype(np.float32)
    if not np.isfinite(narrow).all():
        raise Unfit("a weight is NaN, infinite or out of range for float32")
    if (narrow < 0).any():
        raise Unfit("a weight is negative; Milvus takes weights from 0 on")
    if bounds[-1] > np.iinfo(np.int32).max:
        raise Unfit("too many weights for one batch; insert fewer rows at once")
    row_of = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    within = row_of[1:] == row_of[:-1]
    if (within & (indices[1:] <= indices[:-1])).any():
        order = np.lexsort((indices, row_of))
        indices, narrow = indices[order], narrow[order]
        if (within & (indices[1:] == indices[:-1])).any():
            raise Unfit("an index occurs twice")
    parts = bounds.astype(np.int32), indices.astype(np.uint32), narrow
    return pa.MapArray.from_arrays(*map(from_numbers, parts))
