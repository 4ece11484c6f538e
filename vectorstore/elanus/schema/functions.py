"""Functions: what the store computes from a text field, and from texts and hits."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from elanus.errors import InvalidArgument, NotSupported, SchemaError
from elanus.schema.fields import FieldSchema, check_name
from elanus.types import DataType, FunctionType

SECRETS = frozenset({"api_key", "token", "password"})


class Function:
    """A computation: BM25 terms or an embedding of a text field on insert, or a ranking of hits.

    Args:
        name: unique within the schema.
        function_type: `FunctionType.BM25` (from an analysed VARCHAR to a SPARSE_FLOAT_VECTOR),
            `FunctionType.TEXTEMBEDDING` (from a VARCHAR to a FLOAT_VECTOR) or `FunctionType.RERANK` (for `ranker=`).
        input_field_names, output_field_names: one name each, as a str or a list; RERANK has no output.
        params: of TEXTEMBEDDING {"provider": ..., "model_name": ..., ...}, the rest as the provider takes it; of RERANK
            {"reranker": "model", "provider": ..., "model_name": ..., ...}, {"reranker": "rrf", "k": ...},
            {"reranker": "weighted", "weights": [...]} or {"reranker": "decay", "function": "gauss" | "exp" | "linear",
            "origin": ..., "scale": ..., "offset": 0, "decay": 0.5} over one numeric input field. JSON-serialisable.

    Raises:
        InvalidArgument: params that cannot be; NotSupported: another function type.
    """

    def __init__(
        self,
        name: str,
        function_type: FunctionType,
        input_field_names: str | Sequence[str],
        output_field_names: str | Sequence[str] | None = None,
        description: str = "",
        params: Mapping[str, Any] | None = None,
    ) -> None:
        check_name("function", name)
        self.name = name
        self.type = FunctionType(int(function_type))
        self.input_field_names = _names(input_field_names)
        self.output_field_names = _names(output_field_names)
        self.description = description
        self.params = dict(params or {})
        if self.type not in KINDS:
            raise NotSupported(f"function '{name}': no function type {self.type.name}; there are {_kinds()}")
        self._check_params()

    def _check_params(self) -> None:
        needed = KINDS[self.type].needed
        if needed is None and self.params:
            raise NotSupported(
                f"function '{self.name}': params {sorted(self.params)} are not supported; "
                "BM25 takes bm25_k1 and bm25_b in its index params"
            )
        if needed and not isinstance(self.params.get(needed), str):
            raise InvalidArgument(f"function '{self.name}': {self.type.name} needs params with a '{needed}', a str")
        try:
            json.dumps(self.params)
        except (TypeError, ValueError) as error:
            raise InvalidArgument(f"function '{self.name}': params must be JSON-serialisable; {error}") from None

    def verify(self, field: Callable[[str], FieldSchema]) -> None:
        """Raise SchemaError if the function cannot be a schema's, with the fields that `field` gives for a name."""
        kind = KINDS[self.type]
        if secrets := SECRETS & self.params.keys():
            raise SchemaError(
                f"function '{self.name}': params {sorted(secrets)} would be stored with the collection and told by "
                "describe_collection; give the provider's key in its environment variable"
            )
        if kind.gives is None:
            raise SchemaError(f"function '{self.name}': {self.type.name} belongs to a search, as its ranker")
        if len(self.input_field_names) != 1 or len(self.output_field_names) != 1:
            raise SchemaError(f"function '{self.name}': {self.type.name} takes one input field and one output field")
        source, target = field(self.input_field_names[0]), field(self.output_field_names[0])
        if source.dtype != DataType.VARCHAR or (kind.analysed and not source.enable_analyzer):
            analysed = " with enable_analyzer=True" if kind.analysed else ""
            raise SchemaError(f"function '{self.name}': input '{source.name}' must be VARCHAR{analysed}")
        if target.dtype != kind.gives:
            raise SchemaError(f"function '{self.name}': output '{target.name}' must be {kind.gives.name}")
        if target.nullable:
            raise SchemaError(f"function '{self.name}': output '{target.name}' cannot be nullable; a function fills it")

    def to_dict(self) -> dict[str, Any]:
        """Return the function in the shape of pymilvus's `Function.to_dict()`."""
        return {
            "name": self.name,
            "description": self.description,
            "type": self.type,
            "input_field_names": self.input_field_names,
            "output_field_names": self.output_field_names,
            "params": self.params,
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Function:
        """Make a function from `to_dict()`'s shape, ours or pymilvus's."""
        return cls(
            raw["name"],
            raw["type"],
            raw["input_field_names"],
            raw.get("output_field_names"),
            raw.get("description", ""),
            raw.get("params"),
        )


@dataclass(frozen=True)
class Kind:
    """What a type of function gives (None: it is none of a schema), and asks.

    Attributes:
        needed: the parameter it cannot do without; None if it takes no parameters.
        analysed: whether its input must have an analyzer.
    """

    gives: DataType | None
    needed: str | None
    analysed: bool = False


KINDS: Mapping[FunctionType, Kind] = {
    FunctionType.BM25: Kind(DataType.SPARSE_FLOAT_VECTOR, None, analysed=True),
    FunctionType.TEXTEMBEDDING: Kind(DataType.FLOAT_VECTOR, "provider"),
    FunctionType.RERANK: Kind(None, "reranker"),
}


def _kinds() -> str:
    return ", ".join(kind.name for kind in KINDS)


def _names(names: str | Sequence[str] | None) -> list[str]:
    if names is None:
        return []
    return [names] if isinstance(names, str) else list(names)
