"""What recall an approximate search reaches with which effort, measured on its own rows against the exact scan.

It is needed: turbovec scans 32,768 rows or more in stages, of which the first drops rows that lie close together. Of
clustered 384-d unit vectors (120,000 rows around 50 centres, noise 0.4 of their spread) 40 candidates held 0.54 of the
ten best, 200 held 0.91 and 400 all, for 0.5, 0.8 and 1.2 ms; embeddings of text need 20 to 40.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from elanus.index import exact
from elanus.index.graph import GraphIndex
from elanus.index.late import VECTORS_AT_ONCE
from elanus.index.metric import Floats, Metric, Rows, unit, unit_query
from elanus.index.planning import candidates
from elanus.index.scan import ScanIndex
from elanus.index.stored import widen

QUERIES = 100
"""Rows that play the query: a mean recall of 0.95 over so many is known to about half a point."""

DEPTHS = (10, 100)
"""The numbers of hits that recall is measured for."""

ERRORS = 3.0
"""By how many standard errors a measured mean must pass a target: what was measured by luck is not relied upon."""

USUAL = 0.99
"""The recall that a search aims at by itself, or as near as the largest effort that is tried gets."""

SCAN_RUNGS: Mapping[int, tuple[int, ...]] = {
    10: (10, 14, 20, 28, 40, 70, 100, 200, 400, 800, 1600),
    100: (100, 120, 150, 200, 310, 400, 800, 1600, 3200),
}
"""The numbers of candidates that are tried, for each number of hits."""

GRAPH_RUNGS = (16, 32, 48, 64, 96, 128, 192, 256, 320, 400, 600, 1000, 2000)
"""The breadths of a graph search that are tried."""

_SPARE = 28  # rows beyond the last hit that matrix products keep, since their last bits may differ

Piece = tuple[Floats, Floats]
"""Vectors of a stored dtype, and their norms."""

Find = Callable[[Floats, int, int], Rows]
"""From a query, an effort and a number of hits to candidates, by their number among the rows of all pieces."""


@dataclass(frozen=True)
class Step:
    """The mean recall of one effort, and that mean's standard error."""

    effort: int
    recall: float
    error: float


