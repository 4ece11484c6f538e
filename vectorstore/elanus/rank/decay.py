"""Decay: the further a number of a row lies from an origin, the less the row's score counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from numbers import Real
from typing import Any

import numpy as np

from elanus.errors import InvalidArgument, NotSupported
from elanus.index.metric import DISTANCES
from elanus.rank.fusion import NORMALISED, Floats, Int64s, Route
from elanus.rank.reranking import as_function, asked_candidates

DECAY = "decay"
CANDIDATES_PER_HIT = 10
Float64s = np.ndarray[Any, np.dtype[np.float64]]

CURVES: Mapping[str, Callable[[Float64s, float], Float64s]] = {
    "gauss": lambda scales, decay: decay ** (scales**2),
    "exp": lambda scales, decay: decay**scales,
    "linear": lambda scales, decay: np.maximum(decay, 1 - (1 - decay) * scales),
}
"""Milvus's curves, of the distance beyond `offset` in units of `scale`; linear stays at `decay` beyond one scale."""

PARAMS = ("function", "origin", "scale", "offset", "decay", "candidates")


@dataclass(frozen=True)
class Decay:
    """A decay over one numeric field: the factor is 1 up to `offset` from `origin`, and `decay` at `scale` beyond.

    Attributes:
        who: what errors call it.
        candidates: how many hits of a plain search it ranks, at least; None: ten for each hit wanted.
    """

    who: str
    field: str
    curve: str
    origin: float
    scale: float
    offset: float = 0.0
    decay: float = 0.5
    candidates: int | None = None

    def depth(self, wanted: int, most: int) -> int:
        """How many candidates a search brings so that `wanted` of them can leave; by default never over `most`."""
        return max(wanted, self.candidates or min(CANDIDATES_PER_HIT * wanted, most))

    def factors(self, values: Float64s) -> Float64s:
        """The factor in [0, 1] for each value, float64 (n,); a null is given as NaN and counts as infinitely far."""
        far = np.where(np.isnan(values), np.inf, np.abs(values - self.origin))
        with np.errstate(over="ignore"):
            return CURVES[self.curve](np.maximum(0, far - self.offset) / self.scale, self.decay)

    def ranked(self, rids: Int64s, scores: Floats, values: Float64s) -> Route:
        """The rows by score times factor, best first; ties go to the smaller row number."""
        faded = (scores * self.factors(values)).astype(np.float32)
        order = np.lexsort((rids, -faded))
        return rids[order], faded[order]


def best_scores(routes: Sequence[Route], metrics: Sequence[str]) -> Route:
    """Each row once, by number, with the best of its scores; distances are mapped into [0, 1] first, as in Milvus."""
    mapped = [
        NORMALISED[metric](scores) if metric in DISTANCES else scores
        for (_, scores), metric in zip(routes, metrics, strict=True)
    ]
    rids, places = np.unique(np.concatenate([rids for rids, _ in routes]), return_inverse=True)
    scores = np.full(len(rids), -np.inf, np.float32)
    np.maximum.at(scores, places, np.concatenate(mapped))
    return rids, scores


def as_decay(ranker: Any) -> Decay | None:
    """Return the decay that a Function(RERANK), ours or pymilvus's, asks for; None if it asks for something else.

    Raises:
        InvalidArgument: a parameter is missing or out of its range; NotSupported: an unknown parameter.
    """
    function = as_function(ranker)
    if function is None or function.params["reranker"] != DECAY:
        return None
    params = {name: value for name, value in function.params.items() if name != "reranker"}
    who = f"function '{function.name}'"
    if unknown := [name for name in params if name not in PARAMS]:
        raise NotSupported(f"{who}: parameter '{unknown[0]}' is not supported; decay takes {', '.join(PARAMS)}")
    if len(function.input_field_names) != 1:
        raise InvalidArgument(f"{who}: decay reads one numeric field, not {function.input_field_names}")
    if params.get("function") not in CURVES:
        raise InvalidArgument(f"{who}: function must be one of {', '.join(CURVES)}, not {params.get('function')!r}")
    candidates = asked_candidates(who, params.get("candidates"))
    numbers = {name: _number(who, name, params) for name in ("origin", "scale", "offset", "decay")}
    return Decay(who, function.input_field_names[0], params["function"], candidates=candidates, **numbers)


RANGES: Mapping[str, tuple[float | None, Callable[[float], bool], str]] = {
    "origin": (None, lambda _: True, "a finite number"),
    "scale": (None, lambda value: value > 0, "a finite number over 0"),
    "offset": (0.0, lambda value: value >= 0, "a finite number of at least 0"),
    "decay": (0.5, lambda value: 0 < value < 1, "a number over 0 and below 1"),
}
"""For each number: its default (None: it must be given), whether it is in range, and how to say so."""


def _number(who: str, name: str, params: Mapping[str, Any]) -> float:
    default, fits, said = RANGES[name]
    value = params.get(name, default)
    if value is None and name not in params:
        raise InvalidArgument(f"{who}: decay needs the param '{name}', {said}")
    if isinstance(value, bool) or not isinstance(value, Real) or not isfinite(value) or not fits(float(value)):
        raise InvalidArgument(f"{who}: {name} must be {said}, not {value!r}")
    return float(value)
