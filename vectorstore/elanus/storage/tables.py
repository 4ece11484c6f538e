"""The catalogue's tables, and every SQL statement that touches them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import apsw
import numpy as np

SCHEMA = """
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counter VALUES ('seq', 0), ('collection', 0), ('segment', 0);
CREATE TABLE collection (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, definition TEXT NOT NULL, version INTEGER NOT NULL,
    layout INTEGER NOT NULL, last_seq INTEGER NOT NULL,
    flushed_seq INTEGER NOT NULL, flushed_rid INTEGER NOT NULL,
    next_rid INTEGER NOT NULL, next_id INTEGER NOT NULL);
CREATE TABLE segment (
    id INTEGER PRIMARY KEY, collection INTEGER NOT NULL, listed INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    rows INTEGER NOT NULL, bytes INTEGER NOT NULL, first_rid INTEGER NOT NULL);
CREATE TABLE tombstone (collection INTEGER PRIMARY KEY, rids BLOB NOT NULL);
CREATE TABLE log (
    seq INTEGER PRIMARY KEY, collection INTEGER NOT NULL, op TEXT NOT NULL, rows INTEGER NOT NULL,
    first_rid INTEGER NOT NULL, first_id INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX log_of_collection ON log (collection, seq);
"""

ADDED = """
CREATE TABLE IF NOT EXISTS alias (name TEXT PRIMARY KEY, collection INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS database (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS clock (
    collection INTEGER NOT NULL, second INTEGER NOT NULL, first_rid INTEGER NOT NULL,
    PRIMARY KEY (collection, second)) WITHOUT ROWID;
"""
"""Tables that a store of this format version may lack; made when it is opened."""

HIDDEN = "~"
"""What the names of collections in the making begin with, and no name of a user's can."""


def name_in_making(collection: int) -> str:
    """What the collection is called that is being made to take the place of this one."""
    return f"{HIDDEN}{collection}"


DEFAULT_DATABASE = "default"


def split_name(name: str) -> tuple[str, str]:
    """A collection's database, and its name in it."""
    database, slash, own = name.rpartition("/")
    return (database, own) if slash else (DEFAULT_DATABASE, name)


WRITE, DELETE, EXPEL = "write", "delete", "expel"
FIRST_ID = 1

Rids = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class CollectionRow:
    """One collection as the catalogue has it.

    `version` changes with the definition, `layout` with the definition or the list of segments, `last_seq` with
    every log row. Log rows up to `flushed_seq`, whose rows number below `flushed_rid`, are in segments.
    """

    id: int
    name: str
    definition: Mapping[str, Any]
    version: int
    layout: int
    last_seq: int
    flushed_seq: int
    flushed_rid: int
    next_rid: int
    next_id: int


@dataclass(frozen=True)
class SegmentRow:
    """One listed segment: its folder's name, rows, bytes and smallest row number; `revision` grows with its files."""

    id: int
    revision: int
    rows: int
    bytes: int
    first_rid: int


@dataclass(frozen=True)
class LogEntry:
    """One committed write: rows (an Arrow IPC stream), deleted keys or expelled partitions, and the numbers it got."""

    seq: int
    op: str
    rows: int
    first_rid: int
    first_id: int
    body: bytes | memoryview


class Transaction:
    """The statements of one open transaction, by what they are for."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._run: Callable[..., Any] = connection.execute

    def _next(self, counter: str) -> int:
        sql = "UPDATE counter SET value = value + 1 WHERE name = ? RETURNING value"
        return int(self._run(sql, (counter,)).fetchall()[0][0])

    def seq(self) -> int:
        """The number of the newest commit of any kind."""
        return int(self._run("SELECT value FROM counter WHERE name = 'seq'").fetchall()[0][0])

    # Collections

    def collections(self) -> list[CollectionRow]:
        """Every collection, by name, also those in the making."""
        return [_collection(row) for row in self._run("SELECT * FROM collection ORDER BY name")]

    def collection(self, name_or_id: str | int) -> CollectionRow | None:
        """The collection of that name, alias or id, or None."""
        if isinstance(name_or_id, str):
            sql = "SELECT * FROM collection WHERE name = ? OR id = (SELECT collection FROM alias WHERE name = ?)"
            rows = self._run(sql, (name_or_id, name_or_id)).fetchall()
        else:
            rows = self._run("SELECT * FROM collection WHERE id = ?", (name_or_id,)).fetchall()
        return _collection(rows[0]) if rows else None

    def add_collection(self, name: str, definition: Mapping[str, Any]) -> CollectionRow:
        """Create a collection; its id is never used again."""
        seq, number = self._next("seq"), self._next("collection")
        values = (number, name, json.dumps(definition), seq, seq, seq, seq, 0, 0, FIRST_ID)
        self._run("INSERT INTO collection VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        return CollectionRow(number, name, definition, seq, seq, seq, seq, 0, 0, FIRST_ID)

    def names(self) -> list[str]:
        """The collections' names, sorted, but for those in the making."""
        rows = self._run("SELECT name FROM collection ORDER BY name").fetchall()
        return [name for (name,) in rows if not name.startswith(HIDDEN)]

    def ids(self) -> dict[str, int]:
        """The id of each collection by its name and by each of its aliases."""
        return dict(
            self._run("SELECT name, id FROM collection UNION ALL SELECT name, collection FROM alias").fetchall()
        )

    def define(self, collection: int, definition: Mapping[str, Any]) -> None:
        """Replace a collection's definition; writers with the old one in hand will notice."""
        seq = self._next("seq")
        sql = "UPDATE collection SET definition = ?, version = ?, layout = ? WHERE id = ?"
        self._run(sql, (json.dumps(definition), seq, seq, collection))

    def rename(self, collection: int, name: str) -> None:
        """Give a collection another name."""
        seq = self._next("seq")
        sql = "UPDATE collection SET name = ?, version = ?, layout = ? WHERE id = ?"
        self._run(sql, (name, seq, seq, collection))

    def drop(self, collection: int) -> None:
        """Remove a collection and what was in the making to take its place; the segments' folders become orphans."""
        if (making := self.collection(name_in_making(collection))) is not None:
            self.drop(making.id)
        self._next("seq")
        self._run("DELETE FROM collection WHERE id = ?", (collection,))
        for table in ("segment", "tombstone", "log", "clock"):
            self._run(f"DELETE FROM {table} WHERE collection = ?", (collection,))

    def supersede(self, old: CollectionRow, new: int) -> None:
        """Give a collection the name, the aliases and the numbering of keys of another, which is dropped."""
        self.rename(new, HIDDEN)  # not the name of what is in the making for the old one, which goes with it
        self.drop(old.id)
        self.rename(new, old.name)
        self._run("UPDATE alias SET collection = ? WHERE collection = ?", (new, old.id))
        self.number_from(new, old.next_id)

    def number_from(self, collection: int, next_id: int) -> None:
        """Let the keys that the store gives from now on be at least `next_id`."""
        self._run("UPDATE collection SET next_id = max(next_id, ?) WHERE id = ?", (next_id, collection))

    # Databases

    def databases(self) -> list[str]:
        """The names of the databases but the default one, sorted."""
        return [name for (name,) in self._run("SELECT name FROM database ORDER BY name")]

    def add_database(self, name: str) -> None:
        """Make a database."""
        self._next("seq")
        self._run("INSERT INTO database VALUES (?)", (name,))

    def drop_database(self, name: str) -> None:
        """Remove a database, which must be empty."""
        self._next("seq")
        self._run("DELETE FROM database WHERE name = ?", (name,))

    # Aliases

    def aliases(self, collection: int | None = None) -> dict[str, int]:
        """The id of the collection that each alias stands for, of all aliases or of one collection's, by name."""
        sql = "SELECT name, collection FROM alias WHERE ?1 IS NULL OR collection = ?1 ORDER BY name"
        return dict(self._run(sql, (collection,)).fetchall())

    def set_alias(self, alias: str, collection: int) -> None:
        """Let a name stand for a collection, and for no other any more."""
        self._next("seq")
        self._run("INSERT OR REPLACE INTO alias VALUES (?, ?)", (alias, collection))

    def drop_alias(self, alias: str) -> None:
        """Let a name stand for nothing; one that does so already is no error."""
        self._next("seq")
        self._run("DELETE FROM alias WHERE name = ?", (alias,))

    # The log

    def append(
        self, row: CollectionRow, op: str, rows: int, body: bytes | memoryview, *, keyed: bool = False
    ) -> LogEntry:
        """Add one write batch to the log, numbering its rows and, unless they are keyed already, their keys."""
        seq = self._next("seq")
        entry = LogEntry(seq, op, rows, row.next_rid, row.next_id, body)
        grown = rows if op == WRITE else 0
        self._run(
            "UPDATE collection SET last_seq = ?, next_rid = next_rid + ?, next_id = next_id + ? WHERE id = ?",
            (seq, grown, 0 if keyed else grown, row.id),
        )
        self._run(
            "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?)",
            (seq, row.id, op, rows, entry.first_rid, entry.first_id, body),
        )
        return entry

    def log(self, collection: int, after: int) -> list[LogEntry]:
        """The collection's log rows with a sequence number over `after`, in order."""
        sql = "SELECT seq, op, rows, first_rid, first_id, body FROM log WHERE collection = ? AND seq > ? ORDER BY seq"
        return [LogEntry(*row) for row in self._run(sql, (collection, after))]

    # Ages

    def tick(self, row: CollectionRow, now: float, exact_to: int) -> None:
        """Note that rows from the collection's next one on are written now; call it before they are appended.

        The time is rounded up to whole seconds, or so many of them: no row ends before its time.
        """
        sql = "SELECT max(second) FROM clock WHERE collection = ?"
        last = self._run(sql, (row.id,)).fetchall()[0][0]
        second = -int(-now // exact_to) * exact_to
        if last is None or second > last:  # a clock put back makes no row younger
            self._run("INSERT INTO clock VALUES (?, ?, ?)", (row.id, second, row.next_rid))

    def ticks(self, collection: int, after: int) -> list[tuple[int, int]]:
        """The seconds after one in which rows were written, each with the first row number of it."""
        sql = "SELECT second, first_rid FROM clock WHERE collection = ? AND second > ? ORDER BY second"
        return list(self._run(sql, (collection, after)))

    def forget_ticks(self, collection: int, rid: int) -> None:
        """Drop what is only about rows below a number."""
        sql = (
            "DELETE FROM clock WHERE collection = ?1 AND second < "
            "(SELECT max(second) FROM clock WHERE collection = ?1 AND first_rid <= ?2)"
        )
        self._run(sql, (collection, rid))

    # Segments

    def reserve_segment(self, collection: int) -> int:
        """Take a segment id, so that nobody collects its folder as an orphan while it is written."""
        number = self._next("segment")
        self._run("INSERT INTO segment VALUES (?, ?, 0, 0, 0, 0, 0)", (number, collection))
        return number

    def segments(self, collection: int) -> list[SegmentRow]:
        """The collection's listed segments in the order of their rows."""
        sql = (
            "SELECT id, revision, rows, bytes, first_rid FROM segment "
            "WHERE collection = ? AND listed ORDER BY first_rid"
        )
        return [SegmentRow(*row) for row in self._run(sql, (collection,))]

    def known_segments(self) -> set[int]:
        """The ids of all segments that are listed or reserved."""
        return {row[0] for row in self._run("SELECT id FROM segment")}

    def drop_reservations(self) -> None:
        """Forget reserved segments; only for the holder of the maintenance lock between its own works."""
        self._run("DELETE FROM segment WHERE NOT listed")

    def release_segments(self, ids: Iterable[int]) -> None:
        """Forget segments; their folders become orphans."""
        for number in ids:
            self._run("DELETE FROM segment WHERE id = ?", (number,))

    def list_segment(self, collection: int, segment: SegmentRow) -> bool:
        """List a reserved segment; False if its reservation is gone (the collection was dropped meanwhile)."""
        sql = (
            "UPDATE segment SET listed = 1, revision = ?, rows = ?, bytes = ?, first_rid = ? "
            "WHERE id = ? AND collection = ? RETURNING id"
        )
        values = (segment.revision, segment.rows, segment.bytes, segment.first_rid, segment.id, collection)
        return len(self._run(sql, values).fetchall()) == 1

    def revise_segment(self, segment: SegmentRow) -> bool:
        """Note that a listed segment has got a further file; False if it is not listed any more."""
        sql = "UPDATE segment SET revision = revision + 1 WHERE id = ? AND revision = ? AND listed RETURNING id"
        return len(self._run(sql, (segment.id, segment.revision)).fetchall()) == 1

    def lay_out(self, collection: int, flushed_seq: int, flushed_rid: int) -> None:
        """Mark a new list of segments, and drop the log rows that they cover."""
        sql = "UPDATE collection SET layout = ?, flushed_seq = ?, flushed_rid = ? WHERE id = ?"
        self._run(sql, (self._next("seq"), flushed_seq, flushed_rid, collection))
        self._run("DELETE FROM log WHERE collection = ? AND seq <= ?", (collection, flushed_seq))

    # Tombstones

    def tombstones(self, collection: int) -> Rids:
        """The row numbers of dead rows in listed segments, ascending."""
        blobs = self._run("SELECT rids FROM tombstone WHERE collection = ?", (collection,)).fetchall()
        return np.frombuffer(blobs[0][0], np.int64) if blobs else np.empty(0, np.int64)

    def set_tombstones(self, collection: int, rids: Rids) -> None:
        """Replace the collection's tombstones by these row numbers, which ascend."""
        self._run("INSERT OR REPLACE INTO tombstone VALUES (?, ?)", (collection, rids.tobytes()))


def _collection(row: tuple[Any, ...]) -> CollectionRow:
    return CollectionRow(row[0], row[1], json.loads(row[2]), *row[3:])
