"""The file in which embeddings are remembered: SQLite, for several processes at once, of bounded size."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from elanus_models.errors import missing

log = logging.getLogger("elanus_models")

ROW_BYTES = 64
"""What a row costs besides its value."""

_KEYS_AT_ONCE = 500
_BUSY_MILLISECONDS = 5000
_PERIOD = 3600
"""Seconds that count as one time: a row used twice in it is marked as used once."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS vector (key BLOB PRIMARY KEY, used INTEGER NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS vector_by_use ON vector (used);
CREATE TABLE IF NOT EXISTS total (bytes INTEGER NOT NULL);
INSERT INTO total SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM total);
"""


class Memory:
    """Keys to bytes on disk. What goes wrong with the file costs speed, never an answer.

    Rows that were used longest ago go when the values exceed `max_bytes`. A damaged file is put aside under the name
    it had plus `.damaged`.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path = path
        self.max_bytes = max_bytes
        self._lock = threading.Lock()
        self._connection: Any = None
        self._owner = os.getpid()
        self._warned = False

    def load(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return what is remembered of these keys."""
        found: dict[bytes, bytes] = {}

        def read(connection: Any) -> None:
            now = _now()
            for start in range(0, len(keys), _KEYS_AT_ONCE):
                some = keys[start : start + _KEYS_AT_ONCE]
                places = ",".join("?" * len(some))
                rows = connection.execute(
                    f"SELECT key, used, value FROM vector WHERE key IN ({places})", some
                ).fetchall()
                found.update((key, value) for key, _, value in rows)
                stale = [(now, key) for key, used, _ in rows if used < now]
                if stale:
                    with _transaction(connection):
                        connection.executemany("UPDATE vector SET used = ? WHERE key = ?", stale)

        self._try(read)
        return found

    def store(self, values: Mapping[bytes, bytes]) -> None:
        """Remember values, all or none of them, and forget the oldest beyond the bound."""

        def write(connection: Any) -> None:
            rows = [(key, _now(), value) for key, value in values.items()]
            with _transaction(connection):
                before = connection.total_changes()
                connection.executemany("INSERT OR IGNORE INTO vector VALUES (?, ?, ?)", rows)
                if connection.total_changes() - before == len(rows):
                    added = sum(len(value) + ROW_BYTES for value in values.values())
                    connection.execute("UPDATE total SET bytes = bytes + ?", (added,))
                else:
                    _recount(connection)
                _forget(connection, self.max_bytes)

        self._try(write)

    def clear(self) -> None:
        """Forget everything."""

        def forget(connection: Any) -> None:
            with _transaction(connection):
                connection.execute("DELETE FROM vector")
                connection.execute("UPDATE total SET bytes = 0")

        self._try(forget)

    def size(self) -> tuple[int, int]:
        """Return how many rows there are and how many bytes they count for."""
        size = [0, 0]

        def count(connection: Any) -> None:
            size[:] = connection.execute("SELECT (SELECT count(*) FROM vector), bytes FROM total").fetchone()

        self._try(count)
        return size[0], size[1]

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None and self._owner == os.getpid():
                connection.close()

    def _try(self, work: Callable[[Any], None]) -> None:
        import apsw

        if self._owner != os.getpid():  # in a forked child the lock may be held by a thread that is not there
            self._lock, self._owner, self._connection = threading.Lock(), os.getpid(), None
        with self._lock:
            try:
                try:
                    work(self._open())
                except (apsw.CorruptError, apsw.NotADBError):
                    self._put_aside()
                    work(self._open())
            except (apsw.Error, OSError) as error:
                if not self._warned:
                    log.warning("embeddings are not remembered in %s: %s", self.path, error)
                self._warned = True

    def _open(self) -> Any:
        """Return this process's connection."""
        if self._connection is None:
            import apsw

            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = apsw.Connection(str(self.path))
            connection.set_busy_timeout(_BUSY_MILLISECONDS)
            connection.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL")
            with _transaction(connection):
                connection.execute(_SCHEMA)
            self._connection = connection
        return self._connection

    def _put_aside(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        log.warning("%s is damaged; it is put aside and begun anew", self.path)
        for ending in ("-wal", "-shm"):
            Path(f"{self.path}{ending}").unlink(missing_ok=True)
        os.replace(self.path, f"{self.path}.damaged")


@contextlib.contextmanager
def _transaction(connection: Any) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _recount(connection: Any) -> None:
    """Another process remembered some of the same texts at the same time: count anew."""
    connection.execute(f"UPDATE total SET bytes = (SELECT coalesce(sum(length(value) + {ROW_BYTES}), 0) FROM vector)")


def _forget(connection: Any, max_bytes: int) -> None:
    """Remove the rows that were used longest ago until a tenth of the room is free again, if it is exceeded."""
    (total,) = connection.execute("SELECT bytes FROM total").fetchone()
    if total <= max_bytes:
        return
    excess, gone = total - max_bytes * 9 // 10, []
    for key, size in connection.execute("SELECT key, length(value) FROM vector ORDER BY used"):
        if excess <= 0:
            break
        gone.append((key,))
        excess -= size + ROW_BYTES
    connection.executemany("DELETE FROM vector WHERE key = ?", gone)
    _recount(connection)


def _now() -> int:
    return int(time.time()) // _PERIOD


def check_apsw() -> None:
    """Raise MissingDependency where SQLite's wrapper is not installed."""
    try:
        import apsw  # noqa: F401
    except ImportError as error:
        raise missing("apsw") from error
