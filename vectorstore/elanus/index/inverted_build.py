"""Makes postings: from texts, from sparse vectors, and from other postings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from elanus.analysis import EncodedTexts
from elanus.errors import InvalidArgument
from elanus.index.inverted import Postings
from elanus.index.inverted_terms import Dimensions, Positions, Words

Mask: TypeAlias = npt.NDArray[np.bool_]

STEP_POSTINGS = 1 << 21
"""Postings that a merge holds in temporary arrays at a time (about 80 bytes each)."""


def from_texts(texts: EncodedTexts) -> Postings:
    """Return the postings of encoded texts: row i is text i, a weight is how often the text has the term."""
    vocabulary, numbers = Words.sort(texts.terms)
    row_of = np.repeat(np.arange(len(texts.lengths), dtype=np.int64), np.maximum(texts.lengths, 0))
    shift = max(len(texts.lengths) - 1, 1).bit_length()
    keys = np.sort(numbers[texts.ids] << shift | row_of)
    fresh = np.ones(len(keys), np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=fresh[1:])
    starts = np.flatnonzero(fresh)
    frequencies = np.diff(starts, append=len(keys))
    pairs = keys[starts]
    rows = (pairs & ((1 << shift) - 1)).astype(np.int32)
    offsets = np.searchsorted(pairs, np.arange(len(vocabulary) + 1) << shift)
    narrow = frequencies.max(initial=0) <= np.iinfo(np.uint16).max
    weights = frequencies.astype(np.uint16 if narrow else np.uint32)
    return _finish(vocabulary, offsets, rows, weights, texts.lengths)


def from_sparse(
    bounds: npt.NDArray[np.int64],
    dimensions: npt.NDArray[np.uint32],
    values: npt.NDArray[np.float32],
    there: Mask | None = None,
) -> Postings:
    """Return the postings of sparse vectors; row i holds dimensions[bounds[i]:bounds[i + 1]], each at most once.

    Zeros are left out. Rows that are not `there` (None: all are) have no vector, not even an empty one.
    Raises InvalidArgument for negative or not finite values and for repeated dimensions.
    """
    counts = np.diff(bounds)
    row_of = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    wrong = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if len(wrong):
        raise InvalidArgument(f"row {row_of[wrong[0]]}: sparse value {values[wrong[0]]} is negative or not finite")
    kept = np.flatnonzero(values > 0)
    kept = kept[np.argsort(dimensions[kept], kind="stable")]
    present, starts = np.unique(dimensions[kept], return_index=True)
    rows, ordered = row_of[kept], dimensions[kept]
    twice = np.flatnonzero((ordered[1:] == ordered[:-1]) & (rows[1:] == rows[:-1]))
    if len(twice):
        raise InvalidArgument(f"row {rows[twice[0]]}: sparse dimension {ordered[twice[0]]} occurs twice")
    lengths = np.bincount(rows, minlength=len(counts)).astype(np.int32)
    if there is not None:
        lengths[~there] = -1
    offsets = np.append(starts, len(kept)).astype(np.int64)
    return _finish(Dimensions(present.astype(np.uint32)), offsets, rows, values[kept].astype(np.float32), lengths)


def merge(parts: Sequence[tuple[Postings, Mask | None]]) -> Postings:
    """Return the postings of the kept rows of several parts, numbered anew in their order; None keeps all rows.

    All parts must be of one kind, text or sparse vectors. Terms of which no row is left go.
    """
    sources = [postings for postings, _ in parts]
    vocabulary, numbers = _union([postings.vocabulary for postings in sources])
    renumbered = _renumber(parts)
    counts = [_kept_counts(postings, new) for postings, new in zip(sources, renumbered, strict=True)]
    sizes = np.zeros(len(vocabulary), np.int64)
    for terms, count in zip(numbers, counts, strict=True):
        sizes[terms] += count
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    rows = np.empty(offsets[-1], np.int32)
    weights = np.empty(offsets[-1], np.result_type(*(postings.weights for postings in sources)))
    cursors = offsets[:-1].copy()
    for postings, terms, new, count in zip(sources, numbers, renumbered, counts, strict=True):
        _copy(postings, new, count, cursors[terms], rows, weights)
        cursors[terms] += count
    lengths = [postings.lengths if keep is None else postings.lengths[keep] for postings, keep in parts]
    used = np.flatnonzero(sizes)
    if len(used) < len(vocabulary):
        vocabulary, offsets = vocabulary.take(used), np.append(offsets[used], offsets[-1])
    return _finish(vocabulary, offsets, rows, weights, np.concatenate(lengths))


def _union(vocabularies: list[Words | Dimensions]) -> tuple[Words | Dimensions, list[Positions]]:
    words = [one for one in vocabularies if isinstance(one, Words)]
    dimensions = [one for one in vocabularies if isinstance(one, Dimensions)]
    if bool(words) == bool(dimensions):
        raise InvalidArgument("merge needs at least one part, and postings of text or of sparse vectors, not of both")
    return Words.union(words) if words else Dimensions.union(dimensions)


def _renumber(parts: Sequence[tuple[Postings, Mask | None]]) -> list[npt.NDArray[np.int32]]:
    """For each part, its rows' new numbers; -1 for rows that go."""
    renumbered, first = [], 0
    for postings, keep in parts:
        kept = np.ones(postings.row_count, np.bool_) if keep is None else keep
        new = np.where(kept, np.cumsum(kept) - 1 + first, -1).astype(np.int32)
        first += int(np.count_nonzero(kept))
        renumbered.append(new)
    return renumbered


def _kept_counts(postings: Postings, new: npt.NDArray[np.int32]) -> Positions:
    """How many postings of each term stay."""
    if not len(new) or new.min() >= 0:
        return np.diff(postings.offsets)
    counts = np.zeros(len(postings.vocabulary), np.int64)
    for first, last in _steps(postings.offsets):
        start, stop = postings.offsets[first], postings.offsets[last]
        kept = np.concatenate(([0], np.cumsum(new[postings.rows[start:stop]] >= 0)))
        counts[first:last] = np.diff(kept[postings.offsets[first : last + 1] - start])
    return counts


def _copy(
    postings: Postings,
    new: npt.NDArray[np.int32],
    counts: Positions,
    targets: Positions,
    rows: npt.NDArray[np.int32],
    weights: npt.NDArray[Any],
) -> None:
    """Write the kept postings of each term to its target position and those after it."""
    for first, last in _steps(postings.offsets):
        start, stop = postings.offsets[first], postings.offsets[last]
        moved, values = new[postings.rows[start:stop]], postings.weights[start:stop]
        count = counts[first:last]
        ends = np.cumsum(count)
        if ends[-1] < len(moved):
            kept = moved >= 0
            moved, values = moved[kept], values[kept]
        places = np.repeat(targets[first:last] - (ends - count), count)
        places += np.arange(len(moved))
        rows[places] = moved
        weights[places] = values


def _steps(offsets: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """Ranges of terms that hold about STEP_POSTINGS postings, at least one term each."""
    wanted = np.arange(0, offsets[-1], STEP_POSTINGS)
    bounds = np.unique(np.append(np.searchsorted(offsets[:-1], wanted), len(offsets) - 1))
    return list(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True))


def _finish(
    vocabulary: Words | Dimensions,
    offsets: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int32],
    weights: npt.NDArray[Any],
    lengths: npt.NDArray[np.int32],
) -> Postings:
    """Every term here has postings, so the largest weight of each is one reduction."""
    peaks = np.maximum.reduceat(weights, offsets[:-1]) if len(rows) else weights[:0]
    return Postings(vocabulary, offsets, rows, weights, peaks, lengths)
