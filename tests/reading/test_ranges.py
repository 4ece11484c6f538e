"""Range search, rounding, and search by stored rows, against a brute-force oracle."""

from __future__ import annotations

import itertools
from typing import Any

import elanus
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle import ALL, Condition, Scores, ranked
from tests.reading.shelf import METRICS, Shelf, make_shelf, metric_of, queries_of, scores_of

SOME = Condition("n > 1", lambda row: None if row["n"] is None else row["n"] > 1)
FIELDS = [*METRICS, "sparse"]


def within(distance: float, metric: str, radius: float, near: float | None) -> bool:
    if metric == "L2":
        return distance < radius and (near is None or near <= distance)
    return radius < distance and (near is None or distance <= near)


def ends(known: Scores, metric: str, far_share: float, near_share: float | None) -> tuple[float, float | None]:
    """Distances between which lie about the given shares of the rows, each in the middle of a gap."""
    ordered = [distance for _, distance in ranked(known, metric)]
    gaps = [(a + b) / 2 for a, b in itertools.pairwise(ordered) if abs(a - b) > 1e-4]

    near = None if near_share is None else min(int(near_share * len(gaps)), len(gaps) - 2)
    far = max(min(int(far_share * len(gaps)), len(gaps) - 1), 0 if near is None else near + 1)
    return gaps[far], None if near is None else gaps[near]


def check(shelf: Shelf, field: str, number: int, limit: int, far: float, near: float | None, offset: int = 0) -> None:
    metric = metric_of(field)
    for condition in (ALL, SOME):
        known = scores_of(shelf, field, number, condition)
        radius, range_filter = ends(known, metric, far, near)
        params = {"radius": radius} if range_filter is None else {"radius": radius, "range_filter": range_filter}
        (hits,) = shelf.client.search(
            "shelf", queries_of(shelf, field, number), anns_field=field, limit=limit, offset=offset,
            filter=condition.text, search_params={"metric_type": metric, "params": params},
        )  # fmt: skip
        wanted = [d for _, d in ranked(known, metric) if within(d, metric, radius, range_filter)]
        assert len(hits) == len(wanted[offset : offset + limit])
        assert hits.distances == pytest.approx(wanted[offset : offset + limit], rel=1e-4, abs=1e-5)
        assert all(known[hit["id"]] == pytest.approx(hit["distance"], rel=1e-4, abs=1e-5) for hit in hits)
        assert len(set(hits.ids)) == len(hits)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(("far", "near"), [(0.002, None), (0.02, None), (0.5, None), (0.03, 0.01), (0.9, 0.5)])
def test_a_range_holds_exactly_the_rows_between_its_ends(
    shelf: Shelf, field: str, far: float, near: float | None
) -> None:
    for number, limit in itertools.product(range(2), (5, 100)):
        check(shelf, field, number, limit, far, near)
    check(shelf, field, 0, 7, far, near, offset=3)


@settings(max_examples=60)
@given(
    st.sampled_from(FIELDS),
    st.integers(0, 5),
    st.integers(1, 400),
    st.floats(0, 1),
    st.one_of(st.none(), st.floats(0, 1)),
)
def test_any_range_gives_what_the_oracle_gives(
    shelf: Shelf, field: str, number: int, limit: int, far: float, near: float | None
) -> None:
    check(shelf, field, number, limit, far, near)


@pytest.mark.parametrize("field", FIELDS)
def test_the_radius_itself_lies_outside_and_the_range_filter_inside(shelf: Shelf, field: str) -> None:
    def search(**params: float) -> list[float]:
        (hits,) = shelf.client.search(
            "shelf", queries_of(shelf, field, 0), anns_field=field, limit=1000, search_params={"params": params}
        )
        return hits.distances

    every = search(radius=1e9 if field == "l2" else -1e9)
    near, *_, far = list(dict.fromkeys(every))[3:9]
    start, end = every.index(near), every.index(far)
    assert search(radius=far, range_filter=near) == every[start:end]


def test_a_range_over_a_filled_index_of_each_type_is_exact(tmp_path: Any) -> None:
    for index_type in ("FLAT", "HNSW"):
        made = make_shelf(tmp_path / index_type, "mixed", index_type)
        with made.client:
            for field in METRICS:
                check(made, field, 1, 20, 0.03, 0.01)


