"""Results in the shapes of pymilvus: a hit is a dict that also answers by attribute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Hit(dict[str, Any]):
    """One found row: {key: ..., "distance": ..., "entity": {...}}.

    `hit["field"]`, `hit.get("field")` and `hit.field` also look into the entity; `hit.id`, `hit.distance` and
    `hit.score` are there whatever the key field is called.
    """

    __slots__ = ("_key",)

    def __init__(self, key: str, row_id: int | str, distance: float, entity: dict[str, Any]) -> None:
        super().__init__({key: row_id, "distance": distance, "entity": entity})
        self._key = key

    def __missing__(self, name: str) -> Any:
        return super().__getitem__("entity")[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return a value of the hit or of its entity, or the default."""
        try:
            return self[name]
        except KeyError:
            return default

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"a hit has no field '{name}'") from None

    @property
    def id(self) -> int | str:
        """The row's primary key."""
        return self[self._key]  # type: ignore[no-any-return]

    pk = id

    @property
    def score(self) -> float:
        """The same as `distance`."""
        return self["distance"]  # type: ignore[no-any-return]

    @property
    def fields(self) -> dict[str, Any]:
        """The entity."""
        return self["entity"]  # type: ignore[no-any-return]

    def to_dict(self) -> dict[str, Any]:
        """Return the hit as a plain dict."""
        return dict(self)


class Hits(list[Hit]):
    """The hits of one query, best first."""

    @property
    def ids(self) -> list[int | str]:
        """The keys, best first."""
        return [hit.id for hit in self]

    @property
    def distances(self) -> list[float]:
        """The distances, best first."""
        return [hit["distance"] for hit in self]


class SearchResult(list[Hits]):
    """One `Hits` per query."""

    def __repr__(self) -> str:
        return f"data: {[list(map(dict, hits)) for hits in self]}"

    __str__ = __repr__


class QueryResult(list[dict[str, Any]]):
    """The rows of a query."""

    def __repr__(self) -> str:
        return f"data: {list(self)}"

    __str__ = __repr__


def make_hits(key: str, rows: Sequence[tuple[int | str, dict[str, Any]]], distances: Sequence[float]) -> Hits:
    """Return the hits of one query from (id, entity) pairs and their distances."""
    return Hits(
        [Hit(key, row_id, distance, entity) for (row_id, entity), distance in zip(rows, distances, strict=True)]
    )
