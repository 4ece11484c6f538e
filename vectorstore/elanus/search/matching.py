"""Which rows may be hits: those that are alive and match the filter, per slice of a view."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from elanus.filter import Predicate, matches
from elanus.storage.part import Bools, Part
from elanus.storage.view import Slice, View

T = TypeVar("T")
REMEMBERED_FILTERS = 32


@dataclass(frozen=True, eq=False)
class Matching:
    """Per slice the mask of rows that may be hits (None: all rows of the part) and their number."""

    masks: tuple[Bools | None, ...]
    counts: tuple[int, ...]
    cache: dict[Hashable, Any] = field(default_factory=dict, repr=False)

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
    """Evaluate a filter (None: no filter) on every slice; repeated filters are remembered per view, slice and part."""

    def make() -> Matching:
        pairs = [_of_slice(s, predicate) for s in view.slices]
        return Matching(tuple(mask for mask, _ in pairs), tuple(count for _, count in pairs))

    recent: Recent = view.cache.setdefault("matching", Recent())
    return recent.remember(None if predicate is None else predicate.key, make)


def _of_slice(s: Slice, predicate: Predicate | None) -> tuple[Bools | None, int]:
    if predicate is None:
        return s.alive, s.living

    def make() -> tuple[Bools, int]:
        mask = _of_part(s.part, predicate)
        mask = mask if s.alive is None else mask & s.alive
        return mask, int(np.count_nonzero(mask))

    recent: Recent = s.once("masks", Recent)
    return recent.remember(predicate.key, make)


def _of_part(part: Part, predicate: Predicate) -> Bools:
    """A part's mask without regard to deaths, so that it stays true for the part's life."""
    recent: Recent = part.derive("masks", Recent)
    return recent.remember(predicate.key, lambda: matches(predicate, part))


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
