"""ISO moments and intervals: how they are read, and what a TIMESTAMPTZ field is compared with."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from elanus.errors import FilterError
from elanus.filter import F, compile_filter
from elanus.filter.conditions import Compare, Const
from elanus.filter.moments import Interval, interval, moment

from tests.filter.rows import SCHEMA, matching

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
DAY = 86_400_000_000
EAST = timezone(timedelta(hours=8))


def row(when: datetime | None) -> dict[str, Any]:
    return {"price": 0.0, "seen": None if when is None else (when - EPOCH) // timedelta(microseconds=1)}


ROWS = [row(datetime(2025, 1, day, 12, tzinfo=timezone.utc)) for day in (1, 2, 3, 31)] + [row(None)]


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2025-05-01T23:59:59+08:00", datetime(2025, 5, 1, 15, 59, 59)),
        ("2025-05-01T23:59:59Z", datetime(2025, 5, 1, 23, 59, 59)),
        ("2025-05-01 23:59:59", datetime(2025, 5, 1, 23, 59, 59)),
        ("2025-05-01t23:59:59.25-00:30", datetime(2025, 5, 2, 0, 29, 59, 250_000)),
        ("2025-05-01T23:59:59.123456789Z", datetime(2025, 5, 1, 23, 59, 59, 123_456)),
        ("1969-12-31T23:59:59.9Z", datetime(1969, 12, 31, 23, 59, 59, 900_000)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59)),
    ],
)
def test_a_moment_is_read_to_the_microsecond(text: str, when: datetime) -> None:
    assert moment(text) == (when.replace(tzinfo=timezone.utc) - EPOCH) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P1D", Interval(0, DAY)),
        ("P1Y2M", Interval(14, 0)),
        ("P2W", Interval(0, 14 * DAY)),
        ("PT36H", Interval(0, 36 * 3600 * 1_000_000)),
        ("P1Y2M3DT4H5M6S", Interval(14, 3 * DAY + (4 * 3600 + 5 * 60 + 6) * 1_000_000)),
        ("P0D", Interval(0, 0)),
    ],
)
def test_an_interval_is_months_and_microseconds(text: str, expected: Interval) -> None:
    assert interval(text) == expected


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("seen > ISO '2025-01-02T00:00:00Z'", [1, 2, 3]),
        ("seen == ISO '2025-01-01T20:00:00+08:00'", [0]),
        ("seen != ISO '2025-01-01T12:00:00Z'", [1, 2, 3]),
        ("iso '2025-01-02T12:00:00Z' >= seen", [0, 1]),
        ("ISO '2025-01-01T12:00:00Z' < seen <= ISO '2025-01-03T12:00:00Z'", [1, 2]),
        ("seen + INTERVAL 'P1D' == ISO '2025-01-02T12:00:00Z'", [0]),
        ("seen - interval 'P1M' < ISO '2024-12-02T12:00:00Z'", [0]),
        ("seen + INTERVAL 'P1M' == ISO '2025-03-03T12:00:00Z'", [3]),
        ("seen > ISO '2025-01-31T12:00:00Z' - INTERVAL 'P28DT1S'", [2, 3]),
        ("seen in [ISO '2025-01-01T12:00:00Z', ISO '2025-01-31T12:00:00Z']", [0, 3]),
        ("seen not in ['2025-01-01T12:00:00Z']", [1, 2, 3]),
        ("seen >= '2025-01-03 00:00:00'", [2, 3]),
        ("seen == seen", [0, 1, 2, 3]),
        ("seen + INTERVAL 'PT1S' > seen", [0, 1, 2, 3]),
        ("seen is null", [4]),
        ("ISO '2025-01-01 00:00:00' < ISO '2025-01-02 00:00:00' and seen < ISO '2025-01-02 00:00:00'", [0]),
    ],
)
def test_a_timestamp_is_compared_as_a_moment(text: str, places: list[int]) -> None:
    assert matching(text, ROWS) == places


def test_a_timestamp_takes_templates() -> None:
    when = datetime(2025, 1, 2, 20, tzinfo=EAST)
    assert matching("seen >= {t}", ROWS, t=when) == [1, 2, 3]
    assert matching("seen >= {t}", ROWS, t="2025-01-02T20:00:00+08:00") == [1, 2, 3]
    assert matching("seen in {t}", ROWS, t=[when, "2025-01-03 12:00:00"]) == [1, 2]
    assert matching("{low} < seen < {high}", ROWS, low="2025-01-01T13:00:00Z", high=when) == []
    assert matching("seen + INTERVAL 'P1D' >= {t}", ROWS, t=when) == [0, 1, 2, 3]
    assert matching("seen >= {t}", ROWS, t=datetime(2025, 1, 2, 12)) == [1, 2, 3]
    with pytest.raises(FilterError, match="'soon' is no timestamp"):
        matching("seen >= {t}", ROWS, t="soon")


def test_a_datetime_in_python_is_a_moment_in_the_filter() -> None:
    when = F.seen >= datetime(2025, 1, 2, 20, tzinfo=EAST)
    assert str(when) == "seen >= ISO '2025-01-02T12:00:00Z'"
    assert matching(when.text, ROWS, **when.params) == matching(str(when), ROWS) == [1, 2, 3]
    day_later = F.seen + timedelta(days=1) == datetime(2025, 1, 2, 12)
    assert str(day_later) == "seen + INTERVAL 'PT86400S' == ISO '2025-01-02T12:00:00Z'"
    assert matching(str(day_later), ROWS) == [0]
    assert matching(str(F.seen - timedelta(hours=-24) == datetime(2025, 1, 2, 12)), ROWS) == [0]
    assert matching(str(F.seen - timedelta(hours=24) == datetime(2025, 1, 2, 12)), ROWS) == [2]
    with pytest.raises(FilterError, match="whole seconds"):
        F.seen + timedelta(microseconds=1)
    assert str(F.seen < datetime(2025, 1, 1)) == "seen < ISO '2025-01-01T00:00:00Z'"


def test_a_lookup_is_asked_for_numbers() -> None:
    condition = compile_filter("seen > ISO '1970-01-01T00:00:01Z'", SCHEMA).condition
    assert isinstance(condition, Compare)
    assert condition.right == Const(1_000_000)
    assert type(condition.right.value) is int


def test_every_day_of_a_leap_cycle_moves_as_the_c_library_moves_it() -> None:
    days = np.arange(0, 4 * 366) * DAY + 5
    rows = [{"price": 0.0, "seen": int(day)} for day in days]
    for text in ("P1M", "P11M", "P1Y", "P4Y1M3DT5H"):
        kept = interval(text)
        for place in range(0, len(days), 97):
            at = EPOCH + timedelta(microseconds=int(days[place]))
            year, month = divmod(at.year * 12 + at.month - 1 + kept.months, 12)
            then = at.replace(year=year, month=month + 1, day=1) + timedelta(at.day - 1, microseconds=kept.micros)
            assert place in matching(f"seen + INTERVAL '{text}' == {{t}}", rows, t=then)
