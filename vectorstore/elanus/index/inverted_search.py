"""Best rows over the postings of several parts, compiled or in numpy, with the same result.

A posting's score is weight * value (sparse vectors), or BM25's weight * tf / (tf + flat + slope * length) (text), in
float32; a row's score is the sum over its terms in the order in which they are given. Rows with the same score
are ordered by part and row.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from elanus.errors import InvalidArgument
from elanus.index import inverted_kernel
from elanus.index.inverted import Postings
from elanus.index.inverted_terms import Term

Mask: TypeAlias = npt.NDArray[np.bool_]
Rows: TypeAlias = npt.NDArray[np.int64]

REMEMBERED_TERMS = 4096
KINDS = {np.dtype(np.uint16): 2, np.dtype(np.uint32): 4, np.dtype(np.float32): 0}


class Entry(NamedTuple):
    """A term in one part: positions start:stop of its postings, its largest weight, and how many rows are alive."""

    start: int
    stop: int
    peak: float
    alive: int


class Hits(NamedTuple):
    """Rows by falling score; equal scores by part, then row. parts int32, rows int32, scores float32."""

    parts: npt.NDArray[np.int32]
    rows: npt.NDArray[np.int32]
    scores: npt.NDArray[np.float32]


class PostingsPart:
    """The postings of a part and the rows of it that are alive (None: all), with what searches learn about both.

    Immutable for its users: keep one per part and version of its alive mask, and use it from any thread.
    """

    def __init__(self, postings: Postings, alive: Mask | None = None) -> None:
        if alive is not None and (alive.dtype != np.bool_ or alive.shape != (postings.row_count,)):
            raise InvalidArgument(f"alive must be bool[{postings.row_count}], not {alive.dtype}{list(alive.shape)}")
        self.postings = postings
        self.alive = None if alive is None else np.ascontiguousarray(alive)
        self._entries: dict[Term, Entry | None] = {}

    def find(self, term: Term) -> Entry | None:
        """Return a term's entry, remembered; None if no row of the part has it."""
        try:
            return self._entries[term]
        except KeyError:
            pass
        run = self.postings.find(term)
        entry = None if run is None else Entry(*run, run.stop - run.start - self._dead_among(run.start, run.stop))
        if len(self._entries) >= REMEMBERED_TERMS:
            self._entries.clear()
        self._entries[term] = entry
        return entry

    @cached_property
    def live_rows(self) -> int:
        """Rows alive that have a text (or vector), be it empty."""
        return self.postings.totals[0] - int(np.count_nonzero(self.postings.lengths[self._dead] >= 0))

    @cached_property
    def live_tokens(self) -> int:
        """Tokens of the rows alive."""
        return self.postings.totals[1] - int(np.maximum(self.postings.lengths[self._dead], 0).sum(dtype=np.int64))

    @cached_property
    def _dead(self) -> npt.NDArray[np.int32]:
        if self.alive is None:
            return np.zeros(0, np.int32)
        return np.flatnonzero(~self.alive).astype(np.int32)

    def _dead_among(self, start: int, stop: int) -> int:
        """Dead rows among these postings: looked up one by one if few, else the mask is read for all postings."""
        if self.alive is None or not len(self._dead):
            return 0
        rows = self.postings.rows[start:stop]
        if len(self._dead) * 8 > len(rows):
            return len(rows) - int(np.count_nonzero(self.alive[rows]))
        places = np.searchsorted(rows, self._dead)
        return int(np.count_nonzero(rows[np.minimum(places, len(rows) - 1)] == self._dead))

    @cached_property
    def columns(self) -> tuple[int, int, int, int, int, float]:
        """What the compiled kernel reads: addresses of rows, weights and lengths (0: sparse), and numbers."""
        one = self.postings
        kind = KINDS[one.weights.dtype]
        lengths = one.lengths.ctypes.data if kind else 0
        return one.rows.ctypes.data, one.weights.ctypes.data, kind, lengths, one.row_count, float(one.totals[2])

    @cached_property
    def alive_address(self) -> int:
        return 0 if self.alive is None else self.alive.ctypes.data