@dataclass(frozen=True)
class Calibration:
    """The recall by effort of a search among so many rows, for each number of hits in `DEPTHS`.

    Effort is what the kernel is told: candidates of a scan, ef of a graph.
    """

    rows: int
    ladders: Mapping[int, tuple[Step, ...]]

    def effort(self, k: int, target: float) -> int | None:
        """The least effort that reaches the target for k hits; None where none of those measured does.

        Between the measured numbers of hits efforts are interpolated; beyond the largest they grow with k.
        """
        low, high = (
            next((step.effort for step in self.ladders[depth] if step.recall - ERRORS * step.error >= target), None)
            for depth in DEPTHS
        )
        if low is None or (k > DEPTHS[0] and high is None):
            return None
        if k <= DEPTHS[0] or high is None:
            return low
        if k >= DEPTHS[1]:
            return -(-high * k // DEPTHS[1])
        return max(low, int(np.ceil(np.interp(k, DEPTHS, (low, high)))))

    def most(self, k: int) -> int:
        """The largest effort that was tried, for k hits."""
        depth = DEPTHS[0] if k <= DEPTHS[0] else DEPTHS[1]
        return max(1, -(-self.ladders[depth][-1].effort * max(k, depth) // depth))

    def told(self) -> dict[str, Any]:
        """The measured recall by effort, for a reader."""
        steps = {f"recall@{k}": {step.effort: step.recall for step in ladder} for k, ladder in self.ladders.items()}
        return {"rows": self.rows, **steps}

    def to_dict(self) -> dict[str, Any]:
        """The calibration as plain data, which `from_dict` reads."""
        ladders = {str(k): [[s.effort, s.recall, s.error] for s in steps] for k, steps in self.ladders.items()}
        return {"rows": self.rows, "ladders": ladders}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Calibration:
        """Return what `to_dict` gave.

        Raises:
            KeyError, TypeError, ValueError: it did not give this.
        """
        ladders = {k: tuple(Step(int(e), float(r), float(x)) for e, r, x in raw["ladders"][str(k)]) for k in DEPTHS}
        return cls(int(raw["rows"]), ladders)


def _same(slots: Rows) -> Rows:
    return slots


def _nothing(rows: Rows) -> AbstractContextManager[None]:
    return nullcontext()


def scan_calibration(codes: ScanIndex, pieces: Sequence[Piece], at: Callable[[Rows], Rows] = _same) -> Calibration:
    """Measure a scan by its number of candidates; `at` gives the slots' rows among those of all pieces, -1 for none."""

    def find(query: Floats, effort: int, k: int) -> Rows:
        return at(codes.search(query, effort + 1))

    return _calibrate(find, SCAN_RUNGS, pieces, codes.metric)


def graph_calibration(graph: GraphIndex, piece: Piece) -> Calibration:
    """Measure a graph by ef, with the candidates that a search takes; nobody else may search it meanwhile."""

    def find(query: Floats, effort: int, k: int) -> Rows:
        return graph.search(query, candidates(k, graph.metric) + 1, effort)

    rungs = {k: tuple(ef for ef in GRAPH_RUNGS if ef >= candidates(k, graph.metric)) for k in DEPTHS}
    return _calibrate(find, rungs, [piece], graph.metric, graph.held_out)


def _calibrate(
    find: Find,
    rungs: Mapping[int, Sequence[int]],
    pieces: Sequence[Piece],
    metric: Metric,
    holding_out: Callable[[Rows], AbstractContextManager[None]] = _nothing,
) -> Calibration:
    """Climb the rungs until all is found; rows without a vector, which are zeros, are no queries.

    The rows that are queries stand for such as were never stored: none of them is looked for. Where there are no others
    nothing can be measured, and the last rung is taken.
    """
    able = np.flatnonzero(np.concatenate([norms for _, norms in pieces]))
    total = sum(len(norms) for _, norms in pieces)
    if not len(able):
        return Calibration(total, {k: (Step(rungs[k][-1], 1.0, 0.0),) for k in DEPTHS})
    rows = np.sort(np.random.default_rng(0).permutation(able)[:QUERIES])
    queries = _gathered(pieces, rows)[0]
    ladders = {}
    with holding_out(rows):
        for k, cut in _cuts(rows, pieces, metric).items():
            steps: list[Step] = []
            for effort in rungs[k]:
                shares = []
                for query, least in zip(queries, cut, strict=True):
                    found = find(query, effort, k)
                    found = found[~np.isin(found, rows) & (found >= 0)][: max(effort, k)]
                    scores = exact.scores(query, *_gathered(pieces, found), None, metric)
                    shares.append(min(k, int((scores >= least).sum())) / k)
                steps.append(_step(effort, shares))
                if steps[-1].recall == 1:
                    break
            ladders[k] = tuple(steps)
    return Calibration(total, ladders)


def _step(effort: int, shares: Sequence[float]) -> Step:
    error = float(np.std(shares)) / math.sqrt(max(1, len(shares)))
    return Step(effort, round(float(np.mean(shares)), 4), round(error, 4))


def _cuts(rows: Rows, pieces: Sequence[Piece], metric: Metric) -> dict[int, Floats]:
    """For each number of hits the exact score of the last one, when some rows are queries and look for the others.

    Args:
        rows: int64 (m,), the rows that are queries, by their number among the rows of all pieces.
        pieces: matrices of a stored dtype and their norms, each with more rows than the last has hits.
        metric: how likeness is measured.

    Returns:
        float32 (m,) for each of `DEPTHS`, in the order of `rows`.
    """
    queries = _gathered(pieces, rows)[0]
    near = _near(rows, queries, pieces, metric, DEPTHS[-1] + _SPARE)
    found: dict[int, Floats] = {k: np.empty(len(rows), np.float32) for k in DEPTHS}
    for number, (query, at) in enumerate(zip(queries, near, strict=True)):
        scores = -np.sort(-exact.scores(query, *_gathered(pieces, at), None, metric))
        for k in DEPTHS:
            found[k][number] = scores[min(k, len(scores)) - 1]
    return found


def _gathered(pieces: Sequence[Piece], rows: Rows) -> Piece:
    """The vectors of rows of all pieces, and their norms, in the order of the rows."""
    starts = np.cumsum([0, *(len(norms) for _, norms in pieces)])
    vectors = np.empty((len(rows), pieces[0][0].shape[1]), np.float32)
    lengths = np.empty(len(rows), np.float32)
    for first, (matrix, norms) in zip(starts, pieces, strict=False):
        here = np.flatnonzero((rows >= first) & (rows < first + len(norms)))
        vectors[here], lengths[here] = widen(matrix[rows[here] - first]), norms[rows[here] - first]
    return vectors, lengths


def _near(rows: Rows, queries: Floats, pieces: Sequence[Piece], metric: Metric, most: int) -> Rows:
    """For each query about the best rows that are none, by matrix products, int64 (m, most or all others)."""
    asked = np.stack([unit_query(query) for query in queries]) if metric is Metric.COSINE else queries
    ids, best = np.empty((len(rows), 0), np.int64), np.empty((len(rows), 0), np.float32)
    first = 0
    for matrix, norms in pieces:
        for start in range(0, len(matrix), VECTORS_AT_ONCE):
            part = slice(start, start + VECTORS_AT_ONCE)
            scores = _products(asked, widen(matrix[part]), norms[part], metric)
            numbers = np.arange(first, first + scores.shape[1])
            scores[:, np.isin(numbers, rows)] = -np.inf
            best = np.concatenate([best, scores], axis=1)
            ids = np.concatenate([ids, np.broadcast_to(numbers, scores.shape)], axis=1)
            if best.shape[1] > most:
                kept = np.argpartition(-best, most, axis=1)[:, :most]
                best, ids = np.take_along_axis(best, kept, 1), np.take_along_axis(ids, kept, 1)
            first += scores.shape[1]
    return ids


def _products(queries: Floats, block: Floats, norms: Floats, metric: Metric) -> Floats:
    products: Floats = queries @ (unit(block, norms) if metric is Metric.COSINE else block).T
    return products if metric is not Metric.L2 else 2 * products - np.square(norms)[None, :]
