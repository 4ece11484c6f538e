"""LanceDB's tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from elanus.cli.elsewhere.source import Passage, Source, passage, the_one
from elanus.errors import InvalidArgument

BATCH = 1_000
KEYS = ("id", "pk", "uuid", "key")


def open_collection(path: str, wanted: str | None) -> Source:
    """Open a table; its first column of float vectors is moved, and the key is the column id, pk, uuid or key.

    A table without such a column gets its row numbers as keys.
    """
    import lancedb

    database = lancedb.connect(path)
    names = getattr(database, "list_tables", database.table_names)()
    table = database.open_table(the_one("LanceDB", list(getattr(names, "tables", names)), wanted))
    vector = next((f.name for f in table.schema if _is_vector(f.type)), None)
    if vector is None:
        raise InvalidArgument(f"LanceDB: table '{table.name}' has no column of float vectors")
    return Source(table.name, table.count_rows(), "L2", _batches(table, vector))


def _is_vector(kind: pa.DataType) -> bool:
    return bool(pa.types.is_fixed_size_list(kind) and pa.types.is_floating(kind.value_type))


def _batches(table: Any, vector: str) -> Iterator[list[Passage]]:
    key = next((name for name in KEYS if name in table.schema.names), None)
    start = 0
    for batch in table.to_arrow().to_batches(max_chunksize=BATCH):
        rows = batch.to_pylist()
        yield [
            passage(row.pop(key) if key else start + number, row.pop(vector), row) for number, row in enumerate(rows)
        ]
        start += len(rows)
