"""The scan over all rows of a vector field: compressed codes for most rows, exact scores for the newest ones.

Rows are known by their slot, 0..n-1 in order of adding. Slots never move and are never removed: a dead row is
masked.

A new row waits in a small float32 buffer, where it is scored exactly, because codes take rows cheaply but pay
for it at the next search (28 ms at 100,000 x 384, to lay them out anew). The buffer is folded into the codes
once the searches have spent on it what the folding costs, or when it is full. So a row inserted between two
searches costs neither of them, bulk loads stay at memory speed, and a store too small to be worth codes never
makes any.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from elanus.errors import StoreFormatError
from elanus.index import exact
from elanus.index.codes import Arrays, Codes, FourBitCodes, HalfCodes, fit_codes, load_codes
from elanus.index.metric import Floats, Mask, Metric, Rows
from elanus.index.planning import Strategy, oversampled, plan_filtered
from elanus.index.stored import widen

FIT_ROWS = 1024
"""Fewest rows a calibration is made of; fewer rows are always scored exactly."""

SAMPLE_ROWS = 4096
"""Most rows a calibration is made of."""

WAITING_ROWS = 4096
"""Most rows that wait outside the codes: 6 MB at 384 dimensions, 0.3 ms a search."""

OUTGROWN = 8
"""From this many times the rows known at calibration on, building anew from a random sample pays.

