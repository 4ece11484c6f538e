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
from elanus.search.matching import Matching, matching
from elanus.search.members import members, one_of_each, places
from elanus.search.pipeline import run_among, run_route
from elanus.search.request import MAX_LIMIT, Route
from elanus.search.tracing import Trace, stage
from elanus.search.values import Named, at_rids, named, numbered
from elanus.storage.part import Floats, Int64s
from elanus.storage.view import View
from elanus.types import DataType

OPTIONS = ("group_by_field", "group_by_fields", "group_size", "strict_group_size", "rank_group_scorer")
GROUPABLE = INTEGERS | {DataType.BOOL, DataType.VARCHAR, DataType.JSON, DataType.TIMESTAMPTZ}
DEPTH = 4
"""So many candidates for each hit that is wanted. Ten groups of 8 rows take 2.2 ms and ten of 333 take 6.0; with 1
candidate each 2.4 and 7.9, with 16 each 3.0 and 8.2 (CPU; 100,000 rows of 384 floats)."""

SCORERS: Mapping[str, Callable[[Floats, Int64s], Any]] = {
    "max": np.maximum.reduceat,
    "sum": np.add.reduceat,
    "avg": lambda scores, starts: np.add.reduceat(scores, starts) / np.diff([*starts, len(scores)]),
}
"""What a group is worth, from its hits' scores, in stretches that begin at `starts`."""


@dataclass(frozen=True)
class Grouping:
    """By which values hits are grouped, and how many of each group are wanted.

    `strict` says that a group has that many hits wherever it has the rows, however deep they rank; else it has its best
    one and those of the others that are among the best `groups * size` hits of all.
    """

    names: tuple[Named, ...]
    size: int = 1
    strict: bool = False
    scorer: str = "max"

    def groups(self, view: View, found: Found) -> Int64s:
        """The number of each hit's group, from 0 on in the order of their best hits."""
        return numbered(at_rids(view, found.rids, self.names)) if len(found.rids) else np.empty(0, np.int64)

    def window(self, view: View, found: Found, offset: int, limit: int) -> Found:
        """The hits of `limit` groups from group `offset` on, each group in one stretch."""
        if not len(found.rids):
            return found
        groups = self.groups(view, found)
        order = np.argsort(groups, kind="stable")
        kept = order[places(groups, order)[order] < self.size]
        if self.scorer != "max":
            kept = _by_worth(groups, found.scores, kept, SCORERS[self.scorer])
        numbers = np.cumsum(np.diff(groups[kept], prepend=groups[kept[0]]) != 0)
        chosen = kept[(numbers >= offset) & (numbers < offset + limit)]
        return found.at(chosen)


def _by_worth(groups: Int64s, scores: Floats, kept: Int64s, worth: Callable[[Floats, Int64s], Any]) -> Int64s:
    """The hits with the groups in the order of their worth; equals stay in their order."""
    values = worth(scores[kept], np.flatnonzero(np.diff(groups[kept], prepend=-1)))
    rank = np.empty(len(values), np.int64)
    rank[np.argsort(-values, kind="stable")] = np.arange(len(values))
    return np.asarray(kept[np.argsort(rank[groups[kept]], kind="stable")], np.int64)


def run_grouped(
    view: View,
    schema: CollectionSchema,
    route: Route,
    grouping: Grouping | None,
    wanted: int,
    trace: Trace | None = None,
) -> list[Found]:
    """For each query the best hits: with a grouping those of `wanted` groups, by falling score; else `route.limit`."""
    if grouping is None:
        return run_route(view, schema, route, trace)
    return [Quest(view, schema, route.only(n), grouping, wanted, trace).run() for n in range(route.queries)]


def windows(view: View, found: Sequence[Found], grouping: Grouping | None, offset: int, limit: int) -> list[Found]:
    """The page of each query's hits: `limit` hits, or groups with a grouping, from `offset` on."""
    if grouping is None:
        return [hits.window(offset, limit) for hits in found]
    return [grouping.window(view, hits, offset, limit) for hits in found]


