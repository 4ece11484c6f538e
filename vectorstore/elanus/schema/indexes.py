"""What the caller asks of an index, in the shape of pymilvus's IndexParams."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from elanus.errors import SchemaError


@dataclass(frozen=True)
class IndexParam:
    """One requested index: a field, a type (empty means AUTOINDEX), a metric and the type's parameters."""

    field_name: str
    index_type: str = ""
    index_name: str = ""
    metric_type: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the request as plain data."""
        return {
            "field_name": self.field_name,
            "index_type": self.index_type,
            "index_name": self.index_name,
            "metric_type": self.metric_type,
            "params": dict(self.params),
        }


class IndexParams:
    """A list of index requests; `Client.prepare_index_params()` makes an empty one."""

    def __init__(self) -> None:
        self._requests: list[IndexParam] = []

    def add_index(self, field_name: str, index_type: str = "", index_name: str = "", **kwargs: Any) -> None:
        """Ask for an index on a field; `metric_type` and `params` go in by keyword, as other parameters may.

        Raises:
            SchemaError: `params` is no dict, or a name is no str.
        """
        metric = kwargs.pop("metric_type", "")
        params = kwargs.pop("params", None) or {}
        if not isinstance(params, Mapping):
            raise SchemaError(f"index on '{field_name}': params must be a dict, not {type(params).__name__}")
        names = (("field_name", field_name), ("index_type", index_type), ("metric_type", metric))
        for what, value in names:
            if not isinstance(value, str):
                raise SchemaError(f"{what} must be a str, not {type(value).__name__}")
        request = IndexParam(field_name, index_type.upper(), index_name, metric.upper(), {**kwargs, **params})
        self._requests.append(request)

    def __iter__(self) -> Iterator[IndexParam]:
        return iter(self._requests)

    def __len__(self) -> int:
        return len(self._requests)


def as_index_params(index_params: Any) -> list[IndexParam]:
    """Return the requests of our IndexParams, pymilvus's, or None."""
    if index_params is None:
        return []
    collected = IndexParams()
    if isinstance(index_params, str) or not isinstance(index_params, Iterable):
        raise SchemaError(f"index_params must be what prepare_index_params() gives, not {index_params!r}")
    for item in index_params:
        if not callable(getattr(item, "to_dict", None)):
            raise SchemaError(f"index_params must hold what add_index adds, not {item!r}")
        raw = dict(item.to_dict())
        nested = raw.pop("params", None) or {}
        collected.add_index(**{**raw, "params": nested})
    return list(collected)
