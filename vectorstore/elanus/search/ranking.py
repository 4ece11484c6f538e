"""How found hits come into their final order: the routes merged, and perhaps scored anew by a model or a formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from elanus.errors import InvalidArgument
from elanus.rank import Fuse, Reranking, RRFRanker, as_decay, as_ranker, as_reranking
from elanus.rank.boost import Boosts, as_boosts, sole_function
from elanus.rank.decay import Decay, best_scores
from elanus.schema.collection import CollectionSchema
from elanus.search.boosting import make_booster
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
    """What the caller asked for as `ranker`, of which at most one is there: a model, a formula, or a fusion."""

    model: Reranking | None = None
    formula: Decay | Boosts | None = None
    fusion: Any = None

    def depth(self, wanted: int) -> int:
        """How many hits a plain search brings, so that `wanted` of them can leave."""
        if self.formula is not None:
            return check_window(self.formula.depth(wanted, MAX_LIMIT), 0)[0]
        return wanted if self.model is None else check_window(self.model.depth(wanted), 0)[0]

    def over_one(self, schema: CollectionSchema, route: Route, data: Any) -> Ranking:
        """The ranking of a plain search."""
        if self.formula is not None:
            return _formulated(schema, self.formula, [route])
        return Ranking(lambda hits: hits[0], None, self._judged(schema, [data], route.queries))

    def over_all(self, schema: CollectionSchema, routes: Sequence[Route], data: Sequence[Any]) -> Ranking:
        """The ranking of a hybrid search."""
        if self.formula is not None:
            if self.formula.candidates is not None:
                raise InvalidArgument(
                    f"{self.formula.who}: in hybrid_search the requests' limits say how many candidates"
                )
            return _formulated(schema, self.formula, routes)
        asked = RRFRanker() if self.model is not None else self.fusion
        fuse = as_ranker(asked, [route.spec.metric for route in routes])
        judged = self._judged(schema, data, routes[0].queries)
        return Ranking(lambda hits: Found(*fuse([(h.rids, h.scores) for h in hits])), fuse, judged)

    def _judged(self, schema: CollectionSchema, data: Sequence[Any], queries: int) -> Rescore | None:
        return None if self.model is None else make_judge(schema, self.model, data, queries).rerank


def _formulated(schema: CollectionSchema, formula: Decay | Boosts, routes: Sequence[Route]) -> Ranking:
    """The best score of each row, and then the formula."""
    metrics = [route.spec.metric for route in routes]

    def best(hits: Sequence[Found]) -> Found:
        return Found(*best_scores([(h.rids, h.scores) for h in hits], metrics))

    again = _again(schema, formula)
    return Ranking(best, None, lambda view, found, _: [again(view, hits) for hits in found])


def _again(schema: CollectionSchema, formula: Decay | Boosts) -> Callable[[View, Found], Found]:
    if isinstance(formula, Boosts):
        return make_booster(schema, formula).boosted
    check_decay(schema, formula)
    return lambda view, hits: faded(view, formula, hits)


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
    ranker = sole_function(ranker)
    formula = as_boosts(ranker) or as_decay(ranker)
    model = None if formula is not None else as_reranking(ranker)
    return Ranker(model, formula, None if formula is not None or model is not None else ranker or False)
