"""What the caller asks of a model that ranks hits anew: a Function(RERANK), ours or pymilvus's, or the model itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from elanus.errors import InvalidArgument
from elanus.models import find_reranker
from elanus.schema.functions import Function
from elanus.types import FunctionType

MODEL = "model"
LEAST_CANDIDATES = 20


@dataclass(frozen=True, eq=False)
class Reranking:
    """A model, what errors call it, and what was said of its use.

    Attributes:
        field: the text field that holds the documents; None: the collection's own.
        queries: one text for each query of the search; None: the texts that are searched with.
        candidates: how many hits it ranks, at least; None: its default.
    """

    model: Any
    said: str
    field: str | None = None
    queries: tuple[str, ...] | None = None
    candidates: int | None = None

    def depth(self, wanted: int) -> int:
        """How many candidates a search brings so that `wanted` of them can leave."""
        return max(wanted, self.candidates or LEAST_CANDIDATES)


def as_reranking(ranker: Any) -> Reranking | None:
    """Return what is asked of a model, or None if the ranker is none of a model.

    Raises:
        InvalidArgument, ModelFailed: a wrong parameter, or a model that cannot be had.
    """
    function = as_function(ranker)
    if function is None:
        return Reranking(ranker, type(ranker).__name__) if callable(getattr(ranker, "rerank", None)) else None
    params = dict(function.params)
    if params.pop("reranker") != MODEL:
        return None
    who = f"function '{function.name}'"
    if len(function.input_field_names) > 1:
        raise InvalidArgument(f"{who}: a model reads one text field, not {function.input_field_names}")
    provider = params.pop("provider", None)
    if not isinstance(provider, str):
        raise InvalidArgument(f"{who}: params need a 'provider', a str")
    queries = _queries(who, params.pop("queries", None))
    candidates = asked_candidates(who, params.pop("candidates", None))
    model = find_reranker(provider, params, who)
    said = f"{who}, reranker '{provider}'" + (f", model '{params['model_name']}'" if "model_name" in params else "")
    return Reranking(model, said, next(iter(function.input_field_names), None), queries, candidates)


def as_function(ranker: Any) -> Function | None:
    """Return a RERANK function from ours or pymilvus's; None if it is no function."""
    if not (hasattr(ranker, "input_field_names") and callable(getattr(ranker, "to_dict", None))):
        return None
    function = ranker if isinstance(ranker, Function) else Function.from_dict(ranker.to_dict())
    if function.type != FunctionType.RERANK:
        raise InvalidArgument(f"function '{function.name}' is {function.type.name}; a ranker is FunctionType.RERANK")
    if function.output_field_names:
        raise InvalidArgument(f"function '{function.name}': RERANK has no output field")
    return function


def asked_fusion(function: Function) -> Mapping[str, Any]:
    """What a function that fuses asks for, in the shape of a ranker's `dict()`.

    As in Milvus, scores are normalised where a function says so, and where a WeightedRanker does not say otherwise.
    """
    params = dict(function.params)
    strategy = params.pop("reranker")
    return {"strategy": strategy, "params": {"norm_score": False, **params} if strategy == "weighted" else params}


def _queries(who: str, queries: Any) -> tuple[str, ...] | None:
    listed = [queries] if isinstance(queries, str) else queries
    if listed is None:
        return None
    if not isinstance(listed, (list, tuple)) or not all(isinstance(query, str) for query in listed):
        raise InvalidArgument(f"{who}: queries must be a list of str, one for each query, not {queries!r}")
    return tuple(listed)


def asked_candidates(who: str, candidates: Any) -> int | None:
    """The param "candidates", checked; None if it is not given."""
    if candidates is None:
        return None
    if isinstance(candidates, bool) or not isinstance(candidates, int) or candidates < 1:
        raise InvalidArgument(f"{who}: candidates must be a whole number of at least 1, not {candidates!r}")
    return candidates
