"""Moments and intervals of time as Milvus's grammar writes them, in ISO 8601; a moment is microseconds UTC."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from elanus.schema.times import FIRST, LAST, to_iso, to_micros
from elanus.schema.unfit import Unfit

SECOND = 1_000_000
DAY = 86_400 * SECOND
MAX_YEARS = 10_000

INTERVAL = re.compile(
    r"P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII
)


class Moment(int):
    """Microseconds since 1970, UTC; written and shown as a constant of the language."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"ISO '{to_iso(int(self))}'" if FIRST <= self <= LAST else f"{int(self)} microseconds"


class Interval(NamedTuple):
    """Calendar months, and microseconds of fixed length."""

    months: int
    micros: int

    def reversed(self) -> Interval:
        """The same interval backwards."""
        return Interval(-self.months, -self.micros)


def moment(value: str | datetime) -> Moment:
    """Return the moment of a text or a datetime, read as the values of a row are; without a zone it is one of UTC.

    Raises:
        ValueError: a text of another form, or no such date.
    """
    try:
        return Moment(to_micros(value))
    except Unfit as error:
        raise ValueError(f"{str(value)[:40]!r} is no timestamp: {error}") from None


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
