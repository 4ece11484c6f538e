"""Numbers in columns: comparisons by exact value, and calculations that never overflow."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow.compute as pc

from elanus.filter.columns import Bools
from elanus.filter.literals import INT64_MAX, INT64_MIN
from elanus.filter.scalars import COMPARE, INTEGER, as_float
from elanus.filter.vectors import Array, Vector, both
from elanus.schema.buffers import bits, from_numbers

EXACT_IN_DOUBLE = 2**53
MANY = 8

# Comparisons


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


# Calculations


def calculate(op: str, left: Vector | int | float, right: Vector | int | float) -> Vector:
    """Calculate with two columns, or a column and a constant; unknown where the divisor is 0.

    Integers are exact: where 64 bits might not do, Python's integers take over. Columns of float32 with constants
    stay float32, as in Milvus; every other mix of floats is calculated in doubles.
    """
    a, b = (side.data if isinstance(side, Vector) else side for side in (left, right))
    valid = both(_valid(left), _valid(right))
    if op in ("/", "%"):
        valid, b = _without_zeros(valid, b)
    with np.errstate(all="ignore"):
        if _whole(a) and _whole(b):
            return Vector(_integers(op, a, b), valid)
        return Vector(FLOATS[op](*_as_floats(a, b)), valid)


def _valid(side: Vector | int | float) -> Bools | None:
    return side.valid if isinstance(side, Vector) else None


def _without_zeros(valid: Bools | None, divisor: Any) -> tuple[Bools | None, Any]:
    if not isinstance(divisor, np.ndarray):
        return valid, divisor
    usable = np.asarray(divisor != 0, np.bool_)
    return both(valid, usable), np.where(usable, divisor, divisor.dtype.type(1) if divisor.dtype != object else 1)


def _whole(side: Any) -> bool:
    return side.dtype.kind in "iO" if isinstance(side, np.ndarray) else isinstance(side, int)


def _integers(op: str, a: Any, b: Any) -> Array:
    (low_a, high_a), (low_b, high_b) = _range(a), _range(b)
    ends = [INTEGER[op](x, y) for x in (low_a, high_a) for y in (low_b, high_b) if op not in ("/", "%") or y]
    ends += [high_a, low_a, -low_a, low_b, high_b]
    if min(ends) < INT64_MIN or max(ends) > INT64_MAX:
        exact: Any = np.frompyfunc(INTEGER[op], 2, 1)
        return np.asarray(exact(_objects(a), _objects(b)), object)
    a, b = (np.asarray(side, np.int64) for side in (a, b))
    return np.asarray(INT64[op](a, b))


def _range(side: Any) -> tuple[int, int]:
    if not isinstance(side, np.ndarray):
        return side, side
    if side.dtype == object:
        return 2 * INT64_MIN, 2 * INT64_MAX
    if side.dtype.itemsize < 8:
        limits = np.iinfo(side.dtype)
        return limits.min, limits.max
    return (int(side.min()), int(side.max())) if len(side) else (0, 0)


def _objects(side: Any) -> Any:
    return side.astype(object) if isinstance(side, np.ndarray) else side


def _quotient(a: Array, b: Array) -> Array:
    whole = a // b
    return np.asarray(whole + ((whole * b != a) & ((a < 0) != (b < 0))))


INT64: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": _quotient,
    "%": np.fmod,
}
FLOATS: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.true_divide,
    "%": np.fmod,
}


def _as_floats(a: Any, b: Any) -> tuple[Any, Any]:
    arrays = [side for side in (a, b) if isinstance(side, np.ndarray)]
    if all(side.dtype == np.float32 for side in arrays):
        return _singles(a), _singles(b)
    return _doubles(a), _doubles(b)


def _singles(side: Any) -> Any:
    return side if isinstance(side, np.ndarray) else single(side)


def _doubles(side: Any) -> Any:
    if not isinstance(side, np.ndarray):
        return as_float(side)
    if side.dtype == object:
        return np.fromiter(map(as_float, side), np.float64, len(side))
    return side.astype(np.float64, copy=False)
