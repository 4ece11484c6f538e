"""Ranking hits anew by a decay: its field's values for the candidates, as one column."""

from __future__ import annotations

import numpy as np

from elanus.errors import InvalidArgument, did_you_mean
from elanus.rank.decay import Decay, Float64s
from elanus.schema.collection import CollectionSchema
from elanus.search.found import Found
from elanus.storage.part import Int64s
from elanus.storage.view import View
from elanus.types import DataType

NUMERIC = (DataType.INT8, DataType.INT16, DataType.INT32, DataType.INT64, DataType.FLOAT, DataType.DOUBLE)


def check_decay(schema: CollectionSchema, decay: Decay) -> None:
    """Raise InvalidArgument if the decay's field is no numeric field of the schema."""
    numeric = [field.name for field in schema.fields if field.dtype in NUMERIC]
    if decay.field not in numeric:
        near = did_you_mean(decay.field, numeric)
        raise InvalidArgument(f"{decay.who}: '{decay.field}' is no numeric field of the collection{near}")


def faded(view: View, decay: Decay, hits: Found) -> Found:
    """One query's hits by score times the decay of their values."""
    return Found(*decay.ranked(hits.rids, hits.scores, _values(view, decay.field, hits.rids)))


def _values(view: View, field: str, rids: Int64s) -> Float64s:
    values = np.full(len(rids), np.nan)
    for s in view.slices:
        which, rows = s.part.locate(rids)
        if len(which):
            taken = s.part.column(field).take(rows).cast("float64", safe=False)
            values[which] = taken.to_numpy(zero_copy_only=False)
    return values
