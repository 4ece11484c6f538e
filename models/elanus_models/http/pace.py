"""When the next request may be sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Pace:
    """Spaces requests evenly, at most `per_minute` (None: any number); many threads may share one."""

    def __init__(self, per_minute: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._gap = 60.0 / per_minute if per_minute else 0.0
        self._clock = clock
        self._free = -float("inf")
        self._lock = threading.Lock()

    def reserve(self) -> float:
        """Take the next place and return how many seconds it lies ahead."""
        with self._lock:
            now = self._clock()
            place = max(now, self._free)
            self._free = place + self._gap
            return place - now

    def hold(self, seconds: float) -> None:
        """Give out no place for so long: the server asked everybody to wait."""
        with self._lock:
            self._free = max(self._free, self._clock() + seconds)
