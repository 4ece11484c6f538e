"""Which rows have the values of given rows: the groups of each part, numbered once, and the rows of some groups."""

from __future__ import annotations

from typing import Any

import numpy as np

from elanus.search.matching import FEW, Choice, Matching
from elanus.search.values import Named, at_rids, joined, numbered
from elanus.storage.part import Bools, Int64s, Part
from elanus.storage.view import View

Groups = tuple[np.ndarray[Any, np.dtype[np.int32]], Int64s]


def groups_of(part: Part, names: tuple[Named, ...]) -> Groups:
    """A part's rows by group: each row's number, int32 (rows,), and a row of each number, int64 (groups,)."""

    def make() -> Groups:
        numbers = numbered([c for one in names for c in one.columns(part)])
        return numbers.astype(np.int32), np.unique(numbers, return_index=True)[1]

    return part.derive(("groups", *(one.operand for one in names)), make)


def members(view: View, names: tuple[Named, ...], rids: Int64s, allowed: Matching, *, inside: bool) -> Matching:
    """The allowed rows that are in the group of one of these rows, or with `inside` false those that are in none."""
    wanted = at_rids(view, rids, names)
    choices = []
    for number, s in enumerate(view.slices):
        numbers, firsts = groups_of(s.part, names)
        there = [c for one in names for c in one.columns(s.part, firsts)]
        known = numbered([joined([a, b]) for a, b in zip(wanted, there, strict=True)])
        hit = known[len(rids) :] < known[: len(rids)].max() + 1
        choices.append(_those(allowed.choices[number], s.part.rows, hit if inside else ~hit, numbers))
    return Matching(tuple(choices), tuple(choice.count for choice in choices))


def _those(before: Choice | None, size: int, wanted: Bools, numbers: Any) -> Choice:
    """The rows of a choice whose number is wanted; of few rows only these are looked at."""
    if before is not None and before.count * FEW < size:
        return Choice(size, rows=before.rows[wanted[numbers[before.rows]]])
    mask = wanted[numbers]
    return Choice(size, mask=mask if before is None else mask & before.mask)


def one_of_each(groups: Int64s) -> Int64s:
    """The place of the first row of each group, where groups are numbered by first appearance."""
    return np.unique(groups, return_index=True)[1]


def places(groups: Int64s, order: Int64s) -> Int64s:
    """The place of each row within its group, where `order` sorts the groups' numbers stably."""
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    found = np.empty(len(groups), np.int64)
    found[order] = np.arange(len(groups)) - np.repeat(starts, np.diff([*starts, len(groups)]))
    return found
