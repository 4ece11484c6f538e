"""Aggregates over rows: count, sum, min, max and avg, of all rows or by group.

`count(*)` counts rows. A null is a group of its own; in the field that is calculated with it is left out (`reducing`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from elanus.errors import InvalidArgument, did_you_mean
from elanus.schema.buffers import from_numbers
from elanus.schema.collection import CollectionSchema
from elanus.search.grouping import groupable
from elanus.search.matching import Matching
from elanus.search.members import one_of_each
from elanus.search.ordering import Direction, Order, arrange, split
from elanus.search.reducing import FUNCTIONS, SAID, TYPES, Grouped, python_values
from elanus.search.request import check_window
from elanus.search.values import Named, named, numbered, of_rows
from elanus.storage.part import Int64s
from elanus.storage.view import View

CALL = re.compile(r"\s*(\w+)\s*\(\s*(.*?)\s*\)\s*", re.DOTALL)


@dataclass(frozen=True)
class Aggregate:
    """One calculation: how the caller wrote it, what it calculates, and of what; None for all rows."""

    written: str
    function: str
    of: Named | None


@dataclass(frozen=True)
class Aggregation:
    """What a query calculates: aggregates, by which values rows are grouped, and which of these are asked for."""

    aggregates: tuple[Aggregate, ...]
    by: tuple[Named, ...]
    shown: tuple[str, ...]

    @property
    def counts_only(self) -> bool:
        """Whether only the number of rows is asked for."""
        return not self.by and all(a.of is None for a in self.aggregates)

    def run(
        self, view: View, chosen: Matching, orders: Sequence[Order], offset: int, limit: int | None
    ) -> list[dict[str, Any]]:
        """One dict for each group, in the order asked for and then of the groups' values; without groups, one dict."""
        if self.counts_only:
            return [{a.written: chosen.total for a in self.aggregates}]
        names = [*self.by, *(a.of for a in self.aggregates if a.of is not None)]
        rids, flat = of_rows(view, chosen, names)
        if not len(rids):
            return [] if self.by else [{a.written: 0 if a.function == "count" else None for a in self.aggregates}]
        columns = split(flat, names)
        keys = columns[: len(self.by)]
        groups = numbered([c for key in keys for c in key]) if self.by else np.zeros(len(rids), np.int64)
        rows = Grouped(groups)
        given = iter(columns[len(self.by) :])
        made = {
            a.written: rows.sizes.tolist() if a.of is None else FUNCTIONS[a.function](rows, a.of, next(given))
            for a in self.aggregates
        }
        firsts = one_of_each(groups)
        at = from_numbers(firsts)
        values = {one.name: [column.take(at) for column in key] for one, key in zip(self.by, keys, strict=True)}
        place = self._arranged(values, made, orders)[offset : None if limit is None else offset + limit]
        shown = {name: python_values(one, values[name], place) for one in self.by if (name := one.name) in self.shown}
        made = {written: [result[n] for n in place.tolist()] for written, result in made.items()}
        return _rows({**shown, **made}, self.shown)

    def _arranged(
        self, values: Mapping[str, Sequence[pa.Array]], made: Mapping[str, list[Any]], orders: Sequence[Order]
    ) -> Int64s:
        if not self.by:
            return np.zeros(1, np.int64)
        by = [(values.get(o.name) or [_sortable(made[o.name])], o.direction) for o in orders]
        by += [(key, Direction()) for key in values.values()]
        return arrange([columns for columns, _ in by], [direction for _, direction in by])

    def check(self, orders: Iterable[Order], offset: Any, limit: Any) -> None:
        """Refuse to order groups by what they do not have, and a part of a single row."""
        if not self.by and (limit is not None or offset != 0):
            raise InvalidArgument(
                f"query: {self.shown[0]} without group_by_fields gives one row; leave limit and offset out"
            )
        check_window(1 if limit is None else limit, offset)
        known = [*(one.name for one in self.by), *(a.written for a in self.aggregates)]
        for order in orders:
            if order.name not in known:
                near = did_you_mean(order.name, known)
                raise InvalidArgument(f"query: order_by: groups have {', '.join(known)}, and no '{order.name}'{near}")


def as_aggregation(schema: CollectionSchema, output_fields: Any, group_by_fields: Any) -> Aggregation | None:
    """What `output_fields` and `group_by_fields` of a query calculate; None if nothing.

    Raises:
        InvalidArgument, FieldNotFound: a function or a field that does not fit, or a field that is not grouped by.
    """
    if group_by_fields not in (None, []) and not isinstance(group_by_fields, (list, tuple)):
        raise InvalidArgument(f"query: group_by_fields must be a list of field names, not {group_by_fields!r}")
    by = tuple(groupable(schema, "query: group_by_fields", text) for text in group_by_fields or ())
    fields = output_fields if isinstance(output_fields, (list, tuple)) else ()
    calls = {text: found for text in fields if isinstance(text, str) and (found := CALL.fullmatch(text))}
    if not calls and not by:
        return None
    aggregates = tuple(_aggregate(schema, text.strip(), found) for text, found in calls.items())
    grouped = [one.name for one in by]
    for text in fields:
        if text not in calls and text not in grouped:
            raise InvalidArgument(
                f"query: output field {text!r} stands beside {', '.join(a.written for a in aggregates) or 'groups'}; "
                "take an aggregate of it, or add it to group_by_fields"
            )
    shown = tuple(dict.fromkeys(text.strip() for text in fields)) or tuple(grouped)
    return Aggregation(aggregates, by, shown)


def _aggregate(schema: CollectionSchema, written: str, found: re.Match[str]) -> Aggregate:
    function, text = found[1].lower(), found[2]
    if function not in FUNCTIONS:
        near = did_you_mean(function, FUNCTIONS)
        raise InvalidArgument(f"query: no aggregate '{function}'; there are {', '.join(FUNCTIONS)}{near}")
    if text == "*":
        if function != "count":
            raise InvalidArgument(f"query: {written} needs a field; only count takes *")
        return Aggregate(written, function, None)
    of = named(schema, f"query: {function}", text)
    types = TYPES[function]
    if of.nested or of.dtype not in types:
        kind = "a nested value" if of.nested else of.dtype.name
        raise InvalidArgument(f"query: {written}: '{text}' is {kind}; {function} takes {SAID[function]}")
    return Aggregate(written, function, of)


def _sortable(values: list[Any]) -> pa.Array:
    """Results of an aggregate as a column; integers beyond 64 bits as doubles."""
    try:
        return pa.array(values)
    except (OverflowError, pa.ArrowInvalid):
        return pa.array([None if value is None else float(value) for value in values])


def _rows(columns: Mapping[str, list[Any]], shown: Sequence[str]) -> list[dict[str, Any]]:
    return [dict(zip(shown, values, strict=True)) for values in zip(*(columns[name] for name in shown), strict=True)]
