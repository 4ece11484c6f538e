"""A process killed at each named place: what it acknowledged is there, what it was doing is whole or absent.

Another client of the folder is open all the while; it goes on at once, and its next flush clears up.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import elanus
import pytest
from elanus.storage import failpoints

from tests import shapes
from tests.behaviour.catalogue import assert_tidy
from tests.behaviour.fleet import children, needs_sigkill

pytestmark = needs_sigkill

ROWS = 20
MOST_HITS = 40
BATCHES = 5


def rows_of(batch: int) -> list[dict[str, Any]]:
    """The rows of a numbered batch."""
    return shapes.batch_rows(1, batch, range(batch * ROWS, (batch + 1) * ROWS))


@pytest.fixture(scope="module")
def three_segments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with three segments, some dead rows, a tail and an orphan: the next flush merges and clears up."""
    folder = tmp_path_factory.mktemp("crashes") / "store"
    with elanus.connect(folder, durability="os") as client:
        shapes.batches(client, "b")
        for batch in range(3):
            client.insert("b", rows_of(batch))
            client.flush("b")
        client.insert("b", rows_of(3))
        client.delete("b", ids=[0, ROWS, 3 * ROWS])
    orphan = folder / "segments" / "999"
    orphan.mkdir()
    (orphan / "columns.arrow").write_bytes(b"never listed")
    return folder


@pytest.fixture
def store(three_segments: Path, folder: Path) -> Path:
    """A copy of `three_segments` of the test's own."""
    shutil.copytree(three_segments, folder)
    return folder


def at_start() -> dict[int, int]:
    """The batch of each key in `three_segments`."""
    rows = {row["id"]: batch for batch in range(4) for row in rows_of(batch)}
    return {key: batch for key, batch in rows.items() if key not in (0, ROWS, 3 * ROWS)}


def with_batch(rows: dict[int, int], batch: int) -> dict[int, int]:
    return rows | {row["id"]: batch for row in rows_of(batch)}


Action = tuple[Callable[[elanus.Client], Any], Callable[[dict[int, int]], dict[int, int] | None]]

# What the child does when it is killed, and what that does to the rows (None: there is no collection "b" after it).
ACTIONS: dict[str, Action] = {
    "insert": (lambda c: c.insert("b", rows_of(7)), lambda rows: with_batch(rows, 7)),
    "upsert": (
        lambda c: c.upsert("b", shapes.batch_rows(1, 8, range(5, 5 + ROWS))),
        lambda rows: rows | dict.fromkeys(range(5, 5 + ROWS), 8),
    ),
    "delete by ids": (
        lambda c: c.delete("b", ids=list(range(30))),
        lambda rows: {key: batch for key, batch in rows.items() if key >= 30},
    ),
    "delete by filter": (
        lambda c: c.delete("b", filter="batch == 2 or id > 70"),
        lambda rows: {key: batch for key, batch in rows.items() if batch != 2 and key <= 70},
    ),
    "create": (lambda c: shapes.notes(c, "another"), lambda rows: rows),
    "drop": (lambda c: c.drop_collection("b"), lambda rows: None),
    "truncate": (lambda c: c.truncate_collection("b"), lambda rows: {}),
    "rename": (lambda c: c.rename_collection("b", "moved"), lambda rows: None),
    "release": (lambda c: (c.release_collection("b"), c.load_collection("b")), lambda rows: rows),
    "flush": (lambda c: c.flush("b"), lambda rows: rows),
}


def act_and_die(pipe: Connection, path: str, action: str, failpoint: str) -> None:
    """Acknowledge two batches, then do the action with the failpoint armed; say so if it survives."""
    client = elanus.connect(path)
    for batch in (4, 5):
        client.insert("b", rows_of(batch))
        pipe.send(("acknowledged", batch))
    failpoints.arm(failpoint)
    ACTIONS[action][0](client)
    failpoints.arm("")
    client.close()
    pipe.send(("survived", 0))


def crash(store: Path, action: str, failpoint: str) -> tuple[bool, dict[int, int]]:
    """Run a child into a failpoint; return whether it died there, and the rows that it acknowledged."""
    with children() as start:
        child = start(act_and_die, str(store), action, failpoint)
        said = child.rest()
        died = child.join() == -signal.SIGKILL
    rows = at_start()
    for what, batch in said:
        if what == "acknowledged":
            rows = with_batch(rows, batch)
    assert died == (("survived", 0) not in said)
    assert len(said) == (2 if died else 3)
    return died, rows


