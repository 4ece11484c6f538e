"""The catalogue: one SQLite file that is the store's log and its list of what exists.

A commit is one SQLite transaction. Writers queue on `write.lock` (the kernel's queue is fair, SQLite's busy
handler is not) and hold it for the transaction only. Readers never take it. Nothing but SQLite may open the
file: closing any other descriptor would drop SQLite's own locks for the whole process.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import apsw

from elanus.errors import StoreBusy, StoreClosed, StoreError, StoreFormatError, StoreFull, StoreReadOnly
from elanus.storage.failpoints import reach
from elanus.storage.locks import FileLock
from elanus.storage.place import CATALOG
from elanus.storage.tables import ADDED, SCHEMA, Transaction

FORMAT_VERSION = 1
APPLICATION_ID = 0x454C414E
OLDEST_SQLITE = 3_051_003
BUSY_SECONDS = 30
PAGE_SIZE = 32_768
WAL_LIMIT_BYTES = 64 << 20
CHECKPOINT_PAGES = 3_072
VACUUM_PAGES = 256
READ_ONLY = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
SYNCHRONOUS = {"fsync": "FULL", "os": "NORMAL", "none": "OFF"}


class Catalog:
    """Two SQLite connections, one to read and one to write, each under its own lock.

    Args:
        folder: of the catalogue and its lock.
        durability: "fsync", "os" or "none".
        copy_of: a folder that may only be read, of whose catalogue a copy is made in `folder`; nothing can change it.

    Raises:
        StoreFormatError: the folder holds no Elanus catalogue, or one of an unknown version.
    """

    def __init__(self, folder: Path, durability: str, copy_of: Path | None = None) -> None:
        if apsw.SQLITE_VERSION_NUMBER < OLDEST_SQLITE:
            raise StoreError(
                f"apsw carries SQLite {apsw.sqlite_lib_version()}, which can lose commits in WAL mode; "
                "install apsw 3.51.3 or newer"
            )
        self._path = folder / CATALOG
        self._known_as = (copy_of or folder) / CATALOG
        self._changeable = copy_of is None
        self._durability = durability
        if copy_of is not None and not self._path.exists():
            with _translated(self._known_as):
                _copy(self._known_as, self._path)
        self._write_lock = FileLock(folder / "write.lock")
        self._read_lock = threading.RLock()
        with self._write_lock:
            self._writer = self._open()
        self._reader = self._open()
        self._seen, self._epoch = -1, 0
        self._patience = threading.local()

    def _open(self) -> apsw.Connection:
        try:
            connection = apsw.Connection(str(self._path))
            connection.set_busy_timeout(BUSY_SECONDS * 1000)
            _prepare(connection, self._known_as, SYNCHRONOUS[self._durability])
        except apsw.NotADBError:
            raise StoreFormatError(f"{self._known_as} is not an Elanus catalogue") from None
        except apsw.BusyError as error:
            raise StoreBusy(f"{self._known_as} stayed locked for {BUSY_SECONDS} s") from error
        if not self._changeable:
            connection.execute("PRAGMA query_only=ON").fetchall()
        return connection

    def epoch(self) -> int:
        """A number that is another one if anybody may have committed since it was last asked for (2.6 us)."""
        with self._read_lock:
            version = self._data_version()
            if version != self._seen:
                self._seen, self._epoch = version, self._epoch + 1
            return self._epoch

    def _data_version(self) -> int:
        try:
            for (version,) in self._reader.execute("PRAGMA data_version"):
                return int(version)
        except apsw.Error:
            with _translated(self._known_as):
                raise
        raise AssertionError("unreachable")

    def forget(self) -> None:
        """Make the next `epoch()` a new one."""
        with self._read_lock:
            self._seen = -1

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """One short read transaction: everything read inside belongs to one commit."""
        with self._read_lock, _translated(self._known_as):
            try:
                self._reader.execute("BEGIN")
                yield Transaction(self._reader)
            finally:
                if self._reader.in_transaction:
                    self._reader.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """One commit: all of it durable when the block ends, or none of it after an error."""
        with self._write_lock.within(self.waiting_seconds), _translated(self._known_as):
            try:
                self._writer.execute("BEGIN IMMEDIATE" if self._changeable else "BEGIN")
                yield Transaction(self._writer)
                reach("commit.before")
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
        reach("commit.after")

    @property
    def waiting_seconds(self) -> float | None:
        """How long this thread's writes may wait, as `patience` said; None: as long as it takes."""
        return getattr(self._patience, "seconds", None)

    @contextmanager
    def patience(self, seconds: float | None) -> Iterator[None]:
        """Let this thread's commits wait at most so long for the write lock; then they raise StoreBusy."""
        self._patience.seconds = seconds
        try:
            yield
        finally:
            self._patience.seconds = None

    def give_back(self) -> None:
        """Return the pages of deleted log rows to the file system, in slices between which others may commit."""
        while True:
            with self._write_lock, _translated(self._known_as):
                free = _value(self._writer, "PRAGMA freelist_count")
                self._writer.execute(f"PRAGMA incremental_vacuum({VACUUM_PAGES})").fetchall()
            if free <= VACUUM_PAGES:
                break
        with self._write_lock, _translated(self._known_as):
            self._writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def pause(self, *, lock: bool) -> None:
        """Before a fork: wait for whoever uses the connections, and close them until `resume`.

        `lock` takes the write lock too; of several catalogues on one folder only the first may.

        SQLite keeps its locks on a file in a table of the process. A child that inherited an entry would believe that
        it holds locks which only its parent holds, and could lose its commits.
        """
        self._paused_with_lock = lock
        if lock:
            self._write_lock.__enter__()
        self._read_lock.acquire()
        for connection in (self._reader, self._writer):
            connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            connection.close()

    def resume(self) -> None:
        """After a fork, in the parent: open the connections again."""
        try:
            self._writer, self._reader = self._open(), self._open()
            self._seen = -1
        finally:
            self._read_lock.release()
            if self._paused_with_lock:
                self._write_lock.release()

    def leave(self) -> None:
        """After a fork, in the child: drop the lock's descriptor without unlocking it."""
        self._write_lock.leak()

    def close(self) -> None:
        """Close both connections after what other threads do with them; the last process out folds the
        write-ahead log into the file. Again, after an interrupt say, closes what is still open.
        """
        with self._read_lock:
            self._reader.close()
        if not self._write_lock.closed:
            with self._write_lock:
                self._writer.close()
            self._write_lock.close()


