"""Searching by stored rows: what the rows of some keys hold becomes what is searched for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from elanus.errors import InvalidArgument
from elanus.schema.collection import CollectionSchema
from elanus.schema.fields import FieldSchema
from elanus.schema.output import resolve_output
from elanus.search.found import fetch
from elanus.storage.keys import Keys
from elanus.storage.view import View, find


def stored_queries(view: View, schema: CollectionSchema, field: FieldSchema, keys: pa.Array) -> list[Any]:
    """The vectors of these keys' rows, one for each key in its order; for a BM25 field their texts.

    Raises:
        InvalidArgument: no keys, or a key without a row, or a row without a value; names the key.
    """
    if not len(keys):
        raise InvalidArgument("search: ids is empty; give at least one")
    source = schema.bm25_input(field.name) or field
    key = schema.primary_field.name
    rids = np.full(len(keys), -1, np.int64)
    for s, (which, rows) in zip(view.slices, find(view, Keys(keys), key), strict=True):
        rids[which] = s.part.rids[rows]
    missing = keys.filter(pa.array(rids < 0)).to_pylist()
    if missing:
        raise InvalidArgument(f"search: ids: no row has the id {missing[0]!r}")
    values = [_value(row, source) for row in fetch(view, rids, resolve_output(schema, [source.name]))]
    for key_value, value in zip(keys.to_pylist(), values, strict=True):
        if value is None:
            raise InvalidArgument(f"search: ids: the row of id {key_value!r} has no '{source.name}' to search with")
    return values


def _value(row: Mapping[str, Any], field: FieldSchema) -> Any:
    """What a row holds in a field; of a vector in a struct array all of them, None if there are none."""
    if field.array is None:
        return row[field.name]
    return [vector for item in row[field.array] or () for vector in item.values()] or None
