"""Ids as the caller gives them, as keys of a collection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from elanus.engine.collection import Collection
from elanus.errors import RowError

INT64_RANGE = range(-(2**63), 2**63)


def as_keys(collection: Collection, ids: Any) -> pa.Array:
    """Turn ids (one, or a list, tuple, set or array) into an Arrow array of the key's type."""
    key = collection.definition.schema.primary_field
    wanted = str if key.dtype.name == "VARCHAR" else int
    if isinstance(ids, (str, int, np.integer)):
        ids = [ids]
    if not isinstance(ids, Iterable):
        raise RowError(f"ids must be a key or a list of keys, not {ids!r}")
    values = ids.tolist() if isinstance(ids, np.ndarray) else list(ids)
    values = [int(v) if isinstance(v, np.integer) else v for v in values]
    for value in values:
        if isinstance(value, bool) or not isinstance(value, wanted) or (wanted is int and value not in INT64_RANGE):
            raise RowError(f"id {value!r} does not fit key '{key.name}' ({key.dtype.name})")
    return pa.array(values, pa.string() if wanted is str else pa.int64())