def best_rows(
    parts: Sequence[PostingsPart],
    entries: Sequence[list[Entry | None]],
    weights: list[float],
    k: int,
    *,
    allowed: Sequence[Mask | None] | None = None,
    flat: float = 0.0,
    slope: float = 0.0,
) -> Hits:
    """Return the k rows of the highest scores; rows without any of the terms are never among them.

    entries: per part, per term; weights: per term, positive, best in falling order, so that the search can stop early.
    allowed: per part the rows that may be returned, dead ones excluded by the caller; None: those alive.
    """
    masks = _masks(parts, allowed)
    if inverted_kernel.extension is None:
        return _best_rows_numpy(parts, masks, entries, weights, k, flat, slope)
    items = []
    for part, mask, ours in zip(parts, masks, entries, strict=True):
        address = part.alive_address if mask is None or mask is part.alive else mask.ctypes.data
        items.append((part.columns, address, ours))
    return _hits(inverted_kernel.extension.top_k(k, flat, slope, weights, items))


def best_among(
    parts: Sequence[PostingsPart],
    chosen: Sequence[Rows],
    entries: Sequence[Sequence[Entry | None]],
    weights: Sequence[float],
    k: int,
    *,
    flat: float = 0.0,
    slope: float = 0.0,
) -> Hits:
    """What `best_rows` returns for these rows of each part, ascending, by looking each of them up in the postings.

    It costs what the rows are, times the logarithm of the postings: for few rows under common terms.
    """
    found = []
    for number, (part, rows, ours) in enumerate(zip(parts, chosen, entries, strict=True)):
        scores = _scores_of(part, rows, ours, weights, np.float32(flat), np.float32(slope))
        hit = scores > 0
        owners = np.full(int(hit.sum()), number, np.int32)
        found.append(Hits(owners, rows[hit].astype(np.int32), scores[hit]))
    return _ranked(found, k)


def _scores_of(
    part: PostingsPart,
    rows: Rows,
    entries: Sequence[Entry | None],
    weights: Sequence[float],
    flat: np.float32,
    slope: np.float32,
) -> npt.NDArray[np.float32]:
    """The scores of some rows of a part; 0 for those that have none of the terms."""
    postings = part.postings
    sums = np.zeros(len(rows), np.float32)
    for weight, entry in zip(weights, entries, strict=True):
        if entry is None or not len(rows):
            continue
        theirs = postings.rows[entry.start : entry.stop]
        places = np.minimum(np.searchsorted(theirs, rows), len(theirs) - 1)
        has = np.flatnonzero(theirs[places] == rows)
        values = postings.weights[entry.start + places[has]].astype(np.float32)
        sums[has] += _posting_scores(postings, rows[has], values, np.float32(weight), flat, slope)
    return sums


def _posting_scores(
    postings: Postings,
    rows: npt.NDArray[Any],
    values: npt.NDArray[np.float32],
    weight: np.float32,
    flat: np.float32,
    slope: np.float32,
) -> npt.NDArray[np.float32]:
    scores: npt.NDArray[np.float32] = weight * values
    if postings.weights.dtype != np.float32:
        scores = scores / (values + (flat + slope * postings.lengths[rows].astype(np.float32)))
    return scores


def _masks(parts: Sequence[PostingsPart], allowed: Sequence[Mask | None] | None) -> list[Mask | None]:
    if allowed is None:
        return [part.alive for part in parts]
    masks: list[Mask | None] = []
    for part, mask in zip(parts, allowed, strict=True):
        if mask is None:
            masks.append(part.alive)
            continue
        if mask.dtype != np.bool_ or mask.shape != (part.postings.row_count,):
            raise InvalidArgument(
                f"allowed must be bool[{part.postings.row_count}], not {mask.dtype}{list(mask.shape)}"
            )
        masks.append(np.ascontiguousarray(mask))
    return masks


