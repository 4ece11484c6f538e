"""The bodies of log rows: one Arrow IPC stream of one batch, self-describing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from elanus.schema.buffers import from_numbers
from elanus.schema.collection import CollectionSchema
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
    """Return a log row's batch, zero copy; auto ids, which only the commit knows, are put in."""
    batch = pa.ipc.open_stream(pa.py_buffer(entry.body)).read_next_batch()
    return with_auto_ids(batch, entry, schema)


def with_auto_ids(batch: pa.RecordBatch, entry: LogEntry, schema: CollectionSchema) -> pa.RecordBatch:
    """Number a batch's rows from the entry's first id, if the collection numbers its rows and they have no keys yet."""
    key = schema.primary_field
    if entry.op != WRITE or not key.auto_id or key.name in batch.schema.names:
        return batch
    ids = from_numbers(np.arange(entry.first_id, entry.first_id + entry.rows, dtype=np.int64))
    return batch.add_column(0, pa.field(key.name, pa.int64()), ids)
