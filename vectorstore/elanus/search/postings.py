"""A part's inverted index, over a text or a sparse vector field: from its file, or made when first needed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from elanus.index import inverted_search
from elanus.index.inverted import Postings
from elanus.index.inverted_build import merge
from elanus.search.found import Found
from elanus.storage.part import Part, TailBlock
from elanus.storage.view import View

Invert = Callable[[pa.Array], Postings]
"""Makes the postings of a column's rows."""


def postings_of(part: Part, column: str, file: str, invert: Invert) -> Postings:
    """The inverted index of one column of a part; `file` is the name under which a segment has it."""
    return part.derive(("postings", column), lambda: _load_or_build(part, column, file, invert))


def _load_or_build(part: Part, column: str, file: str, invert: Invert) -> Postings:
    arrays = part.arrays(file)
    if arrays is not None:
        return Postings.from_arrays(arrays)
    known = part.kept() if isinstance(part, TailBlock) else [(part.rows, {})]
    pieces, start = [], 0
    for rows, derived in known:
        made = derived.get(("postings", column))
        pieces.append((invert(part.column(column).slice(start, rows)) if made is None else made, None))
        start += rows
    return pieces[0][0] if len(pieces) == 1 else merge(pieces)


def as_found(view: View, hits: inverted_search.Hits) -> Found:
    """Hits by part and row as hits by row number."""
    rids = np.empty(len(hits.rows), np.int64)
    for number in np.unique(hits.parts).tolist():
        here = hits.parts == number
        rids[here] = view.slices[number].part.rids[hits.rows[here]]
    return Found(rids, hits.scores)
