"""Between the hits of inverted indexes, by part and row, and hits by row number."""

from __future__ import annotations

import numpy as np

from elanus.index import inverted_search
from elanus.search.found import Found
from elanus.storage.view import View


def as_found(view: View, hits: inverted_search.Hits) -> Found:
    """Hits by part and row as hits by row number."""
    if len(view.slices) == 1:
        return Found(view.slices[0].part.rids[hits.rows], hits.scores)
    rids = np.empty(len(hits.rows), np.int64)
    for number in np.unique(hits.parts).tolist():
        here = hits.parts == number
        rids[here] = view.slices[number].part.rids[hits.rows[here]]
    return Found(rids, hits.scores)


def place_of(view: View, rid: int) -> tuple[int, int]:
    """The part (by its place in the view) and the row of it that bear a row number."""
    wanted = np.array([rid], np.int64)
    for number, s in enumerate(view.slices):
        _, rows = s.part.locate(wanted)
        if len(rows):
            return number, int(rows[0])
    raise AssertionError("a hit of a view is in one of its parts")
