"""The bodies of log rows: one Arrow IPC stream of one batch, self-describing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from elanus.schema.arrow import PARTITION, arrow_type, blank_column, stored_schema
from elanus.schema.buffers import from_numbers
from elanus.schema.collection import DYNAMIC_FIELD, CollectionSchema
from elanus.storage.tables import WRITE, LogEntry


def encode(batch: pa.RecordBatch) -> memoryview:
    """Return a batch as bytes for the log, copied once: a first pass only measures."""
    size = pa.MockOutputStream()
    _write(size, batch)
    body = pa.allocate_buffer(size.size())
    _write(pa.FixedSizeBufferWriter(body), batch)
    return memoryview(body)


def _write(sink: Any, batch: pa.RecordBatch) -> None:
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)


def decode(entry: LogEntry, schema: CollectionSchema) -> pa.RecordBatch:
    """Return a log row's batch, zero copy, with the columns that it was logged without."""
    batch = pa.ipc.open_stream(pa.py_buffer(entry.body)).read_next_batch()
    return completed(batch, entry, schema)


def completed(batch: pa.RecordBatch, entry: LogEntry, schema: CollectionSchema) -> pa.RecordBatch:
    """A batch of rows with every column of the schema.

    What a batch may lack: auto ids, which only the commit knows; the partition, if it is the default one; and fields
    that were added to the schema after it was committed.
    """
    if entry.op != WRITE:
        return batch
    given = dict(zip(batch.schema.names, batch.columns, strict=True))
    columns = {}
    for column in stored_schema(schema):
        name = column.name
        columns[name] = given[name] if name in given else _absent(name, entry, schema)
    columns[PARTITION] = given[PARTITION] if PARTITION in given else from_numbers(np.zeros(entry.rows, np.int32))
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def _absent(name: str, entry: LogEntry, schema: CollectionSchema) -> pa.Array:
    if name == DYNAMIC_FIELD:
        return pa.repeat("{}", entry.rows)
    field = schema.field(name)
    if field.auto_id:
        ids = from_numbers(np.arange(entry.first_id, entry.first_id + entry.rows, dtype=np.int64))
        return ids.cast(arrow_type(field.dtype, field))
    return blank_column(field, entry.rows)