def contents(client: elanus.Client) -> dict[int, int] | None:
    """The batch of each key, or None if there is no such collection; every read path must tell the same."""
    if not client.has_collection("b"):
        return None
    rows = client.query("b", filter="id >= 0", output_fields=["batch"])
    found = {row["id"]: row["batch"] for row in rows}
    assert len(found) == len(rows)
    assert client.get_collection_stats("b")["row_count"] == len(rows)
    (dense,) = client.search("b", [[1.0] * shapes.DIM], limit=1000, anns_field="vector", output_fields=["batch"])
    (text,) = client.search("b", ["shared"], limit=1000, anns_field="sparse", output_fields=["batch"])
    for hits in (dense, text):
        assert {hit["id"]: hit["entity"]["batch"] for hit in hits} == found
    got = client.get("b", list(range(200)), output_fields=["batch"])
    assert {row["id"]: row["batch"] for row in got} == found
    return found


def go_on(client: elanus.Client, rows: dict[int, int] | None) -> dict[int, int]:
    """Work on after another's crash; return the rows there are then."""
    if rows is None:
        shapes.batches(client, "b")
        rows = {}
    client.insert("b", rows_of(9))
    rows = with_batch(rows, 9)
    assert client.delete("b", ids=[181, 190, 10_000]) == {"delete_count": 2}
    rows = {key: batch for key, batch in rows.items() if key not in (181, 190)}
    assert contents(client) == rows
    client.flush("b")
    assert contents(client) == rows
    return rows


def check_after(bystander: elanus.Client, store: Path, outcomes: list[dict[int, int] | None]) -> None:
    """The bystander sees one of the outcomes, goes on, and leaves a tidy folder that reads back the same."""
    rows = contents(bystander)
    assert rows in outcomes
    with elanus.connect(store, durability="os") as another:
        assert contents(another) == rows
    rows = go_on(bystander, rows)
    bystander.close()
    assert_tidy(store)
    with elanus.connect(store) as client:
        assert contents(client) == rows
        client.insert("b", rows_of(6))
        client.flush("b")
        assert contents(client) == with_batch(rows, 6)
    assert_tidy(store)


@pytest.fixture
def bystander(store: Path) -> Iterator[elanus.Client]:
    """A client of the store that has read everything before the crash."""
    with elanus.connect(store, durability="os") as client:
        assert contents(client) == at_start()
        yield client


@pytest.mark.parametrize("action", ACTIONS)
def test_killed_before_the_commit_nothing_of_it_happened(store: Path, bystander: elanus.Client, action: str) -> None:
    died, rows = crash(store, action, "commit.before")
    assert died
    check_after(bystander, store, [rows])


@pytest.mark.parametrize("action", ACTIONS)
def test_killed_after_the_commit_all_of_it_happened(store: Path, bystander: elanus.Client, action: str) -> None:
    died, rows = crash(store, action, "commit.after")
    assert died
    if action == "release":
        bystander.load_collection("b")
    check_after(bystander, store, [ACTIONS[action][1](rows)])


LEAST_HITS = {
    "commit.before": 4,
    "commit.after": 4,
    "segment.reserved": 2,
    "segment.write": 6,
    "segment.renamed": 2,
    "publish.inside": 2,
    "publish.after": 2,
    "merge.published": 1,
    "orphan.remove": 1,
}


@pytest.mark.parametrize("name", LEAST_HITS)
def test_killed_anywhere_in_flush_and_merge_every_row_stays(three_segments: Path, tmp_path: Path, name: str) -> None:
    for hit in range(1, MOST_HITS):
        store = tmp_path / f"store{hit}"
        shutil.copytree(three_segments, store)
        with elanus.connect(store, durability="os") as bystander:
            assert contents(bystander) == at_start()
            died, rows = crash(store, "flush", f"{name}:{hit}")
            check_after(bystander, store, [rows])
        if not died:
            break
    assert hit > LEAST_HITS[name]


def drop_and_die(pipe: Connection, path: str) -> None:
    """Drop a collection and wait to be killed while its files are removed in the background."""
    client = elanus.connect(path)
    failpoints.arm("orphan.remove")
    client.drop_collection("b")
    pipe.send("dropped")
    pipe.poll(20)


def test_killed_while_a_dropped_collections_files_are_removed_it_stays_dropped(
    store: Path, bystander: elanus.Client
) -> None:
    with children() as start:
        child = start(drop_and_die, str(store))
        assert child.receive() == "dropped"
        assert child.join() == -signal.SIGKILL
    assert not bystander.has_collection("b")
    check_after(bystander, store, [None])
