"""What the caller asks of a hybrid search: requests and rankers, ours or pymilvus's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from elanus.errors import InvalidArgument, NotSupported
from elanus.rank.fusion import Route, rrf, weighted

MAX_RRF_K = 16_384
Fuse = Callable[[Sequence[Route]], Route]


class AnnSearchRequest:
    """One route of a hybrid search: what to search, where, how many hits, under which filter.

    Args:
        data: as for `search`; vectors, or texts for a BM25 field.
        anns_field: the field.
        param: search_params of the field's index.
        limit: how many hits the route brings to the fusion.
        expr, expr_params: a filter and the values of its `{name}` places; `filter` is another name for `expr`.
    """

    def __init__(
        self,
        data: Any,
        anns_field: str,
        param: Mapping[str, Any] | None,
        limit: int,
        expr: str | None = None,
        expr_params: Mapping[str, Any] | None = None,
        filter: str | None = None,
    ) -> None:
        if expr and filter and expr != filter:
            raise InvalidArgument("AnnSearchRequest: give expr or filter, not both")
        self.data = data
        self.anns_field = anns_field
        self.param = dict(param or {})
        self.limit = limit
        self.expr = expr or filter
        self.expr_params = expr_params


class RRFRanker:
    """Fuse by reciprocal rank: k damps the lead of the first ranks, 0 < k < 16384."""

    def __init__(self, k: int = 60) -> None:
        if isinstance(k, bool) or not isinstance(k, (int, float)) or not 0 < k < MAX_RRF_K:
            raise InvalidArgument(f"RRFRanker: k must be a number over 0 and below {MAX_RRF_K}, not {k!r}")
        self.k = k

    def dict(self) -> Any:
        """Return the ranker in pymilvus's shape."""
        return {"strategy": "rrf", "params": {"k": self.k}}


class WeightedRanker:
    """Fuse by weighted scores: one weight from 0 to 1 per request, in their order."""

    def __init__(self, *nums: float, norm_score: bool = True) -> None:
        for weight in nums:
            if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight <= 1:
                raise InvalidArgument(f"WeightedRanker: each weight must be a number from 0 to 1, not {weight!r}")
        self.weights = list(nums)
        self.norm_score = norm_score

    def dict(self) -> Any:
        """Return the ranker in pymilvus's shape."""
        return {"strategy": "weighted", "params": {"weights": self.weights, "norm_score": self.norm_score}}


def as_ranker(ranker: Any, metrics: Sequence[str]) -> Fuse:
    """Return the fusion that a ranker (ours, pymilvus's, or anything with their `dict()`) asks for.

    Raises:
        InvalidArgument: no ranker, or another number of weights than of requests.
        NotSupported: a strategy that is not implemented.
    """
    if not callable(getattr(ranker, "dict", None)):
        if hasattr(ranker, "input_field_names"):
            raise NotSupported("a Function as ranker is not supported yet; use RRFRanker or WeightedRanker")
        raise InvalidArgument(f"ranker must be an RRFRanker or a WeightedRanker, not {type(ranker).__name__}")
    raw = ranker.dict()
    params = raw.get("params", {})
    if raw.get("strategy") == "rrf":
        return partial(rrf, k=RRFRanker(params.get("k", 60)).k)
    if raw.get("strategy") == "weighted":
        checked = WeightedRanker(*params["weights"], norm_score=params.get("norm_score", True))
        if len(checked.weights) != len(metrics):
            raise InvalidArgument(f"WeightedRanker has {len(checked.weights)} weights for {len(metrics)} requests")
        return partial(weighted, weights=checked.weights, metrics=metrics, norm_score=checked.norm_score)
    raise NotSupported(f"ranker strategy {raw.get('strategy')!r} is not supported yet; use rrf or weighted")


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
