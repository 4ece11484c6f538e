"""Many fusions tried on the same hits of one judged question: every fusion is a weighted sum of the routes' shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from elanus.rank.rankers import DBSFRanker, RRFRanker, WeightedRanker, as_ranker

RRF_K = (60, 1, 2, 5, 10, 20, 40)
KINDS = ("rrf", "weighted", "dbsf")
Column = np.ndarray[Any, np.dtype[Any]]
RouteHits = tuple[list[str], list[Any], Column]
"""Of one query in one route: the documents and the keys of its hits, best first, and their scores."""


def candidates(kinds: Sequence[str], routes: int) -> list[Any]:
    """The rankers to try."""
    steps = 10 if routes <= 3 else 5
    grid = [[part / steps for part in w] for w in product(range(steps + 1), repeat=routes) if sum(w) == steps]
    made: dict[str, list[Any]] = {
        "rrf": [RRFRanker(k) for k in RRF_K],
        "weighted": [WeightedRanker(*weights) for weights in grid],
        "dbsf": [DBSFRanker(*weights) for weights in grid],
    }
    return [ranker for kind in KINDS if kind in kinds for ranker in made[kind]]


def judge(
    hits: Sequence[RouteHits], metrics: Sequence[str], rankers: Sequence[Any], relevance: Mapping[str, float], k: int
) -> Column:
    """One question's nDCG of each route alone and then of each ranker, float64 (routes + rankers,)."""
    rows = {
        key: row for row, key in enumerate(sorted({key for _, keys, _ in hits for key in keys}))
    }  # ties as a search's
    routes = [(np.array([rows[key] for key in keys], np.int64), scores) for _, keys, scores in hits]
    shares = _Shares(routes, metrics, len(rows))
    alone = [np.where(found, share, -np.inf) for found, share in zip(shares.found, shares.of(RRFRanker()), strict=True)]
    scores = np.stack([*alone, *(shares.fused(ranker) for ranker in rankers)], axis=1)
    name_of = {rows[key]: name for names, keys, _ in hits for name, key in zip(names, keys, strict=True)}
    documents = list(dict.fromkeys(name_of[row] for row in range(len(rows))))
    place = {name: number for number, name in enumerate(documents)}
    best = np.full((len(documents), scores.shape[1]), -np.inf)
    np.maximum.at(best, [place[name_of[row]] for row in range(len(rows))], scores)
    return _ndcg(best, documents, relevance, k)


def _ndcg(scores: Column, documents: Sequence[str], relevance: Mapping[str, float], k: int) -> Column:
    """The nDCG of each column of scores of documents; -inf is for one that was not found."""
    gain_of = {str(name): 2.0**value - 1 for name, value in relevance.items()}
    gains = np.array([gain_of.get(name, 0.0) for name in documents])
    order = np.argsort(-scores, axis=0, kind="stable")[:k]
    reached = np.where(np.isfinite(np.take_along_axis(scores, order, axis=0)), gains[order], 0.0)
    ideal = np.sort(np.array(list(gain_of.values())))[::-1][:k]
    return np.asarray(_discounts(len(reached)) @ reached / (_discounts(len(ideal)) @ ideal))


def _discounts(ranks: int) -> Column:
    return np.asarray(1 / np.log2(np.arange(ranks) + 2))


class _Shares:
    """What each route brings to each row's score before weights, float64 (routes, rows), by the kind of fusion."""

    def __init__(self, routes: Sequence[tuple[Column, Column]], metrics: Sequence[str], rows: int) -> None:
        self._routes, self._metrics, self._rows = routes, metrics, rows
        self._known: dict[str, Column] = {}
        self.found = np.zeros((len(routes), rows), bool)
        for number, (rids, _) in enumerate(routes):
            self.found[number, rids] = True

    def of(self, unweighted: Any) -> Column:
        """The shares under a ranker whose weights are all 1."""
        shares = self._known.get(repr(unweighted))
        if shares is None:
            shares = np.zeros(self.found.shape)
            fuse, none = as_ranker(unweighted, self._metrics), (np.empty(0, np.int64), np.empty(0, np.float32))
            for number in range(len(self._routes)):
                rids, scores = fuse([route if n == number else none for n, route in enumerate(self._routes)])
                shares[number, rids] = scores
            self._known[repr(unweighted)] = shares
        return shares

    def fused(self, ranker: Any) -> Column:
        """The fused score of each row; every fusion is a weighted sum of shares. float32, as the store compares."""
        if isinstance(ranker, RRFRanker):
            return np.asarray(self.of(ranker).sum(axis=0).astype(np.float32))
        ones = [1.0] * len(self._routes)
        return np.asarray((np.array(ranker.weights) @ self.of(type(ranker)(*ones))).astype(np.float32))


def held_out(values: Column, folds: int) -> float:
    """The mean value of each fold under what is best on the others; question n belongs to fold n modulo `folds`."""
    fold = np.arange(len(values)) % folds
    chosen = np.array([values[fold != one].mean(axis=0).argmax() for one in range(folds)])
    return float(values[np.arange(len(values)), chosen[fold]].mean())
