"""Hits of the inverted indexes, by part and row, as hits by row number."""

from __future__ import annotations

import numpy as np

from elanus.index import inverted_search
from elanus.search.found import Found
from elanus.storage.view import View


def as_found(view: View, hits: inverted_search.Hits) -> Found:
    """Hits by part and row as hits by row number."""
    rids = np.empty(len(hits.rows), np.int64)
    for number in np.unique(hits.parts).tolist():
        here = hits.parts == number
        rids[here] = view.slices[number].part.rids[hits.rows[here]]
    return Found(rids, hits.scores)