@dataclass(frozen=True)
class Quest:
    """The search for the groups of one query.

    A first search finds enough groups where they are small. Where they are not, the groups that are known are shut out
    and the next ones searched for, so that a group of any size costs one round.
    """

    view: View
    schema: CollectionSchema
    route: Route
    grouping: Grouping
    wanted: int
    trace: Trace | None = None

    def run(self) -> Found:
        """The hits of the best groups, by falling score, at most `size` of each."""
        least = max(self.route.limit, self.wanted * self.grouping.size)
        found = self.search_groups(DEPTH * least)
        groups = self.grouping.groups(self.view, found)
        if self.grouping.strict and self.grouping.size > 1 and len(groups):
            firsts = one_of_each(groups)[: self.wanted]
            found = self.all_of(found.rids[firsts])
            groups, least = self.grouping.groups(self.view, found), len(found.rids)
        place = places(groups, np.argsort(groups, kind="stable"))
        kept = (place < self.grouping.size) & (groups < self.wanted)
        return found.at(np.flatnonzero(kept & ((np.arange(len(groups)) < least) | (place == 0))))

    def search_groups(self, depth: int) -> Found:
        """The best `depth` hits, and as many more as it takes to find all groups."""
        with stage(self.trace, "filter"):
            allowed = matching(self.view, self.route.predicate)
        depth = min(depth, max(allowed.total, 1))
        found = news = self.search(allowed, depth)
        firsts = np.empty(0, np.int64)
        while True:
            firsts = np.concatenate([firsts, news.rids[one_of_each(self.grouping.groups(self.view, news))]])
            if len(firsts) >= self.wanted or len(news.rids) < depth:
                return found
            depth = min(DEPTH * self.wanted, max(allowed.total, 1))
            news = self.search(members(self.view, self.grouping.names, firsts, allowed, inside=False), depth)
            found = found.then(news)

    def all_of(self, rids: Int64s) -> Found:
        """All hits of the groups of these rows."""
        allowed = matching(self.view, self.route.predicate)
        inside = members(self.view, self.grouping.names, rids, allowed, inside=True)
        return self.search(inside, inside.total)

    def search(self, allowed: Matching, depth: int) -> Found:
        """The best of the allowed rows."""
        return run_among(self.view, self.schema, replace(self.route, limit=depth), allowed, self.trace)[0]


def as_grouping(call: str, schema: CollectionSchema, options: Mapping[str, Any]) -> Grouping | None:
    """What the options of a grouping search ask for (None if nothing): those of `OPTIONS`, None where left out.

    Raises:
        InvalidArgument, FieldNotFound: an option that does not fit; names it.
    """
    if all(value is None for value in options.values()):
        return None
    field, several, size, strict, scorer = (options[name] for name in OPTIONS)
    fields = _fields(call, field, several)
    if not fields:
        for name in OPTIONS[2:]:
            if options[name] is not None and options[name] is not False:
                raise InvalidArgument(f"{call}: {name} needs a group_by_field")
        return None
    size = 1 if size is None else size
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= MAX_LIMIT:
        raise InvalidArgument(f"{call}: group_size must be a whole number from 1 to {MAX_LIMIT}, not {size!r}")
    if strict not in (None, True, False):
        raise InvalidArgument(f"{call}: strict_group_size must be True or False, not {strict!r}")
    if scorer is not None and scorer not in SCORERS:
        raise InvalidArgument(f"{call}: rank_group_scorer must be one of {', '.join(SCORERS)}, not {scorer!r}")
    names = tuple(groupable(schema, f"{call}: group_by_field", text) for text in fields)
    return Grouping(names, size, bool(strict), scorer or "max")


def _fields(call: str, one: Any, several: Any) -> Sequence[Any]:
    if several in (None, []):
        return [] if one in (None, "") else [one]
    if one not in (None, ""):
        raise InvalidArgument(f"{call}: give group_by_field or group_by_fields, not both")
    if not isinstance(several, (list, tuple)):
        raise InvalidArgument(f"{call}: group_by_fields must be a list of field names, not {several!r}")
    return several


def groupable(schema: CollectionSchema, option: str, text: Any) -> Named:
    """What a name to group by stands for.

    Raises:
        FieldNotFound, InvalidArgument: no such field, or one of a type that is not grouped by; names the option.
    """
    found = named(schema, option, text)
    if found.nested or found.dtype not in GROUPABLE:
        kind = "a nested value" if found.nested else found.dtype.name
        raise InvalidArgument(
            f"{option}: '{text}' is {kind}, by which nothing is grouped; "
            "group by an integer, BOOL or VARCHAR field, or by a key in JSON"
        )
    return found
