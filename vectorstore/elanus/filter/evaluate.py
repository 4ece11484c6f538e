"""Conditions to masks: one evaluator over columns.

The question put to every condition is: where is it definitely true, or definitely false? Asked for `false`, an `and`
becomes an `or` of the same question, and `not` turns it round, so that unknown needs no mask of its own and matches
neither way.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from elanus.filter.columns import Bools, Columns, PathValues
from elanus.filter.conditions import (
    Always,
    And,
    Compare,
    Condition,
    IsNull,
    Leaf,
    Not,
    Or,
    Path,
    PhraseMatch,
    Quantified,
    Spatial,
    TextMatch,
    path_of,
    subject,
)
from elanus.filter.elements import QUANTIFIERS, ElementRows, counts
from elanus.filter.leaves import Source, kinds_of, test
from elanus.filter.lists import offsets
from elanus.filter.predicate import Predicate
from elanus.filter.residual import holds
from elanus.filter.shapes import where_spatial
from elanus.filter.texts import where_text
from elanus.filter.vectors import Vector, kind_of_array, validity


def matches(predicate: Predicate, rows: Columns) -> Bools:
    """Return which rows match: bool (n,), true where the filter is definitely true."""
    return where(predicate.condition, rows, True)


def where(condition: Condition, rows: Columns, truth: bool) -> Bools:
    """Return where a condition is definitely `truth`, as an array of its own."""
    if isinstance(condition, (And, Or)):
        return _where_parts(condition, rows, truth)
    if isinstance(condition, Not):
        return where(condition.part, rows, not truth)
    if isinstance(condition, Always):
        return np.full(len(rows), condition.value is truth)
    if isinstance(condition, IsNull):
        return _where_null(condition, rows, truth)
    if isinstance(condition, (TextMatch, PhraseMatch)):
        return where_text(condition, rows, truth)
    if isinstance(condition, Quantified):
        return _where_quantified(condition, rows, truth)
    if isinstance(condition, Spatial):
        return where_spatial(condition, rows, truth)
    return _where_leaf(condition, rows, truth)


def _where_parts(condition: And | Or, rows: Columns, truth: bool) -> Bools:
    every = isinstance(condition, And) is truth
    mask = where(condition.parts[0], rows, truth)
    for part in condition.parts[1:]:
        if not every:
            mask |= where(part, rows, truth)
        elif mask.any():
            mask &= where(part, rows, truth)
    return mask


def _where_quantified(condition: Quantified, rows: Columns, truth: bool) -> Bools:
    lists = rows.column(condition.array)
    hits = counts(where(condition.condition, ElementRows(lists), True), lists)
    found = QUANTIFIERS[condition.function](hits, np.diff(offsets(lists)), condition.threshold)
    return _definitely(Vector(found, validity(lists)), truth)


def _where_null(condition: IsNull, rows: Columns, truth: bool) -> Bools:
    operand = condition.operand
    if isinstance(operand, Path):
        found = rows.path(operand.field, operand.keys)
        return ~found.present | found.null if truth else found.present & ~found.null
    known = validity(rows.column(operand.name))
    if known is None:
        return np.full(len(rows), not truth)
    return ~known if truth else known


def _where_leaf(leaf: Leaf, rows: Columns, truth: bool) -> Bools:
    path = path_of(subject(leaf))
    if path is None:
        return _definitely(test(leaf, Source(rows)), truth)
    if isinstance(leaf, Compare) and leaf.op == "!=":
        leaf, truth = replace(leaf, op="=="), not truth
    found = rows.path(path.field, path.keys)
    holding = _where_json(leaf, rows, found)
    return holding if truth else found.present & ~found.null & ~holding


def _where_json(leaf: Leaf, rows: Columns, found: PathValues) -> Bools:
    """Where the value at a path fits the leaf; one of another kind does not."""
    kinds = kinds_of(leaf)
    mask = np.zeros(len(rows), np.bool_)
    for column in found.columns:
        if kind_of_array(column) in kinds:
            mask |= _definitely(test(leaf, Source(rows, column)), True)
    for row, value in found.residual.items():
        mask[row] = holds(leaf, value) is True
    return mask


def _definitely(result: Vector, truth: bool) -> Bools:
    mask: Bools = result.data if truth else ~result.data
    return mask if result.valid is None else mask & result.valid
