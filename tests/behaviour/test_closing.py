"""The end of things: a store closed beside its users, or forgotten; collections dropped; forks beside two clients."""

from __future__ import annotations

import gc
import os
import threading
import time
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import elanus
import pytest
from elanus.engine import compaction
from elanus.storage import place

from tests import shapes
from tests.behaviour.fleet import children

needs_proc = pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="no /proc on this system")


def rows(keys: range) -> list[dict[str, Any]]:
    return [{"id": key, "vector": [float(key + 1)] * shapes.DIM} for key in keys]


def count(client: elanus.Client, name: str = "c") -> int:
    return len(client.query(name, filter="id >= 0", output_fields=["id"]))


def filled(folder: Path | str, *names: str) -> elanus.Client:
    """A client with five rows in a segment of each collection."""
    client = elanus.connect(folder, durability="os")
    for name in names or ("c",):
        client.create_collection(name, dimension=shapes.DIM)
        client.insert(name, rows(range(5)))
        client.flush(name)
    return client


def mapped(folder: Path) -> list[str]:
    """The segments below a folder of which this process maps files, gone or not."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return sorted({line.split("/segments/")[1].split("/")[0] for line in lines if f"{folder}/segments/" in line})


def test_threads_that_use_a_store_while_it_closes_get_store_closed(folder: Path) -> None:
    client = filled(folder)
    keys = iter(range(100, 10**6))
    uses: list[Callable[[], Any]] = [
        lambda: client.insert("c", rows(range(next(keys), next(keys) + 1))),
        lambda: client.delete("c", ids=[next(keys)]),
        lambda: count(client),
        client.list_collections,
        lambda: client.flush("c"),
    ]
    ends: list[BaseException] = []

    def use_until_it_fails(use: Callable[[], Any]) -> None:
        try:
            while True:
                use()
        except BaseException as error:
            ends.append(error)

    threads = [threading.Thread(target=use_until_it_fails, args=(use,)) for use in uses]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    client.close()
    for thread in threads:
        thread.join(20)
    assert [type(error) for error in ends] == [elanus.StoreClosed] * len(uses), ends
    assert all(str(folder) in str(error) or "'c'" in str(error) for error in ends)


def test_close_waits_for_another_threads_flush_which_says_that_the_rows_are_in_the_log(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = filled(folder)
    client.insert("c", rows(range(5, 8)))
    real, inside, go_on = compaction.write_segment, threading.Event(), threading.Event()

    def slow(*arguments: Any) -> Any:
        inside.set()
        assert go_on.wait(20)
        return real(*arguments)

    monkeypatch.setattr(compaction, "write_segment", slow)
    said: list[str] = []

    def flush() -> None:
        try:
            client.flush("c")
        except elanus.StoreClosed as error:
            said.append(str(error))

    flushing = threading.Thread(target=flush)
    flushing.start()
    assert inside.wait(20)
    closing = threading.Thread(target=client.close)
    closing.start()
    closing.join(0.2)
    assert closing.is_alive()
    go_on.set()
    closing.join(20)
    flushing.join(20)
    assert said == ["the store was closed while 'c' was flushed; its rows stay in the log"]
    with elanus.connect(folder) as again:
        assert count(again) == 8


@pytest.mark.parametrize("path", [":memory:", None])
def test_a_private_store_that_nobody_can_reach_any_more_is_removed(path: str | None) -> None:
    client: Any = filled(path)  # type: ignore[arg-type]
    folder, maintaining = Path(client.path), client._store.maintainer.stop
    maintaining()
    assert folder.is_dir()
    del client, maintaining
    gc.collect()
    assert not folder.exists()


@needs_proc
def test_files_of_dropped_renamed_and_truncated_collections_are_let_go(folder: Path) -> None:
    with filled(folder, "a", "b", "c") as client, elanus.connect(folder, durability="os") as other:
        for name in "abc":
            assert count(client, name) == count(other, name) == 5
        assert mapped(folder) == ["1", "2", "3"]
        client.rename_collection("b", "d")
        client.truncate_collection("c")
        client.drop_collection("a")
        assert count(client, "d") == count(other, "d") == 5
        gc.collect()
        assert mapped(folder) == ["2"]
        client.drop_collection("d")
        with pytest.raises(elanus.CollectionNotFound):
            count(other, "d")
        gc.collect()
        assert mapped(folder) == []


def fork_with_two_clients(pipe: Connection, path: str) -> None:
    """Fork while two clients of one folder are open; both processes then use both."""
    clients = [elanus.connect(path, durability="os") for _ in range(2)]
    assert [count(client) for client in clients] == [5, 5]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        child = os.fork()
    if child == 0:
        status = 1
        try:
            clients[0].insert("c", rows(range(5, 8)))
            assert [count(client) for client in clients] == [8, 8]
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    clients[1].insert("c", rows(range(8, 10)))
    pipe.send([count(client) for client in clients])
    for client in clients:
        client.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_process_with_two_clients_of_one_folder_may_fork(folder: Path) -> None:
    filled(folder).close()
    with children() as start:
        child = start(fork_with_two_clients, str(folder))
        assert child.receive() == [10, 10]
        assert child.join() == 0


@pytest.mark.skipif(not place.file_system(Path("/")), reason="no mount table on this system")
def test_a_network_file_system_is_recognised_through_a_symbolic_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to("/proc")
    assert place.file_system(tmp_path / "link" / "kb") == place.file_system(Path("/proc")) == "proc"
    monkeypatch.setattr(place, "NETWORK_FILE_SYSTEMS", frozenset({"proc"}))
    with pytest.raises(elanus.NotSupported, match="network"):
        elanus.connect(tmp_path / "link" / "kb")
