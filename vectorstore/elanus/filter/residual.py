"""The rows whose JSON value is in no column: every test on one Python value."""

from __future__ import annotations

from typing import Any

from elanus.filter.conditions import Arith, Compare, Const, Contains, In, Leaf, Length, Operand
from elanus.filter.scalars import LIST, arithmetic, compare, contains, is_in, kind_of


def holds(leaf: Leaf, value: Any) -> bool | None:
    """Return whether a leaf is true for a row with this value at its path; None if that is unknown."""
    if isinstance(leaf, Compare):
        return compare(leaf.op, evaluate(leaf.left, value), evaluate(leaf.right, value))
    if isinstance(leaf, In):
        return is_in(value, leaf.values)
    if isinstance(leaf, Contains):
        return contains(value, leaf.values, leaf.every)
    return leaf.pattern.matches(value) if isinstance(value, str) else None


def evaluate(operand: Operand, value: Any) -> Any:
    """Return an operand's value where its JSON path has this value."""
    if isinstance(operand, Const):
        return operand.value
    if isinstance(operand, Length):
        return len(value) if kind_of(value) == LIST else None
    if isinstance(operand, Arith):
        return arithmetic(operand.op, evaluate(operand.left, value), evaluate(operand.right, value))
    return value
