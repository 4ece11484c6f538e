"""Grouping search against an oracle that groups the whole ranking by hand."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import elanus
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle import ALL, Condition, Row, ranked, rrf
from tests.reading.shelf import Shelf, metric_of, queries_of, scores_of

SOME = Condition("n > -2", lambda row: None if row["n"] is None else row["n"] > -2)
NAMES = ["n", "flag", "place", 'meta["kind"]', "colour", "id"]
Ranking = list[tuple[Any, float]]


def value_of(row: Row, name: str) -> Hashable:
    """A row's value by name, with its kind, since True is not 1 in JSON."""
    value = row["meta"].get("kind") if name == 'meta["kind"]' else row.get(name)
    return type(value).__name__, value


def by_group(shelf: Shelf, ranking: Ranking, names: list[str]) -> dict[Hashable, Ranking]:
    """The ranking by group, groups in the order of their best rows."""
    groups: dict[Hashable, Ranking] = {}
    for key, score in ranking:
        row = shelf.table.rows[key]
        groups.setdefault(tuple(value_of(row, name) for name in names), []).append((key, score))
    return groups


def distances(groups: list[Ranking], size: int) -> list[list[float]]:
    return [[score for _, score in group[:size]] for group in groups]


def split(shelf: Shelf, hits: Any, names: list[str]) -> list[Ranking]:
    """Found hits by group; each group must stand together."""
    found: list[Ranking] = []
    seen: list[Hashable] = []
    for hit in hits:
        value = tuple(value_of(shelf.table.rows[hit["id"]], name) for name in names)
        if not seen or seen[-1] != value:
            assert value not in seen
            seen.append(value)
            found.append([])
        found[-1].append((hit["id"], hit["distance"]))
    return found