def _best_rows_numpy(
    parts: Sequence[PostingsPart],
    masks: Sequence[Mask | None],
    entries: Sequence[Sequence[Entry | None]],
    weights: Sequence[float],
    k: int,
    flat: float,
    slope: float,
) -> Hits:
    """The compiled kernel's twin and its oracle: every posting is scored, only rows found are ranked."""
    found = []
    for number, (part, mask, ours) in enumerate(zip(parts, masks, entries, strict=True)):
        rows, scores = _score_rows(part, mask, ours, weights, np.float32(flat), np.float32(slope))
        if len(rows) > k > 0:
            enough = scores >= np.partition(scores, len(rows) - k)[len(rows) - k]
            rows, scores = rows[enough], scores[enough]
        found.append(Hits(np.full(len(rows), number, np.int32), rows, scores))
    return _ranked(found, k)


def _ranked(found: Sequence[Hits], k: int) -> Hits:
    """The k best of several parts' hits."""
    if not found or k <= 0:
        return Hits(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32))
    owners = np.concatenate([hits.parts for hits in found])
    rows = np.concatenate([hits.rows for hits in found])
    scores = np.concatenate([hits.scores for hits in found])
    order = np.lexsort((rows, owners, -scores))[:k]
    return Hits(owners[order], rows[order], scores[order])


def _score_rows(
    part: PostingsPart,
    mask: Mask | None,
    entries: Sequence[Entry | None],
    weights: Sequence[float],
    flat: np.float32,
    slope: np.float32,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """The rows of one part that have any of the terms, and their scores."""
    postings = part.postings
    sums = np.zeros(postings.row_count, np.float32)
    found = [np.zeros(0, np.int32)]
    for weight, entry in zip(weights, entries, strict=True):
        if entry is None:
            continue
        rows = postings.rows[entry.start : entry.stop]
        values = postings.weights[entry.start : entry.stop].astype(np.float32)
        if mask is not None:
            kept = mask[rows]
            rows, values = rows[kept], values[kept]
        scores = _posting_scores(postings, rows, values, np.float32(weight), flat, slope)
        found.append(rows[(sums[rows] == 0) & (scores > 0)])
        sums[rows] += scores
    touched = np.concatenate(found)
    return touched, sums[touched]


def _hits(packed: bytes) -> Hits:
    size = len(packed) // 12
    return Hits(
        np.frombuffer(packed, np.int32, size),
        np.frombuffer(packed, np.int32, size, 4 * size),
        np.frombuffer(packed, np.float32, size, 8 * size),
    )


def inner_product(
    parts: Sequence[PostingsPart],
    query: dict[int, float],
    k: int,
    *,
    allowed: Sequence[Mask | None] | None = None,
    among: Sequence[Rows] | None = None,
) -> Hits:
    """Return the k rows whose sparse vectors have the largest inner product with `query` (dimension to value).

    allowed: as for `best_rows`; among: per part the few rows that may be returned, looked up one by one instead.

    Rows that share no dimension with the query are not returned. Raises InvalidArgument for values that are not
    positive and finite; zeros are left out.
    """
    for dimension, value in query.items():
        if not (value >= 0 and np.isfinite(value)):
            raise InvalidArgument(f"sparse query: value {value} of dimension {dimension} is negative or not finite")
    order = sorted((d for d in query if query[d] > 0), key=lambda dimension: (-query[dimension], dimension))
    entries = [[part.find(dimension) for dimension in order] for part in parts]
    weights = [float(query[dimension]) for dimension in order]
    if among is not None:
        return best_among(parts, among, entries, weights, k)
    return best_rows(parts, entries, weights, k, allowed=allowed)


def products(part: PostingsPart, query: dict[int, float], row: int) -> dict[int, float]:
    """What each dimension that a query and a row share adds to their inner product, largest first."""
    added = {}
    for dimension, value in query.items():
        weight = part.postings.weight(dimension, row)
        if weight is not None and value > 0:
            added[dimension] = float(value) * weight
    return dict(sorted(added.items(), key=lambda item: -item[1]))
