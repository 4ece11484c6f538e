"""One comparison, membership, pattern or list test on one column, or on the two columns it compares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from elanus.filter.calculation import calculate
from elanus.filter.columns import Bools, Columns
from elanus.filter.conditions import (
    Arith,
    Compare,
    Const,
    Contains,
    Element,
    Field,
    In,
    Leaf,
    Length,
    Like,
    Moved,
    Operand,
    Path,
    subject,
)
from elanus.filter.elements import inner_lists
from elanus.filter.lists import element, elements, equal_to, length, owners, rows_of
from elanus.filter.moments import moved
from elanus.filter.numeric import compare_const, compare_vectors, member
from elanus.filter.scalars import BOOL, LIST, NUMBER, STRING, kind_of
from elanus.filter.strings import compare_text, compare_texts, like, member_text
from elanus.filter.vectors import Vector, as_vector, both, validity


@dataclass(frozen=True, eq=False)
class Source:
    """Where a leaf's operands come from: declared fields, and one column for its JSON path."""

    rows: Columns
    at_path: pa.Array | None = None

    def array(self, operand: Field | Path) -> pa.Array:
        """The column of a field or of the path."""
        if not isinstance(operand, Field):
            return self.at_path
        if operand.struct:
            return inner_lists(self.rows.column(operand.struct), operand.name[len(operand.struct) + 1 : -1])
        return self.rows.column(operand.name)

    def owners(self, operand: Field | Path) -> Any:
        """The row of each list element; the rows keep it, for it costs more than the test itself."""
        lists = self.array(operand)
        return self.rows.derive(("owners", operand, str(lists.type)), lambda: owners(lists))

    def vector(self, operand: Operand) -> Any:
        """An operand's values; a constant stays what it is."""
        if isinstance(operand, Const):
            return operand.value
        if isinstance(operand, Element):
            return element(self.array(operand.array), operand.index)
        if isinstance(operand, Length):
            return length(self.array(operand.array))
        if isinstance(operand, Arith):
            return calculate(operand.op, self.vector(operand.left), self.vector(operand.right))
        if isinstance(operand, Moved):
            column: Vector = self.vector(operand.field)
            return Vector(moved(column.data, operand.by), column.valid)
        return as_vector(self.array(operand))


def kinds_of(leaf: Leaf) -> set[str | None]:
    """Return the kinds of JSON value that make a leaf true or false; every other kind makes it unknown."""
    operand = subject(leaf)
    if isinstance(leaf, Contains) or isinstance(operand, Length):
        return {LIST}
    if isinstance(leaf, In):
        return set(map(kind_of, leaf.values)) or {BOOL, NUMBER, STRING}
    if isinstance(leaf, Compare) and isinstance(operand, Path) and isinstance(leaf.right, Const):
        return {kind_of(leaf.right.value)}
    return {STRING if isinstance(leaf, Like) else NUMBER}


def test(leaf: Leaf, source: Source) -> Vector:
    """Return where a leaf holds, and where that is known."""
    if isinstance(leaf, Contains):
        return _contains(leaf, source)
    if isinstance(leaf, Compare) and isinstance(leaf.right, Const) and isinstance(leaf.right.value, tuple):
        return _compare_list(leaf, leaf.right.value, source)
    operand: Vector = source.vector(subject(leaf))
    if isinstance(leaf, In):
        return Vector(_member(operand, leaf.values), operand.valid)
    if isinstance(leaf, Like):
        return Vector(like(operand.data, leaf.pattern), operand.valid)
    if isinstance(leaf.right, Const):
        return Vector(_compare(operand, leaf.op, leaf.right.value), operand.valid)
    return _compare_two(operand, leaf.op, source.vector(leaf.right))


def _compare(operand: Vector, op: str, value: Any) -> Bools:
    if isinstance(value, str):
        return compare_text(operand.data, op, value)
    return compare_const(operand.data, op, value)


def _compare_two(left: Vector, op: str, right: Vector) -> Vector:
    compare = compare_texts if isinstance(left.data, pa.Array) else compare_vectors
    return Vector(compare(left.data, op, right.data), both(left.valid, right.valid))


def _member(operand: Vector, values: tuple[Any, ...]) -> Bools:
    if isinstance(operand.data, pa.Array):
        return member_text(operand.data, values)
    return member(operand.data, values)


def _contains(leaf: Contains, source: Source) -> Vector:
    lists = source.array(leaf.operand)
    items = as_vector(elements(lists))
    mask = np.full(len(lists), leaf.every)
    for wanted in ((value,) for value in leaf.values) if leaf.every else [leaf.values]:
        found = rows_of(_member(items, wanted), source.owners(leaf.operand), len(lists))
        mask = mask & found if leaf.every else found
    return Vector(mask, validity(lists))


def _compare_list(leaf: Compare, values: tuple[Any, ...], source: Source) -> Vector:
    operand = leaf.left
    assert isinstance(operand, (Field, Path))
    lists = source.array(operand)
    equal = equal_to(lists, values, _equals)
    return Vector(equal if leaf.op == "==" else ~equal, validity(lists))


def _equals(item: Vector, value: Any) -> Bools:
    """Where one element is the value; a value of another kind is nowhere."""
    found = _member(item, (value,))
    return found if item.valid is None else found & item.valid
