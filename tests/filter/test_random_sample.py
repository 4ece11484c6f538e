"""random_sample: how many rows, which rows, and that each time others are drawn."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import elanus
import pytest
from elanus import F

from tests.filter.states import NAME, states

ROWS = [{"id": n, "vector": [1.0, float(n)], "color": "red" if n % 4 else "blue"} for n in range(200)]


def create(client: elanus.Client) -> None:
    client.create_collection(NAME, 2)


def found(client: elanus.Client, filter: Any, **params: Any) -> list[int]:
    kept = {"filter_params": params} if params else {}
    return [row["id"] for row in client.query(NAME, filter=filter, output_fields=["id"], **kept)]


def test_every_state_of_the_rows_gives_a_sample_of_the_size_asked_for(folder: Path) -> None:
    for state, client in states(folder, create, ROWS):
        for share, size in ((0.1, 20), (0.013, 3), (0.001, 0), (0.999, 200)):
            drawn = found(client, f"random_sample({share})")
            assert len(set(drawn)) == size, state
        blue = found(client, 'color == "blue" and RANDOM_SAMPLE({share})', share=0.5)
        assert len(blue) == 25
        assert all(n % 4 == 0 for n in blue)
        assert client.query(NAME, filter="random_sample(0.25)", output_fields=["count(*)"]) == [{"count(*)": 50}]
        hits = client.search(NAME, [[1.0, 0.0]], limit=200, filter='color == "red" and id > 3 and random_sample(0.1)')
        assert len(hits[0]) == round(0.1 * 147)
        assert all(n % 4 for n in hits[0].ids)


def test_each_call_draws_anew_and_every_row_as_often(client: elanus.Client) -> None:
    create(client)
    client.insert(NAME, ROWS[:20])
    client.flush(NAME)
    client.insert(NAME, ROWS[20:40])
    drawn = [tuple(found(client, "id >= 0 and random_sample(0.5)")) for _ in range(200)]
    assert len(set(drawn)) > 190
    often = Counter(n for sample in drawn for n in sample)
    assert sorted(often) == list(range(40))
    assert all(60 < count < 140 for count in often.values())


def test_a_sample_is_drawn_from_the_rows_that_live(client: elanus.Client) -> None:
    create(client)
    client.insert(NAME, ROWS)
    client.flush(NAME)
    client.delete(NAME, filter="id < 100")
    assert min(found(client, "random_sample(0.9)")) >= 100
    assert client.delete(NAME, filter="random_sample(0.5)")["delete_count"] == 50
    assert client.delete(NAME, filter="id >= 100 and random_sample(0.2)")["delete_count"] == 10
    assert client.query(NAME, filter="id >= 0", output_fields=["count(*)"]) == [{"count(*)": 40}]


def test_one_call_keeps_to_one_sample(client: elanus.Client) -> None:
    create(client)
    client.insert(NAME, ROWS)
    client.flush(NAME)
    for call, arguments in (("query_iterator", ()), ("search_iterator", ([[1.0, 0.0]],))):
        pages = getattr(client, call)(NAME, *arguments, batch_size=7, filter="id >= 0 and random_sample(0.5)")
        found = []
        while page := pages.next():
            found += [hit["id"] for hit in page]
        assert len(found) == len(set(found)) == 100
    grouped = client.search(
        NAME, [[1.0, 0.0]], limit=2, filter="random_sample(0.5)", group_by_field="color", group_size=9,
        strict_group_size=True,
    )  # fmt: skip
    assert len(grouped[0]) == len(set(grouped[0].ids)) == 18


def test_nothing_is_drawn_from_nothing(client: elanus.Client) -> None:
    create(client)
    assert found(client, "random_sample(0.5)") == []
    client.insert(NAME, ROWS)
    assert found(client, "id < 0 and random_sample(0.5)") == []


def test_a_sample_built_in_python(client: elanus.Client) -> None:
    create(client)
    client.insert(NAME, ROWS)
    some = ((F.color == "red") & (F.id < 100)).sample(0.2)
    assert str(some) == '(color == "red") and (id < 100) and random_sample(0.2)'
    assert len(found(client, some)) == 15
    assert len(found(client, ((F.id < 10) | (F.id >= 190)).sample(0.5))) == 10
    with pytest.raises(elanus.FilterError, match="random_sample stands last"):
        found(client, some & (F.id > 3))
