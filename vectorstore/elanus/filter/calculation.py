"""Calculations with numbers in columns; integers never overflow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from elanus.filter.columns import Bools
from elanus.filter.literals import INT64_MAX, INT64_MIN
from elanus.filter.numeric import single
from elanus.filter.scalars import BITWISE, INTEGER, MAX_SHIFT, SHIFTS, as_float, power
from elanus.filter.vectors import Array, Vector, both


def calculate(op: str, left: Vector | int | float, right: Vector | int | float) -> Vector:
    """Calculate with two columns, or a column and a constant; unknown where `arithmetic` of two values is.

    Integers are exact: where 64 bits might not do, Python's integers take over. Columns of float32 with constants
    stay float32, as in Milvus; every other mix of floats is calculated in doubles, and so is every power.
    """
    a, b = (side.data if isinstance(side, Vector) else side for side in (left, right))
    valid = both(_valid(left), _valid(right))
    if op in DEFINED:
        valid, b = _where_defined(op, valid, b)
    whole = _whole(a) and _whole(b)
    with np.errstate(all="ignore"):
        if op == "**":
            return _powers(*_as_floats(a, b), valid)
        if whole:
            return Vector(_integers(op, a, b), valid)
        if op in BITWISE:
            size = max(np.size(a), np.size(b))
            return Vector(np.zeros(size, np.int64), np.zeros(size, np.bool_))
        return Vector(FLOATS[op](*_as_floats(a, b)), valid)


def _valid(side: Vector | int | float) -> Bools | None:
    return side.valid if isinstance(side, Vector) else None


def _where_defined(op: str, valid: Bools | None, right: Any) -> tuple[Bools | None, Any]:
    """Where the right side is one that the operation has a result for, and 1 in its place elsewhere."""
    if not isinstance(right, np.ndarray):
        return valid, right
    usable = np.asarray(DEFINED[op](right), np.bool_)
    return both(valid, usable), np.where(usable, right, right.dtype.type(1) if right.dtype != object else 1)


def _shiftable(count: Array) -> Any:
    return (count >= 0) & (count <= MAX_SHIFT)


DEFINED: dict[str, Callable[[Array], Any]] = {
    **dict.fromkeys(("/", "%"), lambda divisor: divisor != 0),
    **dict.fromkeys(SHIFTS, _shiftable),
}


def _powers(base: Any, exponent: Any, valid: Bools | None) -> Vector:
    """Powers one by one: numpy's own differ in the last bit from machine to machine."""
    ufunc: Any = np.frompyfunc(power, 2, 1)
    result = np.asarray(ufunc(base, exponent), np.float64)
    known = both(valid, ~np.isnan(result))
    kept = np.result_type(*(side for side in (base, exponent) if isinstance(side, np.ndarray)))
    return Vector(result.astype(kept, copy=False), known)


def _whole(side: Any) -> bool:
    return side.dtype.kind in "iO" if isinstance(side, np.ndarray) else isinstance(side, int)


def _integers(op: str, a: Any, b: Any) -> Array:
    (low_a, high_a), (low_b, high_b) = _range(op, a), _range(op, b)
    ends = [high_a, low_a, low_b, high_b]
    if op not in NEVER_LARGER:
        ends += [-low_a, *(INTEGER[op](x, y) for x in (low_a, high_a) for y in (low_b, high_b) if op not in "/%" or y)]
    if min(ends) < INT64_MIN or max(ends) > INT64_MAX:
        exact: Any = np.frompyfunc(INTEGER[op], 2, 1)
        return np.asarray(exact(_objects(a), _objects(b)), object)
    a, b = (np.asarray(side, np.int64) for side in (a, b))
    return np.asarray(INT64[op](a, b))


def _range(op: str, side: Any) -> tuple[int, int]:
    if not isinstance(side, np.ndarray):
        return side, side
    if side.dtype == object:
        return 2 * INT64_MIN, 2 * INT64_MAX
    if side.dtype.itemsize < 8 and op not in SHIFTS:
        limits = np.iinfo(side.dtype)
        return limits.min, limits.max
    return (int(side.min()), int(side.max())) if len(side) else (0, 0)


def _objects(side: Any) -> Any:
    return side.astype(object) if isinstance(side, np.ndarray) else side


def _quotient(a: Array, b: Array) -> Array:
    whole = a // b
    return np.asarray(whole + ((whole * b != a) & ((a < 0) != (b < 0))))


NEVER_LARGER = frozenset({"&", "|", "^", ">>"})
INT64: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": _quotient,
    "%": np.fmod,
    "&": np.bitwise_and,
    "|": np.bitwise_or,
    "^": np.bitwise_xor,
    "<<": np.left_shift,
    ">>": np.right_shift,
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
