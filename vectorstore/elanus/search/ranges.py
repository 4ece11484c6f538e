"""Range search: only hits whose distance lies within the band that `radius` and `range_filter` ask for.

`radius` is the far end and never belongs to the band, `range_filter` the near end and always does, as in Milvus:
IP, COSINE and BM25 `radius < distance <= range_filter`; L2, HAMMING and JACCARD `range_filter <= distance < radius`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from elanus.errors import InvalidArgument
from elanus.index.metric import DISTANCES, from_distance
from elanus.index.registry import IndexSpec, SearchParams
from elanus.search.found import Found
from elanus.storage.part import Bools, Floats

WIDENING = 4


@dataclass(frozen=True)
class Band:
    """Scores above `low`, up to `high`; they are compared as doubles, as the caller compares the distances he gets."""

    low: float
    high: float = math.inf

    def holds(self, scores: Floats) -> Bools:
        """Which scores lie within."""
        return np.asarray((scores > np.float64(self.low)) & (scores <= np.float64(self.high)))

    def above(self, scores: Floats) -> int:
        """How many scores are too near."""
        return int(np.count_nonzero(scores > np.float64(self.high)))

    def keep(self, found: Found) -> Found:
        """The hits within, in their order."""
        inside = self.holds(found.scores)
        return Found(found.rids[inside], found.scores[inside])


def as_band(spec: IndexSpec, params: SearchParams) -> Band | None:
    """The band of checked search parameters; None without a radius.

    Raises:
        InvalidArgument: a range_filter without a radius, or on the wrong side of it.
    """
    radius, near = params.radius, params.range_filter
    if radius is None:
        if near is not None:
            raise InvalidArgument("search_params: range_filter is the near end of a range; give its far end as radius")
        return None
    band = Band(from_distance(spec.metric, radius), math.inf if near is None else from_distance(spec.metric, near))
    if band.low >= band.high:
        order = "below" if spec.metric in DISTANCES else "above"
        raise InvalidArgument(
            f"search_params: with {spec.metric} range_filter must be {order} radius; they are {near} and {radius}"
        )
    return band


def ranked_within(search: Callable[[int], Sequence[Found]], band: Band, limit: int) -> list[Found]:
    """The best `limit` hits within a band of each query, where `search(k)` gives the exact k best."""
    depth = limit
    while True:
        found = search(depth)
        kept = [band.keep(hits) for hits in found]
        if all(_settled(band, hits, near, limit, depth) for hits, near in zip(found, kept, strict=True)):
            return [hits.window(0, limit) for hits in kept]
        depth *= WIDENING


def _settled(band: Band, found: Found, kept: Found, limit: int, depth: int) -> bool:
    return len(kept.rids) >= limit or len(found.rids) < depth or not found.scores[-1] > band.low
