"""What lies in a store's folder after its clients have closed, read without the engine."""

from __future__ import annotations

from pathlib import Path

import apsw


def assert_tidy(folder: Path) -> None:
    """Every segment folder is listed, every listed segment has a folder, and nobody has a reservation left."""
    connection = apsw.Connection(str(folder / "catalog.sqlite"), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        segments = connection.execute("SELECT id, listed FROM segment").fetchall()
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        connection.close()
    assert [number for number, listed in segments if not listed] == []
    assert {str(number) for number, _ in segments} == {path.name for path in (folder / "segments").iterdir()}
