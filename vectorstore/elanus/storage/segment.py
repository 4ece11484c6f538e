"""A segment: a folder of immutable files with the rows of one stretch of the log, mapped as one part.

columns.arrow      every column but vectors, and the row numbers ($rid)
keys.arrow         the primary keys' numbers, sorted, and the row of each
vector-<n>.arrow   field n's vectors and their L2 norms
json-<n>.arrow     the JSON of field n by path (json-meta.arrow for the dynamic field)
<index>-<n>.arrow  index files, as the engine names and fills them
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from elanus.errors import StoreFormatError
from elanus.index.metric import norms
from elanus.schema.arrow import PARTITION, blank_column, stored_fields
from elanus.schema.buffers import bits, from_numbers, matrix, numbers
from elanus.schema.collection import DYNAMIC_FIELD, CollectionSchema
from elanus.schema.fields import DENSE_VECTORS
from elanus.storage.encoding import dictionary, plain
from elanus.storage.files import (
    folder_bytes,
    install_folder,
    map_arrays,
    map_batch,
    write_arrays,
    write_batch,
)
from elanus.storage.keys import Keys, KeyTable
from elanus.storage.part import RID, Bools, Floats, Int64s, Part
from elanus.storage.shred import Shredded, shred
from elanus.storage.tables import SegmentRow
from elanus.types import DataType

VECTOR, NORM = "vector", "norm"
Kept = Sequence[tuple[Part, "Bools | None"]]


class Segment(Part):
    """A listed segment's rows; every file is mapped when it is opened, so it may be unlinked meanwhile.

    Raises:
        FileNotFoundError: the folder is gone (merged away since the catalogue was read).
        StoreFormatError: a file is damaged.
    """

    sealed = True

    def __init__(self, folder: Path, row: SegmentRow, schema: CollectionSchema) -> None:
        try:
            batch = map_batch(folder / "columns.arrow")
            columns = dict(zip(batch.schema.names, batch.columns, strict=True))
            super().__init__(columns, numbers(columns.pop(RID)))
            self._files = _open_rest(folder)
            (folder / "columns.arrow").stat()  # still there: so nobody took files away while they were listed
        except pa.ArrowInvalid as error:
            raise StoreFormatError(f"segment {folder} is damaged: {error}") from error
        self.row = row
        self._folder = folder
        self._schema = schema
        self._tags = dict(field_tags(schema))

    def key_table(self, key_field: str) -> KeyTable:
        return self.derive("keys", lambda: KeyTable(**self._files["keys"]))

    def matrix(self, name: str) -> Floats:
        return self._vectors(name)[0]

    def norms(self, name: str) -> Floats:
        return self._vectors(name)[1]

    def _vectors(self, name: str) -> tuple[Floats, Floats]:
        return self.derive(("vectors", name), lambda: _unpack(self._files[f"vector-{self._tags[name]}"]))

    def shredded(self, name: str) -> Shredded:
        batch = self._files.get(f"json-{self._tags[name]}")
        if batch is None:
            return super().shredded(name)
        return self.derive(("json", name), lambda: Shredded.from_batch(batch, self.column(name)))

    def column(self, name: str) -> pa.Array:
        if name in self._columns:
            return super().column(name)
        if f"vector-{self._tags.get(name)}" in self._files:
            return self._files[f"vector-{self._tags[name]}"].column(0)
        return self.derive(("blank", name), lambda: self._blank(name))

    def _blank(self, name: str) -> pa.Array:
        """A column that the segment was written without: all rows in the default partition, or a younger field."""
        if name == PARTITION:
            return from_numbers(np.zeros(self.rows, np.int32))
        return (
            pa.repeat("{}", self.rows) if name == DYNAMIC_FIELD else blank_column(self._schema.field(name), self.rows)
        )

    def tag(self, name: str) -> str:
        return self._tags[name]

    def file(self, name: str) -> Path:
        return self._folder / name

    def arrays(self, name: str) -> dict[str, np.ndarray[Any, Any]] | None:
        return self._files.get(name)


def field_tags(schema: CollectionSchema) -> list[tuple[str, str]]:
    """Each column's name and the tag that its own files bear; names may be too long or collide in case."""
    return [(name, str(n)) for n, name in enumerate(schema.names())] + [
        (DYNAMIC_FIELD, "meta"),
        (PARTITION, "partition"),
    ]


