"""No space left: the write fails whole with StoreFull, nothing is lost, and it works again when there is space."""

from __future__ import annotations

import os
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import elanus
import pytest
from elanus.engine import maintenance
from elanus.storage import failpoints
from elanus.storage.locks import FileLock

from tests import shapes
from tests.behaviour.catalogue import assert_tidy
from tests.behaviour.fleet import children

resource = pytest.importorskip("resource", reason="file-size limits are POSIX's")

ROWS = 200


def rows_of(batch: int) -> list[dict[str, object]]:
    return shapes.batch_rows(1, batch, range(batch * ROWS, (batch + 1) * ROWS))


def keys(client: elanus.Client) -> set[int]:
    """The keys that a query finds, after dense and text search were seen to find the same."""
    found = {row["id"] for row in client.query("b", filter="id >= 0", output_fields=["id"])}
    (dense,) = client.search("b", [[1.0] * shapes.DIM], limit=10_000, anns_field="vector")
    (text,) = client.search("b", ["shared"], limit=10_000, anns_field="sparse")
    assert {hit["id"] for hit in dense} == {hit["id"] for hit in text} == found
    return found


@pytest.fixture
def armed() -> Iterator[None]:
    """Disarm the failpoint after the test."""
    yield
    failpoints.arm("")


def write_until_full(pipe: Connection, path: str) -> None:
    """Write batches under a file-size limit, acknowledging each, then again without the limit."""
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    with elanus.connect(path) as client:
        largest = max(f.stat().st_size for f in Path(path).iterdir() if f.is_file())
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest + (300 << 10), hard))
        for batch in range(1, 1000):
            try:
                client.insert("b", rows_of(batch))
            except elanus.StoreFull as error:
                pipe.send(("full", batch, str(error)))
                break
            pipe.send(("acknowledged", batch, ""))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        for refused in (
            lambda: client.upsert("b", rows_of(batch)),
            lambda: client.delete("b", filter=f"id >= 0 and id < {10 * ROWS}"),
            lambda: client.flush("b"),
        ):
            try:
                refused()
                pipe.send(("accepted", batch, ""))
            except elanus.StoreFull:
                pipe.send(("full", batch, ""))
        pipe.send(("sees", len(keys(client)), ""))
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        client.insert("b", rows_of(batch))
        client.flush("b")
        pipe.send(("sees", len(keys(client)), ""))


def test_a_write_without_space_is_refused_whole_and_works_when_there_is_space(folder: Path) -> None:
    with elanus.connect(folder) as client, children() as start:
        shapes.batches(client, "b")
        client.insert("b", rows_of(0))
        child = start(write_until_full, str(folder))
        said = child.rest()
        assert child.join() == 0
        acknowledged = [batch for what, batch, _ in said if what == "acknowledged"]
        assert acknowledged
        (_, refused, message) = next(item for item in said if item[0] == "full")
        assert refused == acknowledged[-1] + 1
        assert "catalog.sqlite" in message
        assert [item for item in said if item[0] == "accepted"] == []
        before, after = (count for what, count, _ in said if what == "sees")
        assert before == ROWS * (1 + len(acknowledged))
        assert after == before + ROWS
        assert keys(client) == set(range(ROWS * (refused + 1)))
        client.insert("b", rows_of(refused + 1))
        client.flush("b")
    assert_tidy(folder)
    with elanus.connect(folder) as client:
        assert keys(client) == set(range(ROWS * (refused + 2)))


@pytest.mark.usefixtures("armed")
@pytest.mark.parametrize("file", range(1, 6))
def test_a_flush_without_space_is_refused_and_every_row_stays(client: elanus.Client, folder: Path, file: int) -> None:
    shapes.batches(client, "b")
    client.insert("b", rows_of(0))
    client.flush("b")
    client.insert("b", rows_of(1))
    client.delete("b", ids=[0, ROWS])
    failpoints.arm(f"segment.write:{file}=ENOSPC")
    with pytest.raises(elanus.StoreFull):
        client.flush("b")
    expected = set(range(2 * ROWS)) - {0, ROWS}
    assert keys(client) == expected
    client.insert("b", rows_of(2))
    expected |= set(range(2 * ROWS, 3 * ROWS))
    assert keys(client) == expected
    failpoints.arm("")
    client.flush("b")
    assert keys(client) == expected
    client.close()
    assert_tidy(folder)
    with elanus.connect(folder) as again:
        assert keys(again) == expected


@pytest.mark.usefixtures("armed")
def test_writers_are_refused_when_the_log_is_full_and_cannot_be_flushed(
    client: elanus.Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "FLUSH_BYTES", 64 << 10)
    monkeypatch.setattr(maintenance, "WAIT_BYTES", 128 << 10)
    shapes.batches(client, "b")
    failpoints.arm("segment.write=ENOSPC")
    written: list[int] = []

    def write_on() -> None:
        for batch in range(100):
            client.insert("b", rows_of(batch))
            written.append(batch)

    with pytest.raises(elanus.StoreFull, match="flushed"):
        write_on()
    last = len(written)
    assert 0 < last < 100
    assert keys(client) == set(range(last * ROWS))
    failpoints.arm("")
    for batch in range(last, last + 10):
        client.insert("b", rows_of(batch))
    assert keys(client) == set(range((last + 10) * ROWS))
    client.flush("b")
    client.close()
    assert_tidy(folder)
    assert os.path.getsize(folder / "catalog.sqlite") < 1 << 20


def test_a_write_waits_for_a_full_log_no_longer_than_its_timeout(
    client: elanus.Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "FLUSH_BYTES", 32 << 10)
    monkeypatch.setattr(maintenance, "WAIT_BYTES", 64 << 10)
    shapes.batches(client, "b")
    with FileLock(folder / "maintenance.lock"):
        client.insert("b", rows_of(0))
        client.insert("b", rows_of(1))
        with pytest.raises(elanus.StoreBusy, match="full"):
            client.insert("b", rows_of(2), timeout=0.1)
    client.insert("b", rows_of(3), timeout=30)
    assert keys(client) == {*range(2 * ROWS), *range(3 * ROWS, 4 * ROWS)}
