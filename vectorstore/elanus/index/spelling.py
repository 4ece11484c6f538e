"""Words of a vocabulary by their beginning, or by how few typing errors they are away.

An error is a character too many, missing or wrong, or two neighbours the wrong way round, no part of which is changed
again: the restricted distance of Damerau (1964). It is computed for all words of a fitting length together, row by row
of the table, in the cells near its diagonal; words that have too many errors already drop out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from elanus.index.inverted import Postings
from elanus.index.inverted_terms import Positions, Words

Rows = npt.NDArray[np.int32]
Array = np.ndarray[Any, Any]

MAX_EDITS = 2
NO_CHARACTER = 0x110000


def rows_like(postings: Postings, text: str, prefix: bool, edits: int) -> Rows:
    """Return the rows, ascending, that have a word like the text; `prefix`: one that begins like it."""
    words, offsets = postings.vocabulary, postings.offsets
    assert isinstance(words, Words)
    marks = np.zeros(postings.row_count, np.bool_)
    if edits:
        for number in near(words, text, edits, prefix).tolist():
            marks[postings.rows[offsets[number] : offsets[number + 1]]] = True
    else:
        first, last = words.starting(text)
        marks[postings.rows[offsets[first] : offsets[last]]] = True
    return np.flatnonzero(marks).astype(np.int32)


def near(words: Words, text: str, edits: int, prefix: bool = False) -> Positions:
    """Return the numbers, in no order, of the words at most `edits` errors from a text; `prefix`: that begin so."""
    lengths = words.lengths
    fits = lengths >= len(text) - edits
    if not prefix:
        fits &= lengths <= len(text) + edits
    ascii = lengths == np.diff(words.offsets)
    plain, others = np.flatnonzero(fits & ascii), np.flatnonzero(fits & ~ascii)
    rest = words.take(others)
    codes = np.frombuffer(
        rest.data.tobytes().decode("utf-8", "surrogatepass").encode("utf-32-le", "surrogatepass"), "<u4"
    )
    found = _Table(words.data, words.offsets[plain], lengths[plain], edits).near(text, prefix)
    more = _Table(codes, np.cumsum(rest.lengths) - rest.lengths, rest.lengths, edits).near(text, prefix)
    return np.concatenate([plain[found], others[more]])


class _Table:
    """The distances of a text from words, whose characters are `codes[start : start + length]` each.

    Cell d of row i is the distance of the text's first i characters from a word's first i + d - edits, one number for
    each word that is kept; above `edits` any number stands for any other.
    """

    def __init__(self, codes: Array, starts: Array, lengths: Array, edits: int) -> None:
        self._codes, self._starts, self._lengths, self._edits = codes, starts, lengths, edits
        self._kept = np.arange(len(starts))
        self._older = [self._all(edits + 1)] * (2 * edits + 1)
        self._row = [self._all(d - edits if d >= edits else edits + 1) for d in range(2 * edits + 1)]
        self._window = [self._character(place) for place in range(-edits - 1, edits + 1)]

    def near(self, text: str, prefix: bool) -> Array:
        """Return the places of the words that are near the text, or of which a beginning is."""
        before = NO_CHARACTER
        for i, code in enumerate(map(ord, text), 1):
            self._step(i, code, before)
            self._drop()
            before = code
        found = np.zeros(len(self._kept), np.bool_)
        for d, cells in enumerate(self._row):
            end = len(text) + d - self._edits
            found |= (cells <= self._edits) & (self._lengths >= end if prefix else self._lengths == end)
        return self._kept[found]

    def _step(self, i: int, code: int, code_before: int) -> None:
        """Put row i in the place of the row before it."""
        self._window = [*self._window[1:], self._character(i + self._edits)]
        row: list[Array] = []
        for d, diagonal in enumerate(self._row):
            place = i + d - self._edits
            if place <= 0:
                row.append(self._all(self._edits + 1 if place else i))
                continue
            best = diagonal + (self._window[d + 1] != code)
            for neighbour in (*self._row[d + 1 : d + 2], *row[-1:]):
                best = np.minimum(best, neighbour + 1)
            swapped = (self._window[d] == code) & (self._window[d + 1] == code_before)
            best = np.where(swapped, np.minimum(best, self._older[d] + 1), best)
            row.append(np.minimum(best, self._edits + 1).astype(np.uint8))
        self._older, self._row = self._row, row

    def _drop(self) -> None:
        """Keep only the words that can still be near, once most of them cannot."""
        near = np.min(self._row, axis=0) <= self._edits
        near |= np.min(self._older, axis=0) < self._edits
        if 2 * np.count_nonzero(near) > len(near):
            return
        self._kept, self._starts, self._lengths = self._kept[near], self._starts[near], self._lengths[near]
        self._older, self._row, self._window = (
            [cells[near] for cells in rows] for rows in (self._older, self._row, self._window)
        )

    def _character(self, place: int) -> Array:
        """The words' characters at a place, from 1."""
        if place < 1 or not len(self._codes):
            return np.full(len(self._kept), NO_CHARACTER, np.uint32)
        there = np.minimum(self._starts + place - 1, len(self._codes) - 1)
        return np.asarray(np.where(self._lengths >= place, self._codes[there], np.uint32(NO_CHARACTER)))

    def _all(self, value: int) -> Array:
        return np.full(len(self._kept), value, np.uint8)
