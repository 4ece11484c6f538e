"""Many processes on one folder: everybody writes, everybody reads, some are killed."""

from __future__ import annotations

import random
import time
from collections import Counter
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for_any
from pathlib import Path
from typing import Any

import elanus
import pytest
from elanus.engine import maintenance
from elanus.storage.locks import FileLock

from tests import shapes
from tests.behaviour.catalogue import assert_tidy
from tests.behaviour.fleet import CONTEXT, Child, children, needs_sigkill

WRITERS, READERS = 4, 2
SECONDS = 4.0
BATCH = 8
SHARED_KEYS = range(BATCH)
FIRST_OWN_KEY = 1_000_000
KILLS = 50


def maintain_eagerly() -> None:
    """Let background flushes and merges happen after few rows, in this process."""
    maintenance.FLUSH_BYTES = 512 << 10
    maintenance.WAIT_BYTES = 2 << 20


def own_keys(writer: int, batch: int) -> range:
    """The keys that only this batch of this writer writes."""
    start = FIRST_OWN_KEY * (writer + 1) + batch * BATCH
    return range(start, start + BATCH)


def write_until_told(pipe: Connection, path: str, writer: int, newest: Any, first: int) -> None:
    """Write batches; announce each operation before it starts and after it is acknowledged."""
    maintain_eagerly()
    rng = random.Random(writer * 1000 + first)
    with elanus.connect(path, durability="os") as client:
        batch = first
        while not pipe.poll():
            batch += 1
            for operation in operations(writer, batch, first, rng):
                pipe.send(("intends", *operation))
                perform(client, *operation)
                pipe.send(("did", *operation))
            newest[writer] = batch
        pipe.send(("ended", "", 0, 0, 0))


def operations(writer: int, batch: int, first: int, rng: random.Random) -> list[tuple[str, int, int, int]]:
    """What a writer does in one round: a batch of its own, and at times one that all fight for, or a delete."""
    todo = [("insert", writer, batch, batch)]
    if rng.random() < 0.3:
        todo.append(("share", writer, batch, batch))
    if rng.random() < 0.3 and batch > first + 3:
        target = rng.randrange(first + 1, batch)
        todo.append((rng.choice(("upsert", "delete_ids", "delete_where")), writer, batch, target))
    if rng.random() < 0.03:
        todo.append(("flush", writer, batch, batch))
    return todo


def perform(client: elanus.Client, verb: str, writer: int, batch: int, target: int) -> None:
    """Do one operation; `target` is the batch whose keys it is about."""
    if verb == "insert":
        client.insert("b", shapes.batch_rows(writer, batch, own_keys(writer, target)))
    elif verb == "upsert":
        client.upsert("b", shapes.batch_rows(writer, batch, own_keys(writer, target)))
    elif verb == "share":
        client.upsert("b", shapes.batch_rows(writer, batch, SHARED_KEYS))
    elif verb == "delete_ids":
        client.delete("b", ids=list(own_keys(writer, target)))
    elif verb == "delete_where":
        keys = own_keys(writer, target)
        client.delete("b", filter=f"id >= {keys.start} and id < {keys.stop}")
    else:
        client.flush("b")


def apply(rows: dict[int, dict[str, Any]], verb: str, writer: int, batch: int, target: int) -> None:
    """What `perform` does to the writer's own keys, for the oracle."""
    keys = own_keys(writer, target)
    if verb in ("insert", "upsert"):
        rows.update((row["id"], row) for row in shapes.batch_rows(writer, batch, keys))
    elif verb.startswith("delete"):
        for key in keys:
            rows.pop(key, None)


