"""Rows and hits in the order of fields, against Python's own sorting."""

from __future__ import annotations

from typing import Any

import elanus
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle import Row
from tests.reading.shelf import Shelf, queries_of

NAMES = ["n", "price", "flag", "place", 'meta["kind"]', "colour", "id", "text"]


def value_of(row: Row, name: str) -> Any:
    return row["meta"].get("kind") if name == 'meta["kind"]' else row.get(name)


class Rank:
    """A value as the order has it: bools, numbers, texts; null greatest unless it is to come first."""

    def __init__(self, value: Any, descending: bool, nulls_first: bool) -> None:
        kind = {bool: 0, int: 1, float: 1, str: 2}.get(type(value))
        self.null, self.value = kind is None, None if kind is None else (kind, value)
        self.descending, self.nulls_first = descending, nulls_first

    def __eq__(self, other: object) -> bool:
        assert isinstance(other, Rank)
        return self.value == other.value

    def __lt__(self, other: Rank) -> bool:
        if self.null or other.null:
            return self.null == self.nulls_first and self.null != other.null
        return (other.value < self.value) if self.descending else (self.value < other.value)  # type: ignore[operator]


def ordered(rows: list[Row], orders: list[tuple[str, bool, bool | None]], last: Any) -> list[Row]:
    def key(row: Row) -> tuple[Any, ...]:
        ranks = [Rank(value_of(row, n), down, down if first is None else first) for n, down, first in orders]
        return (*ranks, last(row))

    return sorted(rows, key=key)


def written(orders: list[tuple[str, bool, bool | None]]) -> list[str]:
    nulls = {None: "", True: ":nulls_first", False: ":nulls_last"}
    return [f"{name}:{'desc' if down else 'asc'}{nulls[first]}" for name, down, first in orders]


ORDERS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.booleans(), st.sampled_from([None, True, False])),
    min_size=1,
    max_size=3,
    unique_by=lambda order: order[0],
)


@settings(max_examples=60)
@given(orders=ORDERS, limit=st.integers(1, 2000), offset=st.integers(0, 50), filtered=st.booleans())
def test_rows_come_in_the_order_asked_for_and_then_by_key(
    shelf: Shelf, orders: list[tuple[str, bool, bool | None]], limit: int, offset: int, filtered: bool
) -> None:
    rows = [row for row in shelf.table.rows.values() if not filtered or (row["n"] is not None and row["n"] > 0)]
    wanted = [row["id"] for row in ordered(rows, orders, lambda row: row["id"])]
    found = shelf.client.query(
        "shelf", filter="n > 0" if filtered else "", limit=limit, offset=offset, order_by=written(orders),
        output_fields=["id"],
    )  # fmt: skip
    assert [row["id"] for row in found] == wanted[offset : offset + limit]


def test_all_rows_of_a_filter_are_ordered_without_a_limit(shelf: Shelf) -> None:
    found = shelf.client.query("shelf", filter="price >= 0", order_by=["price:desc"], output_fields=["price"])
    prices = [row["price"] for row in shelf.table.rows.values() if row["price"] is not None]
    assert [row["price"] for row in found] == sorted(prices, reverse=True)


def test_rows_of_ids_are_ordered(shelf: Shelf) -> None:
    keys = list(shelf.table.rows)[:50]
    rows = [shelf.table.rows[key] for key in keys]
    found = shelf.client.query("shelf", ids=keys, order_by=["price", "n:desc"], output_fields=["id"])
    wanted = ordered(rows, [("price", False, None), ("n", True, None)], lambda row: row["id"])
    assert [row["id"] for row in found] == [row["id"] for row in wanted]


@pytest.mark.parametrize(
    "given_as",
    ["price:desc,n", "price:DESC, n:asc", ["price:desc", "n"], [{"field": "price", "order": "desc"}, {"field": "n"}],
     [{"field": "price", "order": "desc", "nulls": "first"}, "n:asc:nulls_last"]],
)  # fmt: skip
@pytest.mark.parametrize("option", ["order_by", "order_by_fields"])
def test_the_order_can_be_written_in_several_ways(shelf: Shelf, option: str, given_as: Any) -> None:
    plain = shelf.client.query("shelf", limit=40, order_by=["price:desc:nulls_first", "n:asc:nulls_last"])
    assert len(plain) == 40
    assert shelf.client.query("shelf", limit=40, **{option: given_as}) == plain


