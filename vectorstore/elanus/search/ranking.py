"""How found hits come into their final order: the routes merged, and perhaps scored anew by a model or a formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from elanus.errors import InvalidArgument
from elanus.rank import Fuse, Reranking, RRFRanker, as_decay, as_ranker, as_reranking
from elanus.rank.decay import Decay, best_scores
from elanus.schema.collection import CollectionSchema
from elanus.search.decaying import check_decay, faded
from elanus.search.found import Found
from elanus.search.request import MAX_LIMIT, Route, check_window
from elanus.search.reranking import make_judge
from elanus.storage.view import View

Rescore = Callable[[View, Sequence[Found], int], list[Found]]
"""From each query's hits to the same in another order, with other scores; so many of them are wanted at least."""


@dataclass(frozen=True, eq=False)
class Ranking:
    """What is done with the hits of the routes.

    Attributes:
        merge: makes one list of one query's hits of each route.
        fuse: what `merge` does where a score is the sum of the routes' shares; None where it is not.
        rescore: None where the merged scores are the final ones.
    """

    merge: Callable[[Sequence[Found]], Found]
    fuse: Fuse | None = None
    rescore: Rescore | None = None


@dataclass(frozen=True, eq=False)
class Ranker:
    """What the caller asked for as `ranker`, of which at most one is there: a model, a decay, or a fusion."""

    model: Reranking | None = None
    decay: Decay | None = None
    fusion: Any = None

    def depth(self, wanted: int) -> int:
        """How many hits a plain search brings, so that `wanted` of them can leave."""
        if self.decay is not None:
            return check_window(self.decay.depth(wanted, MAX_LIMIT), 0)[0]
        return wanted if self.model is None else check_window(self.model.depth(wanted), 0)[0]

    def over_one(self, schema: CollectionSchema, route: Route, data: Any) -> Ranking:
        """The ranking of a plain search."""
        if self.decay is not None:
            return self._decayed(schema, self.decay, [route])
        return Ranking(lambda hits: hits[0], None, self._judged(schema, [data], route.queries))

    def over_all(self, schema: CollectionSchema, routes: Sequence[Route], data: Sequence[Any]) -> Ranking:
        """The ranking of a hybrid search."""
        if self.decay is not None:
            if self.decay.candidates is not None:
                raise InvalidArgument(
                    f"{self.decay.who}: in hybrid_search the requests' limits say how many candidates"
                )
            return self._decayed(schema, self.decay, routes)
        asked = RRFRanker() if self.model is not None else self.fusion
        fuse = as_ranker(asked, [route.spec.metric for route in routes])
        judged = self._judged(schema, data, routes[0].queries)
        return Ranking(lambda hits: Found(*fuse([(h.rids, h.scores) for h in hits])), fuse, judged)

    def _judged(self, schema: CollectionSchema, data: Sequence[Any], queries: int) -> Rescore | None:
        return None if self.model is None else make_judge(schema, self.model, data, queries).rerank

    def _decayed(self, schema: CollectionSchema, decay: Decay, routes: Sequence[Route]) -> Ranking:
        check_decay(schema, decay)
        metrics = [route.spec.metric for route in routes]

        def best(hits: Sequence[Found]) -> Found:
            return Found(*best_scores([(h.rids, h.scores) for h in hits], metrics))

        return Ranking(best, None, lambda view, found, _: [faded(view, decay, hits) for hits in found])


def as_single(ranker: Any) -> Ranker:
    """What a plain search may be ranked by: a model, a formula, or nothing.

    Raises:
        InvalidArgument: a fusion, or nothing that ranks.
    """
    asked = Ranker() if ranker is None else as_any(ranker)
    if asked.fusion is not None:
        as_ranker(ranker, [""])  # tells what is wrong with anything but a fusion
        raise InvalidArgument("search: the ranker fuses several requests; use hybrid_search, or a model as ranker")
    return asked


def as_any(ranker: Any) -> Ranker:
    """What a hybrid search may be ranked by."""
    decay = as_decay(ranker)
    model = None if decay is not None else as_reranking(ranker)
    return Ranker(model, decay, None if decay is not None or model is not None else ranker or False)