def read_until_told(pipe: Connection, path: str, newest: Any) -> None:
    """Check what must be true at every moment."""
    reads = 0
    seen = [0] * WRITERS
    with elanus.connect(path) as client:
        while not pipe.poll():
            acknowledged = list(newest)
            rows = client.query("b", filter="id >= 0", output_fields=["writer", "batch"])
            check_batches_are_whole(rows)
            for writer in range(WRITERS):
                latest = max((r["batch"] for r in rows if r["writer"] == writer), default=0)
                assert latest >= acknowledged[writer], "an acknowledged batch was not visible to a later read"
                assert latest >= seen[writer], "a batch was visible and is not any more"
                seen[writer] = max(seen[writer], acknowledged[writer])
            check_searches(client)
            reads += 1
    pipe.send(reads)


def check_batches_are_whole(rows: list[dict[str, Any]]) -> None:
    """Each batch shows all its rows or none; of the keys that all fight for, one batch holds all."""
    assert len({row["id"] for row in rows}) == len(rows)
    shared = [row for row in rows if row["id"] in SHARED_KEYS]
    assert len({(row["writer"], row["batch"]) for row in shared}) <= 1
    assert len(shared) in (0, BATCH)
    owners = Counter((row["id"] - FIRST_OWN_KEY) // BATCH for row in rows if row["id"] not in SHARED_KEYS)
    assert set(owners.values()) <= {BATCH}
    own = Counter((row["writer"], row["batch"]) for row in rows if row["id"] not in SHARED_KEYS)
    assert not [batch for batch, count in own.items() if count % BATCH]


def check_searches(client: elanus.Client) -> None:
    """Dense and text searches give full, distinct, ordered answers while others write."""
    (dense,) = client.search(
        "b", [[1.0] * shapes.DIM], filter="writer >= 0", limit=10, anns_field="vector", output_fields=["batch", "text"]
    )
    (text,) = client.search("b", ["shared writer1"], limit=10, anns_field="sparse", output_fields=["batch", "text"])
    for found in (dense, text):
        assert len({hit["id"] for hit in found}) == len(found)
        distances = [hit["distance"] for hit in found]
        assert distances == sorted(distances, reverse=True)
        for hit in found:
            assert f"batch{hit['entity']['batch']} row{hit['id']} " in hit["entity"]["text"]


def drain(child: Child, heard: list[tuple[Any, ...]]) -> None:
    """Take in what a child has sent so far."""
    while child.pipe.poll():
        heard.append(child.receive())


def pending(heard: list[tuple[Any, ...]]) -> tuple[Any, ...] | None:
    """The operation that was announced last and not acknowledged."""
    operations_ = [message for message in heard if message[0] in ("intends", "did")]
    return operations_[-1][1:] if operations_ and operations_[-1][0] == "intends" else None


def own_rows(client: elanus.Client, first: int, stop: int) -> dict[int, dict[str, Any]]:
    """The rows with keys in [first, stop), by key."""
    fields = ["id", "writer", "batch", "text", "vector"]
    rows = client.query("b", filter=f"id >= {first} and id < {stop}", output_fields=fields)
    return {row["id"]: {**row, "vector": [float(x) for x in row["vector"]]} for row in rows}


def test_four_writers_and_two_readers_agree_at_every_moment_and_at_the_end(folder: Path) -> None:
    with elanus.connect(folder, durability="os") as client, children() as start:
        shapes.batches(client, "b")
        newest = CONTEXT.Array("q", WRITERS, lock=False)
        writers = [start(write_until_told, str(folder), w, newest, 0) for w in range(WRITERS)]
        readers = [start(read_until_told, str(folder), newest) for _ in range(READERS)]
        heard: list[list[tuple[Any, ...]]] = [[] for _ in writers]
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            wait_for_any([w.pipe for w in writers], 0.1)
            for child, messages in zip(writers, heard, strict=True):
                drain(child, messages)
            time.sleep(0.1)
            check_batches_are_whole(client.query("b", filter="id >= 0", output_fields=["writer", "batch"]))
        for child in (*writers, *readers):
            child.send("stop")
        assert all(reader.receive() > 5 for reader in readers)
        for writer, (child, messages) in enumerate(zip(writers, heard, strict=True)):
            messages.extend(child.rest())
            assert child.join() == 0
            assert messages[-1][0] == "ended"
            expected: dict[int, dict[str, Any]] = {}
            for message in messages:
                if message[0] == "did":
                    apply(expected, *message[1:])
            assert len(expected) > 10 * BATCH, "the writer was starved"
            start_key = FIRST_OWN_KEY * (writer + 1)
            assert own_rows(client, start_key, start_key + FIRST_OWN_KEY) == expected
        shared = client.query("b", filter="id < 1000", output_fields=["writer", "batch"])
        last = [[m[1:] for m in messages if m[:2] == ("did", "share")][-1] for messages in heard]
        assert {(row["writer"], row["batch"]) for row in shared} <= {(w, b) for _, w, b, _ in last}
        client.flush("b")
    assert_tidy(folder)


@needs_sigkill
def test_fifty_kills_lose_nothing_acknowledged_and_leave_no_half_batch(folder: Path) -> None:
    rng = random.Random(50)
    newest = CONTEXT.Array("q", WRITERS, lock=False)
    expected: list[dict[int, dict[str, Any]]] = [{} for _ in range(WRITERS)]
    with elanus.connect(folder, durability="os") as client, children() as start:
        shapes.batches(client, "b")
        writers = [start(write_until_told, str(folder), w, newest, 0) for w in range(WRITERS)]
        heard: list[list[tuple[Any, ...]]] = [[] for _ in writers]
        for kill in range(KILLS):
            victim = kill % WRITERS
            child, messages = writers[victim], heard[victim]
            messages.append(child.receive())
            until = time.monotonic() + rng.uniform(0.0, 0.25)
            while (left := until - time.monotonic()) > 0:
                wait_for_any([w.pipe for w in writers], left)
                for other, said in zip(writers, heard, strict=True):
                    drain(other, said)
            child.kill()
            messages.extend(child.rest())
            child.close()
            check_batches_are_whole(client.query("b", filter="id >= 0", output_fields=["writer", "batch"]))
            settle(client, victim, messages, expected[victim])
            first = max((m[3] for m in messages if m[0] != "ended"), default=0)
            heard[victim] = []
            writers[victim] = start(write_until_told, str(folder), victim, newest, first)
        for child in writers:
            child.send("stop")
        for writer, child in enumerate(writers):
            heard[writer].extend(child.rest())
            assert child.join() == 0
            assert pending(heard[writer]) is None
            settle(client, writer, heard[writer], expected[writer])
        check_searches(client)
        client.flush("b")
    assert_tidy(folder)
    with elanus.connect(folder) as client:
        for writer, rows in enumerate(expected):
            start_key = FIRST_OWN_KEY * (writer + 1)
            assert own_rows(client, start_key, start_key + FIRST_OWN_KEY) == rows


def settle(
    client: elanus.Client, writer: int, messages: list[tuple[Any, ...]], rows: dict[int, dict[str, Any]]
) -> None:
    """Bring the oracle's rows of a writer up to date; what it was doing when it died is done whole or not at all."""
    for message in messages:
        if message[0] == "did":
            apply(rows, *message[1:])
    start_key = FIRST_OWN_KEY * (writer + 1)
    found = own_rows(client, start_key, start_key + FIRST_OWN_KEY)
    if found != rows and (operation := pending(messages)) is not None:
        apply(rows, *operation)
    assert found == rows


def write_whatever_there_is(pipe: Connection, path: str, writer: int) -> None:
    """Write, search and flush a collection that others drop, empty and rename all the time."""
    maintain_eagerly()
    batch = done = 0
    with elanus.connect(path, durability="os") as client:
        while not pipe.poll():
            batch += 1
            try:
                client.insert("b", shapes.batch_rows(writer, batch, own_keys(writer, batch)))
                check_batches_are_whole(client.query("b", filter="id >= 0", output_fields=["writer", "batch"]))
                check_searches(client)
                if batch % 5 == 0:
                    client.flush("b")
                done += 1
            except (elanus.CollectionNotFound, elanus.CollectionNotLoaded):
                pass
    pipe.send(done)


def unsettle(client: elanus.Client, turn: int) -> None:
    """Drop, empty, rename or release the collection, and put it back."""
    if turn % 4 == 0:
        client.drop_collection("b")
        shapes.batches(client, "b")
    elif turn % 4 == 1:
        client.truncate_collection("b")
    elif turn % 4 == 2:
        client.rename_collection("b", "away")
        client.rename_collection("away", "b")
    else:
        client.release_collection("b")
        client.load_collection("b")


def test_writers_survive_that_others_drop_empty_and_rename_what_they_write(folder: Path) -> None:
    with elanus.connect(folder, durability="os") as client, children() as start:
        shapes.batches(client, "b")
        writers = [start(write_whatever_there_is, str(folder), writer) for writer in range(3)]
        deadline = time.monotonic() + SECONDS
        turn = 0
        while time.monotonic() < deadline:
            unsettle(client, turn)
            turn += 1
            time.sleep(0.03)
        for child in writers:
            child.send("stop")
        assert all(child.receive() > 3 for child in writers)
        assert [child.join() for child in writers] == [0, 0, 0]
        client.truncate_collection("b")
        client.insert("b", shapes.batch_rows(9, 9, own_keys(9, 9)))
        client.flush("b")
        assert sorted(row["id"] for row in client.query("b", limit=100)) == list(own_keys(9, 9))
    assert_tidy(folder)


def open_and_write(pipe: Connection, path: str, writer: int) -> None:
    """Open a store that may not exist yet, at the same moment as others do."""
    pipe.recv()
    for turn in range(3):
        with elanus.connect(path, durability="os") as client:
            shapes.batches(client, "b")
            client.insert("b", shapes.batch_rows(writer, turn, own_keys(writer, turn)))
    pipe.send("done")


def test_many_processes_may_make_the_same_store_at_once(folder: Path) -> None:
    with children() as start:
        openers = [start(open_and_write, str(folder), writer) for writer in range(8)]
        for child in openers:
            child.send("go")
        assert [child.receive() for child in openers] == ["done"] * 8
        assert [child.join() for child in openers] == [0] * 8
    with elanus.connect(folder) as client:
        rows = client.query("b", filter="id >= 0", output_fields=["writer", "batch"])
        check_batches_are_whole(rows)
        assert len(rows) == 8 * 3 * BATCH
        client.flush("b")
    assert_tidy(folder)


def hold(pipe: Connection, path: str) -> None:
    """Hold a lock file until told to let go."""
    with FileLock(Path(path)):
        pipe.send("held")
        pipe.recv()
    pipe.send("free")


def test_a_lock_held_too_long_by_another_process_is_an_error_and_no_more(client: elanus.Client, folder: Path) -> None:
    shapes.batches(client, "b")
    client.insert("b", shapes.batch_rows(0, 0, own_keys(0, 0)))
    row = shapes.batch_rows(0, 1, own_keys(0, 1))
    calls = {
        "write.lock": (
            lambda: client.insert("b", row, timeout=0.2),
            lambda: client.delete("b", ids=[1], timeout=0.2),
            lambda: client.truncate_collection("b", timeout=0.2),
            lambda: client.create_collection("c", dimension=4, timeout=0.2),
        ),
        "maintenance.lock": (lambda: client.flush("b", timeout=0.2),),
    }
    for lock, blocked in calls.items():
        with children() as start:
            holder = start(hold, str(folder / lock))
            assert holder.receive() == "held"
            for call in blocked:
                begun = time.monotonic()
                with pytest.raises(elanus.StoreBusy, match=lock):
                    call()
                assert 0.15 < time.monotonic() - begun < 10
            check_searches(client)
            assert client.get_collection_stats("b") == {"row_count": BATCH}
            holder.send("let go")
            assert holder.receive() == "free"
    client.insert("b", row, timeout=5)
    client.flush("b", timeout=5)
    assert client.get_collection_stats("b") == {"row_count": 2 * BATCH}
    assert client.list_collections() == ["b"]