@settings(max_examples=30)
@given(orders=ORDERS, limit=st.integers(1, 60), offset=st.integers(0, 9), field=st.sampled_from(["l2", "sparse"]))
def test_hits_come_in_the_order_asked_for_and_then_by_rank(
    shelf: Shelf, orders: list[tuple[str, bool, bool | None]], limit: int, offset: int, field: str
) -> None:
    options: dict[str, Any] = {"anns_field": field, "limit": limit, "offset": offset}
    (plain,) = shelf.client.search("shelf", queries_of(shelf, field, 2), **options)
    rank = {key: place for place, key in enumerate(plain.ids)}
    wanted = ordered([shelf.table.rows[key] for key in plain.ids], orders, lambda row: rank[row["id"]])
    (found,) = shelf.client.search(
        "shelf", queries_of(shelf, field, 2), order_by_fields=",".join(written(orders)), **options
    )
    assert found.ids == [row["id"] for row in wanted]
    assert dict(zip(found.ids, found.distances, strict=True)) == dict(zip(plain.ids, plain.distances, strict=True))


def test_groups_are_ordered_by_their_best_hits_and_stay_together(shelf: Shelf) -> None:
    options: dict[str, Any] = {
        "anns_field": "ip", "limit": 12, "group_by_field": "place", "group_size": 3, "strict_group_size": True,
        "output_fields": ["place"],
    }  # fmt: skip
    (plain,) = shelf.client.search("shelf", [shelf.queries[0]], **options)
    (found,) = shelf.client.search("shelf", [shelf.queries[0]], order_by_fields="place:asc:nulls_first", **options)
    assert sorted(found.ids) == sorted(plain.ids)
    places = [hit["entity"]["place"] for hit in found]
    assert places == sorted(places, key=lambda place: (place is not None, place))
    for place in set(places):
        ours = [hit for hit in found if hit["entity"]["place"] == place]
        assert ours == [hit for hit in plain if hit["entity"]["place"] == place]


def test_the_hits_of_a_hybrid_search_are_ordered(shelf: Shelf) -> None:
    requests = [elanus.AnnSearchRequest(queries_of(shelf, field, 0), field, {}, 30) for field in ("l2", "sparse")]
    (plain,) = shelf.client.hybrid_search("shelf", requests, elanus.RRFRanker(), limit=20)
    (found,) = shelf.client.hybrid_search(
        "shelf", requests, elanus.RRFRanker(), limit=20, order_by_fields=[{"field": "id", "order": "desc"}]
    )
    assert found.ids == sorted(plain.ids, reverse=True)


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (["tags"], "'tags' is a nested value, which has no order"),
        (["meta"], "'meta' is a nested value, which has no order"),
        (["l2"], "'l2' is FLOAT_VECTOR, which has no order"),
        (["price:down"], None),
        ([{"field": "price", "order": "down"}], "'price' is ordered asc or desc"),
        ([{"field": "price", "nulls": "middle"}], "nulls first or last"),
        ([{"field": "price", "direction": "asc"}], "an item is a dict of field, order, nulls"),
        ([{"order": "asc"}], "an item is a dict of field, order, nulls"),
        ([3], 'an item is "field", "field:desc" or a dict, not 3'),
        (3, "must be a list such as"),
    ],
)
def test_what_is_no_order_is_refused(shelf: Shelf, order: Any, said: str | None) -> None:
    for read in (
        lambda: shelf.client.query("shelf", limit=3, order_by=order),
        lambda: shelf.client.search("shelf", [shelf.queries[0]], anns_field="l2", order_by_fields=order),
    ):
        with pytest.raises((elanus.InvalidArgument, elanus.FieldNotFound), match=said):
            read()


def test_both_names_of_the_option_at_once_are_refused(shelf: Shelf) -> None:
    with pytest.raises(elanus.InvalidArgument, match="order_by or order_by_fields"):
        shelf.client.query("shelf", limit=3, order_by=["n"], order_by_fields=["n"])
