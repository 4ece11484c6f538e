"""The bodies of log rows: one Arrow IPC stream of one batch, self-describing."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from elanus.schema.collection import CollectionSchema
from elanus.storage.tables import WRITE, LogEntry


def encode(batch: pa.RecordBatch) -> bytes:
    """Return a batch as bytes for the log."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def decode(entry: LogEntry, schema: CollectionSchema) -> pa.RecordBatch:
    """Return a log row's batch, zero copy; auto ids, which only the commit knows, are put in."""
    batch = pa.ipc.open_stream(pa.py_buffer(entry.body)).read_next_batch()
    return with_auto_ids(batch, entry, schema)


def with_auto_ids(batch: pa.RecordBatch, entry: LogEntry, schema: CollectionSchema) -> pa.RecordBatch:
    """Number a batch's rows from the entry's first id, if the collection numbers its rows."""
    key = schema.primary_field
    if entry.op != WRITE or not key.auto_id:
        return batch
    ids = pa.array(np.arange(entry.first_id, entry.first_id + entry.rows, dtype=np.int64))
    return batch.add_column(0, pa.field(key.name, pa.int64()), ids)
