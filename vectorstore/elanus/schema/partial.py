"""Rows that bring only some of their fields, for partial upserts, and the rows they are merged into."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from elanus.errors import InvalidArgument, RowError, did_you_mean
from elanus.schema.arrow import arrow_schema, blank_column
from elanus.schema.buffers import from_numbers
from elanus.schema.collection import CollectionSchema
from elanus.schema.columns import to_column
from elanus.schema.fields import FieldSchema
from elanus.schema.json_text import json_text
from elanus.schema.rows import to_batch
from elanus.schema.shapes import rows_or_columns
from elanus.schema.unfit import Unfit
from elanus.types import DataType

REPLACE, APPEND, REMOVE = "replace", "array_append", "array_remove"
_OF_PYMILVUS = (REPLACE, APPEND, REMOVE)
"""The operations by the numbers of pymilvus's enumeration."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Rows of a batch that bring the same fields: their places in it, and their columns."""

    places: np.ndarray[Any, np.dtype[np.int64]]
    batch: pa.RecordBatch


def with_own_keys(schema: CollectionSchema) -> CollectionSchema:
    """The same schema for rows that bring the keys that the store would give."""
    raw = schema.to_dict()
    fields = [{**field, "auto_id": False} if field.get("is_primary") else field for field in raw["fields"]]
    return CollectionSchema.from_dict({**raw, "auto_id": False, "fields": fields})


def brings_keys(schema: CollectionSchema, data: Any) -> bool:
    """Whether rows bring the primary field: the first row decides, and the others must do alike."""
    shaped = rows_or_columns(with_own_keys(schema), data)
    first = (shaped[0] if shaped else {}) if isinstance(shaped, list) else shaped
    return schema.primary_field.name in first


def to_pieces(schema: CollectionSchema, data: Any) -> list[Piece]:
    """Return rows that lack fields as checked batches, one for each set of fields that rows bring.

    Raises:
        RowError: as `to_batch`, a row without a key, or two rows of one key.
    """
    whole = with_own_keys(schema)
    shaped = rows_or_columns(whole, data)
    if not isinstance(shaped, list):
        batch = to_batch(_only(whole, set(shaped)), shaped)
        pieces = [Piece(np.arange(batch.num_rows), batch)]
    else:
        pieces = _by_fields(whole, shaped)
    _refuse_doubled(whole.primary_field.name, pieces)
    return [piece for piece in pieces if len(piece.places)]


def _by_fields(schema: CollectionSchema, rows: Sequence[Mapping[str, Any]]) -> list[Piece]:
    names = set(schema.names())
    places: dict[frozenset[str], list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(frozenset(names & row.keys()), []).append(place)
    pieces = []
    for given, own in places.items():
        try:
            batch = to_batch(_only(schema, set(given)), [rows[place] for place in own])
        except RowError as error:
            if error.row is None:
                raise
            place = own[error.row]
            raise RowError(error.message.replace(f"row {error.row}", f"row {place}", 1), place) from None
        pieces.append(Piece(np.array(own, np.int64), batch))
    return pieces


def _only(schema: CollectionSchema, given: set[str]) -> CollectionSchema:
    """The schema of rows that bring the key and these fields; a field that a function fills stays one."""
    key = schema.primary_field.name
    filled = {name for function in schema.functions for name in function.output_field_names}
    if computed := sorted(filled & given):
        raise RowError(f"field '{computed[0]}' is computed by a function; leave it out")
    raw = schema.to_dict()
    return CollectionSchema.from_dict(
        {**raw, "functions": [], "fields": [f for f in raw["fields"] if f["name"] in given | {key}]}
    )


def _refuse_doubled(key: str, pieces: Sequence[Piece]) -> None:
    seen: dict[Any, int] = {}
    for piece in pieces:
        for place, value in zip(piece.places.tolist(), piece.batch.column(key).to_pylist(), strict=True):
            if value in seen:
                first, second = sorted((seen[value], place))
                raise RowError(
                    f"rows {first} and {second} have the same key {value!r}; a partial update takes each once"
                )
            seen[value] = place


def checked_operations(schema: CollectionSchema, operations: object) -> dict[str, str]:
    """Return what is to be done with ARRAY fields: by name "array_append" or "array_remove".

    Raises:
        InvalidArgument: no such field or operation.
    """
    if not isinstance(operations, Mapping):
        raise InvalidArgument(f"field_ops must be a dict, not {type(operations).__name__}")
    checked = {}
    for name, given in operations.items():
        operation = _OF_PYMILVUS[given.op] if hasattr(given, "op") else str(given).lower()
        if operation not in _OF_PYMILVUS:
            near = did_you_mean(operation, _OF_PYMILVUS)
            raise InvalidArgument(f"field_ops: '{name}' cannot be {given!r}; use {' or '.join(_OF_PYMILVUS)}{near}")
        field = schema.field(name)
        if operation != REPLACE:
            if field.dtype != DataType.ARRAY:
                raise InvalidArgument(f"field_ops: '{name}' is {field.dtype.name}; {operation} is for ARRAY fields")
            checked[name] = operation
    return checked


def operated(field: FieldSchema, operation: str, old: pa.Array, given: pa.Array) -> pa.Array:
    """Lists with elements appended, or every equal one removed; a null counts as empty.

    Raises:
        RowError: a list would exceed max_capacity; `row` is its place.
    """
    lists = []
    for place, (base, change) in enumerate(zip(old.to_pylist(), given.to_pylist(), strict=True)):
        base, change = base or [], change or []
        new = [*base, *change] if operation == APPEND else [item for item in base if item not in change]
        try:
            to_column(field, [new])
        except Unfit as rule:
            raise RowError(f"row {place}, field '{field.name}', after {operation}: {rule}", place) from None
        lists.append(new)
    return pa.array(lists, old.type)


def merged_json(old: pa.Array, given: pa.Array) -> pa.Array:
    """Dynamic fields as JSON texts: the old ones, with the given ones in their place or added."""
    texts = [
        base if change == "{}" else json_text({**json.loads(base), **json.loads(change)})
        for base, change in zip(old.to_pylist(), given.to_pylist(), strict=True)
    ]
    return pa.array(texts, pa.string())


def blanks(schema: CollectionSchema, names: Sequence[str], piece: Piece, new: Sequence[int]) -> pa.RecordBatch:
    """The columns that new rows of a piece do not bring, as nulls and default values.

    Raises:
        RowError: a field must be given; names the row by its place in the batch.
    """
    bare = with_own_keys(schema)
    embedded = {name for function in schema.embeddings for name in function.input_field_names}
    columns = {}
    for column in arrow_schema(bare):
        if column.name not in names:
            continue
        field = next((f for f in bare.fields if f.name == column.name), None)
        optional = field is None or field.nullable or field.default_value is not None
        if field is not None and (not optional or field.name in embedded):
            place = int(piece.places[new[0]])
            key = piece.batch.column(schema.primary_field.name)[new[0]].as_py()
            raise RowError(
                f"row {place}: there is no row of key {key!r} to update, and a new one needs field '{field.name}' "
                f"({field.dtype.name})",
                place,
            )
        columns[column.name] = pa.repeat("{}", len(new)) if field is None else blank_column(field, len(new))
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def in_order(pieces: Sequence[pa.RecordBatch], places: Sequence[np.ndarray[Any, np.dtype[np.int64]]]) -> pa.RecordBatch:
    """The rows of several batches of the same columns, each to its place."""
    joined = pa.concat_batches(list(pieces)) if len(pieces) > 1 else pieces[0]
    order = np.argsort(np.concatenate(list(places)), kind="stable")
    return joined.take(from_numbers(order))
