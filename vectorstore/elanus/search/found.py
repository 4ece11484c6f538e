"""What a route found, and how row numbers become rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from elanus.schema.output import Output, read_rows
from elanus.storage.part import Floats, Int64s, Part
from elanus.storage.view import View


@dataclass(frozen=True, eq=False)
class Found:
    """Hits of one query, best first: row numbers (rids) and scores that grow with likeness."""

    rids: Int64s
    scores: Floats

    def window(self, offset: int, limit: int) -> Found:
        """The hits from `offset` on, at most `limit`."""
        return Found(self.rids[offset : offset + limit], self.scores[offset : offset + limit])

    def at(self, places: Int64s) -> Found:
        """The hits at these places."""
        return Found(self.rids[places], self.scores[places])

    def then(self, others: Found) -> Found:
        """These hits and others behind them."""
        return Found(np.concatenate([self.rids, others.rids]), np.concatenate([self.scores, others.scores]))


NOTHING = Found(np.empty(0, np.int64), np.empty(0, np.float32))


def fetch(view: View, rids: Int64s, output: Output) -> list[dict[str, Any]]:
    """Read rows by their numbers, in the order given, as dicts of the wanted fields."""
    return _gather(view, rids, lambda part, rows: read_rows(part.reader, rows, output))


def fetch_with_keys(view: View, key_field: str, rids: Int64s, output: Output) -> list[tuple[Any, dict[str, Any]]]:
    """Read rows by their numbers, in the order given, as pairs of the primary key and the wanted fields."""

    def read(part: Part, rows: Int64s) -> list[Any]:
        return list(zip(part.reader(key_field)(rows), read_rows(part.reader, rows, output), strict=True))

    return _gather(view, rids, read)


def _gather(view: View, rids: Int64s, read: Callable[[Part, Int64s], list[Any]]) -> list[Any]:
    out: list[Any] = [None] * len(rids)
    left = len(rids)
    for s in view.slices:
        if not left:
            break
        which, rows = s.part.locate(rids)
        if len(which):
            left -= len(which)
            for place, row in zip(which.tolist(), read(s.part, rows), strict=True):
                out[place] = row
    return out