def check_same(found: list[Ranking], wanted: list[Ranking], size: int) -> None:
    assert len(found) == len(wanted)
    for mine, theirs in zip(distances(found, size + 1), distances(wanted, size), strict=True):
        assert mine == pytest.approx(theirs, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("field", ["cosine", "l2", "sparse"])
def test_the_best_groups_come_back_with_their_best_hit(shelf: Shelf, field: str, name: str) -> None:
    for condition, limit, offset in ((ALL, 3, 0), (ALL, 60, 0), (SOME, 5, 2)):
        ranking = ranked(scores_of(shelf, field, 0, condition), metric_of(field))
        wanted = list(by_group(shelf, ranking, [name]).values())[offset : offset + limit]
        (hits,) = shelf.client.search(
            "shelf", queries_of(shelf, field, 0), anns_field=field, limit=limit, offset=offset, filter=condition.text,
            group_by_field=name,
        )  # fmt: skip
        check_same(split(shelf, hits, [name]), wanted, 1)


@settings(max_examples=40)
@given(
    field=st.sampled_from(["cosine", "ip", "l2", "sparse"]),
    number=st.integers(0, 5),
    names=st.lists(st.sampled_from(NAMES[:-1]), min_size=1, max_size=2, unique=True),
    size=st.integers(1, 40),
    limit=st.integers(1, 50),
    offset=st.integers(0, 5),
)
def test_strict_groups_are_full_wherever_there_are_enough_rows(
    shelf: Shelf, field: str, number: int, names: list[str], size: int, limit: int, offset: int
) -> None:
    ranking = ranked(scores_of(shelf, field, number), metric_of(field))
    wanted = list(by_group(shelf, ranking, names).values())[offset : offset + limit]
    (hits,) = shelf.client.search(
        "shelf", queries_of(shelf, field, number), anns_field=field, limit=limit, offset=offset, group_by_fields=names,
        group_size=size, strict_group_size=True,
    )  # fmt: skip
    check_same(split(shelf, hits, names), wanted, size)


@pytest.mark.parametrize("name", NAMES)
def test_groups_that_are_not_strict_hold_the_best_of_what_was_searched(shelf: Shelf, name: str) -> None:
    limit, size = 6, 4
    ranking = ranked(scores_of(shelf, "ip", 1), "IP")
    leaders = {group[0][0] for group in by_group(shelf, ranking, [name]).values()}
    searched = [hit for place, hit in enumerate(ranking) if place < limit * size or hit[0] in leaders]
    (hits,) = shelf.client.search(
        "shelf", queries_of(shelf, "ip", 1), anns_field="ip", limit=limit, group_by_field=name, group_size=size
    )
    wanted = list(by_group(shelf, searched, [name]).values())[:limit]
    check_same(split(shelf, hits, [name]), wanted, size)


def test_several_queries_are_grouped_each_on_its_own(shelf: Shelf) -> None:
    options: dict[str, Any] = {"anns_field": "l2", "limit": 30, "group_by_field": "place", "output_fields": ["place"]}
    together = shelf.client.search("shelf", shelf.queries, **options)
    assert together == [shelf.client.search("shelf", [query], **options)[0] for query in shelf.queries]
    assert all(hit["entity"]["place"] == shelf.table.rows[hit["id"]]["place"] for hit in together[0])


def test_grouping_by_the_key_changes_nothing(shelf: Shelf) -> None:
    options: dict[str, Any] = {"anns_field": "cosine", "limit": 40, "output_fields": ["n"]}
    plain = shelf.client.search("shelf", shelf.queries, **options)
    assert shelf.client.search("shelf", shelf.queries, group_by_field="id", **options) == plain


def test_groups_within_a_range(shelf: Shelf) -> None:
    ranking = ranked(scores_of(shelf, "ip", 2), "IP")
    near, far = ranking[60][1], ranking[300][1]
    middle = [(key, score) for key, score in ranking if far < score <= near]
    (hits,) = shelf.client.search(
        "shelf", queries_of(shelf, "ip", 2), anns_field="ip", limit=50, group_by_field="n", group_size=3,
        strict_group_size=True, search_params={"radius": far - 1e-4, "range_filter": near + 1e-4},
    )  # fmt: skip
    assert len(split(shelf, hits, ["n"])) == len(by_group(shelf, middle, ["n"]))


@pytest.mark.parametrize("scorer", [None, "max", "sum", "avg"])
def test_a_hybrid_search_groups_what_it_has_fused(shelf: Shelf, scorer: str | None) -> None:
    limit, size = 5, 3
    routes = []
    requests = []
    for field, number in (("cosine", 0), ("sparse", 0)):
        ranking = ranked(scores_of(shelf, field, number), metric_of(field))
        firsts = {key for group in by_group(shelf, ranking, ["place"]).values() for key, _ in group[:size]}
        routes.append([hit for hit in ranking if hit[0] in firsts])
        requests.append(elanus.AnnSearchRequest(queries_of(shelf, field, number), field, {}, 2000))
    fused = sorted(rrf(routes).items(), key=lambda item: -item[1])
    groups = [group[:size] for group in by_group(shelf, fused, ["place"]).values()]
    worth = {"sum": lambda g: sum(s for _, s in g), "avg": lambda g: np.mean([s for _, s in g])}
    if scorer in worth:
        groups.sort(key=worth[scorer], reverse=True)
    more = {} if scorer is None else {"rank_group_scorer": scorer}
    (hits,) = shelf.client.hybrid_search(
        "shelf", requests, elanus.RRFRanker(), limit=limit, group_by_field="place", group_size=size,
        strict_group_size=True, **more,
    )  # fmt: skip
    check_same(split(shelf, hits, ["place"]), groups[:limit], size)


def test_each_request_of_a_hybrid_search_finds_as_many_groups_as_it_is_asked_for(shelf: Shelf) -> None:
    every = {row["place"] for row in shelf.table.rows.values()}
    request = elanus.AnnSearchRequest(queries_of(shelf, "l2", 3), "l2", {}, len(every))
    (hits,) = shelf.client.hybrid_search(
        "shelf", [request], elanus.RRFRanker(), limit=len(every), group_by_field="place"
    )
    assert {shelf.table.rows[key]["place"] for key in hits.ids} == every
    assert len(hits) == len(every)


def test_a_model_ranks_the_hits_that_the_groups_need(shelf: Shelf) -> None:
    class Shortest:
        def rerank(self, query: str, documents: list[str]) -> list[float]:
            return [-float(len(text)) for text in documents]

    (hits,) = shelf.client.search(
        "shelf", ["kite owl"], anns_field="sparse", limit=10, group_by_field="n", group_size=2, strict_group_size=True,
        ranker=Shortest(), output_fields=["text"],
    )  # fmt: skip
    assert len(split(shelf, hits, ["n"])) == 10
    assert [hit["distance"] for hit in hits] == [-len(hit["entity"]["text"]) for hit in hits]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"group_by_field": "nothing_near"}, None),
        ({"group_by_field": "price"}, "'price' is DOUBLE"),
        ({"group_by_field": "tags"}, "'tags' is a nested value"),
        ({"group_by_field": "meta"}, "'meta' is a nested value"),
        ({"group_by_field": "l2"}, "'l2' is FLOAT_VECTOR"),
        ({"group_by_field": 3}, "group_by_field must name a field, not 3"),
        ({"group_by_field": "n", "group_by_fields": ["flag"]}, "not both"),
        ({"group_by_fields": "n"}, "must be a list"),
        ({"group_size": 2}, "group_size needs a group_by_field"),
        ({"strict_group_size": True}, "strict_group_size needs a group_by_field"),
        ({"rank_group_scorer": "max"}, "rank_group_scorer needs a group_by_field"),
        ({"group_by_field": "n", "group_size": 0}, "group_size must be a whole number"),
        ({"group_by_field": "n", "group_size": True}, "group_size must be a whole number"),
        ({"group_by_field": "n", "group_size": "2"}, "group_size must be a whole number"),
        ({"group_by_field": "n", "strict_group_size": "yes"}, "strict_group_size must be True or False"),
        ({"group_by_field": "n", "rank_group_scorer": "min"}, "rank_group_scorer must be one of max, sum, avg"),
    ],
)
def test_what_hits_cannot_be_grouped_by_is_refused(shelf: Shelf, options: dict[str, Any], said: str | None) -> None:
    request = elanus.AnnSearchRequest([shelf.queries[0]], "l2", {}, 5)
    for search in (
        lambda: shelf.client.search("shelf", [shelf.queries[0]], anns_field="l2", limit=3, **options),
        lambda: shelf.client.hybrid_search("shelf", [request], elanus.RRFRanker(), limit=3, **options),
    ):
        if said is None:  # an undeclared name is a dynamic key, which no row has: one group
            assert len(search()[0]) == 1
        else:
            with pytest.raises(elanus.InvalidArgument, match=said):
                search()


