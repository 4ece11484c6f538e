"""TIMESTAMPTZ: points in time, from ISO 8601 text or datetimes to microseconds of UTC since 1970, and back to text.

A time without a zone is one of UTC. Fractions finer than a microsecond are cut off, as Milvus cuts them. Text leaves as
RFC 3339 in UTC: "2025-05-01T15:59:59Z", "2025-05-01T15:59:59.5Z".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pyarrow as pa

from elanus.schema.buffers import from_numbers, numbers
from elanus.schema.unfit import Unfit

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MICROSECOND = timedelta(microseconds=1)
FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999  # the years 1 to 9999
ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))? ?(?:(Z)|([+-])(\d\d):?([0-5]\d)?)?",
    re.ASCII | re.IGNORECASE,
)
SAID = "must be an ISO 8601 time such as '2025-05-01T23:59:59+08:00', or a datetime"


def time_column(values: Sequence[Any]) -> pa.Array:
    """Return times as a column of int64.

    Raises:
        Unfit: a value is neither text in that form nor a datetime, or outside the years 1 to 9999.
    """
    if all(type(value) is str for value in values):
        try:
            return from_timestamps(pa.array(values, pa.string()).cast(pa.timestamp("us", "UTC")))
        except (pa.ArrowInvalid, UnicodeEncodeError, Unfit):
            pass  # forms that Arrow does not read, or a wrong one
    return from_numbers(np.array([to_micros(value) for value in values], np.int64))


def from_timestamps(column: pa.Array) -> pa.Array:
    """Return an Arrow column of timestamps as one of int64; without a zone they are UTC's.

    Raises:
        Unfit: outside the years 1 to 9999.
    """
    try:
        micros = column.cast(pa.timestamp("us", column.type.tz), safe=column.type.unit != "ns").cast(pa.int64())
    except pa.ArrowInvalid:
        raise Unfit("outside the years 1 to 9999") from None
    found = numbers(micros)
    if len(found) and (found.min() < FIRST or found.max() > LAST):
        raise Unfit("outside the years 1 to 9999")
    return micros


def to_micros(value: Any) -> int:
    """Return one time as microseconds; raises as `time_column`."""
    if isinstance(value, str):
        value = _read(value)
    if not isinstance(value, datetime):
        raise Unfit(f"{SAID}, not {type(value).__name__}")
    if value != value:  # pandas's NaT
        raise Unfit("NaT is no time")
    if value.tzinfo is None:
        value = value.replace(tzinfo=timezone.utc)
    micros = (value - EPOCH) // MICROSECOND
    if not FIRST <= micros <= LAST:
        raise Unfit("outside the years 1 to 9999 in UTC")
    return int(micros)


def to_iso(micros: int) -> str:
    """Return microseconds as text."""
    text = (EPOCH + micros * MICROSECOND).replace(tzinfo=None).isoformat()
    return (text.rstrip("0") if "." in text else text) + "Z"


def _read(text: str) -> datetime:
    found = ISO.fullmatch(text)
    if found is None:
        raise Unfit(SAID)
    date, time, fraction, _, sign, hours, minutes = found.groups()
    try:
        read = datetime.fromisoformat(f"{date}T{time}")
        ahead = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
        return (read + int((fraction or "").ljust(6, "0")[:6]) * MICROSECOND).replace(tzinfo=timezone(ahead))
    except (ValueError, OverflowError) as error:
        raise Unfit(f"no time: {error}") from None
