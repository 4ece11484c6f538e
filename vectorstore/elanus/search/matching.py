"""Which rows may be hits: those that are alive and match the filter, per slice of a view.

Where a lookup (a scalar index, a partition, a partition key) leaves few rows to ask, only those are read, and they are
kept as numbers: such a filter costs what it finds, not what the collection holds.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from elanus.filter import Predicate, matches
from elanus.filter.narrowing import narrow
from elanus.filter.predicate import Sample
from elanus.filter.subset import Subset
from elanus.search.lookups import known_of
from elanus.storage.part import Bools, Int64s, Part
from elanus.storage.view import Slice, View

T = TypeVar("T")
REMEMBERED_FILTERS = 32

FEW = 16
"""One row in so many is few enough to be looked up in postings one by one."""


class Choice:
    """Rows of a part, as a mask, as ascending numbers, or both; each is made when first asked for."""

    def __init__(self, size: int, *, mask: Bools | None = None, rows: Int64s | None = None) -> None:
        assert mask is not None or rows is not None
        self.size, self._mask, self._rows = size, mask, rows

    @cached_property
    def count(self) -> int:
        """How many rows there are."""
        return int(np.count_nonzero(self.mask)) if self._rows is None else len(self._rows)

    @property
    def mask(self) -> Bools:
        """Bool (rows of the part,)."""
        if self._mask is None:
            mask = np.zeros(self.size, np.bool_)
            mask[self._rows] = True
            self._mask = mask
        return self._mask

    @property
    def rows(self) -> Int64s:
        """The rows' numbers, ascending."""
        if self._rows is None:
            assert self._mask is not None
            self._rows = self._mask.nonzero()[0]
        return self._rows

    def among(self, alive: Bools | None) -> Choice:
        """Those that live."""
        if alive is None:
            return self
        if self._mask is None:
            return Choice(self.size, rows=self.rows[alive[self.rows]])
        return Choice(self.size, mask=self._mask & alive)


@dataclass(frozen=True, eq=False)
class Matching:
    """Per slice the choice of rows that may be hits (None: all rows of the part) and their number."""

    choices: tuple[Choice | None, ...]
    counts: tuple[int, ...]
    cache: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def masks(self) -> tuple[Bools | None, ...]:
        """Per slice the mask of rows that may be hits; None for all rows of the part."""
        return tuple(None if choice is None else choice.mask for choice in self.choices)

    @cached_property
    def few_rows(self) -> tuple[Int64s, ...] | None:
        """Per slice the rows' numbers, if they are few among all; None if masks serve better."""
        if None in self.choices or self.total * FEW > sum(choice.size for choice in self.choices if choice):
            return None
        return tuple(choice.rows for choice in self.choices if choice)

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` returns, made once for these masks."""
        if key not in self.cache:
            self.cache[key] = make()
        return self.cache[key]  # type: ignore[no-any-return]

    @property
    def total(self) -> int:
        """How many rows of the view may be hits."""
        return sum(self.counts)


def matching(view: View, predicate: Predicate | None) -> Matching:
    """Evaluate a filter (None: no filter) on every slice; repeated filters are remembered per view, slice and part.

    A sample is drawn from what matches and never remembered; a predicate compiled anew draws another.
    """
    if predicate is not None and predicate.sample is not None:
        rest = predicate.unsampled
        return _sampled(view, matching(view, None if rest.is_always else rest), predicate.sample)

    def make() -> Matching:
        choices = tuple(_of_slice(s, predicate, view.lookups) for s in view.slices)
        counts = (s.living if c is None else c.count for s, c in zip(view.slices, choices, strict=True))
        return Matching(choices, tuple(counts))

    recent: Recent = view.cache.setdefault("matching", Recent())
    return recent.remember(None if predicate is None else predicate.key, make)


def _sampled(view: View, whole: Matching, sample: Sample) -> Matching:
    """A share of the rows, `round(share * total)` of them, each set of so many as likely as any other."""
    wanted = round(sample.share * whole.total)
    drawn = np.sort(np.random.default_rng(sample.draw).choice(whole.total, wanted, replace=False, shuffle=False))
    ends = np.cumsum(whole.counts, dtype=np.int64)
    pieces = np.split(drawn, np.searchsorted(drawn, ends[:-1])) if len(ends) else []
    choices = []
    for s, choice, piece, end, count in zip(view.slices, whole.choices, pieces, ends, whole.counts, strict=True):
        at = piece - (end - count)
        choices.append(Choice(s.part.rows, rows=at if choice is None else choice.rows[at]))
    return Matching(tuple(choices), tuple(map(len, pieces)))


def among(view: View, rids: Int64s) -> Matching:
    """The rows of these numbers."""
    choices = tuple(Choice(s.part.rows, rows=np.sort(s.part.locate(rids)[1])) for s in view.slices)
    return Matching(choices, tuple(choice.count for choice in choices))


def _of_slice(s: Slice, predicate: Predicate | None, lookups: frozenset[Hashable]) -> Choice | None:
    if predicate is None:
        return s.once("living rows", lambda: None if s.alive is None else Choice(s.part.rows, mask=s.alive))
    recent: Recent = s.once("choices", Recent)
    return recent.remember(predicate.key, lambda: _of_part(s.part, predicate, lookups).among(s.alive))


def _of_part(part: Part, predicate: Predicate, lookups: frozenset[Hashable]) -> Choice:
    """A part's rows without regard to deaths, so that the choice stays true for the part's life."""
    recent: Recent = part.derive("choices", Recent)
    return recent.remember(predicate.key, lambda: _choose(part, predicate, lookups))


def _choose(part: Part, predicate: Predicate, lookups: frozenset[Hashable]) -> Choice:
    if part.sealed:
        few = narrow(predicate.condition, lambda operand: known_of(part, operand, lookups))
        if few is not None and few.count * few.pays_from <= part.rows:
            rows = few.read()
            return Choice(part.rows, rows=rows[matches(predicate, Subset(part, rows))] if len(rows) else rows)
    return Choice(part.rows, mask=matches(predicate, part))


class Recent(dict[Hashable, Any]):
    """The latest few results by key; safe under threads, which may at worst compute one twice."""

    def remember(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` returns, made once while the key is recent."""
        try:
            return self[key]  # type: ignore[no-any-return]
        except KeyError:
            value = make()
            if len(self) >= REMEMBERED_FILTERS:
                self.clear()
            self[key] = value
            return value