On rows sorted by cluster a calibration on the first eighth found 0.992 to 0.998 of the ten best within 20
candidates, a random sample 0.994 to 0.996, the first 1,024 of 50,000 rows 0.948 to 0.988.
"""

_VERSION = 1
_METRICS = (Metric.COSINE, Metric.IP, Metric.L2)
_KINDS = ("exact", FourBitCodes.kind, HalfCodes.kind)

_FIT_WORK = 1_000_000
_WORK_PER_CODED_ROW = 4
_WORK_PER_WAITING_ROW = 40
_TRIES = 3


@dataclass(frozen=True)
class _State:
    """What a search reads: codes of the first `coded` slots, vectors and norms of those after them."""

    codes: Codes | None
    coded: int
    vectors: Floats
    norms: Floats

    @property
    def rows(self) -> int:
        return self.coded + len(self.vectors)

    @property
    def torn(self) -> bool:
        """Whether rows came into the codes since this state was published."""
        return self.codes is not None and len(self.codes) != self.coded


class ScanIndex:
    """A growing set of float32 vectors, scanned whole; any number of threads may search while one adds.

    Args:
        dim: coordinates of a vector.
        metric: how likeness is measured.
        seed: of the random sample that calibrates the codes.
    """

    def __init__(self, dim: int, metric: Metric, seed: int = 0) -> None:
        self.dim = dim
        self.metric = metric
        self._random = np.random.default_rng(seed)
        self._lock = threading.Lock()
        self._fitted_on = 0
        self._work = 0
        self._buffer = np.empty((0, dim), dtype=np.float32)
        self._buffer_norms = np.empty(0, dtype=np.float32)
        self._state = _State(None, 0, self._buffer, self._buffer_norms)

    def __len__(self) -> int:
        return self._state.rows

    @property
    def nbytes(self) -> int:
        """Private memory of codes and waiting rows, in bytes."""
        codes = self._state.codes
        return (codes.nbytes if codes else 0) + self._buffer.nbytes + self._buffer_norms.nbytes

    @property
    def kind(self) -> str:
        """The codes in use: 'turbovec4', 'faiss-bf16', or 'exact' while there are none."""
        codes = self._state.codes
        return codes.kind if codes else "exact"

    @property
    def outgrown(self) -> bool:
        """Whether there are so many more rows than at calibration that building anew pays."""
        return self._fitted_on > 0 and len(self) >= OUTGROWN * self._fitted_on

    def fit(self, sample: Floats, norms: Floats, rows: int) -> None:
        """Calibrate on a random sample of the `rows` rows about to be added.

        Without it, or with fewer than 1,024 rows in it, the first rows calibrate.

        Raises:
            ValueError: the index has codes already.
        """
        with self._lock:
            if self._state.codes is not None:
                raise ValueError("a scan index is calibrated once, before its rows are encoded")
            if len(sample) >= FIT_ROWS:
                self._fitted_on = rows
                self._publish(fit_codes(self.metric, sample, norms), 0, self._state.vectors, self._state.norms)

    def add(self, vectors: Floats, norms: Floats) -> None:
        """Append rows to the next slots.

        Args:
            vectors: finite float32 (m, dim).
            norms: float32 (m,), their L2 norms.
        """
        with self._lock:
            if len(self._state.vectors) + len(vectors) > WAITING_ROWS:
                self._encode(vectors, norms)
            elif len(vectors):
                self._wait(vectors, norms)

    def search(self, query: Floats, k: int, mask: Mask | None = None, limit: int | None = None) -> Rows:
        """Return the slots of min(k, matching rows) candidates, int64, best first by approximate score.

        Where many rows match it scans without the mask for more candidates and drops the others, and scans again
        under the mask if too few stay. Few matches (`planning` says EXACT) cost less scored exactly, by the caller.

        Args:
            query: float32 (dim,).
            k: how many; see `planning.candidates`.
            mask: bool (limit,), the slots that count; None for all.
            limit: only slots below it count, so that rows added after the caller's view stay unseen; None for all.

        Raises:
            ValueError: `limit` exceeds the rows, or the mask is not as long as `limit`.
        """
        for _ in range(_TRIES):
            state = self._state
            found = self._search(state, query, k, mask, limit)
            if found is not None:
                self._repay(state)
                return found
        with self._lock:
            found = self._search(self._state, query, k, mask, limit)
        assert found is not None
        return found

    def to_arrays(self) -> Arrays:
        """Return the index, waiting rows included, as the one-dimensional arrays `from_arrays` reads."""
        with self._lock:
            state = self._state
            if state.codes is not None and len(state.vectors):
                self._encode(self._buffer[:0], self._buffer_norms[:0])
                state = self._state
            metric, kind = _METRICS.index(self.metric), _KINDS.index(self.kind)
            return {
                "format": np.array([_VERSION, metric, self.dim, kind, self._fitted_on], np.int64),
                "vectors": state.vectors.reshape(-1).copy(),
                "norms": state.norms.copy(),
                **(state.codes.to_arrays() if state.codes else {}),
            }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray[Any, Any]]) -> ScanIndex:
        """Return the index that `to_arrays` wrote; 18 ms for 100,000 x 384.

        Raises:
            StoreFormatError: the arrays are of another version, damaged, or need a kernel missing here; the index
                can be built anew from the vectors.
        """
        try:
            version, metric, dim, kind, fitted_on = (int(number) for number in arrays["format"])
            if version != _VERSION:
                raise StoreFormatError(f"scan index of format {version}; this release reads format {_VERSION}")
            index = cls(dim, _METRICS[metric])
            index._fitted_on = fitted_on
            if kind:
                codes = load_codes(_KINDS[kind], index.metric, dim, arrays)
                index._publish(codes, len(codes), index._buffer, index._buffer_norms)
            index.add(np.asarray(arrays["vectors"]).reshape(-1, dim), np.asarray(arrays["norms"]))
        except (ValueError, KeyError, IndexError, RuntimeError) as error:
            raise StoreFormatError(f"damaged scan index ({error})") from error
        return index

    def _publish(self, codes: Codes | None, coded: int, vectors: Floats, norms: Floats) -> None:
        self._state = _State(codes, coded, vectors, norms)

    def _wait(self, vectors: Floats, norms: Floats) -> None:
        state, start = self._state, len(self._state.vectors)
        end = start + len(vectors)
        if end > len(self._buffer):
            room = min(max(end, 2 * start, 64), WAITING_ROWS)
            buffer, buffer_norms = np.empty((room, self.dim), np.float32), np.empty(room, np.float32)
            buffer[:start], buffer_norms[:start] = state.vectors, state.norms
            self._buffer, self._buffer_norms = buffer, buffer_norms
        self._buffer[start:end], self._buffer_norms[start:end] = widen(vectors), norms
        self._publish(state.codes, state.coded, self._buffer[:end], self._buffer_norms[:end])

    def _encode(self, vectors: Floats, norms: Floats) -> None:
        """Move the waiting rows, then the given ones, into the codes."""
        state = self._state
        codes = state.codes
        if codes is None:
            there = np.flatnonzero(norms)  # rows without a vector are zeros, of which nothing can be learnt
            chosen = self._random.permutation(there if 0 < len(there) < len(norms) else len(norms))[:SAMPLE_ROWS]
            sample = np.concatenate((state.vectors, widen(vectors[chosen])))
            sample_norms = np.concatenate((state.norms, norms[chosen]))
            some = self._random.permutation(len(sample))[:SAMPLE_ROWS]
            codes = fit_codes(self.metric, sample[some], sample_norms[some])
            self._fitted_on = len(state.vectors) + len(vectors)
        try:
            codes.add(state.vectors, state.norms)
            codes.add(vectors, norms)
        except BaseException:
            codes.truncate(state.coded)
            raise
        self._buffer, self._buffer_norms = self._buffer[:0].copy(), self._buffer_norms[:0].copy()
        self._publish(codes, len(codes), self._buffer, self._buffer_norms)
        self._work = 0

    def _repay(self, state: _State) -> None:
        """Count the work spent on waiting rows; fold them in once it has cost what folding does."""
        waiting = len(state.vectors)
        if not waiting or (state.codes is None and waiting < FIT_ROWS):
            return
        self._work += waiting
        price = _WORK_PER_CODED_ROW * state.coded + _WORK_PER_WAITING_ROW * waiting
        price += _FIT_WORK if state.codes is None else 0
        if self._work >= price and self._lock.acquire(blocking=False):
            try:
                self._encode(self._buffer[:0], self._buffer_norms[:0])
            finally:
                self._lock.release()

    def _search(self, state: _State, query: Floats, k: int, mask: Mask | None, limit: int | None) -> Rows | None:
        """Search one state; None when rows came into its codes meanwhile: take a newer one."""
        if limit is None:
            limit = state.rows if mask is None else len(mask)
        if limit > state.rows or (mask is not None and len(mask) != limit):
            length = "" if mask is None else f", mask of {len(mask)}"
            raise ValueError(f"search among {limit} slots of {state.rows}{length}")
        query = np.ascontiguousarray(query, dtype=np.float32)
        coded = min(limit, state.coded)
        try:
            slots, scores = _search_codes(state, query, k, None if mask is None else mask[:coded], coded)
        except ValueError:
            if state.torn:
                return None
            raise
        if state.torn:
            return None
        if limit > coded:
            late = np.arange(coded, limit) if mask is None else coded + np.flatnonzero(mask[coded:])
            vectors, norms = state.vectors[: limit - coded], state.norms[: limit - coded]
            at = None if mask is None else late - coded
            found = exact.scores(query, vectors, norms, at, self.metric)
            slots, scores = np.concatenate((slots, late)), np.concatenate((scores, found))
            slots, _ = exact.top(scores, slots, k)
        return slots


def _search_codes(state: _State, query: Floats, k: int, mask: Mask | None, limit: int) -> tuple[Rows, Floats]:
    """Return candidates among the first `limit` coded slots, by the cheaper way for as many as match."""
    matches = limit if mask is None else int(np.count_nonzero(mask))
    wanted = min(k, matches)
    if state.codes is None or wanted < 1:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    if matches == state.coded:
        return state.codes.search(query, wanted, None)
    if plan_filtered(state.coded, matches, k) is Strategy.OVERSAMPLED:
        slots, scores = state.codes.search(query, oversampled(state.coded, matches, wanted), None)
        keep = slots < limit
        if mask is not None:
            keep[keep] = mask[slots[keep]]
        if np.count_nonzero(keep) >= wanted:
            return slots[keep][:wanted], scores[keep][:wanted]
    if mask is not None and limit == state.coded:
        return state.codes.search(query, wanted, np.ascontiguousarray(mask))
    whole = np.zeros(state.coded, dtype=np.bool_)
    whole[:limit] = True if mask is None else mask
    return state.codes.search(query, wanted, whole)
