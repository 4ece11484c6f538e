"""Partial upserts: rows that bring some of their fields, completed from the rows that they replace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from elanus.errors import RowError
from elanus.schema.arrow import PARTITION, stored_schema
from elanus.schema.buffers import from_numbers
from elanus.schema.collection import DYNAMIC_FIELD, CollectionSchema
from elanus.schema.partial import Piece, blanks, in_order, merged_json, operated
from elanus.storage.keys import Int64s, Keys
from elanus.storage.view import View, find


def merged(
    view: View, schema: CollectionSchema, pieces: Sequence[Piece], operations: Mapping[str, str], partition: int | None
) -> pa.RecordBatch:
    """The whole rows, in the batch's order, with their partitions: the old ones, or `partition` for all of them.

    Fields that a row does not bring keep their values; dynamic fields are merged by name. A row whose key is new must
    bring what every row must.

    Raises:
        RowError: a new row lacks a field, or an operation does not fit; names the row.
    """
    whole = [_merged_piece(view, schema, piece, operations, partition) for piece in pieces]
    return in_order(whole, [piece.places for piece in pieces])


def _merged_piece(
    view: View, schema: CollectionSchema, piece: Piece, operations: Mapping[str, str], partition: int | None
) -> pa.RecordBatch:
    given = dict(zip(piece.batch.schema.names, piece.batch.columns, strict=True))
    kept = {c.name for c in stored_schema(schema) if c.name not in given or c.name in operations}
    if schema.enable_dynamic_field:
        kept.add(DYNAMIC_FIELD)
    base = _base(view, schema, piece, kept)
    columns = {}
    for column in stored_schema(schema):
        name = column.name
        if name not in given:
            columns[name] = base.column(name)
        elif name == DYNAMIC_FIELD:
            columns[name] = merged_json(base.column(name), given[name])
        elif name in operations:
            try:
                columns[name] = operated(schema.field(name), operations[name], base.column(name), given[name])
            except RowError as error:
                place = int(piece.places[error.row or 0])
                raise RowError(error.message.replace(f"row {error.row}", f"row {place}", 1), place) from None
        else:
            columns[name] = given[name]
    numbers = base.column(PARTITION) if partition is None else pa.repeat(pa.scalar(partition, pa.int32()), len(base))
    columns[PARTITION] = numbers
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def _base(view: View, schema: CollectionSchema, piece: Piece, names: set[str]) -> pa.RecordBatch:
    """The columns of the rows that the piece's keys have, or what a new row begins with, in the piece's order."""
    key = schema.primary_field.name
    wanted = pa.schema([*(c for c in stored_schema(schema) if c.name in names), pa.field(PARTITION, pa.int32())])
    batches, places = [], []
    for s, (which, rows) in zip(view.slices, find(view, Keys(piece.batch.column(key)), key), strict=True):
        if len(which):
            batches.append(s.part.taken(rows, wanted))
            places.append(which)
    known = np.concatenate(places) if places else np.empty(0, np.int64)
    new = np.setdiff1d(np.arange(len(piece.places)), known)
    if len(new):
        batches.append(_new(schema, wanted, piece, new))
        places.append(new)
    return in_order(batches, places)


def _new(schema: CollectionSchema, wanted: pa.Schema, piece: Piece, rows: Int64s) -> pa.RecordBatch:
    given = set(piece.batch.schema.names)
    made = blanks(schema, [name for name in wanted.names if name not in given], piece, rows.tolist())
    columns = dict(zip(made.schema.names, made.columns, strict=True))
    columns[PARTITION] = from_numbers(np.zeros(len(rows), np.int32))
    for column in wanted:
        if column.name not in columns:  # merged with what the row brings
            empty = "{}" if column.name == DYNAMIC_FIELD else None
            columns[column.name] = pa.repeat(pa.scalar(empty, column.type), len(rows))
    return pa.RecordBatch.from_arrays([columns[name] for name in wanted.names], schema=wanted)
