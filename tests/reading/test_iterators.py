"""Iterators give every row once, in order, whatever is written, flushed, merged or deleted meanwhile."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import elanus
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle import ALL, Condition, ranked
from tests.reading.shelf import DIM, Shelf, make_shelf, metric_of, queries_of, scores_of

SOME = Condition("n > 0", lambda row: None if row["n"] is None else row["n"] > 0)
FIELDS = ["cosine", "ip", "l2", "sparse"]


def drain(iterator: Any) -> list[Any]:
    """The batches of an iterator."""
    batches = []
    while batch := iterator.next():
        batches.append(batch)
    assert iterator.next() == []
    assert len(iterator.next()) == 0
    iterator.close()
    return batches


def sizes(total: int, batch: int) -> list[int]:
    return [min(batch, total - start) for start in range(0, total, batch)]


@settings(max_examples=40)
@given(
    batch=st.integers(1, 700),
    limit=st.one_of(st.just(-1), st.integers(0, 2500)),
    offset=st.integers(0, 50),
    condition=st.sampled_from([ALL, SOME]),
)
def test_a_query_iterator_gives_every_row_once_in_the_order_of_keys(
    shelf: Shelf, batch: int, limit: int, offset: int, condition: Condition
) -> None:
    wanted = sorted(shelf.table.matching(condition))[offset:]
    wanted = wanted if limit == -1 else wanted[:limit]
    iterator = shelf.client.query_iterator(
        "shelf", batch_size=batch, limit=limit, filter=condition.text, output_fields=["n"], offset=offset
    )
    batches = drain(iterator)
    assert [len(rows) for rows in batches] == sizes(len(wanted), batch)
    found = [(row["id"], row["n"]) for rows in batches for row in rows]
    assert found == [(key, shelf.table.rows[key]["n"]) for key in wanted]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("condition", [ALL, SOME], ids=["all", "filtered"])
@pytest.mark.parametrize("batch", [1, 7, 150, 5000])
def test_a_search_iterator_gives_every_hit_once_by_distance(
    shelf: Shelf, field: str, condition: Condition, batch: int
) -> None:
    limit = 40 if batch == 1 else -1
    wanted = ranked(scores_of(shelf, field, 1, condition), metric_of(field))
    wanted = wanted if limit == -1 else wanted[:limit]
    iterator = shelf.client.search_iterator(
        "shelf", queries_of(shelf, field, 1), batch_size=batch, limit=limit, filter=condition.text, anns_field=field,
        output_fields=["n"],
    )  # fmt: skip
    batches = drain(iterator)
    assert [len(hits) for hits in batches] == sizes(len(wanted), batch)
    hits = [hit for page in batches for hit in page]
    assert len({hit["id"] for hit in hits}) == len(hits)
    assert [hit["distance"] for hit in hits] == pytest.approx([score for _, score in wanted], rel=1e-4, abs=1e-5)
    distances = [hit["distance"] for hit in hits]
    assert distances == sorted(distances, reverse=field != "l2")
    assert all(hit["entity"] == {"n": shelf.table.rows[hit["id"]]["n"]} for hit in hits)


def test_a_search_iterator_begins_as_the_search_does(shelf: Shelf) -> None:
    (plain,) = shelf.client.search(
        "shelf", [shelf.queries[0]], anns_field="cosine", limit=30, output_fields=["place"], round_decimal=3
    )
    iterator = shelf.client.search_iterator(
        "shelf", [shelf.queries[0]], batch_size=30, anns_field="cosine", output_fields=["place"], round_decimal=3
    )
    page = iterator.next()
    assert page == list(plain)
    assert (page.ids(), page.distances()) == (plain.ids, plain.distances)


def test_a_search_iterator_keeps_to_a_range(shelf: Shelf) -> None:
    order = ranked(scores_of(shelf, "l2", 2), "L2")
    near, far = (order[100][1] + order[101][1]) / 2, (order[900][1] + order[901][1]) / 2
    iterator = shelf.client.search_iterator(
        "shelf", queries_of(shelf, "l2", 2), batch_size=64, anns_field="l2",
        search_params={"metric_type": "L2", "params": {"radius": far, "range_filter": near}},
    )  # fmt: skip
    assert sum(map(len, drain(iterator))) == 800


@pytest.mark.parametrize("limit", [-1, 90])
def test_an_outside_filter_leaves_full_batches(shelf: Shelf, limit: int) -> None:
    seen: list[int] = []

    def odd(hits: elanus.client.results.Hits) -> list[Any]:
        seen.extend(hits.ids)
        return [hit for hit in hits if hit["id"] % 3 == 1]

    iterator = shelf.client.search_iterator(
        "shelf", [shelf.queries[0]], batch_size=50, limit=limit, anns_field="l2", external_filter_func=odd
    )
    batches = drain(iterator)
    wanted = [key for key, _ in ranked(scores_of(shelf, "l2", 0), "L2") if key % 3 == 1]
    wanted = wanted if limit == -1 else wanted[:limit]
    assert [len(page) for page in batches] == sizes(len(wanted), 50)
    assert sorted(hit["id"] for page in batches for hit in page) == sorted(wanted)
    assert len(set(seen)) == len(seen)


def test_what_is_written_meanwhile_changes_nothing_for_an_iterator(tmp_path: Path) -> None:
    made = make_shelf(tmp_path / "store", "mixed")
    with made.client as client, elanus.connect(tmp_path / "store", durability="os") as other:
        keys = sorted(made.table.rows)
        order = [key for key, _ in ranked(made.table.dense("cosine", made.queries[0]), "COSINE")]
        rows = client.query_iterator("shelf", batch_size=100, output_fields=["n"])
        hits = client.search_iterator("shelf", [made.queries[0]], batch_size=100, anns_field="cosine")
        found, ranking = list(rows.next()), [hit["id"] for hit in hits.next()]
        template = client.query("shelf", ids=keys[:1])[0]
        for step in range(0, 1500, 100):
            news = [{**template, "id": key, "n": 99} for key in (*range(step, step + 60), 10_000 + step)]
            other.insert("shelf", [{k: v for k, v in row.items() if k != "sparse"} for row in news])
            other.delete("shelf", ids=list(range(step + 60, step + 90)))
            if step % 300 == 0:
                other.flush("shelf")
            found += rows.next()
            ranking += [hit["id"] for hit in hits.next()]
        found += [row for batch in drain(rows) for row in batch]
        ranking += [hit["id"] for page in drain(hits) for hit in page]
        assert [(row["id"], row["n"]) for row in found] == [(key, made.table.rows[key]["n"]) for key in keys]
        assert ranking == order
        assert client.query("shelf", filter="n == 99", output_fields=["count(*)"]) == [{"count(*)": 15 * 61}]


def test_writers_in_threads_disturb_no_iterator(client: elanus.Client) -> None:
    client.create_collection("c", DIM)
    rows = [{"id": key, "vector": np.full(DIM, key + 1.0), "first": True} for key in range(3000)]
    client.insert("c", rows)
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            start = number * 50 % 3000
            client.insert("c", [{**row, "first": False} for row in rows[start : start + 50]])
            client.delete("c", ids=list(range(start + 10, start + 20)))
            if number % 10 == 0:
                client.flush("c")
            number += 1

    iterators = [
        client.query_iterator("c", batch_size=37, output_fields=["first"]),
        client.search_iterator("c", [[1.0] * DIM], batch_size=37, output_fields=["first"]),
    ]
    writer = threading.Thread(target=write)
    writer.start()
    try:
        found = [[row for batch in drain(iterator) for row in batch] for iterator in iterators]
    finally:
        stop.set()
        writer.join()
    assert [row["id"] for row in found[0]] == list(range(3000))
    assert all(row["first"] for row in found[0])
    assert sorted(hit["id"] for hit in found[1]) == list(range(3000))
    assert all(hit["entity"]["first"] for hit in found[1])


def test_an_empty_collection_gives_no_batch(client: elanus.Client) -> None:
    client.create_collection("c", DIM)
    assert drain(client.query_iterator("c")) == []
    assert drain(client.search_iterator("c", [[0.0] * DIM])) == []


@pytest.mark.parametrize("make", [
    lambda c: c.query_iterator("c", batch_size=2),
    lambda c: c.search_iterator("c", [[1.0] * DIM], batch_size=2),
])  # fmt: skip
def test_a_closed_iterator_is_not_read_from(client: elanus.Client, make: Any) -> None:
    client.create_collection("c", DIM)
    client.insert("c", [{"id": key, "vector": [1.0] * DIM} for key in range(5)])
    iterator = make(client)
    assert len(iterator.next()) == 2
    iterator.close()
    iterator.close()
    with pytest.raises(elanus.StoreClosed, match="the iterator was closed"):
        iterator.next()
    orphan = make(client)
    client.close()
    with pytest.raises(elanus.StoreClosed):
        orphan.next()


@pytest.mark.parametrize("limit", [16_384, 20_000])
def test_an_iterator_goes_deeper_than_a_search_may(client: elanus.Client, limit: int) -> None:
    client.create_collection("c", 2, metric_type="L2")
    count = 20_000
    client.insert("c", {"id": np.arange(count), "vector": np.arange(2 * count, dtype=np.float32).reshape(-1, 2)})
    with pytest.raises(elanus.InvalidArgument, match="limit"):
        client.search("c", [[0.0, 1.0]], limit=20_000)
    pages = drain(client.search_iterator("c", [[0.0, 1.0]], batch_size=16_384, limit=limit))
    assert [hit["id"] for page in pages for hit in page] == list(range(limit))
    rows = drain(client.query_iterator("c", batch_size=16_384, limit=limit, output_fields=["id"]))
    assert [row["id"] for batch in rows for row in batch] == list(range(limit))


def test_iterators_of_the_async_client(folder: Path) -> None:
    async def read() -> list[int]:
        async with elanus.AsyncClient(folder) as client:
            await client.create_collection("c", DIM)
            await client.insert("c", [{"id": key, "vector": [1.0] * DIM} for key in range(5)])
            iterator = await client.query_iterator("c", batch_size=3)
            return [row["id"] for batch in drain(iterator) for row in batch]

    assert asyncio.run(read()) == list(range(5))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"batch_size": 0}, "batch_size must be a whole number from 1 to 16384"),
        ({"batch_size": 16_385}, "batch_size must be"),
        ({"batch_size": None}, "batch_size must be"),
        ({"limit": -2}, "limit"),
        ({"limit": "all"}, "limit"),
        ({"offset": -1}, "offset"),
        ({"filter": 3}, "filter must be a str"),
        ({"filter": "nonsense ="}, "equality is written"),
        ({"output_fields": "id"}, "output_fields must be a list"),
        ({"bogus_option": 1}, "bogus_option"),
        ({"iterator_cp_file": "/tmp/x"}, "iterator_cp_file"),
        ({"timeout": -1}, "timeout"),
        ({"partition_names": ["none"]}, "none"),
    ],
)
def test_what_an_iterator_cannot_do_is_refused(shelf: Shelf, options: dict[str, Any], said: str) -> None:
    with pytest.raises(elanus.ElanusError, match=said):
        shelf.client.query_iterator("shelf", **options)
    with pytest.raises(elanus.ElanusError, match=said):
        shelf.client.search_iterator("shelf", [shelf.queries[0]], anns_field="l2", **options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"offset": 3}, "has no offset"),
        ({"search_params": {"offset": 3}}, "has no offset"),
        ({"data": np.zeros((2, DIM))}, "takes one query, not 2"),
        ({"data": []}, "data"),
        ({"external_filter_func": 3}, "must be callable"),
        ({"round_decimal": 7}, "round_decimal"),
        ({"anns_field": None}, "anns_field is missing"),
        ({"group_by_field": "n"}, "group_by_field"),
        ({"search_params": {"params": {"bogus_option": 1}}}, "bogus_option"),
    ],
)
def test_what_a_search_iterator_cannot_do_is_refused(shelf: Shelf, options: dict[str, Any], said: str) -> None:
    with pytest.raises(elanus.InvalidArgument, match=said):
        shelf.client.search_iterator(
            **{"collection_name": "shelf", "data": [shelf.queries[0]], "anns_field": "l2", **options}
        )
