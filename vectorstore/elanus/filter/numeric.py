"""Numbers in columns: comparisons by exact value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow.compute as pc

from elanus.filter.columns import Bools
from elanus.filter.literals import INT64_MAX, INT64_MIN
from elanus.filter.scalars import COMPARE, as_float
from elanus.filter.vectors import Array
from elanus.schema.buffers import bits, from_numbers

EXACT_IN_DOUBLE = 2**53
MANY = 8


def compare_const(data: Array, op: str, const: bool | int | float) -> Bools:
    """Compare numbers or bools with a constant that is not NaN.

    Integers and doubles compare by exact value, also beyond 2**53. In a float32 column the constant is rounded to
    float32 first, as Milvus does, so that a FLOAT field equals the literal it was filled from.
    """
    kind = data.dtype.kind
    if kind == "f" and data.dtype.itemsize == 4:
        return _bools(COMPARE[op](data, single(const)))
    if kind == "i":
        return _compare_integers(data, op, const)
    if kind == "f" and isinstance(const, int) and abs(const) > EXACT_IN_DOUBLE:
        op, const = _double_bound(op, const)
    return _bools(COMPARE[op](data, const))


def single(value: float) -> Any:
    """Round to float32; infinite beyond its range."""
    with np.errstate(over="ignore"):
        return np.float32(as_float(value))


def _bools(result: Any) -> Bools:
    return np.asarray(result, np.bool_)


def _compare_integers(data: Array, op: str, const: int | float) -> Bools:
    if isinstance(const, float) and not math.isinf(const):
        op, const = _integer_bound(op, const)
    limits = np.iinfo(data.dtype)
    if const > limits.max or const < limits.min:
        return np.full(len(data), COMPARE[op](0, const))
    if const != int(const):
        return np.full(len(data), op == "!=")
    return _bools(COMPARE[op](data, data.dtype.type(const)))


def _integer_bound(op: str, const: float) -> tuple[str, int | float]:
    """The comparison of integers that says the same as one with a float between two of them."""
    if const == math.floor(const):
        return op, int(const)
    if op in ("<", "<="):
        return "<=", math.floor(const)
    if op in (">", ">="):
        return ">=", math.ceil(const)
    return op, const


def _double_bound(op: str, const: int) -> tuple[str, float]:
    """The comparison of doubles that says the same as one with an integer between two of them."""
    closest = as_float(const)
    if closest == const:
        return op, closest
    if op in ("==", "!="):
        return op, math.nan
    upper = op in (">", ">=")
    if (closest > const) != upper:
        closest = math.nextafter(closest, math.inf if upper else -math.inf)
    return (">=" if upper else "<="), closest


def compare_vectors(left: Array, op: str, right: Array) -> Bools:
    """Compare two columns of numbers or two of bools, row by row, by exact value."""
    result = _bools(COMPARE[op](left, right))
    if {left.dtype.kind, right.dtype.kind} != {"i", "f"}:
        return result
    floats = left if left.dtype.kind == "f" else right
    close = np.flatnonzero((left == right) & (np.abs(floats) >= EXACT_IN_DOUBLE))
    result[close] = [COMPARE[op](a, b) for a, b in zip(left[close].tolist(), right[close].tolist(), strict=True)]
    return result


def member(data: Array, values: Sequence[Any]) -> Bools:
    """Return where numbers or bools are among some constants of their kind; others are ignored."""
    wanted = _castable(data.dtype, values)
    if len(wanted) <= MANY:
        found = np.zeros(len(data), np.bool_)
        for value in wanted:
            found |= data == value
        return found
    return bits(pc.is_in(from_numbers(data), value_set=from_numbers(wanted)))


def _castable(dtype: np.dtype[Any], values: Sequence[Any]) -> Array:
    """The constants that a column of this type can hold, as that type."""
    if dtype.kind == "b":
        return np.array(list({v for v in values if isinstance(v, bool)}), dtype)
    if dtype.kind == "i":
        return _castable_integers(np.iinfo(dtype), values)
    figures = [v for v in values if type(v) in (int, float)]
    if dtype.itemsize == 4:
        found = np.array([single(v) for v in figures], dtype)
    else:
        found = np.array([as_float(v) for v in figures if as_float(v) == v], dtype)
    return np.concatenate([found, -found[found == 0]])


def _castable_integers(limits: np.iinfo[Any], values: Sequence[Any]) -> Array:
    if set(map(type, values)) == {int}:
        whole = np.array(values, np.int64)
    else:
        figures = [v for v in values if type(v) in (int, float) and v == v // 1]
        whole = np.array([int(v) for v in figures if INT64_MIN <= v <= INT64_MAX], np.int64)
    return whole[(whole >= limits.min) & (whole <= limits.max)].astype(limits.dtype)
