"""Primary keys: one stable 64-bit number per key, and the mapped sorted table that finds a segment's row by it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from elanus.schema.buffers import bits, from_numbers, numbers

Int64s = np.ndarray[Any, np.dtype[np.int64]]

_PRIME = 0x100000001B3
_MIX = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


class Keys:
    """A batch of primary keys (int64 or string, no nulls), hashed once."""

    def __init__(self, array: pa.Array) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    @cached_property
    def numbers(self) -> Int64s:
        """Each key as an int64: itself, or a stable hash of its UTF-8 bytes."""
        if pa.types.is_integer(self.array.type):
            return np.asarray(numbers(self.array), np.int64)
        return hash_strings(self.array)

    @cached_property
    def values(self) -> list[Any]:
        """Each key as a Python int or str."""
        return list(self.array.to_pylist())

    def last_of_each(self) -> Int64s:
        """The positions that survive when a later equal key replaces an earlier one, ascending."""
        newest = {key: position for position, key in enumerate(self.values)}
        return np.sort(np.fromiter(newest.values(), np.int64, len(newest)))


def hash_strings(array: pa.Array) -> Int64s:
    """Hash UTF-8 strings to int64, the same on every platform and version.

    A polynomial in the bytes modulo 2^64 (Rabin-Karp) with the finaliser of SplitMix64. Collisions are allowed:
    whoever looks up compares the keys themselves.
    """
    if pa.types.is_dictionary(array.type):
        return np.asarray(hash_strings(array.dictionary)[numbers(array.indices)], np.int64)
    offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]
    starts, ends = offsets[:-1].astype(np.int64), offsets[1:].astype(np.int64)
    lengths = ends - starts
    hashes = np.zeros(len(array), np.uint64)
    filled = lengths > 0
    if filled.any():
        data = np.frombuffer(array.buffers()[2], np.uint8)[starts[0] : ends[-1]]
        begins = (starts - starts[0])[filled]
        place = np.arange(len(data)) - np.repeat(begins, lengths[filled])
        terms = (data.astype(np.uint64) + np.uint64(1)) * _powers(int(lengths.max()))[place]
        hashes[filled] = np.add.reduceat(terms, begins)
    hashes += lengths.astype(np.uint64)
    for shift, factor in zip((30, 27), _MIX, strict=True):
        hashes = (hashes ^ (hashes >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(hashes ^ (hashes >> np.uint64(31)), np.uint64).view(np.int64)


def _powers(count: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
    powers = np.full(count, _PRIME, np.uint64)
    powers[0] = 1
    return np.asarray(np.multiply.accumulate(powers), np.uint64)


class KeyTable:
    """A segment's keys in the order of their numbers, each with its row; two mapped arrays."""

    def __init__(self, numbers: Int64s, rows: np.ndarray[Any, np.dtype[np.int32]]) -> None:
        self._numbers, self._rows = numbers, rows

    @classmethod
    def build(cls, keys: Keys) -> KeyTable:
        """Sort a segment's keys."""
        order = np.argsort(keys.numbers, kind="stable")
        return cls(keys.numbers[order], order.astype(np.int32))

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """The table as arrays to write."""
        return {"numbers": self._numbers, "rows": self._rows}

    def find(self, keys: Keys, column: pa.Array) -> tuple[Int64s, Int64s]:
        """Return positions in `keys` and the rows of `column` (this part's keys) that hold them."""
        places = np.searchsorted(self._numbers, keys.numbers, "left")
        which = np.arange(len(keys))
        found: list[tuple[Int64s, Int64s]] = []
        while True:
            inside = places < len(self._numbers)
            inside[inside] = self._numbers[places[inside]] == keys.numbers[which[inside]]
            which, places = which[inside], places[inside]
            if not len(which):
                break
            rows = self._rows[places].astype(np.int64)
            same = _same(keys, which, column, rows)
            found.append((which[same], rows[same]))
            places = places + 1
        if not found:
            return which, which
        return np.concatenate([w for w, _ in found]), np.concatenate([r for _, r in found])


def _same(keys: Keys, which: Int64s, column: pa.Array, rows: Int64s) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whether the keys really are equal where their numbers are; a hash alone proves nothing."""
    if pa.types.is_integer(column.type):
        return np.ones(len(rows), np.bool_)
    mine, theirs = keys.array.take(from_numbers(which)), column.take(from_numbers(rows))
    plain = [a.dictionary_decode() if pa.types.is_dictionary(a.type) else a for a in (mine, theirs)]
    return bits(pc.equal(*plain))
