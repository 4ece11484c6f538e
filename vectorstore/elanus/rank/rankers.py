"""What the caller asks of a hybrid search: requests and rankers, ours or pymilvus's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from numbers import Real
from typing import Any

from elanus.errors import InvalidArgument, NotSupported
from elanus.filter import Expression, split_filter
from elanus.rank.fusion import Route, dbsf, rrf, weighted
from elanus.rank.reranking import as_function, asked_fusion

MAX_RRF_K = 16_384
Fuse = Callable[[Sequence[Route]], Route]


class AnnSearchRequest:
    """One route of a hybrid search: what to search, where, how many hits, under which filter.

    Args:
        data: as for `search`; vectors, or texts for a BM25 field.
        anns_field: the field.
        param: search_params of the field's index.
        limit: how many hits the route brings to the fusion.
        expr, expr_params: a filter, a str or an `elanus.Expression`, and the values of its `{name}` places; `filter`
            is another name for `expr`.

    Raises:
        InvalidArgument: both `expr` and `filter`, or an argument of the wrong type.
    """

    def __init__(
        self,
        data: Any,
        anns_field: str,
        param: Mapping[str, Any] | None,
        limit: int,
        expr: str | Expression | None = None,
        expr_params: Mapping[str, Any] | None = None,
        filter: str | Expression | None = None,
    ) -> None:
        if expr is not None and filter is not None:
            raise InvalidArgument("AnnSearchRequest: give expr or filter, not both")
        self.data = data
        self.anns_field = anns_field
        self.param = dict(_checked("param", param, Mapping) or {})
        self.limit = limit
        self.filter = filter if expr is None else expr
        text, params = split_filter(self.filter, expr_params)
        self.expr: str | None = _checked("filter", text, str)
        self.expr_params = _checked("expr_params", params, Mapping)

    def __repr__(self) -> str:
        shown = ("anns_field", "param", "limit", "expr")
        return f"AnnSearchRequest({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _checked(name: str, value: Any, kind: type) -> Any:
    if value is not None and not isinstance(value, kind):
        what = "a str" if kind is str else "a dict"
        raise InvalidArgument(f"AnnSearchRequest: {name} must be {what}, not {type(value).__name__}")
    return value


class RRFRanker:
    """Fuse by reciprocal rank: k damps the lead of the first ranks, 0 < k < 16384."""

    def __init__(self, k: float = 60) -> None:
        if not _is_number(k) or not 0 < k < MAX_RRF_K:
            raise InvalidArgument(f"RRFRanker: k must be a number over 0 and below {MAX_RRF_K}, not {k!r}")
        self.k = k

    def dict(self) -> Any:
        """Return the ranker in pymilvus's shape."""
        return {"strategy": "rrf", "params": {"k": self.k}}

    def __repr__(self) -> str:
        return f"RRFRanker(k={self.k})"


class WeightedRanker:
    """Fuse by weighted scores: one weight from 0 to 1 per request, in their order.

    Args:
        nums: the weights.
        norm_score: map each route's scores into [0, 1] first, so that different metrics can be added.
    """

    def __init__(self, *nums: float, norm_score: bool = True) -> None:
        for weight in nums:
            if not _is_number(weight) or not 0 <= weight <= 1:
                raise InvalidArgument(f"WeightedRanker: each weight must be a number from 0 to 1, not {weight!r}")
        if not isinstance(norm_score, bool):
            raise InvalidArgument(f"WeightedRanker: norm_score must be True or False, not {norm_score!r}")
        self.weights = list(nums)
        self.norm_score = norm_score

    def dict(self) -> Any:
        """Return the ranker in pymilvus's shape."""
        return {"strategy": "weighted", "params": {"weights": self.weights, "norm_score": self.norm_score}}

    def __repr__(self) -> str:
        return f"WeightedRanker({', '.join(map(str, self.weights))}, norm_score={self.norm_score})"


class DBSFRanker:
    """Fuse by the distribution of each route's scores: how many standard deviations a hit stands from their mean.

    Args:
        nums: weights from 0 to 1, one per request, in their order; none: all count alike.
    """

    def __init__(self, *nums: float) -> None:
        for weight in nums:
            if not _is_number(weight) or not 0 <= weight <= 1:
                raise InvalidArgument(f"DBSFRanker: each weight must be a number from 0 to 1, not {weight!r}")
        self.weights = list(nums)

    def dict(self) -> Any:
        """Return the ranker in the shape of pymilvus's rankers."""
        return {"strategy": "dbsf", "params": {"weights": self.weights} if self.weights else {}}

    def __repr__(self) -> str:
        return f"DBSFRanker({', '.join(map(str, self.weights))})"


def as_ranker(ranker: Any, metrics: Sequence[str]) -> Fuse:
    """Return the fusion that a ranker (ours, pymilvus's, a RERANK function, or what has their `dict()`) asks for.

    Raises:
        InvalidArgument: no ranker, or another number of weights than of requests.
        NotSupported: a strategy or a parameter of one that is not implemented.
    """
    function = as_function(ranker)
    if function is None and not callable(getattr(ranker, "dict", None)):
        raise InvalidArgument(
            "ranker must be an RRFRanker, a WeightedRanker, a DBSFRanker, a Function(RERANK) or a model with "
            f"rerank(query, documents), not {type(ranker).__name__}"
        )
    raw: Any = ranker.dict() if function is None else asked_fusion(function)
    strategy, params = raw.get("strategy"), dict(raw.get("params") or {})
    if strategy not in MAKERS:
        raise NotSupported(
            f"ranker strategy {strategy!r} is not supported yet; use {', '.join(MAKERS)}, decay, boost or model"
        )
    make, known = MAKERS[strategy]
    for name in params:
        if name not in known:
            raise NotSupported(f"ranker '{strategy}': parameter '{name}' is not supported; it takes {', '.join(known)}")
    return make(params, metrics)


def _rrf(params: Mapping[str, Any], metrics: Sequence[str]) -> Fuse:
    return partial(rrf, k=RRFRanker(**params).k)


def _weighted(params: Mapping[str, Any], metrics: Sequence[str]) -> Fuse:
    checked = WeightedRanker(*params.get("weights", ()), norm_score=params.get("norm_score", True))
    if len(checked.weights) != len(metrics):
        raise InvalidArgument(f"WeightedRanker has {len(checked.weights)} weights for {len(metrics)} requests")
    return partial(weighted, weights=checked.weights, metrics=metrics, norm_score=checked.norm_score)


def _dbsf(params: Mapping[str, Any], metrics: Sequence[str]) -> Fuse:
    weights = DBSFRanker(*params.get("weights", ())).weights
    if weights and len(weights) != len(metrics):
        raise InvalidArgument(f"DBSFRanker has {len(weights)} weights for {len(metrics)} requests")
    return partial(dbsf, weights=weights or None)


MAKERS: Mapping[str, tuple[Callable[[Mapping[str, Any], Sequence[str]], Fuse], tuple[str, ...]]] = {
    "rrf": (_rrf, ("k",)),
    "weighted": (_weighted, ("weights", "norm_score")),
    "dbsf": (_dbsf, ("weights",)),
}


def as_request(request: Any) -> AnnSearchRequest:
    """Return an AnnSearchRequest from ours or pymilvus's."""
    if isinstance(request, AnnSearchRequest):
        return request
    try:
        return AnnSearchRequest(
            request.data,
            request.anns_field,
            request.param,
            request.limit,
            request.expr,
            getattr(request, "expr_params", None),
        )
    except AttributeError:
        raise InvalidArgument(f"reqs must hold AnnSearchRequest objects, not {type(request).__name__}") from None
