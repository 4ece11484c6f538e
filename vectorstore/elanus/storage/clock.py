"""When rows were written, for those that end by their age.

Row numbers grow with time, so a few pairs of a second and the first row number of it tell the age of every row, and
the expired rows are those below one number.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

COARSE_SECONDS = 60
"""How exactly the age of rows is kept in a collection without an end: it may get one, and then they have an age."""


class Clock:
    """The pairs of one collection, as far as this process has read them; both numbers ascend."""

    def __init__(self) -> None:
        self._seconds: list[int] = []
        self._rids: list[int] = []

    @property
    def last(self) -> int:
        """The latest second known."""
        return self._seconds[-1] if self._seconds else -1

    def add(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Take over further pairs."""
        for second, rid in pairs:
            self._seconds.append(second)
            self._rids.append(rid)

    def first_alive(self, now: float, seconds: int, next_rid: int) -> int:
        """The number below which every row is at least so many seconds old."""
        place = bisect_right(self._seconds, int(now) - seconds)
        return self._rids[place] if place < len(self._rids) else next_rid
