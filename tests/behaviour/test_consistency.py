"""Consistency levels between processes: what a read must see, and what a weak one may leave out for a second."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import elanus
import pytest
from elanus.engine import store as engine_store

from tests import shapes

VECTOR = [1.0] * shapes.DIM


class Clock:
    """A monotonic clock that stands still until it is moved."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(engine_store, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture
def pair(client: elanus.Client, folder: Path, clock: Clock) -> Iterator[tuple[elanus.Client, elanus.Client]]:
    """Two stores on one folder, the second of which has looked just now and then the first has written row 1."""
    client.create_collection("docs", dimension=shapes.DIM)
    with elanus.connect(folder) as other:
        assert seen(other, "Strong") == []
        client.insert("docs", [{"id": 1, "vector": VECTOR}])
        yield client, other


def seen(client: elanus.Client, level: str | None) -> list[int]:
    """The rows that every kind of read sees at this level."""
    rows = [row["id"] for row in client.query("docs", filter="id >= 0", consistency_level=level)]
    assert {hit.id for hit in client.search("docs", [VECTOR], consistency_level=level)[0]} == set(rows)
    assert [row["id"] for row in client.get("docs", [1, 2, 3], consistency_level=level)] == rows
    return rows


@pytest.mark.parametrize("level", ["Strong", "Bounded", None])
def test_a_strong_read_sees_every_commit(pair: tuple[elanus.Client, elanus.Client], level: str | None) -> None:
    assert seen(pair[1], level) == [1]


@pytest.mark.parametrize("level", ["Session", "Eventually"])
def test_a_weak_read_may_leave_out_others_commits_for_a_second(
    pair: tuple[elanus.Client, elanus.Client], clock: Clock, level: str
) -> None:
    writer, reader = pair
    assert seen(reader, level) == []
    assert seen(writer, level) == [1]
    clock.now += 0.9
    assert seen(reader, level) == []
    clock.now += 0.2
    assert seen(reader, level) == [1]


def test_a_session_sees_its_own_writes_and_so_what_came_before_them(
    pair: tuple[elanus.Client, elanus.Client], clock: Clock
) -> None:
    _, reader = pair
    assert seen(reader, "Session") == []
    clock.now += 0.1
    reader.insert("docs", [{"id": 2, "vector": VECTOR}])
    assert seen(reader, "Session") == [1, 2]


def test_a_collections_own_level_holds_where_a_read_names_none(
    client: elanus.Client, folder: Path, clock: Clock
) -> None:
    client.create_collection("docs", dimension=shapes.DIM, consistency_level="Eventually")
    assert client.describe_collection("docs")["consistency_level"] == 3
    with elanus.connect(folder) as other:
        assert seen(other, None) == []
        client.insert("docs", [{"id": 1, "vector": VECTOR}])
        assert seen(other, None) == []
        assert seen(other, "Strong") == [1]
