"""Grouping search: hits by the value of a field, so many groups, so many hits of each.

The groups come in the order of their best hits, each in one stretch, its hits best first. A missing or null value is a
group of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from elanus.errors import InvalidArgument
from elanus.schema.collection import CollectionSchema
from elanus.schema.fields import INTEGERS
from elanus.search.found import Found
from elanus.search.pipeline import run_route
from elanus.search.request import MAX_LIMIT, Route
from elanus.search.tracing import Trace
from elanus.search.values import Named, at_rids, named, numbered
from elanus.storage.part import Floats, Int64s
from elanus.storage.view import View
from elanus.types import DataType

OPTIONS = ("group_by_field", "group_by_fields", "group_size", "strict_group_size", "rank_group_scorer")
GROUPABLE = INTEGERS | {DataType.BOOL, DataType.VARCHAR, DataType.JSON, DataType.TIMESTAMPTZ}
FIRST_DEPTH, WIDENING = 4, 4
"""Four candidates for each hit that is wanted serve where groups are small; four times as many whenever they do not."""

SCORERS: Mapping[str, Callable[[Floats, Int64s], Any]] = {
    "max": np.maximum.reduceat,
    "sum": np.add.reduceat,
    "avg": lambda scores, starts: np.add.reduceat(scores, starts) / np.diff([*starts, len(scores)]),
}
"""What a group is worth, from its hits' scores, in stretches that begin at `starts`."""


@dataclass(frozen=True)
class Grouping:
    """By which values hits are grouped, and how many of each group are wanted.

    `strict` says to search on until every group has that many hits; else groups have what was found of them among the
    best `groups * size` hits, or as many more as it took to find all groups.
    """

    names: tuple[Named, ...]
    size: int = 1
    strict: bool = False
    scorer: str = "max"

    def window(self, view: View, found: Found, offset: int, limit: int) -> Found:
        """The hits of `limit` groups from group `offset` on."""
        if not len(found.rids):
            return found
        groups = numbered(at_rids(view, found.rids, self.names))
        order = np.argsort(groups, kind="stable")
        kept = order[_places(groups[order]) < self.size]
        if self.scorer != "max":
            kept = _by_worth(groups, found.scores, kept, SCORERS[self.scorer])
        numbers = np.cumsum(np.diff(groups[kept], prepend=groups[kept[0]]) != 0)
        chosen = kept[(numbers >= offset) & (numbers < offset + limit)]
        return Found(found.rids[chosen], found.scores[chosen])

    def enough(self, view: View, found: Found, wanted: int, least: int) -> int | None:
        """How many of the hits hold `wanted` groups, and are at least `least`; None if more hits are needed."""
        if not len(found.rids):
            return None
        groups = numbered(at_rids(view, found.rids, self.names))
        if groups.max() + 1 < wanted:
            return None
        if not self.strict:
            return max(int(np.argmax(groups == wanted - 1)) + 1, least) if len(groups) >= least else None
        order = np.argsort(groups, kind="stable")
        full = order[_places(groups[order]) == self.size - 1]
        ends = full[groups[full] < wanted]
        return int(ends.max()) + 1 if len(ends) == wanted else None


def _places(groups: Int64s) -> Int64s:
    """The place of each within its group, where equal numbers stand together."""
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    return np.arange(len(groups)) - np.repeat(starts, np.diff([*starts, len(groups)]))


def _by_worth(groups: Int64s, scores: Floats, kept: Int64s, worth: Callable[[Floats, Int64s], Any]) -> Int64s:
    """The hits with the groups in the order of their worth; equals stay in their order."""
    starts = np.flatnonzero(np.diff(groups[kept], prepend=-1))
    values = worth(scores[kept], starts)
    rank = np.empty(len(starts), np.int64)
    rank[np.argsort(-values, kind="stable")] = np.arange(len(starts))
    return np.asarray(kept[np.argsort(rank[groups[kept]], kind="stable")], np.int64)


def run_grouped(
    view: View,
    schema: CollectionSchema,
    route: Route,
    grouping: Grouping | None,
    wanted: int,
    trace: Trace | None = None,
) -> list[Found]:
    """For each query the best hits: with a grouping as many as it takes for `wanted` groups, else the route's limit."""
    if grouping is None:
        return run_route(view, schema, route, trace)
    return [_search_on(view, schema, route.only(n), grouping, wanted, trace) for n in range(route.queries)]


def windows(view: View, found: Sequence[Found], grouping: Grouping | None, offset: int, limit: int) -> list[Found]:
    """The page of each query's hits: `limit` hits, or groups with a grouping, from `offset` on."""
    if grouping is None:
        return [hits.window(offset, limit) for hits in found]
    return [grouping.window(view, hits, offset, limit) for hits in found]


def _search_on(
    view: View, schema: CollectionSchema, route: Route, grouping: Grouping, wanted: int, trace: Trace | None
) -> Found:
    least = max(route.limit, wanted * grouping.size)
    depth = FIRST_DEPTH * least
    while True:
        (found,) = run_route(view, schema, replace(route, limit=depth), trace)
        end = grouping.enough(view, found, wanted, least)
        if end is not None:
            return found.window(0, end)
        if len(found.rids) < depth:
            return found
        depth *= WIDENING


def as_grouping(call: str, schema: CollectionSchema, options: Mapping[str, Any]) -> Grouping | None:
    """What the options of a grouping search ask for (None if nothing): those of `OPTIONS`, None where left out.

    Raises:
        InvalidArgument, FieldNotFound: an option that does not fit; names it.
    """
    field, several, size, strict, scorer = (options[name] for name in OPTIONS)
    fields = _fields(call, field, several)
    if not fields:
        for name in OPTIONS[2:]:
            if options[name] not in (None, False):
                raise InvalidArgument(f"{call}: {name} needs a group_by_field")
        return None
    size = 1 if size is None else size
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= MAX_LIMIT:
        raise InvalidArgument(f"{call}: group_size must be a whole number from 1 to {MAX_LIMIT}, not {size!r}")
    if strict not in (None, True, False):
        raise InvalidArgument(f"{call}: strict_group_size must be True or False, not {strict!r}")
    if scorer is not None and scorer not in SCORERS:
        raise InvalidArgument(f"{call}: rank_group_scorer must be one of {', '.join(SCORERS)}, not {scorer!r}")
    names = tuple(_groupable(schema, call, text) for text in fields)
    return Grouping(names, size, bool(strict), scorer or "max")


def _fields(call: str, one: Any, several: Any) -> Sequence[Any]:
    if several in (None, []):
        return [] if one in (None, "") else [one]
    if one not in (None, ""):
        raise InvalidArgument(f"{call}: give group_by_field or group_by_fields, not both")
    if not isinstance(several, (list, tuple)):
        raise InvalidArgument(f"{call}: group_by_fields must be a list of field names, not {several!r}")
    return several


def _groupable(schema: CollectionSchema, call: str, text: Any) -> Named:
    found = named(schema, f"{call}: group_by_field", text)
    if found.nested or found.dtype not in GROUPABLE:
        kind = "a nested value" if found.nested else f"{found.dtype.name}"
        raise InvalidArgument(
            f"{call}: group_by_field: hits cannot be grouped by '{text}', which is {kind}; "
            "group by an integer, BOOL or VARCHAR field, or by a key in JSON"
        )
    return found
