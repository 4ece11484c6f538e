"""Strings as codes: the dictionary encoding of columns in which few distinct strings recur."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from elanus.schema.buffers import from_numbers
from elanus.schema.sparse import flat

SAMPLE, SAMPLE_SHARE = 1_024, 2
DICTIONARY_SHARE, SMALL_DICTIONARY = 8, 16
CODES = ((pa.int8(), 2**7), (pa.int16(), 2**15), (pa.int32(), 2**31))


def dictionary(array: pa.Array) -> pa.Array:
    """Dictionary-encode strings, or the strings in lists, if few of them are distinct; return others as they are.

    The codes are as narrow as the number of distinct strings allows, so that a comparison reads one byte a row
    instead of the text, and ordered as the strings are, so that ranges of strings are ranges of codes.
    """
    if pa.types.is_list(array.type) and pa.types.is_string(array.type.value_type):
        return _with_elements(array, dictionary(array.values))
    if not pa.types.is_string(array.type) or not _repeats(array):
        return array
    encoded = array.dictionary_encode()
    distinct = len(encoded.dictionary)
    if distinct > max(SMALL_DICTIONARY, len(array) // DICTIONARY_SHARE):
        return array
    width = next(kind for kind, most in CODES if distinct <= most)
    order = pc.array_sort_indices(encoded.dictionary)
    ranks = pc.array_sort_indices(order).cast(width)
    return pa.DictionaryArray.from_arrays(ranks.take(encoded.indices), encoded.dictionary.take(order))


def plain(column: pa.Array) -> pa.Array:
    """Undo `dictionary`."""
    if pa.types.is_dictionary(column.type):
        return column.dictionary_decode()
    if pa.types.is_list(column.type) and pa.types.is_dictionary(column.type.value_type):
        return column.cast(pa.list_(column.type.value_type.value_type))
    return column


def extent(array: pa.Array) -> int:
    """What an array's offsets would count without dictionary encoding: bytes of strings, elements of lists, maps."""
    if pa.types.is_map(array.type):
        return len(flat(array).indices)
    if pa.types.is_list(array.type):
        elements = array.flatten()
        return max(len(elements), extent(elements))
    if pa.types.is_dictionary(array.type):
        lengths = pc.binary_length(array.dictionary).take(array.indices)
    elif pa.types.is_string(array.type) or pa.types.is_binary(array.type):
        lengths = pc.binary_length(array)
    else:
        return 0
    return pc.sum(lengths.cast(pa.int64())).as_py() or 0


def _repeats(array: pa.Array) -> bool:
    """Whether a sample promises a small dictionary; encoding a column of distinct strings is slow."""
    if len(array) <= SAMPLE * SAMPLE_SHARE:
        return len(array) > 0
    places = np.linspace(0, len(array) - 1, SAMPLE).astype(np.int64)
    return bool(pc.count_distinct(array.take(from_numbers(places))).as_py() <= SAMPLE // SAMPLE_SHARE)


def _with_elements(lists: pa.Array, values: pa.Array) -> pa.Array:
    if values is lists.values or values.type == lists.type.value_type:
        return lists
    buffers = lists.buffers()[:2]
    kind = pa.list_(values.type)
    return pa.Array.from_buffers(kind, len(lists), buffers, lists.null_count, lists.offset, [values])
