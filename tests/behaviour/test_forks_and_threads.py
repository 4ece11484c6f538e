"""One store in a process that forks, and in a process with many threads."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
import traceback
import warnings
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import elanus
import pytest

from tests import shapes
from tests.behaviour.catalogue import assert_tidy
from tests.behaviour.fleet import children

ROWS = 50
MOST = 16_384
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


def rows_of(batch: int) -> list[dict[str, Any]]:
    return shapes.batch_rows(1, batch, range(batch * ROWS, (batch + 1) * ROWS))


def count(client: elanus.Client) -> int:
    """The number of rows, on which every read path agrees."""
    (found,) = client.query("b", filter="batch >= 0", output_fields=["count(*)"])
    (dense,) = client.search("b", [[1.0] * shapes.DIM], limit=MOST, anns_field="vector", filter="id >= 0")
    (text,) = client.search("b", ["shared"], limit=MOST, anns_field="sparse")
    assert len(dense) == len(text) == min(MOST, found["count(*)"])
    assert found["count(*)"] == client.get_collection_stats("b")["row_count"]
    return int(found["count(*)"])


def fork_and_use(pipe: Connection, path: str, index_type: str) -> None:
    """Open, use, fork; child and parent then use the same client object, in turns."""
    client = elanus.connect(path)
    shapes.batches(client, "b")
    client.insert("b", rows_of(0))
    client.flush("b")
    client.insert("b", rows_of(1))
    if index_type:
        client.release_collection("b")
        client.drop_index("b", "vector")
        params = client.prepare_index_params("vector", index_type=index_type, metric_type="COSINE")
        client.create_index("b", params)
        client.load_collection("b")
    count(client)
    heard, said = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(40)
            os.read(heard, 1)
            assert count(client) == 3 * ROWS
            client.insert("b", rows_of(2))
            client.delete("b", ids=[0])
            client.flush("b")
            client.insert("b", rows_of(3))
            assert count(client) == 5 * ROWS - 1
            client.close()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    client.insert("b", rows_of(4))
    assert count(client) == 3 * ROWS
    os.write(said, b"!")
    assert os.waitpid(child, 0)[1] == 0
    assert count(client) == 5 * ROWS - 1
    client.insert("b", rows_of(5))
    client.flush("b")
    assert count(client) == 6 * ROWS - 1
    client.close()
    pipe.send("fine")


@needs_fork
@pytest.mark.parametrize("index_type", ["", "FLAT"])
def test_a_forked_child_and_its_parent_both_use_the_open_client(folder: Path, index_type: str) -> None:
    with children() as start:
        child = start(fork_and_use, str(folder), index_type)
        assert child.receive() == "fine"
        assert child.join() == 0
    assert_tidy(folder)
    with elanus.connect(folder) as client:
        assert count(client) == 6 * ROWS - 1


def fork_and_leave_the_child_alone(pipe: Connection, path: str) -> None:
    """Open and use a store, fork, close in the parent; only then the child writes, and is not closed."""
    client = elanus.connect(path)
    shapes.batches(client, "b")
    client.insert("b", rows_of(0))
    count(client)
    heard, said = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        child = os.fork()
    if child == 0:
        try:
            signal.alarm(40)
            assert count(client) == ROWS
            pipe.send("child has read")
            os.read(heard, 1)
            client.insert("b", rows_of(1))
            pipe.send("child has written")
            os.read(heard, 1)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    assert pipe.recv() == "close"
    client.close()
    os.write(said, b"!")
    pipe.recv()
    os.write(said, b"!")
    os.waitpid(child, 0)


@needs_fork
def test_what_a_forked_child_wrote_after_its_parent_closed_is_there(folder: Path) -> None:
    with children() as start:
        parent = start(fork_and_leave_the_child_alone, str(folder))
        assert parent.receive() == "child has read"
        parent.send("close")
        assert parent.receive() == "child has written"
        with elanus.connect(folder) as client:
            assert count(client) == 2 * ROWS
            client.insert("b", rows_of(2))
            client.flush("b")
        parent.send("end")
        assert parent.join() == 0
    with elanus.connect(folder) as client:
        assert count(client) == 3 * ROWS
    assert_tidy(folder)


def fork_and_outlive(pipe: Connection, path: str) -> None:
    """Fork while another thread commits without pause, then die; the child, which does nothing, lives on."""
    client = elanus.connect(path, durability="os")
    shapes.batches(client, "b")

    def write() -> None:
        for batch in range(10_000):
            client.insert("b", rows_of(batch))

    threading.Thread(target=write, daemon=True).start()
    time.sleep(0.2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(10):
            child = os.fork()
            if child == 0:
                time.sleep(20)
                os._exit(0)
            pipe.send(child)
            time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)


@needs_fork
def test_a_forked_child_that_outlives_its_parent_holds_no_lock(folder: Path) -> None:
    with children() as start:
        parent = start(fork_and_outlive, str(folder))
        orphans = [parent.receive() for _ in range(10)]
        assert parent.join() == -signal.SIGKILL
        try:
            with elanus.connect(folder, durability="os") as client:
                begun = time.monotonic()
                client.insert("b", rows_of(20_000))
                client.flush("b")
                assert time.monotonic() - begun < 10
                assert count(client) % ROWS == 0
        finally:
            for orphan in orphans:
                os.kill(orphan, signal.SIGKILL)


def test_searches_run_in_threads_while_rows_are_inserted(client: elanus.Client, folder: Path) -> None:
    shapes.batches(client, "b")
    acknowledged = 0
    done = threading.Event()
    troubles: list[BaseException] = []
    rounds = [0, 0, 0]

    def search(place: int) -> None:
        seen = 0
        try:
            while not done.is_set():
                least = max(acknowledged, seen)
                (found,) = client.query("b", filter="batch >= 0", output_fields=["count(*)"])
                assert found["count(*)"] >= least
                assert found["count(*)"] % ROWS == 0
                seen = found["count(*)"]
                (dense,) = client.search("b", [[1.0] * shapes.DIM], limit=10, anns_field="vector", filter="id >= 0")
                (text,) = client.search("b", ["shared row7"], limit=10, anns_field="sparse")
                assert len(dense) == len(text) == min(10, seen) or not seen
                rounds[place] += 1
        except BaseException as trouble:
            troubles.append(trouble)

    threads = [threading.Thread(target=search, args=(place,)) for place in range(len(rounds))]
    for thread in threads:
        thread.start()
    for batch in range(40):
        client.insert("b", rows_of(batch))
        acknowledged = (batch + 1) * ROWS
        if batch % 10 == 9:
            client.flush("b")
        time.sleep(0.01)
    done.set()
    for thread in threads:
        thread.join()
    assert troubles == []
    assert min(rounds) > 3
    assert count(client) == 40 * ROWS


def test_threads_may_write_at_once(client: elanus.Client) -> None:
    shapes.batches(client, "b")
    troubles: list[BaseException] = []

    def write(first: int) -> None:
        try:
            for batch in range(first, first + 10):
                client.insert("b", rows_of(batch))
                client.delete("b", filter=f"batch == {batch} and id < {batch * ROWS + 5}")
        except BaseException as trouble:
            troubles.append(trouble)

    threads = [threading.Thread(target=write, args=(10 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    assert count(client) == 40 * (ROWS - 5)


def test_the_async_client_answers_as_the_client_does(folder: Path) -> None:
    async def use() -> None:
        async with elanus.AsyncClient(folder, durability="os") as client:
            await client.create_collection("quick", dimension=shapes.DIM)
            rows = [{"id": n, "vector": [1.0] * 7 + [float(n)], "color": "red"} for n in range(20)]
            writes = [client.insert("quick", [row]) for row in rows]
            assert sum(answer["insert_count"] for answer in await asyncio.gather(*writes)) == 20
            (hits,) = await client.search("quick", [rows[3]["vector"]], limit=1, output_fields=["color"])
            assert (hits[0]["id"], hits[0]["entity"]) == (3, {"color": "red"})
            with pytest.raises(elanus.CollectionNotFound):
                await client.get("other", [1])
        with pytest.raises(elanus.StoreClosed):
            await client.list_collections()

    asyncio.run(use())
    with elanus.connect(folder) as client:
        assert client.get_collection_stats("quick") == {"row_count": 20}
