"""From short pieces of text to the rows whose strings contain them: what an NGRAM index is.

A gram is a stretch of `size` bytes of UTF-8, as a number; at the end of a string it is filled up with zeros, which
hardly any text has. So a literal of any length is found: by its rarest gram, or by the grams that begin with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from elanus.index.lookup import ascending, distinct

Int64s = np.ndarray[Any, np.dtype[np.int64]]
UInt32s = np.ndarray[Any, np.dtype[np.uint32]]
MOST_BYTES = 3
CHUNK_ROWS = 65_536


class Grams:
    """The rows of each gram of one column of strings, grams ascending."""

    def __init__(self, size: int, grams: UInt32s, offsets: Int64s, rows: np.ndarray[Any, np.dtype[np.int32]]) -> None:
        self._size, self._grams, self._offsets, self._rows = size, grams, offsets, rows

    @classmethod
    def build(cls, column: pa.Array, size: int) -> Grams:
        """Index strings, dictionary-encoded or not, by grams of `size` bytes, at most three."""
        size = min(size, MOST_BYTES)
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        pairs = [_pairs(column.slice(start, CHUNK_ROWS), start, size) for start in range(0, len(column), CHUNK_ROWS)]
        joined = np.concatenate([np.empty(0, np.uint64), *pairs])
        joined.sort()
        joined = joined[distinct(joined)]
        grams = (joined >> np.uint64(32)).astype(np.uint32)
        rows = (joined & np.uint64(0xFFFFFFFF)).astype(np.int32)
        firsts = np.flatnonzero(distinct(grams))
        offsets = np.append(firsts, len(grams)).astype(np.int64)
        return cls(size, grams[firsts], offsets, rows)

    def to_arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """The grams as arrays to write."""
        size = np.array([self._size], np.int64)
        return {"size": size, "grams": self._grams, "offsets": self._offsets, "rows": self._rows}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray[Any, Any]]) -> Grams:
        """Read what `to_arrays` gave."""
        return cls(int(arrays["size"][0]), arrays["grams"], arrays["offsets"], arrays["rows"])

    def containing(self, literal: str) -> tuple[int, int] | None:
        """The span of the rarest gram of a text that is not empty, for `rows`; None for an empty one."""
        data = literal.encode()
        if not data:
            return None
        if len(data) < self._size:
            free = 8 * (self._size - len(data))
            low = int.from_bytes(data, "big") << free
            return self._span(low, low + (1 << free))
        windows = {int.from_bytes(data[i : i + self._size], "big") for i in range(len(data) - self._size + 1)}
        return min((self._span(gram, gram + 1) for gram in windows), key=self.count)

    def _span(self, low: int, high: int) -> tuple[int, int]:
        start, stop = np.searchsorted(self._grams, [low, high]).tolist()
        return int(self._offsets[start]), int(self._offsets[stop])

    @staticmethod
    def count(span: tuple[int, int]) -> int:
        """How many rows stand in a span, some of them perhaps several times."""
        return span[1] - span[0]

    def rows(self, span: tuple[int, int]) -> Int64s:
        """The rows of a span, ascending, each once."""
        return ascending(self._rows[span[0] : span[1]])


def _pairs(column: pa.Array, first: int, size: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Each gram and row of a piece of the column, as gram * 2**32 + row, by row."""
    flat = pa.concat_arrays([column]) if column.null_count == 0 else column.fill_null("")
    ends = np.frombuffer(flat.buffers()[1], np.int32)[flat.offset : flat.offset + len(flat) + 1]
    begin, end = int(ends[0]), int(ends[-1])
    data = np.frombuffer(flat.buffers()[2] or b"", np.uint8)[begin:end]
    if not len(data):
        return np.empty(0, np.uint64)
    owners = np.repeat(np.arange(len(flat), dtype=np.int64), np.diff(ends))
    left = np.repeat(ends[1:].astype(np.int64) - begin, np.diff(ends)) - np.arange(len(data))
    grams = np.zeros(len(data), np.uint64)
    padded = np.concatenate([data, np.zeros(size, np.uint8)]).astype(np.uint64)
    for place in range(size):
        byte = np.where(left > place, padded[place : place + len(data)], 0).astype(np.uint64)
        grams = (grams << np.uint64(8)) | byte
    pairs: np.ndarray[Any, np.dtype[np.uint64]] = (grams << np.uint64(32)) | (owners + first).astype(np.uint64)
    return pairs
