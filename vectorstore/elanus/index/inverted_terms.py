"""The vocabularies of an inverted index: sorted words, or sorted dimensions of sparse vectors.

Both are plain arrays that can lie in a mapped file: opening one reads nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from elanus.errors import StoreFormatError
from elanus.index import inverted_kernel

Term: TypeAlias = str | int
Arrays: TypeAlias = Mapping[str, npt.NDArray[Any]]
Positions: TypeAlias = npt.NDArray[np.int64]


class Vocabulary(Protocol):
    """Distinct terms in ascending order, numbered from 0."""

    def __len__(self) -> int: ...

    def find(self, term: Any) -> int:
        """Return the number of a term, -1 if it is not here."""

    def take(self, numbers: Positions) -> Vocabulary:
        """Return the vocabulary of these terms; `numbers` ascend."""

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]: ...


class Words:
    """Words in the order of their UTF-8 bytes: `data` holds them end to end, word i at offsets[i]:offsets[i + 1].

    data uint8, offsets int64 [words + 1].
    """

    def __init__(self, data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> None:
        self.data = data
        self.offsets = offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, number: int) -> str:
        return self._bytes(number).decode()

    def _bytes(self, number: int) -> bytes:
        start, stop = self.offsets[number], self.offsets[number + 1]
        return self.data[start:stop].tobytes()

    def find(self, term: str) -> int:
        wanted = term.encode("utf-8", "surrogatepass")
        if inverted_kernel.extension is not None:
            try:
                return int(inverted_kernel.extension.find(*self._address, wanted))
            except ValueError as error:
                raise StoreFormatError(f"inverted index: {error}") from None
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self._bytes(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self) and self._bytes(low) == wanted else -1

    def starting(self, prefix: str) -> tuple[int, int]:
        """Return the first of the words that begin so, and the one after the last; no byte of UTF-8 is 255."""
        wanted = prefix.encode("utf-8", "surrogatepass")
        first = bisect_left(range(len(self)), wanted, key=self._bytes)
        return first, bisect_left(range(len(self)), wanted + b"\xff", first, key=self._bytes)

    @cached_property
    def lengths(self) -> npt.NDArray[np.int32]:
        """How many characters each word has, int32 (words,)."""
        begins = np.cumsum((self.data & 0xC0) != 0x80)
        return np.diff(np.concatenate(([0], begins))[self.offsets]).astype(np.int32)

    @cached_property
    def _address(self) -> tuple[int, int, int, int]:
        return self.data.ctypes.data, len(self.data), self.offsets.ctypes.data, len(self)

    def take(self, numbers: Positions) -> Words:
        return _from_arrow(self._arrow().take(pa.array(numbers)))

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {"word_bytes": self.data, "word_offsets": self.offsets}

    def _arrow(self) -> Any:
        buffers = [None, pa.py_buffer(self.offsets), pa.py_buffer(self.data)]
        return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(self), buffers)

    @classmethod
    def sort(cls, words: Sequence[str]) -> tuple[Words, Positions]:
        """Return the vocabulary of distinct words, and for each of them its number in it."""
        return _sort(pa.array(words, pa.large_string()).cast(pa.large_binary()))

    @classmethod
    def union(cls, vocabularies: Sequence[Words]) -> tuple[Words, list[Positions]]:
        """Return all words of several vocabularies, and for each of these the new numbers of its words."""
        joined = pa.concat_arrays([words._arrow() for words in vocabularies]).dictionary_encode()
        merged, numbers = _sort(joined.dictionary)
        flat = numbers[joined.indices.to_numpy()]
        bounds = np.cumsum([len(words) for words in vocabularies])
        return merged, np.split(flat, bounds[:-1])


class Dimensions:
    """The dimensions that occur in sparse vectors, ascending: values uint32."""

    def __init__(self, values: npt.NDArray[np.uint32]) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def find(self, term: int) -> int:
        at = int(self.values.searchsorted(term))
        return at if at < len(self.values) and self.values[at] == term else -1

    def take(self, numbers: Positions) -> Dimensions:
        return Dimensions(self.values[numbers])

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {"dimensions": self.values}

    @classmethod
    def union(cls, vocabularies: Sequence[Dimensions]) -> tuple[Dimensions, list[Positions]]:
        """Return all dimensions of several vocabularies, and for each of these the new numbers of its own."""
        values, flat = np.unique(np.concatenate([one.values for one in vocabularies]), return_inverse=True)
        bounds = np.cumsum([len(one) for one in vocabularies])
        return cls(values), np.split(flat.reshape(-1).astype(np.int64), bounds[:-1])


def vocabulary_from_arrays(arrays: Arrays) -> Words | Dimensions:
    """Return the vocabulary whose `to_arrays` these arrays came from, without copying."""
    if "dimensions" in arrays:
        return Dimensions(column(arrays, "dimensions", np.uint32))
    words = Words(column(arrays, "word_bytes", np.uint8), column(arrays, "word_offsets", np.int64))
    if len(words.offsets) == 0 or words.offsets[0] != 0 or words.offsets[-1] != len(words.data):
        raise StoreFormatError("inverted index: 'word_offsets' do not fit 'word_bytes'")
    return words


def column(arrays: Arrays, name: str, *dtypes: type[np.generic]) -> Any:
    """Return one of the arrays; raises StoreFormatError where it is missing or has another type."""
    array = arrays.get(name)
    if array is None:
        raise StoreFormatError(f"inverted index: no array {name!r}")
    if array.dtype not in [np.dtype(dtype) for dtype in dtypes] or array.ndim != 1 or not array.flags.c_contiguous:
        raise StoreFormatError(f"inverted index: array {name!r} is {array.dtype}[{array.ndim}], a form unknown here")
    return array


def _sort(words: Any) -> tuple[Words, Positions]:
    order = pc.sort_indices(words)
    numbers = np.empty(len(order), np.int64)
    numbers[order.to_numpy()] = np.arange(len(order))
    return _from_arrow(words.take(order)), numbers


def _from_arrow(words: Any) -> Words:
    """A fresh large_binary array's own buffers; it has no nulls and starts at offset 0."""
    _, offsets, data = words.buffers()
    data = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    bounds = np.frombuffer(offsets, np.int64)[: len(words) + 1] if len(words) else np.zeros(1, np.int64)
    return Words(data[: bounds[-1]], bounds)
