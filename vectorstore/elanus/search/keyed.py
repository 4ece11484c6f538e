"""Rows by their keys, and in the order of their keys."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from elanus.schema.arrow import PARTITION
from elanus.schema.buffers import from_numbers, numbers
from elanus.search.matching import Matching
from elanus.storage.keys import Keys
from elanus.storage.part import Int64s
from elanus.storage.view import View, find


def rids_of_keys(view: View, key_field: str, keys: pa.Array, inside: tuple[int, ...] | None) -> Int64s:
    """The living rows of these keys that are in these partitions (None: in any), in the keys' order, each once."""
    rid_of = np.full(len(keys), -1, np.int64)
    for s, (which, rows) in zip(view.slices, find(view, Keys(keys), key_field), strict=True):
        if inside is not None:
            kept = np.isin(numbers(s.part.column(PARTITION))[rows], inside)
            which, rows = which[kept], rows[kept]
        rid_of[which] = s.part.rids[rows]
    found = rid_of[rid_of >= 0]
    _, first = np.unique(found, return_index=True)
    return np.asarray(found[np.sort(first)], np.int64)


def ordered_by_key(view: View, key_field: str, chosen: Matching, most: int | None) -> Int64s:
    """The chosen rows with the smallest keys, ascending by key; `most` of them, or all."""
    few = chosen.few_rows
    keys, rids = [], [np.empty(0, np.int64)]
    for number, s in enumerate(view.slices):
        column, own = s.part.column(key_field), s.part.rids
        if few is not None:
            column, own = column.take(from_numbers(few[number])), own[few[number]]
        elif (mask := chosen.masks[number]) is not None:
            column, own = column.filter(pa.array(mask)), own[mask]
        keys.append(column.dictionary_decode() if pa.types.is_dictionary(column.type) else column)
        rids.append(own)
    if not keys:
        return rids[0]
    table = pa.table({"key": pa.chunked_array(keys)})
    if most is None or most >= table.num_rows:
        order = pc.sort_indices(table, sort_keys=[("key", "ascending")])
    else:
        order = pc.select_k_unstable(table, most, sort_keys=[("key", "ascending")])
    return np.asarray(np.concatenate(rids)[order.to_numpy()], np.int64)
