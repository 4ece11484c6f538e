"""Rows and hits in the order of fields: `price:desc`, `year:asc:nulls_first`.

As in Milvus and PostgreSQL null counts as the greatest value: last when ascending, first when descending, unless
`nulls_first` or `nulls_last` says otherwise. A missing JSON value is null; of JSON values bools
come first, then numbers, then texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from elanus.errors import InvalidArgument
from elanus.schema.buffers import from_numbers, numbers
from elanus.schema.collection import CollectionSchema
from elanus.schema.fields import FLOATS, INTEGERS
from elanus.search.found import Found
from elanus.search.grouping import Grouping
from elanus.search.matching import Matching
from elanus.search.members import one_of_each
from elanus.search.values import Named, at_rids, named, of_rows
from elanus.storage.part import Int64s
from elanus.storage.view import View
from elanus.types import DataType

ORDERABLE = INTEGERS | FLOATS | {DataType.BOOL, DataType.VARCHAR, DataType.JSON, DataType.TIMESTAMPTZ}
WRITTEN = re.compile(r"(.+?)(?::(asc|desc))?(?::(nulls_first|nulls_last))?", re.IGNORECASE | re.DOTALL)
COMMA = re.compile(r",(?![^\[]*\])")
OPTIONS = ("order_by", "order_by_fields")
KEYS = ("field", "order", "nulls")


@dataclass(frozen=True)
class Direction:
    """Up or down, and where null stands."""

    descending: bool = False
    nulls_first: bool = False


@dataclass(frozen=True)
class Order:
    """One field to order by."""

    name: str
    direction: Direction


def as_orders(option: str, given: Any) -> tuple[Order, ...]:
    """The fields to order by: "a:desc,b", ["a:desc", "b"], or [{"field": "a", "order": "desc"}]; "nulls" first or last.

    Raises:
        InvalidArgument: another form; names the option.
    """
    if given in (None, "", [], ()):
        return ()
    items = [item.strip() for item in COMMA.split(given)] if isinstance(given, str) else given
    if not isinstance(items, (list, tuple)):
        raise InvalidArgument(f'{option} must be a list such as ["price:desc"], not {given!r}')
    return tuple(_order(option, item) for item in items)


def given_orders(call: str, options: dict[str, Any]) -> tuple[Order, ...]:
    """Take `order_by` or `order_by_fields`, two names of one thing, out of a call's options."""
    given = [as_orders(f"{call}: {name}", options.pop(name)) for name in OPTIONS if name in options]
    if len(given) > 1 and all(given):
        raise InvalidArgument(f"{call}: give order_by or order_by_fields, not both")
    return next(filter(None, given), ())


def _order(option: str, item: Any) -> Order:
    if isinstance(item, Mapping):
        unknown = [key for key in item if key not in KEYS]
        if unknown or not isinstance(item.get("field"), str) or not item["field"]:
            raise InvalidArgument(f"{option}: an item is a dict of {', '.join(KEYS)}, not {dict(item)!r}")
        place = item.get("nulls")
        parts: tuple[Any, Any, Any] = (item["field"], item.get("order", "asc"), place and f"nulls_{place}")
    elif isinstance(item, str) and (found := WRITTEN.fullmatch(item)):
        parts = found[1], found[2] or "asc", found[3]
    else:
        raise InvalidArgument(f'{option}: an item is "field", "field:desc" or a dict, not {item!r}')
    name, way, nulls = parts[0], str(parts[1]).lower(), parts[2] and str(parts[2]).lower()
    if way not in ("asc", "desc") or nulls not in (None, "nulls_first", "nulls_last"):
        raise InvalidArgument(f"{option}: '{name}' is ordered asc or desc, nulls first or last, not {item!r}")
    descending = way == "desc"
    return Order(name, Direction(descending, descending if nulls is None else nulls == "nulls_first"))


def orderable(schema: CollectionSchema, option: str, orders: Iterable[Order]) -> list[Named]:
    """What the orders' names stand for.

    Raises:
        FieldNotFound, InvalidArgument: no such field, or one of a type that has no order.
    """
    names = []
    for order in orders:
        found = named(schema, option, order.name)
        if found.nested or found.dtype not in ORDERABLE:
            kind = "a nested value" if found.nested else found.dtype.name
            raise InvalidArgument(f"{option}: '{order.name}' is {kind}, which has no order")
        names.append(found)
    return names


def arrange(columns: Sequence[Sequence[pa.Array]], directions: Sequence[Direction], most: int | None = None) -> Int64s:
    """The places of rows in order, int64; the first `most` of them, or all.

    Args:
        columns: for each direction the columns of one name, as `Named.columns` gives them; rows that are equal in all
            come in any order.
    """
    table, keys = {}, []
    for number, (group, direction) in enumerate(zip(columns, directions, strict=True)):
        way = "descending" if direction.descending else "ascending"
        if group[0].null_count:
            table[f"{number} null"] = pc.cast(group[0].is_null(), pa.int8())
            keys.append((f"{number} null", "descending" if direction.nulls_first else "ascending"))
        for place, column in enumerate(group):
            boolean = pa.types.is_boolean(column.type)
            table[f"{number}.{place}"] = pc.cast(column, pa.int8()) if boolean else column
            keys.append((f"{number}.{place}", way))
    rows = pa.table(table)
    if most is None or most >= rows.num_rows:
        return np.asarray(numbers(pc.sort_indices(rows, sort_keys=keys)), np.int64)
    return np.asarray(numbers(pc.select_k_unstable(rows, most, sort_keys=keys)), np.int64)


def ordered_rids(
    view: View, chosen: Matching, names: Sequence[Named], orders: Sequence[Order], most: int | None
) -> Int64s:
    """The chosen rows in order, the first `most` or all; the last name is the key, by which equals are ordered."""
    rids, columns = of_rows(view, chosen, names)
    if not len(rids):
        return rids
    directions = [*(order.direction for order in orders), Direction()]
    return rids[arrange(split(columns, names), directions, most)]


def order_hits(
    view: View, hits: Found, names: Sequence[Named], orders: Sequence[Order], grouping: Grouping | None
) -> Found:
    """The hits in the order of fields, equals in the order of their scores; groups in the order of their first hits."""
    if not len(hits.rids):
        return hits
    groups = np.arange(len(hits.rids)) if grouping is None else grouping.groups(view, hits)
    firsts = one_of_each(groups)
    columns = split(at_rids(view, hits.rids[firsts], names), names)
    ranked = arrange([*columns, [from_numbers(firsts)]], [*(order.direction for order in orders), Direction()])
    rank = np.empty(len(firsts), np.int64)
    rank[ranked] = np.arange(len(firsts))
    return hits.at(np.argsort(rank[groups], kind="stable"))


def split(columns: Sequence[pa.Array], names: Sequence[Named]) -> list[Sequence[pa.Array]]:
    """The columns of several names, by name."""
    widths = [one.width for one in names]
    ends = np.cumsum(widths)
    return [columns[end - width : end] for end, width in zip(ends, widths, strict=True)]
