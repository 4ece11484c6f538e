"""The shapes in which rows come: a list of dicts, or columns by name (a dict, an Arrow table, a DataFrame)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from elanus.errors import RowError
from elanus.schema.arrow import incoming_fields
from elanus.schema.collection import CollectionSchema
from elanus.schema.columns import NUMPY_FLOATS, NUMPY_INTEGERS
from elanus.schema.fields import DENSE_VECTORS
from elanus.schema.sparse import holds_several, is_scipy, scipy_column
from elanus.types import DataType

Rows = list[Mapping[str, Any]]
Columns = dict[str, Any]
NUMPY_TYPES = NUMPY_INTEGERS | NUMPY_FLOATS | {np.bool_}
NESTED = DENSE_VECTORS | {DataType.ARRAY}


def rows_or_columns(schema: CollectionSchema, data: Any) -> Rows | Columns:
    """Return a list of rows, or columns of equal length, each a list, a numpy array or an Arrow array.

    One dict is columns if its values are: the first field in schema order that tells decides (JSON fields do not). A
    scalar field tells by holding a sequence instead of a scalar; a vector or ARRAY field by holding sequences of
    sequences instead of one sequence. Otherwise the dict is one row.

    Raises:
        RowError: data of another kind, or columns of different lengths.
    """
    if isinstance(data, (list, tuple)):
        for number, row in enumerate(data):
            if not isinstance(row, Mapping):
                raise RowError(f"row {number} must be a dict, not {type(row).__name__}", number)
        return list(data)
    if isinstance(data, Mapping):
        return _columns(data.items()) if _holds_columns(schema, data) else [data]
    if isinstance(data, (pa.Table, pa.RecordBatch)):
        return _columns(zip(data.schema.names, data.columns, strict=True))
    if _home(data) == "polars" and hasattr(data, "to_arrow"):
        return rows_or_columns(schema, data.to_arrow())
    if _home(data) == "pandas" and hasattr(data, "columns"):
        return _columns((str(name), series) for name, series in data.items())
    raise RowError(
        "data must be a list of dicts, a dict, a pyarrow Table or RecordBatch, or a pandas or polars DataFrame, "
        f"not {type(data).__name__}"
    )


def _home(value: Any) -> str:
    return type(value).__module__.partition(".")[0]


def _holds_columns(schema: CollectionSchema, data: Mapping[str, Any]) -> bool:
    for field in incoming_fields(schema):
        value = data.get(field.name)
        if value is None or field.dtype == DataType.JSON:
            continue
        if field.dtype == DataType.SPARSE_FLOAT_VECTOR:
            told = holds_several(value)
            if told is None:
                continue
            return told
        if field.dtype not in NESTED:
            return _is_sequence(value)
        if _is_sequence(value) and len(value):
            first = next(iter(value))
            return isinstance(first, bytes) or _is_sequence(first)
    return False


def _is_sequence(value: Any) -> bool:
    if isinstance(value, (str, bytes, Mapping)) or getattr(value, "ndim", 1) == 0:
        return False
    return hasattr(value, "__len__") and hasattr(value, "__iter__")


def _columns(named: Iterable[tuple[str, Any]]) -> Columns:
    columns: Columns = {}
    for name, column in named:
        if name in columns:
            raise RowError(f"column '{name}' occurs twice")
        if not (is_scipy(column) or _is_sequence(column)):
            raise RowError(f"column '{name}' must be a list or an array, not {type(column).__name__}")
        columns[name] = _plain(column)
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise RowError(f"the columns have different lengths: {lengths}")
    return columns


def _plain(column: Any) -> Any:
    """Return a column as a list, a numpy array of numbers, or a contiguous Arrow array."""
    if is_scipy(column):
        return scipy_column(column)
    if _home(column) == "polars":
        column = column.to_arrow()
    if _home(column) == "pandas":
        column = _from_pandas(column)
    if isinstance(column, pa.ChunkedArray):
        return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if isinstance(column, pa.Array):
        return column
    if isinstance(column, np.ma.MaskedArray):
        return column.tolist()
    if isinstance(column, np.ndarray) and column.dtype.isnative and column.dtype.type in NUMPY_TYPES:
        return pa.array(column) if column.ndim == 1 else column
    return list(column)


def _from_pandas(series: Any) -> Any:
    """Return a pandas column; what pandas counts as missing is null, and whole numbers made float by it are whole."""
    if series.dtype == object:
        return [None if missing else value for value, missing in zip(series, series.isna(), strict=True)]
    column = pa.Array.from_pandas(series)
    if column.null_count and pa.types.is_floating(column.type):
        try:
            return column.cast(pa.int64())
        except pa.ArrowInvalid:
            return column
    return column
