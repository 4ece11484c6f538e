"""Boosts: the rows that match a filter count for more, or for less, or by chance.

The forms are those of Milvus 2.6 (https://milvus.io/docs/boost-ranker.md).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from numbers import Real
from typing import Any

import numpy as np

from elanus.errors import InvalidArgument, NotSupported
from elanus.rank.decay import CANDIDATES_PER_HIT, Float64s
from elanus.rank.fusion import Floats, Int64s
from elanus.rank.reranking import as_function, asked_candidates
from elanus.schema.functions import Function

BOOST = "boost"
PARAMS = ("filter", "weight", "random_score", "candidates")
MODES = ("multiply", "sum")
Bools = np.ndarray[Any, np.dtype[np.bool_]]


class FunctionScore:
    """Several boosts of one search, as in pymilvus.

    Args:
        functions: one `Function(RERANK, params={"reranker": "boost", ...})`, or a list of them.
        params: {"boost_mode": ..., "function_mode": ...}, each "multiply" (default) or "sum": how the score and the
            weight of a row come together, and how the weights of several functions do.
    """

    def __init__(self, functions: Function | Sequence[Function], params: Mapping[str, Any] | None = None) -> None:
        self.functions = list(functions) if isinstance(functions, (list, tuple)) else [functions]
        self.params = dict(params or {})


@dataclass(frozen=True)
class Boost:
    """One boost: the weight of the rows that match the filter (None: of all), perhaps times a random number.

    Attributes:
        random: whether the weight is multiplied by a number in [0, 1), by `seed` and the values of `field`.
        seed: None: another one each time.
        field: an integer field; None: the row's own number.
    """

    who: str
    filter: str | None
    weight: float
    random: bool = False
    seed: int | None = None
    field: str | None = None

    def weights(self, values: Int64s) -> Float64s:
        """The weight of each row, float64 (n,), from the values that chance goes by."""
        if not self.random:
            return np.full(len(values), self.weight)
        return self.weight * _chance(values, secrets.randbits(63) if self.seed is None else self.seed)


@dataclass(frozen=True)
class Boosts:
    """The boosts of a search, and how they come together."""

    boosts: tuple[Boost, ...]
    boost_mode: str = "multiply"
    function_mode: str = "multiply"
    candidates: int | None = None

    @property
    def who(self) -> str:
        """What errors call them."""
        return self.boosts[0].who

    def depth(self, wanted: int, most: int) -> int:
        """How many candidates a search brings so that `wanted` of them can leave."""
        return max(wanted, self.candidates or min(CANDIDATES_PER_HIT * wanted, most))

    def ranked(self, rids: Int64s, scores: Floats, weights: Sequence[Float64s], matches: Sequence[Bools]) -> Any:
        """The rows by boosted score, best first; ties go to the smaller row number; rows that nothing matches stay."""
        join: Callable[..., Any] = np.multiply if self.function_mode == "multiply" else np.add
        total = np.full(len(rids), 1.0 if self.function_mode == "multiply" else 0.0)
        for weight, match in zip(weights, matches, strict=True):
            total[match] = join(total[match], weight[match])
        touched = np.logical_or.reduce(matches)
        given = scores.astype(np.float64)
        changed = given * total if self.boost_mode == "multiply" else given + total
        boosted = np.where(touched, changed, given).astype(np.float32)
        order = np.lexsort((rids, -boosted))
        return rids[order], boosted[order]


def _chance(values: Int64s, seed: int) -> Float64s:
    """Numbers in [0, 1) that look random, equal for equal values and seeds: the finaliser of SplitMix64."""
    mixed = values.astype(np.int64).view(np.uint64) + np.uint64(seed * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed = mixed ^ (mixed >> np.uint64(31))
    return np.asarray((mixed >> np.uint64(11)) / 2.0**53, np.float64)


def sole_function(ranker: Any) -> Any:
    """The function that a FunctionScore holds alone, if it is no boost and no params come with it; else the ranker."""
    functions = getattr(ranker, "functions", None)
    if hasattr(ranker, "input_field_names") or not isinstance(functions, list) or len(functions) != 1 or ranker.params:
        return ranker
    function = as_function(functions[0])
    return ranker if function is None or function.params["reranker"] == BOOST else functions[0]


def as_boosts(ranker: Any) -> Boosts | None:
    """Return the boosts that a Function(RERANK) or a FunctionScore, ours or pymilvus's, asks for; None if none.

    Raises:
        InvalidArgument: a parameter that does not fit; NotSupported: an unknown one, or another ranker among several.
    """
    functions, params = [ranker], {}
    if not hasattr(ranker, "input_field_names") and hasattr(ranker, "functions"):
        functions, params = list(ranker.functions), dict(ranker.params or {})
    asked = [as_function(function) for function in functions]
    kinds = {None if function is None else str(function.params["reranker"]) for function in asked}
    if BOOST not in kinds and len(functions) == 1 and functions[0] is ranker:
        return None
    if kinds != {BOOST}:
        raise NotSupported(f"FunctionScore: its functions must be boosts, not {', '.join(sorted(map(str, kinds)))}")
    for name in params:
        if name not in ("boost_mode", "function_mode"):
            raise NotSupported(f"FunctionScore: param '{name}' is not supported; it takes boost_mode and function_mode")
    boost_mode, function_mode = (_mode(name, params.get(name, MODES[0])) for name in ("boost_mode", "function_mode"))
    candidates = [function.params.get("candidates") for function in asked if function is not None]
    given = next((value for value in candidates if value is not None), None)
    boosts = tuple(_boost(function) for function in asked if function is not None)
    return Boosts(boosts, boost_mode, function_mode, asked_candidates(boosts[0].who, given))


def _mode(name: str, value: Any) -> str:
    if not isinstance(value, str) or value.lower() not in MODES:
        raise InvalidArgument(f"FunctionScore: {name} must be {' or '.join(MODES)}, not {value!r}")
    return value.lower()


def _boost(function: Function) -> Boost:
    who, params = f"function '{function.name}'", {k: v for k, v in function.params.items() if k != "reranker"}
    if unknown := [name for name in params if name not in PARAMS]:
        raise NotSupported(f"{who}: parameter '{unknown[0]}' is not supported; boost takes {', '.join(PARAMS)}")
    if function.input_field_names:
        raise InvalidArgument(f"{who}: a boost reads no input field; its filter names fields")
    weight, condition = params.get("weight"), params.get("filter")
    if isinstance(weight, bool) or not isinstance(weight, Real) or not isfinite(weight):
        raise InvalidArgument(f"{who}: boost needs a weight, a finite number, not {weight!r}")
    if condition is not None and (not isinstance(condition, str) or not condition.strip()):
        raise InvalidArgument(f"{who}: filter must be an expression, not {condition!r}")
    chance = params.get("random_score")
    if chance is None:
        return Boost(who, condition, float(weight))
    if not isinstance(chance, Mapping) or (unknown := [name for name in chance if name not in ("seed", "field")]):
        raise InvalidArgument(f"{who}: random_score must be a dict of seed and field, not {chance!r}")
    seed, field = chance.get("seed"), chance.get("field")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        raise InvalidArgument(f"{who}: the seed of random_score must be a whole number, not {seed!r}")
    return Boost(who, condition, float(weight), True, seed, field)
