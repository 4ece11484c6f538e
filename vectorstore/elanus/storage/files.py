"""Immutable files: written beside their place, fsynced, renamed into it, then only mapped and one day removed.

Every file is Arrow IPC, so any Arrow reader opens it. A file holds either one record batch of rows, or named
flat arrays of different lengths, kept as a batch of one row whose columns are lists.
"""

from __future__ import annotations

import mmap
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from elanus.schema.buffers import from_numbers, numbers
from elanus.storage.failpoints import reach

GONE = ".gone"
Arrays = Mapping[str, "np.ndarray[Any, Any]"]


def write_batch(path: Path, batch: pa.RecordBatch, sync: bool) -> None:
    """Write one record batch as an Arrow IPC file and, with `sync`, wait until it is on disk."""
    reach("segment.write")
    with open(path, "wb") as out:
        with pa.ipc.new_file(out, batch.schema) as writer:
            writer.write_batch(batch)
        out.flush()
        if sync:
            os.fsync(out.fileno())


def write_arrays(path: Path, arrays: Arrays, sync: bool) -> None:
    """Write named one-dimensional arrays of any numeric dtype as an Arrow IPC file of one row of lists."""
    columns = []
    for array in arrays.values():
        flat = from_numbers(array)
        columns.append(pa.LargeListArray.from_arrays(pa.array([0, len(flat)], pa.int64()), flat))
    write_batch(path, pa.RecordBatch.from_arrays(columns, names=list(arrays)), sync)


def map_batch(path: Path, *, random_access: bool = False) -> pa.RecordBatch:
    """Map an Arrow IPC file of one batch, zero copy; the file may be unlinked while the batch lives.

    With `random_access` the kernel is told not to read ahead: few scattered rows are wanted, not a scan.
    """
    with open(path, "rb") as source:
        mapped = mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ)
    if random_access and hasattr(mapped, "madvise"):
        mapped.madvise(mmap.MADV_RANDOM)
    return pa.ipc.open_file(pa.py_buffer(mapped)).get_batch(0)


def map_arrays(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Map what `write_arrays` wrote: read-only arrays by name."""
    batch = map_batch(path)
    return {name: numbers(batch.column(i).values) for i, name in enumerate(batch.schema.names)}


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable; a no-op where folders cannot be fsynced."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def install_folder(temporary: Path, final: Path, sync: bool) -> None:
    """Give a finished folder its name; a crash before this leaves an orphan, after it a complete folder."""
    if sync:
        sync_folder(temporary)
    os.replace(temporary, final)
    if sync:
        sync_folder(final.parent)


def remove_folder(path: Path) -> bool:
    """Remove a folder that nothing lists; say whether it is gone (Windows refuses while files are mapped).

    It is renamed first, so that nobody who opens it meanwhile finds a part of its files.
    """
    try:
        if not path.name.endswith(GONE):
            path = path.rename(path.with_name(path.name + GONE))
        shutil.rmtree(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def folder_bytes(path: Path) -> int:
    """Return the size of a folder's files in bytes, 0 if it is gone."""
    try:
        return sum(entry.stat().st_size for entry in os.scandir(path))
    except FileNotFoundError:
        return 0