def _open_rest(folder: Path) -> dict[str, Any]:
    files: dict[str, Any] = {}
    for path in sorted(folder.glob("*.arrow")):
        kind = path.stem.partition("-")[0]
        if kind in ("vector", "json"):
            files[path.stem] = map_batch(path, random_access=kind == "vector")
        elif kind != "columns":
            files[path.stem] = map_arrays(path)
    return files


def write_segment(
    folder: Path,
    number: int,
    schema: CollectionSchema,
    kept: Kept,
    write_indexes: Callable[[Path, int], None],
    sync: bool,
) -> SegmentRow:
    """Write the kept rows of several parts, in order, as segment `number` below `folder`; nothing lists it yet.

    `write_indexes(folder, rows)` adds the index files once the columns are there.

    A crash or an error on the way leaves a folder that no catalogue row names: an orphan, collected later.
    """
    temporary = folder / f"{number}.tmp"
    for left in (temporary, folder / str(number)):  # by a reservation that a power cut took back
        shutil.rmtree(left, ignore_errors=True)
    temporary.mkdir()
    try:
        rids = np.concatenate([_keep(part.rids, keep) for part, keep in kept])
        _write_files(temporary, schema, kept, rids, sync)
        write_indexes(temporary, len(rids))
        install_folder(temporary, folder / str(number), sync)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    first = int(rids[0]) if len(rids) else 0
    return SegmentRow(number, 0, len(rids), folder_bytes(folder / str(number)), first)


def _write_files(folder: Path, schema: CollectionSchema, kept: Kept, rids: Int64s, sync: bool) -> None:
    columns: dict[str, pa.Array] = {}
    tags = dict(field_tags(schema))
    for field in stored_fields(schema):
        if field.dtype in DENSE_VECTORS:
            write_batch(folder / f"vector-{tags[field.name]}.arrow", joined_vectors(kept, field.name), sync)
        elif field.dtype == DataType.JSON:
            columns[field.name] = _write_json(folder, kept, field.name, tags, sync)
        else:
            columns[field.name] = dictionary(joined_column(kept, field.name))
    if schema.enable_dynamic_field:
        columns[DYNAMIC_FIELD] = _write_json(folder, kept, DYNAMIC_FIELD, tags, sync)
    partitions = joined_column(kept, PARTITION)
    if numbers(partitions).any():
        columns[PARTITION] = partitions
    key_column = columns[schema.primary_field.name]
    write_arrays(folder / "keys.arrow", KeyTable.build(Keys(key_column)).arrays(), sync)
    names = [*columns, RID]
    batch = pa.RecordBatch.from_arrays([*columns.values(), from_numbers(rids)], names=names)
    write_batch(folder / "columns.arrow", batch, sync)


def _write_json(folder: Path, kept: Kept, name: str, tags: dict[str, str], sync: bool) -> pa.Array:
    column = joined_column(kept, name)
    write_batch(folder / f"json-{tags[name]}.arrow", shred(column).to_batch(), sync)
    return column


def joined_column(kept: Kept, name: str) -> pa.Array:
    """One column of the kept rows, in order, without dictionary encoding."""
    pieces = []
    for part, keep in kept:
        column = part.column(name)
        column = column if keep is None else column.filter(pa.array(keep))
        pieces.append(plain(column))
    return pa.concat_arrays(pieces)


def joined_vectors(kept: Kept, name: str) -> pa.RecordBatch:
    """The vectors of the kept rows, in order, with their norms."""
    joined = np.concatenate([_keep(part.matrix(name), keep) for part, keep in kept])
    null = np.concatenate([_keep(_nulls(part.column(name)), keep) for part, keep in kept])
    mask = pa.array(null) if null.any() else None
    vectors = pa.FixedSizeListArray.from_arrays(from_numbers(joined.reshape(-1)), joined.shape[1], mask=mask)
    return pa.RecordBatch.from_arrays([vectors, from_numbers(norms(joined))], names=[VECTOR, NORM])


def _nulls(column: pa.Array) -> Bools:
    return bits(column.is_null()) if column.null_count else np.zeros(len(column), np.bool_)


def written_vectors(folder: Path, tag: str) -> tuple[Floats, Floats]:
    """The vectors and norms of a field in a segment's folder, mapped."""
    return _unpack(map_batch(folder / f"vector-{tag}.arrow"))


def _unpack(batch: pa.RecordBatch) -> tuple[Floats, Floats]:
    return matrix(batch.column(0)), numbers(batch.column(1))


def _keep(array: np.ndarray[Any, Any], keep: Bools | None) -> np.ndarray[Any, Any]:
    return array if keep is None else array[keep]