def test_a_field_that_is_not_there_is_named_with_the_nearest(client: elanus.Client) -> None:
    schema = client.create_schema()
    schema.add_field("id", elanus.DataType.INT64, is_primary=True)
    schema.add_field("color", elanus.DataType.INT64)
    schema.add_field("v", elanus.DataType.FLOAT_VECTOR, dim=2)
    client.create_collection("c", schema=schema, index_params=client.prepare_index_params("v", metric_type="IP"))
    with pytest.raises(elanus.FieldNotFound, match="no field 'colour'; did you mean 'color'"):
        client.search("c", [[0.0, 1.0]], group_by_field="colour")
    assert client.search("c", [[0.0, 1.0]], group_by_field="color") == [[]]


@pytest.mark.parametrize("strict", [False, True])
def test_groups_among_few_rows(shelf: Shelf, strict: bool) -> None:
    few = Condition("id % 40 == 3", lambda row: row["id"] % 40 == 3)
    groups = by_group(shelf, ranked(scores_of(shelf, "ip", 3, few), "IP"), ["flag"])
    (hits,) = shelf.client.search(
        "shelf", queries_of(shelf, "ip", 3), anns_field="ip", limit=2, filter=few.text, group_by_field="flag",
        group_size=30 if strict else 1, strict_group_size=strict,
    )  # fmt: skip
    check_same(split(shelf, hits, ["flag"]), list(groups.values()), 30 if strict else 1)


@pytest.mark.parametrize("field", ["ip", "sparse"])
def test_more_hits_may_be_asked_for_than_there_are_rows(shelf: Shelf, field: str) -> None:
    ranking = ranked(scores_of(shelf, field, 0), metric_of(field))
    (hits,) = shelf.client.search(
        "shelf", queries_of(shelf, field, 0), anns_field=field, limit=16_384, group_by_field="place",
        group_size=16_384, strict_group_size=True,
    )  # fmt: skip
    assert len(hits) == len(ranking)
    check_same(split(shelf, hits, ["place"]), list(by_group(shelf, ranking, ["place"]).values()), 16_384)
