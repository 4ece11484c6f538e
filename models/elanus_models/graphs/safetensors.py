"""Reads tensors from a safetensors file: eight bytes of header size, a JSON header, then raw values."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from elanus_models.errors import ModelCorrupt

_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1", "BF16": "<u2"}


def read_tensors(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Return every tensor of the file by name; floating ones as float32.

    Values stay mapped from disk where no conversion is due. Raises ModelCorrupt.
    """
    with _header(path) as (header, data):
        return {name: _tensor(data, entry) for name, entry in header.items()}


def tensor_names(path: Path) -> list[str]:
    """Return the names of the file's tensors; raises ModelCorrupt."""
    with _header(path) as (header, _):
        return list(header)


@contextlib.contextmanager
def _header(path: Path) -> Iterator[tuple[dict[str, Any], npt.NDArray[np.uint8]]]:
    """Give the header's entries and the bytes of the values, and turn what is wrong with either into ModelCorrupt."""
    if path.stat().st_size < 8:
        raise ModelCorrupt(f"{path} is too short for a safetensors file; fetch it again")
    data = np.memmap(path, dtype=np.uint8, mode="r")
    try:
        start = 8 + int.from_bytes(data[:8].tobytes(), "little")
        header = json.loads(data[8:start].tobytes())
        header.pop("__metadata__", None)
        yield header, data[start:]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelCorrupt(f"{path} is not a whole safetensors file ({error}); fetch it again") from error


def _tensor(data: npt.NDArray[np.uint8], entry: dict[str, Any]) -> npt.NDArray[Any]:
    begin, end = entry["data_offsets"]
    if end > len(data):
        raise ValueError(f"a tensor ends at byte {end} of {len(data)}")
    values: npt.NDArray[Any] = data[begin:end].view(_DTYPES[entry["dtype"]]).reshape(entry["shape"])
    if entry["dtype"] == "BF16":
        return (values.astype(np.uint32) << 16).view(np.float32)
    if values.dtype.kind == "f" and values.dtype != np.float32:
        return values.astype(np.float32)
    return values
