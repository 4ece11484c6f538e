"""Ctrl-C, or any exception, at an unlucky place: what was committed is there once, here and after reopening."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import elanus
import pyarrow as pa
import pytest
from elanus.engine import compaction, maintenance
from elanus.engine.collection import Collection
from elanus.index.scan import ScanIndex
from elanus.storage import view

DIM = 32


def rows(keys: range) -> list[dict[str, Any]]:
    """Rows of the quick form; the vectors of different keys point in different directions."""
    return [{"id": key, "vector": [float((key * 31 + i * i * 7) % 97 - 48.5) for i in range(DIM)]} for key in keys]


def keys(client: elanus.Client) -> list[int]:
    return sorted(row["id"] for row in client.query("c", filter="id >= 0", output_fields=["id"]))


def once(real: Callable[..., Any], *, before: bool = False) -> Callable[..., Any]:
    """A function like `real` whose first call is interrupted, before or after the work."""
    calls = []

    def interrupted(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        if before and len(calls) == 1:
            raise KeyboardInterrupt
        result = real(*arguments, **options)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return result

    return interrupted


@pytest.fixture
def quick(client: elanus.Client) -> elanus.Client:
    """A client with the rows 0 to 4 in collection "c"."""
    client.create_collection("c", dimension=DIM)
    client.insert("c", rows(range(5)))
    return client


STEPS = [(view.Tail, "kill"), (view.Tail, "append"), (view.State, "apply"), (Collection, "_apply")]


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(("owner", "step"), STEPS, ids=[step for _, step in STEPS])
def test_rows_of_an_interrupted_insert_that_committed_are_there_once(
    quick: elanus.Client, folder: Path, monkeypatch: pytest.MonkeyPatch, owner: type, step: str, before: bool
) -> None:
    monkeypatch.setattr(owner, step, once(getattr(owner, step), before=before))
    with pytest.raises(KeyboardInterrupt):
        quick.insert("c", rows(range(3, 15)))
    assert keys(quick) == list(range(15))
    quick.flush("c")
    assert keys(quick) == list(range(15))
    quick.insert("c", rows(range(15, 20)))
    quick.flush("c")
    quick.close()
    with elanus.connect(folder) as again:
        assert keys(again) == list(range(20))


@pytest.mark.parametrize("step", ["lay_out", "apply"])
def test_a_reader_interrupted_while_it_catches_up_reads_everything_next_time(
    quick: elanus.Client, folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with elanus.connect(folder, durability="os") as other:
        assert keys(other) == list(range(5))
        quick.delete("c", ids=[0])
        quick.flush("c")
        quick.insert("c", rows(range(5, 8)))
        monkeypatch.setattr(view.State, step, once(getattr(view.State, step)))
        with pytest.raises(KeyboardInterrupt):
            keys(other)
        assert keys(other) == list(range(1, 8))
        other.flush("c")
        assert keys(quick) == list(range(1, 8))


def test_a_search_interrupted_while_rows_are_quantised_loses_none(
    quick: elanus.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick.insert("c", rows(range(2000)))
    quick.search("c", [rows(range(1))[0]["vector"]], limit=1)
    quick.insert("c", rows(range(2000, 4000)))
    monkeypatch.setattr(ScanIndex, "add", once(ScanIndex.add))
    with pytest.raises(KeyboardInterrupt):
        quick.search("c", [rows(range(1))[0]["vector"]], limit=1)
    (hits,) = quick.search("c", [rows(range(3000, 3001))[0]["vector"]], limit=100)
    (exact,) = quick.search("c", [rows(range(3000, 3001))[0]["vector"]], limit=100, filter="id >= 0")
    assert hits[0]["distance"] == exact[0]["distance"]
    for chosen in range(0, 4000, 97):
        (found,) = quick.search("c", [rows(range(chosen, chosen + 1))[0]["vector"]], limit=1)
        assert found[0]["distance"] == pytest.approx(1.0, abs=1e-5)


class InterruptedAfterBegin:
    """A connection whose first BEGIN is followed by Ctrl-C."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection, self._begun = connection, False

    def execute(self, sql: str, *arguments: Any) -> Any:
        cursor = self._connection.execute(sql, *arguments)
        if sql.startswith("BEGIN") and not self._begun:
            self._begun = True
            raise KeyboardInterrupt
        return cursor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@pytest.mark.parametrize("connection", ["_reader", "_writer"])
def test_an_interrupt_right_after_begin_leaves_no_transaction_open(quick: elanus.Client, connection: str) -> None:
    catalog: Any = quick._store.catalog
    setattr(catalog, connection, InterruptedAfterBegin(getattr(catalog, connection)))
    with pytest.raises(KeyboardInterrupt):
        quick.list_collections() if connection == "_reader" else quick.insert("c", rows(range(5, 6)))
    quick.insert("c", rows(range(5, 7)))
    assert quick.list_collections() == ["c"]
    assert keys(quick) == list(range(7))


def test_an_older_snapshot_never_takes_the_place_of_a_newer_layout(
    quick: elanus.Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader stops between its snapshot and its use, while another process flushes and a thread here deletes."""
    real, inside, go_on = Collection.catch_up, threading.Event(), threading.Event()
    assert keys(quick) == list(range(5))

    def slow(self: Collection, *arguments: Any) -> None:
        if threading.current_thread().name == "reader" and not inside.is_set():
            inside.set()
            assert go_on.wait(20)
        real(self, *arguments)

    collection = quick._store.collection("c")
    monkeypatch.setattr(Collection, "catch_up", slow)
    with elanus.connect(folder, durability="os") as other:
        other.insert("c", rows(range(5, 6)))
        found: list[list[int]] = []
        reader = threading.Thread(target=lambda: found.append(keys(quick)), name="reader")
        reader.start()
        assert inside.wait(20)
        other.flush("c")
        assert collection.delete_keys(pa.array([3], pa.int64()), collection.name) == 1
        go_on.set()
        reader.join()
        left = [0, 1, 2, 4, 5]
        assert found[0] in (left, [0, 1, 2, 3, 4, 5])
        assert keys(quick) == keys(other) == left
        quick.insert("c", rows(range(50, 51)))
        quick.flush("c")
        assert keys(other) == [*left, 50]
    quick.close()
    with elanus.connect(folder) as again:
        assert keys(again) == [*left, 50]


def test_a_close_interrupted_while_it_folds_is_completed_by_the_next(
    quick: elanus.Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "FOLD_BYTES", 1)
    monkeypatch.setattr(compaction.Compaction, "_write", once(compaction.Compaction._write, before=True))
    with pytest.raises(KeyboardInterrupt):
        quick.close()
    quick.close()
    assert "closed" in repr(quick)
    assert open_files(folder) == []
    with elanus.connect(folder) as again:
        assert keys(again) == list(range(5))


@pytest.mark.parametrize("step", ["stop", "close"])
def test_a_close_interrupted_while_maintenance_ends_is_completed_by_the_next(
    quick: elanus.Client, folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    real = getattr(maintenance.Maintainer, step)
    monkeypatch.setattr(maintenance.Maintainer, step, once(real, before=True))
    with pytest.raises(KeyboardInterrupt):
        quick.close()
    quick.close()
    assert open_files(folder) == []
    with pytest.raises(elanus.StoreClosed):
        keys(quick)


def open_files(folder: Path) -> list[str]:
    """The files below a folder that this process has open, where the system tells."""
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        return []
    targets = []
    for descriptor in descriptors.iterdir():
        try:
            targets.append(str(descriptor.readlink()))
        except OSError:
            continue
    return [target for target in targets if target.startswith(str(folder))]
