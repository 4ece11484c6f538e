"""Maintenance in the background: nothing that was asked is forgotten, one failure stops nothing else, merges fit."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import elanus
import pytest
from elanus.engine import compaction, maintenance
from elanus.storage.catalog import Catalog
from elanus.storage.encoding import dictionary, extent
from elanus.storage.locks import FileLock

from tests import shapes
from tests.behaviour.catalogue import assert_tidy

pa = pytest.importorskip("pyarrow")
PATIENCE = 20.0


def rows(keys: range, text: str = "") -> list[dict[str, Any]]:
    return [{"id": key, "vector": [float(key + 1)] * shapes.DIM, "text": text} for key in keys]


def keys(client: elanus.Client, name: str) -> set[int]:
    return {row["id"] for row in client.query(name, filter="id >= 0", output_fields=["id"])}


def segments(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "segments").iterdir())


def eventually(true: Callable[[], bool]) -> None:
    """Wait until something is true, or fail."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every write wakes maintenance; writers wait from the third on."""
    monkeypatch.setattr(maintenance, "FLUSH_BYTES", 1)
    monkeypatch.setattr(maintenance, "WAIT_BYTES", 3 * (32 << 10))


def test_files_of_a_collection_dropped_while_another_maintains_go_when_it_has_ended(
    client: elanus.Client, folder: Path
) -> None:
    client.create_collection("a", dimension=shapes.DIM)
    client.insert("a", rows(range(5)))
    client.flush("a")
    with FileLock(folder / "maintenance.lock"):
        client.drop_collection("a")
        time.sleep(0.2)
        assert segments(folder) == ["1"]
    eventually(lambda: segments(folder) == [])


def test_a_collection_that_cannot_be_flushed_does_not_stop_the_others(
    client: elanus.Client, eager: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = compaction.Compaction._write

    def fail_for_a(self: Any, stopping: Any) -> Any:
        if self._collection.name == "a":
            raise ValueError("offset overflow")
        return real(self, stopping)

    monkeypatch.setattr(compaction.Compaction, "_write", fail_for_a)
    for name in "ab":
        client.create_collection(name, dimension=shapes.DIM)
    client.insert("a", rows(range(1)))
    for key in range(8):
        client.insert("b", rows(range(key, key + 1)), timeout=PATIENCE)
    assert keys(client, "b") == set(range(8))

    def fill_a() -> None:
        for key in range(1, 8):
            client.insert("a", rows(range(key, key + 1)), timeout=PATIENCE)

    with pytest.raises(elanus.StoreError, match="offset overflow"):
        fill_a()


def test_maintenance_goes_on_after_pages_could_not_be_given_back(
    client: elanus.Client, eager: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = Catalog.give_back, []

    def fail_at_first(self: Catalog) -> None:
        if not failures:
            failures.append(1)
            raise elanus.StoreFull("no space for a moment")
        real(self)

    monkeypatch.setattr(Catalog, "give_back", fail_at_first)
    client.create_collection("a", dimension=shapes.DIM)
    for key in range(12):
        client.insert("a", rows(range(key, key + 1)), timeout=PATIENCE)
    assert failures
    assert keys(client, "a") == set(range(12))


def test_an_outdated_merge_removes_nothing(
    client: elanus.Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.create_collection("a", dimension=shapes.DIM)
    client.insert("a", rows(range(10)))
    client.flush("a")
    real, refused = compaction.Compaction._fits, []

    def refuse_one_merge(self: Any, *arguments: Any) -> bool:
        if self.replaced and not refused:
            refused.append(1)
            return False
        return bool(real(self, *arguments))

    monkeypatch.setattr(compaction.Compaction, "_fits", refuse_one_merge)
    client.insert("a", rows(range(10, 20)))
    client.flush("a")
    assert refused
    with elanus.connect(folder, durability="os") as other:
        assert keys(other, "a") == keys(client, "a") == set(range(20))
    client.close()
    assert_tidy(folder)


def test_a_folder_left_under_the_number_of_a_new_segment_gives_way(client: elanus.Client, folder: Path) -> None:
    client.create_collection("a", dimension=shapes.DIM)
    client.insert("a", rows(range(5)))
    (folder / "segments" / "1").mkdir()
    (folder / "segments" / "1" / "columns.arrow").write_bytes(b"from before a power cut")
    client.flush("a")
    assert segments(folder) == ["1"]
    assert keys(client, "a") == set(range(5))


@pytest.mark.parametrize(
    ("limit", "value"), [("MAX_SEGMENT_ROWS", 15), ("MAX_SEGMENT_BYTES", 10_000), ("MAX_EXTENT", 15 * 200)]
)
def test_a_merge_beyond_a_limit_is_not_made(
    client: elanus.Client, folder: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(maintenance, limit, value)
    client.create_collection("a", dimension=shapes.DIM)
    for first in (0, 10):
        client.insert("a", rows(range(first, first + 10), text="x" * 200))
        client.flush("a")
    assert segments(folder) == ["1", "2"]
    assert keys(client, "a") == set(range(20))
    monkeypatch.undo()
    client.flush("a")
    assert segments(folder) == ["3"]
    assert keys(client, "a") == set(range(20))


def test_the_extent_of_a_column_is_what_its_plain_offsets_count() -> None:
    strings = pa.array(["ab", None, "äöü"] * 40)
    lists = pa.array([["a", "bcd"], None, []] * 40)
    for column, expected in (
        (strings, 8 * 40),
        (strings[1:3], 6),
        (dictionary(strings), 8 * 40),
        (lists, 4 * 40),
        (dictionary(lists), 4 * 40),
        (pa.array([[1, 2, 3], []]), 3),
        (pa.array([1, 2, 3]), 0),
        (pa.array([], pa.string()), 0),
    ):
        assert extent(column) == expected
