"""The scalar indexes by name: which types each takes, and its parameters.

All but NGRAM are one structure here, the lookup from values to rows; the names say what Milvus would build. So every
one of them serves equality, membership, ranges and prefixes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from elanus.errors import InvalidArgument, NotSupported, did_you_mean
from elanus.index.registry import HINTS, Choice, IndexSpec, Number, Params, check_params
from elanus.types import DataType

_INTEGERS = frozenset({DataType.INT8, DataType.INT16, DataType.INT32, DataType.INT64})
_NUMBERS = _INTEGERS | {DataType.FLOAT, DataType.DOUBLE}
_WORDS = frozenset({DataType.VARCHAR})
_FEW_VALUES = _INTEGERS | _WORDS | {DataType.BOOL}
_ANY = _NUMBERS | _FEW_VALUES | {DataType.TIMESTAMPTZ}

CASTS = ("bool", "double", "varchar", "array_bool", "array_double", "array_varchar", "json")


@dataclass(frozen=True)
class Entry:
    """The types of fields, and of elements of ARRAY fields, that an index takes; and whether it takes JSON paths."""

    types: frozenset[DataType]
    elements: frozenset[DataType] = frozenset()
    paths: bool = False
    params: Params = field(default_factory=dict)


SCALAR_INDEXES: Mapping[str, Entry] = {
    "AUTOINDEX": Entry(_ANY, _ANY, paths=True),
    "INVERTED": Entry(_ANY, _ANY, paths=True),
    "BITMAP": Entry(_FEW_VALUES, _FEW_VALUES, params={"bitmap_cardinality_limit": Number(1, 2**31)}),
    "STL_SORT": Entry(_NUMBERS | _WORDS | {DataType.TIMESTAMPTZ}),
    "TRIE": Entry(_WORDS),
    "NGRAM": Entry(_WORDS, params={"min_gram": Number(1, 64), "max_gram": Number(1, 64)}),
}
PATH_PARAMS: Params = {"json_cast_type": Choice(CASTS)}


def resolve_scalar_index(
    name: str, dtype: DataType, element: DataType | None, index_type: str, params: Mapping[str, Any]
) -> IndexSpec:
    """Check an index on a scalar field; an empty type means AUTOINDEX. `json_path` has been taken from `params`.

    Raises:
        NotSupported, InvalidArgument: the type of index, the field's type or a parameter does not fit.
    """
    index_type = index_type.upper() or "AUTOINDEX"
    entry = SCALAR_INDEXES.get(index_type)
    if entry is None:
        if index_type == "RTREE":
            raise NotSupported(f"field '{name}': RTREE, an index of GEOMETRY fields, is not supported; leave it out")
        near = did_you_mean(index_type, SCALAR_INDEXES)
        raise InvalidArgument(
            f"field '{name}' ({dtype.name}): no scalar index '{index_type}'; use {' or '.join(SCALAR_INDEXES)}{near}"
        )
    if not _fits(entry, dtype, element):
        said = f"{dtype.name} of {element.name}" if element else dtype.name
        able = [known for known, other in SCALAR_INDEXES.items() if _fits(other, dtype, element)]
        hint = f"use {' or '.join(able)}" if able else "filters on it work without one"
        raise InvalidArgument(f"field '{name}' ({said}): {index_type} does not take it; {hint}")
    table = {**entry.params, **(PATH_PARAMS if dtype == DataType.JSON else {})}
    given = check_params(f"index {index_type} on '{name}'", table, params, HINTS)
    missing = [key for key in entry.params if key.endswith("_gram") and key not in given]
    if missing:
        raise InvalidArgument(f"index {index_type} on '{name}' needs {' and '.join(missing)}, 1 to 64")
    if given.get("min_gram", 0) > given.get("max_gram", 64):
        raise InvalidArgument(f"index {index_type} on '{name}': min_gram must not exceed max_gram")
    return IndexSpec(index_type, "", given)


def _fits(entry: Entry, dtype: DataType, element: DataType | None) -> bool:
    return entry.paths if dtype == DataType.JSON else (element in entry.elements if element else dtype in entry.types)
