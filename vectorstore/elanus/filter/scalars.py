"""The rules of the language for single values; they fold constants and answer rows that no typed column holds.

Values are what JSON has: bool, int (of any size), float, str, list or tuple, dict and None. None also stands for
unknown: a missing key, a JSON null, or two values that cannot be put together.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from elanus.filter.literals import INT64_MAX, INT64_MIN
from elanus.filter.moments import Moment

BOOL, NUMBER, STRING, LIST, TIMESTAMP = "bool", "number", "string", "list", "timestamp"
KINDS: dict[type, str] = {
    bool: BOOL,
    int: NUMBER,
    float: NUMBER,
    str: STRING,
    tuple: LIST,
    list: LIST,
    Moment: TIMESTAMP,
}

SHIFTS = frozenset({"<<", ">>"})
BITWISE = SHIFTS | {"&", "|", "^"}
MAX_SHIFT = 63

COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
FLIPPED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def kind_of(value: Any) -> str | None:
    """Return whether a value is a bool, a number, a string or a list; None for null and objects."""
    return KINDS.get(type(value))


def compare(op: str, left: Any, right: Any) -> bool | None:
    """Compare two values of one kind; values of two kinds, null and objects make it unknown.

    Lists are equal or not, and have no order. Integers and floats compare by their exact values.
    """
    kind = kind_of(left)
    if kind is None or kind != kind_of(right):
        return None
    if kind == LIST:
        return {"==": True, "!=": False}[op] is same(left, right) if op in ("==", "!=") else None
    return bool(COMPARE[op](left, right))


def same(left: Any, right: Any) -> bool:
    """Whether two values are equal: numbers by value, a bool is no number, lists item by item."""
    kind = kind_of(left)
    if kind is None or kind != kind_of(right):
        return left is None and right is None
    if kind == LIST:
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def is_in(value: Any, values: Sequence[Any]) -> bool | None:
    """Whether a value is one of several; unknown if none of them is of its kind."""
    kind = kind_of(value)
    if kind in (None, LIST):
        return None
    if values and all(kind_of(v) != kind for v in values):
        return None
    return any(same(value, v) for v in values)


def contains(value: Any, wanted: Sequence[Any], every: bool) -> bool | None:
    """Whether a list has any, or every, wanted item; unknown if the value is no list."""
    if kind_of(value) != LIST:
        return None
    found = (any(same(item, want) for item in value) for want in wanted)
    return all(found) if every else any(found)


def arithmetic(op: str, left: Any, right: Any) -> int | float | None:
    """Calculate `left op right`; unknown for what is no number, division by zero, and what else has no result.

    Integers are exact and never overflow; their quotient is cut towards zero and their remainder has the
    dividend's sign, as in C. `&`, `|`, `^` and the shifts have results for integers only, in two's complement, a
    shift for 0 to 63 bits. `**` gives a float; it has none for 0 to a negative power and for a root of a negative.
    """
    if kind_of(left) != NUMBER or kind_of(right) != NUMBER:
        return None
    if (op in ("/", "%") and right == 0) or (op in SHIFTS and not 0 <= right <= MAX_SHIFT):
        return None
    if op == "**":
        result = power(as_float(left), as_float(right))
        return None if math.isnan(result) else result
    if isinstance(left, int) and isinstance(right, int):
        return INTEGER[op](left, right)
    return None if op in BITWISE else FLOAT[op](as_float(left), as_float(right))


def as_float(value: float) -> float:
    """The closest double; infinite for an integer beyond their range."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def quotient(left: int, right: int) -> int:
    """The quotient of two integers, cut towards zero."""
    whole = abs(left) // abs(right)
    return whole if (left < 0) == (right < 0) else -whole


def remainder(left: int, right: int) -> int:
    """What a division cut towards zero leaves; it has the sign of `left`."""
    return left - right * quotient(left, right)


def _fmod(left: float, right: float) -> float:
    return math.nan if math.isinf(left) else math.fmod(left, right)


def power(base: float, exponent: float) -> float:
    """`base ** exponent` as a double, infinite beyond their range; NaN where there is no real number."""
    try:
        return math.pow(base, exponent)
    except ValueError:
        return math.nan
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 == 1 else math.inf


INTEGER: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": quotient,
    "%": remainder,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": operator.lshift,
    ">>": operator.rshift,
}
FLOAT: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": _fmod,
}


def fits(value: Any) -> bool:
    """Whether a constant is storable: an integer of 64 bits, a finite float, or no number."""
    if isinstance(value, int):
        return INT64_MIN <= value <= INT64_MAX
    return not isinstance(value, float) or math.isfinite(value)