def test_the_requests_of_a_hybrid_search_have_ranges_of_their_own(shelf: Shelf) -> None:
    radius, near = ends(scores_of(shelf, "cosine", 0), "COSINE", 0.02, 0.01)
    requests = [
        elanus.AnnSearchRequest(
            queries_of(shelf, "cosine", 0), "cosine", {"params": {"radius": radius, "range_filter": near}}, 100
        ),
        elanus.AnnSearchRequest(["heron"], "sparse", {"params": {"radius": 1e6}}, 100),
    ]
    (hits,) = shelf.client.hybrid_search("shelf", requests, elanus.RRFRanker(), limit=100)
    wanted = {key for key, d in scores_of(shelf, "cosine", 0).items() if within(d, "COSINE", radius, near)}
    assert set(hits.ids) == wanted


@pytest.mark.parametrize(
    ("field", "params", "said"),
    [
        ("ip", {"range_filter": 1.0}, "give its far end as radius"),
        ("ip", {"radius": 1.0, "range_filter": 0.5}, "range_filter must be above radius"),
        ("ip", {"radius": 1.0, "range_filter": 1.0}, "range_filter must be above radius"),
        ("l2", {"radius": 1.0, "range_filter": 2.0}, "range_filter must be below radius"),
        ("ip", {"radius": float("nan")}, "radius must be a number"),
        ("ip", {"radius": "1"}, "radius must be a number"),
        ("ip", {"radius": True}, "radius must be a number"),
    ],
)
def test_a_range_that_cannot_be_is_refused(shelf: Shelf, field: str, params: dict[str, Any], said: str) -> None:
    for written in (params, {"params": params}):
        with pytest.raises(elanus.InvalidArgument, match=said):
            shelf.client.search("shelf", [shelf.queries[0]], anns_field=field, search_params=written)


@pytest.mark.parametrize("digits", [-1, 0, 1, 3, 6])
def test_distances_are_rounded_after_ranking(shelf: Shelf, digits: int) -> None:
    (plain,) = shelf.client.search("shelf", [shelf.queries[0]], anns_field="l2", limit=30)
    (found,) = shelf.client.search("shelf", [shelf.queries[0]], anns_field="l2", limit=30, round_decimal=digits)
    assert found.ids == plain.ids
    assert found.distances == (plain.distances if digits < 0 else [round(d, digits) for d in plain.distances])
    request = elanus.AnnSearchRequest([shelf.queries[0]], "l2", {}, 30)
    (fused,) = shelf.client.hybrid_search("shelf", [request], elanus.RRFRanker(), limit=30, round_decimal=digits)
    assert digits < 0 or fused.distances == [round(d, digits) for d in fused.distances]


@pytest.mark.parametrize("digits", [-2, 7, 1.0, True, "2", None])
def test_a_number_of_places_that_milvus_refuses_is_refused(shelf: Shelf, digits: Any) -> None:
    with pytest.raises(elanus.InvalidArgument, match="round_decimal"):
        shelf.client.search("shelf", [shelf.queries[0]], anns_field="l2", round_decimal=digits)


@pytest.mark.parametrize("field", METRICS)
def test_rows_are_searched_with_by_their_ids(shelf: Shelf, field: str) -> None:
    keys = sorted(shelf.table.rows)[::300]
    keys = [keys[1], keys[0], *keys[2:], keys[1]]
    vectors = np.stack([shelf.table.rows[key][field] for key in keys])
    by_vectors = shelf.client.search("shelf", vectors, anns_field=field, limit=8, output_fields=["n"])
    assert shelf.client.search("shelf", ids=keys, anns_field=field, limit=8, output_fields=["n"]) == by_vectors
    assert shelf.client.search("shelf", ids=keys[0], anns_field=field, limit=8, output_fields=["n"]) == by_vectors[:1]


def test_a_bm25_field_is_searched_with_the_texts_of_the_ids(shelf: Shelf) -> None:
    keys = sorted(shelf.table.rows)[5:7]
    texts = [shelf.table.rows[key]["text"] for key in keys]
    found = shelf.client.search("shelf", ids=keys, anns_field="sparse", limit=8)
    assert found == shelf.client.search("shelf", texts, anns_field="sparse", limit=8)


def test_ids_that_cannot_be_searched_with_are_refused_by_name(shelf: Shelf) -> None:
    gone = next(key for key in range(10_000) if key not in shelf.table.rows)
    there = next(iter(shelf.table.rows))
    for ids, more, said in (
        ([there, gone], {}, f"no row has the id {gone}"),
        ([there], {"data": [shelf.queries[0]]}, "either data or ids"),
        ([], {}, "ids is empty"),
        (["x"], {}, "id 'x' does not fit"),
    ):
        with pytest.raises(elanus.InvalidArgument, match=said):
            shelf.client.search("shelf", ids=ids, anns_field="l2", **more)
