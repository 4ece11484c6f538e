"""The inverted index of one part: for each term the rows that have it, and how much of it.

Flat arrays, immutable, the same in memory and in a mapped file. Text holds term frequencies, sparse vectors their
values; both are searched by the same code.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from elanus.errors import StoreFormatError
from elanus.index.inverted_terms import Arrays, Dimensions, Term, Words, column, vocabulary_from_arrays


class Run(NamedTuple):
    """Where a term's postings lie: positions start:stop of `rows` and `weights`; `peak` is the largest weight."""

    start: int
    stop: int
    peak: float


@dataclass(frozen=True, eq=False)
class Postings:
    """Postings of the terms of `vocabulary`; those of term i are at offsets[i]:offsets[i + 1].

    offsets int64 [terms + 1]; rows int32, ascending in each term; weights uint16 or uint32 (term frequencies) or
    float32 (values of sparse vectors, positive); peaks: the largest weight of each term, of the type of weights;
    lengths int32 [rows of the part]: tokens of a row's text or dimensions of its vector, 0 for an empty one, -1 for
    a row that has none.
    """

    vocabulary: Words | Dimensions
    offsets: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int32]
    weights: npt.NDArray[Any]
    peaks: npt.NDArray[Any]
    lengths: npt.NDArray[np.int32]

    @property
    def row_count(self) -> int:
        return len(self.lengths)

    def find(self, term: Term) -> Run | None:
        """Return where a term's postings lie; None if no row has it."""
        number = self.vocabulary.find(term)  # type: ignore[arg-type]
        if number < 0:
            return None
        start, stop = int(self.offsets[number]), int(self.offsets[number + 1])
        if not 0 <= start <= stop <= len(self.rows):
            raise StoreFormatError(f"inverted index: the postings of {term!r} lie outside the file")
        return Run(start, stop, float(self.peaks[number]))

    def weight(self, term: Term, row: int) -> float | None:
        """Return the weight of a term in a row; None if the row has it not."""
        run = self.find(term)
        if run is None:
            return None
        at = run.start + int(np.searchsorted(self.rows[run.start : run.stop], row))
        return float(self.weights[at]) if at < run.stop and self.rows[at] == row else None

    @cached_property
    def totals(self) -> tuple[int, int, int]:
        """Rows that have a text (or vector), their tokens together, and the length of the shortest not empty."""
        positive = self.lengths[self.lengths > 0]
        rows = int(np.count_nonzero(self.lengths >= 0))
        return rows, int(positive.sum(dtype=np.int64)), int(positive.min(initial=np.iinfo(np.int32).max))

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return everything as named one-dimensional numeric arrays, without copying."""
        return self.vocabulary.to_arrays() | {
            "offsets": self.offsets,
            "rows": self.rows,
            "weights": self.weights,
            "peaks": self.peaks,
            "lengths": self.lengths,
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Postings:
        """Return the postings over arrays of `to_arrays`, which may be read-only and mapped, without copying.

        Raises StoreFormatError where an array is missing, of another type or of a length that does not fit.
        """
        vocabulary = vocabulary_from_arrays(arrays)
        weights = column(arrays, "weights", np.uint16, np.uint32, np.float32)
        peaks = column(arrays, "peaks", weights.dtype.type)
        offsets, rows = column(arrays, "offsets", np.int64), column(arrays, "rows", np.int32)
        lengths = column(arrays, "lengths", np.int32)
        if not (len(offsets) == len(vocabulary) + 1 == len(peaks) + 1 and len(rows) == len(weights) == offsets[-1]):
            raise StoreFormatError("inverted index: the arrays do not fit each other")
        return cls(vocabulary, offsets, rows, weights, peaks, lengths)
