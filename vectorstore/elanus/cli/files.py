"""Rows in files: Parquet or JSON lines, beside what is needed to make their collection again.

Parquet keeps the collection's schema and indexes in the file's own metadata, JSON lines in a second file beside it.
Dynamic fields are one JSON column, `$meta`, in Parquet, and keys of their own in JSON lines. Vectors of bytes (binary,
float16, bfloat16, int8) are binary columns in Parquet and base64 in JSON lines, sparse vectors maps of index to weight.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from elanus import DataType
from elanus.errors import InvalidArgument, NotFound, NotSupported

Row = dict[str, Any]
Layout = dict[str, Any]
MARK = b"elanus"
META = "$meta"
BYTES = frozenset({DataType.BINARY_VECTOR, DataType.FLOAT16_VECTOR, DataType.BFLOAT16_VECTOR, DataType.INT8_VECTOR})
TYPES: Mapping[DataType, pa.DataType] = {
    DataType.BOOL: pa.bool_(),
    DataType.INT8: pa.int8(),
    DataType.INT16: pa.int16(),
    DataType.INT32: pa.int32(),
    DataType.INT64: pa.int64(),
    DataType.FLOAT: pa.float32(),
    DataType.DOUBLE: pa.float64(),
    **dict.fromkeys((DataType.VARCHAR, DataType.JSON, DataType.TIMESTAMPTZ, DataType.GEOMETRY), pa.string()),
    DataType.FLOAT_VECTOR: pa.list_(pa.float32()),
    DataType.SPARSE_FLOAT_VECTOR: pa.map_(pa.int64(), pa.float32()),
    **dict.fromkeys(BYTES, pa.binary()),
}


def layout_of(client: Any, name: str) -> Layout:
    """The schema and the indexes of a collection, as JSON-serialisable data."""
    told = client.describe_collection(name)
    schema = {key: told.get(key) for key in ("description", "fields", "functions", "enable_dynamic_field", "auto_id")}
    schema["functions"] = [f if isinstance(f, dict) else f.to_dict() for f in schema["functions"] or []]
    indexes = [client.describe_index(name, index) for index in client.list_indexes(name)]
    return {
        "collection": name,
        "schema": schema,
        "indexes": indexes,
        "properties": dict(told.get("properties") or {}),
        "partitions": told.get("num_partitions", 1),
    }


def kept_fields(layout: Layout) -> dict[str, Layout]:
    """The fields whose values are in the file: all but those that BM25 makes from texts."""
    made = {f["output_field_names"][0] for f in layout["schema"]["functions"] if f["type"] == 1}
    fields = {field["name"]: field for field in layout["schema"]["fields"] if field["name"] not in made}
    for name, field in fields.items():
        if DataType(field["type"]) not in TYPES and DataType(field["type"]) != DataType.ARRAY:
            raise NotSupported(f"field '{name}': {DataType(field['type']).name} cannot be exported")
    return fields


def write_rows(path: Path, layout: Layout, batches: Iterable[list[Row]]) -> Iterator[int]:
    """Write batches of rows as they come; yields how many are written. The file is there when all are.

    Raises:
        InvalidArgument: the file's ending names no format.
    """
    write = _of_ending(path, {".parquet": _write_parquet, ".jsonl": _write_lines})
    unfinished = path.with_name(path.name + ".part")
    try:
        yield from write(unfinished, layout, batches)
        if path.suffix == ".jsonl":
            _layout_beside(path).write_text(json.dumps(layout, indent=1))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_layout(path: Path) -> Layout | None:
    """The layout kept with a file; None for one that another program wrote."""
    if not path.is_file():
        raise NotFound(f"there is no file '{path}'")
    if path.suffix == ".parquet":
        kept = (pq.read_schema(path).metadata or {}).get(MARK)
        return None if kept is None else dict(json.loads(kept))
    beside = _layout_beside(path)
    return dict(json.loads(beside.read_text())) if beside.is_file() else None


def read_rows(path: Path, layout: Layout | None, size: int) -> Iterator[list[Row]]:
    """The rows of a file in batches, as `upsert` takes them."""
    read = _of_ending(path, {".parquet": _read_parquet, ".jsonl": _read_lines})
    types = {} if layout is None else {f["name"]: DataType(f["type"]) for f in layout["schema"]["fields"]}
    filled = set() if layout is None else {n for f in layout["schema"]["functions"] for n in f["output_field_names"]}
    for batch in read(path, size):
        yield [
            {name: _as_written(types.get(name), value) for name, value in row.items() if name not in filled}
            for row in batch
        ]


Format = Callable[..., Any]


def _of_ending(path: Path, formats: Mapping[str, Format]) -> Format:
    if path.suffix not in formats:
        raise InvalidArgument(f"'{path}': the ending must be {' or '.join(formats)}")
    return formats[path.suffix]


def _layout_beside(path: Path) -> Path:
    return path.with_name(path.name + ".schema.json")


# Parquet


def _write_parquet(path: Path, layout: Layout, batches: Iterable[list[Row]]) -> Iterator[int]:
    fields = kept_fields(layout)
    columns = [pa.field(name, _arrow_type(field)) for name, field in fields.items()]
    if layout["schema"]["enable_dynamic_field"]:
        columns.append(pa.field(META, pa.string()))
    schema = pa.schema(columns, metadata={MARK: json.dumps(layout).encode()})
    with pq.ParquetWriter(path, schema) as writer:
        for rows in batches:
            arrays = [pa.array([_cell(fields, c.name, row) for row in rows], c.type) for c in schema]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
            yield len(rows)


def _arrow_type(field: Layout) -> pa.DataType:
    if field["type"] == DataType.ARRAY:
        return pa.list_(TYPES[DataType(field["element_type"])])
    return TYPES[DataType(field["type"])]


def _cell(fields: Mapping[str, Layout], name: str, row: Row) -> Any:
    if name == META:
        return json.dumps({key: value for key, value in row.items() if key not in fields}, ensure_ascii=False)
    value, dtype = row.get(name), DataType(fields[name]["type"])
    if dtype == DataType.JSON:
        return None if value is None else json.dumps(value, ensure_ascii=False)
    if dtype in BYTES:
        return value[0] if isinstance(value, list) else value
    if isinstance(value, Mapping):
        return list(value.items())
    return value if value is None or isinstance(value, (str, bytes, bool, int, float)) else list(value)


def _read_parquet(path: Path, size: int) -> Iterator[list[Row]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(size):
            rows = batch.to_pylist(maps_as_pydicts="strict")
            yield [{**json.loads(row.pop(META, None) or "{}"), **row} for row in rows]


# JSON lines


def _write_lines(path: Path, layout: Layout, batches: Iterable[list[Row]]) -> Iterator[int]:
    fields = kept_fields(layout)
    binary = [name for name, field in fields.items() if DataType(field["type"]) in BYTES]
    with path.open("w", encoding="utf-8") as out:
        for rows in batches:
            for row in rows:
                coded = {name: _coded(_cell(fields, name, row)) for name in binary}
                out.write(json.dumps({**row, **coded}, ensure_ascii=False, default=list) + "\n")
            yield len(rows)


def _coded(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _read_lines(path: Path, size: int) -> Iterator[list[Row]]:
    rows = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    rows.append(json.loads(line))
                except ValueError as error:
                    raise InvalidArgument(f"'{path}', line {number}: {error}") from None
            if len(rows) == size:
                yield rows
                rows = []
    if rows:
        yield rows


def _as_written(dtype: DataType | None, value: Any) -> Any:
    if value is None or dtype is None:
        return value
    if dtype in BYTES:
        return base64.b64decode(value) if isinstance(value, str) else value
    if dtype == DataType.SPARSE_FLOAT_VECTOR:
        return {int(index): weight for index, weight in value.items()}
    return json.loads(value) if dtype == DataType.JSON and isinstance(value, str) else value
