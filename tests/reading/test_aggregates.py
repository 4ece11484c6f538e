"""Aggregates of all rows and by group, against sums by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from typing import Any

import elanus
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle import Row
from tests.reading.shelf import Shelf

FILTERS: dict[str, Callable[[Row], bool]] = {
    "": lambda row: True,
    "n > 0": lambda row: row["n"] is not None and row["n"] > 0,
    "price < 0": lambda row: False,
}
NUMERIC = ["n", "price", "id", 'meta["kind"]']
SCALAR = [*NUMERIC, "flag", "place", "colour", "text"]
GROUPS = ["n", "flag", "place", 'meta["kind"]', "colour"]


def value_of(row: Row, name: str) -> Any:
    return row["meta"].get("kind") if name == 'meta["kind"]' else row.get(name)


def kind(value: Any) -> int:
    return {bool: 0, int: 1, float: 1, str: 2}.get(type(value), 3)


def by_hand(function: str, values: list[Any]) -> Any:
    there = [value for value in values if value is not None]
    if function == "count":
        return len(there)
    if function in ("sum", "avg"):
        there = [value for value in there if kind(value) == 1]
        if not there:
            return None
        total = math.fsum(there) if any(type(value) is float for value in there) else sum(there)
        return total if function == "sum" else total / len(there)
    ordered = sorted(there, key=lambda value: (kind(value), value))
    return None if not ordered else ordered[0 if function == "min" else -1]


CALLS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["sum", "avg"]), st.sampled_from(NUMERIC)),
        st.tuples(st.sampled_from(["count", "min", "max"]), st.sampled_from(SCALAR)),
        st.just(("count", "*")),
    ),
    min_size=1,
    max_size=4,
    unique=True,
)


def same(found: Any, wanted: Any) -> bool:
    if type(wanted) is float:
        return bool(found == pytest.approx(wanted, rel=1e-12))
    return type(found) is type(wanted) and bool(found == wanted)


@settings(max_examples=60)
@given(calls=CALLS, text=st.sampled_from(list(FILTERS)))
def test_aggregates_of_all_rows_are_what_they_are_by_hand(
    shelf: Shelf, calls: list[tuple[str, str]], text: str
) -> None:
    rows = [row for row in shelf.table.rows.values() if FILTERS[text](row)]
    (found,) = shelf.client.query("shelf", filter=text, output_fields=[f"{f}({name})" for f, name in calls])
    assert list(found) == [f"{f}({name})" for f, name in calls]
    for function, name in calls:
        wanted = len(rows) if name == "*" else by_hand(function, [value_of(row, name) for row in rows])
        assert same(found[f"{function}({name})"], wanted), (function, name)


@settings(max_examples=60)
@given(
    calls=CALLS,
    by=st.lists(st.sampled_from(GROUPS), min_size=1, max_size=2, unique=True),
    text=st.sampled_from(list(FILTERS)),
    window=st.one_of(st.none(), st.tuples(st.integers(1, 30), st.integers(0, 5))),
)
def test_aggregates_by_group_are_what_they_are_by_hand(
    shelf: Shelf, calls: list[tuple[str, str]], by: list[str], text: str, window: tuple[int, int] | None
) -> None:
    groups: dict[tuple[Hashable, ...], list[Row]] = {}
    for row in shelf.table.rows.values():
        if FILTERS[text](row):
            groups.setdefault(tuple((kind(v := value_of(row, name)), v) for name in by), []).append(row)
    in_order = sorted(groups, key=lambda key: tuple((k, 0 if v is None else v) for k, v in key))
    limits = {} if window is None else {"limit": window[0], "offset": window[1]}
    if window is not None:
        in_order = in_order[window[1] : window[0] + window[1]]
    written = [f"{f}({name})" for f, name in calls]
    found = shelf.client.query("shelf", filter=text, group_by_fields=by, output_fields=[*by, *written], **limits)
    assert [[row[name] for name in by] for row in found] == [[value for _, value in key] for key in in_order]
    for row, key in zip(found, in_order, strict=True):
        assert list(row) == [*by, *written]
        for function, name in calls:
            rows = groups[key]
            wanted = len(rows) if name == "*" else by_hand(function, [value_of(r, name) for r in rows])
            assert same(row[f"{function}({name})"], wanted), (function, name)


def test_groups_are_ordered_by_aggregates(shelf: Shelf) -> None:
    found = shelf.client.query(
        "shelf", group_by_fields=["place"], output_fields=["count(*)", "place", "max(price)"],
        order_by=["count(*):desc", "place:desc"], limit=7, offset=1,
    )  # fmt: skip
    every = shelf.client.query("shelf", group_by_fields=["place"], output_fields=["place", "count(*)", "max(price)"])
    wanted = sorted(every, key=lambda row: (row["place"] is None, row["place"] or ""), reverse=True)
    wanted.sort(key=lambda row: -row["count(*)"])
    assert found == wanted[1:8]
    assert list(found[0]) == ["count(*)", "place", "max(price)"]


def test_groups_alone_are_the_distinct_values(shelf: Shelf) -> None:
    wanted = sorted({row["n"] for row in shelf.table.rows.values()} - {None})
    assert [row["n"] for row in shelf.client.query("shelf", group_by_fields=["n"])] == [*wanted, None]
    assert shelf.client.query("shelf", group_by_fields=["n"], output_fields=["n"], filter="n == 1") == [{"n": 1}]


def test_aggregates_of_ids(shelf: Shelf) -> None:
    keys = list(shelf.table.rows)[:40]
    (found,) = shelf.client.query("shelf", ids=[*keys, 999_999], output_fields=["count(*)", "sum(id)"])
    assert found == {"count(*)": 40, "sum(id)": sum(keys)}


def test_sums_of_integers_are_exact_beyond_64_bits(client: elanus.Client) -> None:
    client.create_collection("c", 2)
    big = 2**63 - 1
    rows = [{"id": big - n, "vector": [0.0, 1.0], "x": big - n, "g": n % 2} for n in range(9)]
    client.insert("c", rows)
    (found,) = client.query("c", output_fields=["sum(id)", "avg(id)", "min(id)", "max(x)", "sum(x)"])
    total = sum(row["id"] for row in rows)
    assert found == {"sum(id)": total, "avg(id)": total / 9, "min(id)": big - 8, "max(x)": big, "sum(x)": total}
    by_group = client.query("c", output_fields=["sum(x)"], group_by_fields=["g"], order_by=["sum(x):desc"])
    assert [row["sum(x)"] for row in by_group] == [sum(r["x"] for r in rows if r["g"] == g) for g in (0, 1)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"output_fields": ["count(*)", "id"]}, "output field 'id' stands beside count"),
        ({"output_fields": ["summ(price)"]}, "no aggregate 'summ'.*did you mean 'sum'"),
        ({"output_fields": ["sum(*)"]}, "only count takes"),
        ({"output_fields": ["sum(place)"]}, "'place' is VARCHAR; sum takes a number"),
        ({"output_fields": ["avg(flag)"]}, "'flag' is BOOL; avg takes a number"),
        ({"output_fields": ["min(tags)"]}, "'tags' is a nested value; min takes a scalar field"),
        ({"output_fields": ["max(meta)"]}, "'meta' is a nested value"),
        ({"output_fields": ["min(l2)"]}, "'l2' is FLOAT_VECTOR"),
        ({"output_fields": ["count(*)"], "limit": 3}, "gives one row; leave limit and offset out"),
        ({"output_fields": ["sum(id)"], "offset": 1}, "gives one row"),
        ({"output_fields": ["sum(id)"], "order_by": ["id"]}, "groups have sum.*, and no 'id'"),
        ({"output_fields": ["sum(id)"], "group_by_fields": "n"}, "group_by_fields must be a list"),
        ({"output_fields": ["sum(id)"], "group_by_fields": ["price"]}, "'price' is DOUBLE"),
        ({"output_fields": ["sum(id)", "n"], "group_by_fields": ["flag"]}, "'n' stands beside sum"),
        ({"output_fields": ["n"], "group_by_fields": ["n"], "limit": 0}, "limit must be a whole number"),
        ({"output_fields": ["n"], "group_by_fields": ["n"], "limit": 16_384, "offset": 1}, "must not exceed 16384"),
    ],
)
def test_what_cannot_be_calculated_is_refused(shelf: Shelf, options: dict[str, Any], said: str) -> None:
    with pytest.raises(elanus.InvalidArgument, match=said):
        shelf.client.query("shelf", **options)
