"""A small collection for filter tests: its schema, and its rows as columns in every form a store may hold them."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import pyarrow as pa
from elanus.analysis import Analyzer
from elanus.filter import PathValues, compile_filter, matches
from elanus.filter.columns import TextIndex
from elanus.index.inverted_build import from_texts
from elanus.schema.collection import DYNAMIC_FIELD, CollectionSchema
from elanus.storage.encoding import dictionary
from elanus.storage.shred import Shredded, shred
from elanus.types import DataType

TYPES = {
    "id": pa.int64(),
    "flag": pa.bool_(),
    "tiny": pa.int8(),
    "count": pa.int64(),
    "price": pa.float32(),
    "weight": pa.float64(),
    "color": pa.string(),
    "note": pa.string(),
    "seen": pa.int64(),
    "tags": pa.list_(pa.string()),
    "sizes": pa.list_(pa.int64()),
    "grades": pa.list_(pa.float32()),
}
JSON_FIELDS = ("meta", DYNAMIC_FIELD)
Row = dict[str, Any]


def make_schema(dynamic: bool = True) -> CollectionSchema:
    schema = CollectionSchema(enable_dynamic_field=dynamic)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("flag", DataType.BOOL, nullable=True)
    schema.add_field("tiny", DataType.INT8, nullable=True)
    schema.add_field("count", DataType.INT64, nullable=True)
    schema.add_field("price", DataType.FLOAT)
    schema.add_field("weight", DataType.DOUBLE, nullable=True)
    schema.add_field("color", DataType.VARCHAR, max_length=100, nullable=True)
    schema.add_field("note", DataType.VARCHAR, max_length=500, enable_analyzer=True, enable_match=True, nullable=True)
    schema.add_field("seen", DataType.TIMESTAMPTZ, nullable=True)
    array = {"max_capacity": 100, "nullable": True}
    schema.add_field("tags", DataType.ARRAY, element_type=DataType.VARCHAR, max_length=100, **array)
    schema.add_field("sizes", DataType.ARRAY, element_type=DataType.INT64, **array)
    schema.add_field("grades", DataType.ARRAY, element_type=DataType.FLOAT, **array)
    schema.add_field("meta", DataType.JSON, nullable=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    return schema


SCHEMA = make_schema()


class MemoryRows:
    """Rows in memory, as the evaluator wants them."""

    def __init__(self, columns: dict[str, pa.Array], paths: dict[str, Shredded], length: int) -> None:
        self.columns, self.paths, self.length = columns, paths, length
        self.derived: dict[Hashable, Any] = {}

    def __len__(self) -> int:
        return self.length

    def column(self, name: str) -> pa.Array:
        return self.columns[name]

    def path(self, field: str, keys: tuple[str | int, ...]) -> PathValues:
        return self.paths[field].path(keys)

    def text_index(self, field: str, analyzer: Analyzer) -> TextIndex:
        return TextIndex(from_texts(analyzer.encode(self.columns[field].to_pylist())))

    def derive(self, key: Hashable, make: Callable[[], Any]) -> Any:
        if key not in self.derived:
            self.derived[key] = make()
        return self.derived[key]


def json_texts(rows: Sequence[Row], field: str) -> pa.Array:
    return pa.array([json.dumps(row[field]) if field in row else None for row in rows], pa.string())


def plain(rows: Sequence[Row]) -> MemoryRows:
    """Plain columns, JSON shredded whole."""
    columns = {name: pa.array([row.get(name) for row in rows], kind) for name, kind in TYPES.items()}
    return MemoryRows(columns, {f: shred(json_texts(rows, f)) for f in JSON_FIELDS}, len(rows))


def encoded(rows: Sequence[Row]) -> MemoryRows:
    """Dictionary-encoded strings; the paths written to Arrow IPC and mapped back."""
    made = plain(rows)
    columns = {name: dictionary(column) for name, column in made.columns.items()}
    return MemoryRows(columns, {f: reopened(p) for f, p in made.paths.items()}, len(rows))


def sliced(rows: Sequence[Row]) -> MemoryRows:
    """Every column a slice that starts at an odd place of a longer one."""
    filler = rows[:3] if rows else []
    first = len(filler)
    padded = plain([*filler, *rows, *filler])
    columns = {n: dictionary(c).slice(first, len(rows)) for n, c in padded.columns.items()}
    texts = {f: json_texts([*filler, *rows, *filler], f).slice(first, len(rows)) for f in JSON_FIELDS}
    return MemoryRows(columns, {f: shred(t) for f, t in texts.items()}, len(rows))


def capped(rows: Sequence[Row]) -> MemoryRows:
    """Only the two most frequent paths have columns; the others are read from the texts."""
    made = plain(rows)
    return MemoryRows(made.columns, {f: shred(json_texts(rows, f), max_paths=2) for f in JSON_FIELDS}, len(rows))


FORMS = {"plain": plain, "encoded": encoded, "sliced": sliced, "capped": capped}


def reopened(shredded: Shredded) -> Shredded:
    """What a segment has: the batch written as an Arrow file and read without copies."""
    batch = shredded.to_batch()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    reader = pa.ipc.open_file(pa.BufferReader(sink.getvalue()))
    return Shredded.from_batch(reader.get_batch(0), shredded.texts)


def matching(text: str, rows: Sequence[Row], form: str = "plain", **params: Any) -> list[int]:
    """The places of the rows that match a filter."""
    mask = matches(compile_filter(text, SCHEMA, params or None), FORMS[form](rows))
    return [place for place, match in enumerate(mask.tolist()) if match]
