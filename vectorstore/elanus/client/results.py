"""Results in the shapes of pymilvus: a hit is a dict that also answers by attribute."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

SHOWN_ROWS = 10
SHOWN_CHARACTERS = 80


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
    def entity(self) -> Hit:
        """The hit itself, as in pymilvus, so that `hit.entity.get("field")` and `hit.entity.field` work."""
        return self

    @property
    def fields(self) -> dict[str, Any]:
        """The entity as a dict."""
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

    def __repr__(self) -> str:
        return _shown(map(dict, self[:SHOWN_ROWS]), len(self))

    __str__ = __repr__

    def _repr_html_(self) -> str:
        rows = [{**{k: v for k, v in hit.items() if k != "entity"}, **hit["entity"]} for hit in self[:SHOWN_ROWS]]
        return _table(rows, len(self))


class SearchResult(list[Hits]):
    """One `Hits` per query; `plan` tells how they were found, if the search was asked to explain."""

    def __init__(self, hits: Iterable[Hits] = (), plan: Mapping[str, Any] | None = None) -> None:
        super().__init__(hits)
        self.plan = plan

    def __repr__(self) -> str:
        return f"data: {_shown(self[:SHOWN_ROWS], len(self))}"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return "".join(hits._repr_html_() for hits in self[:SHOWN_ROWS])


class QueryResult(list[dict[str, Any]]):
    """The rows of a query."""

    def __repr__(self) -> str:
        return f"data: {_shown(self[:SHOWN_ROWS], len(self))}"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return _table(self[:SHOWN_ROWS], len(self))


def make_hits(key: str, rows: Sequence[tuple[int | str, dict[str, Any]]], distances: Sequence[float]) -> Hits:
    """Return the hits of one query from (id, entity) pairs and their distances."""
    return Hits(
        [Hit(key, row_id, distance, entity) for (row_id, entity), distance in zip(rows, distances, strict=True)]
    )


def rounded(distances: Any, digits: int) -> list[float]:
    """Return distances as floats, to so many decimal places; -1 leaves them as they are."""
    if digits < 0:
        return list(distances.tolist())
    return list((np.round(distances.astype(np.float64), digits) + 0.0).tolist())  # no minus zero


def _shown(items: Iterable[object], count: int) -> str:
    return repr(list(items)) + _rest(count)


def _rest(count: int) -> str:
    return f" ... and {count - SHOWN_ROWS} more" if count > SHOWN_ROWS else ""


def _table(rows: Sequence[Mapping[str, Any]], count: int) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = "".join(f"<tr>{''.join(f'<td>{_cell(row.get(name))}</td>' for name in names)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>{_rest(count)}"


def _cell(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return html.escape(text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}...")
