"""Moments and intervals of time as Milvus's grammar writes them, in ISO 8601; a moment is microseconds UTC."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import numpy as np

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
SECOND = 1_000_000
DAY = 86_400 * SECOND
MAX_YEARS = 10_000

MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?", re.ASCII | re.IGNORECASE
)
INTERVAL = re.compile(
    r"P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII
)


class Moment(int):
    """Microseconds since 1970, UTC; written and shown as a constant of the language."""

    __slots__ = ()

    def __repr__(self) -> str:
        try:
            return f"ISO '{(EPOCH + timedelta(microseconds=int(self))).isoformat()}'"
        except OverflowError:
            return f"{int(self)} microseconds"


class Interval(NamedTuple):
    """Calendar months, and microseconds of fixed length."""

    months: int
    micros: int

    def reversed(self) -> Interval:
        """The same interval backwards."""
        return Interval(-self.months, -self.micros)


def moment(text: str) -> Moment:
    """Return the moment of a date, or of a date and time with up to nine decimals; without an offset it is UTC.

    Raises:
        ValueError: not such a text, or no such date.
    """
    found = MOMENT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is no timestamp; write one as 2025-05-01T23:59:59+08:00")
    *numbers, fraction, zone = found.groups()
    try:
        offset = datetime.fromisoformat(f"2000-01-01T00:00:00{zone}").tzinfo if zone and zone not in "zZ" else None
        year, month, day, hour, minute, second = (int(number or 0) for number in numbers)
        when = datetime(year, month, day, hour, minute, second, tzinfo=offset or timezone.utc)
    except ValueError as error:
        raise ValueError(f"{text[:40]!r} is no timestamp: {error}") from None
    return Moment((when - EPOCH) // timedelta(microseconds=1) + int((fraction or "0").ljust(6, "0")[:6]))


def moment_of(value: datetime) -> Moment:
    """Return the moment of a datetime.

    Raises:
        ValueError: it has no time zone.
    """
    if value.tzinfo is None:
        raise ValueError("a datetime needs a time zone, as in datetime.now(timezone.utc)")
    return Moment((value - EPOCH) // timedelta(microseconds=1))


def interval(text: str) -> Interval:
    """Return the interval that a text like `P1Y2M3DT4H5M6S` names.

    Raises:
        ValueError: not such a text, or longer than MAX_YEARS years.
    """
    found = INTERVAL.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is no interval; write one as P1Y2M3DT4H5M6S")
    years, months, weeks, days, hours, minutes, seconds = (int(number or 0) for number in found.groups())
    micros = (7 * weeks + days) * DAY + (3600 * hours + 60 * minutes + seconds) * SECOND
    if years * 12 + months > 12 * MAX_YEARS or micros > 365 * MAX_YEARS * DAY:
        raise ValueError(f"an interval is at most {MAX_YEARS} years long")
    return Interval(12 * years + months, micros)


def moved(moments: Any, by: Interval) -> Any:
    """Return moments, int64 (n,), moved by an interval: first the months by the calendar, then the rest.

    A day that the new month does not have runs over into the next: January 31 and a month is March 3, or 2.
    """
    if by.months:
        days, rest = np.divmod(moments, DAY)
        dates = days.astype("datetime64[D]")
        first = dates.astype("datetime64[M]")
        there = (first + np.timedelta64(by.months, "M")).astype("datetime64[D]") + (dates - first)
        moments = there.astype(np.int64) * DAY + rest
    return moments + by.micros