def _copy(source: Path, target: Path) -> None:
    """Copy a catalogue that may only be read, with the commits that its write-ahead log holds.

    SQLite reads one in use through the shared memory that its users keep. Where there is none nobody uses it, and its
    files may be copied.
    """
    try:
        with (
            closing(apsw.Connection(f"{source.as_uri()}?mode=ro", READ_ONLY)) as read,
            closing(apsw.Connection(str(target))) as written,
            written.backup("main", read, "main") as backup,
        ):
            backup.step()
    except (apsw.CantOpenError, apsw.ReadOnlyError):
        target.unlink(missing_ok=True)
        for suffix in ("", "-wal"):
            with suppress(FileNotFoundError):
                shutil.copyfile(f"{source}{suffix}", f"{target}{suffix}")


def _value(connection: apsw.Connection, sql: str) -> Any:
    return connection.execute(sql).fetchall()[0][0]


def _prepare(connection: apsw.Connection, path: Path, synchronous: str) -> None:
    """Refuse a file of another kind or version; set the pragmas; make the tables in a new file."""
    new = not _value(connection, "SELECT count(*) FROM sqlite_schema")
    if not new:
        _check_format(connection, path)
    for pragma in (
        f"page_size={PAGE_SIZE}",
        "auto_vacuum=INCREMENTAL",
        "journal_mode=WAL",
        f"synchronous={synchronous}",
        "fullfsync=1",
        "secure_delete=OFF",
        f"journal_size_limit={WAL_LIMIT_BYTES}",
        f"wal_autocheckpoint={CHECKPOINT_PAGES}",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    if new:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(SCHEMA)
        connection.execute(f"PRAGMA user_version={FORMAT_VERSION}")
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute("COMMIT")
    connection.execute(ADDED)


def _check_format(connection: apsw.Connection, path: Path) -> None:
    if _value(connection, "PRAGMA application_id") != APPLICATION_ID:
        raise StoreFormatError(f"{path} is an SQLite file of another program")
    version = _value(connection, "PRAGMA user_version")
    if version != FORMAT_VERSION:
        raise StoreFormatError(
            f"{path} has format version {version}; this release of elanus reads version {FORMAT_VERSION}. "
            "Open it with the release that wrote it"
        )


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours, once, at this border."""
    try:
        yield
    except apsw.ConnectionClosedError as error:
        raise StoreClosed(f"the store at {path.parent} was closed") from error
    except apsw.ReadOnlyError as error:
        raise StoreReadOnly(
            f"the store at {path.parent} may only be read: copy the folder to a place where you may write, or change "
            "its permissions"
        ) from error
    except (apsw.FullError, apsw.IOError) as error:
        raise StoreFull(f"could not write {path} ({error}); nothing of this call was stored") from error
    except apsw.BusyError as error:
        raise StoreBusy(f"{path} stayed locked for {BUSY_SECONDS} s") from error
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise StoreFormatError(f"{path} is damaged: {error}") from error
