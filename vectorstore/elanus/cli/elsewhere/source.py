"""What is read from another store: passages with their vectors and metadata, in batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from elanus.errors import InvalidArgument, NotFound, did_you_mean

TEXT_KEYS = ("text", "page_content", "document", "content", "body")
"""What the text is called, by those who have it among the metadata; the first that is there."""


@dataclass(frozen=True)
class Passage:
    """A text with its key, its vector and its metadata."""

    key: str
    text: str
    vector: Sequence[float]
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class Source:
    """One collection: its name, how many passages it has, the metric of its vectors, and the passages."""

    name: str
    rows: int
    metric: str
    batches: Iterator[list[Passage]]


def the_one(kind: str, names: Sequence[str], wanted: str | None) -> str:
    """The collection to read: the one that is named, or the only one.

    Raises:
        NotFound, InvalidArgument: with the names that there are.
    """
    if wanted is None:
        if len(names) == 1:
            return names[0]
        raise InvalidArgument(
            f"{kind}: name one of its collections with --source-collection: {', '.join(names) or 'none'}"
        )
    if wanted not in names:
        raise NotFound(
            f"{kind}: no collection '{wanted}' in {', '.join(names) or 'nothing'}{did_you_mean(wanted, names)}"
        )
    return wanted


def passage(key: Any, vector: Any, fields: Mapping[str, Any], text: str | None = None) -> Passage:
    """A passage from a row's fields; nested "metadata" is laid out flat, as LangChain keeps it.

    Raises:
        InvalidArgument: there is no vector.
    """
    if vector is None:
        raise InvalidArgument(f"row {key!r} has no vector; only rows with one can be moved")
    flat = {name: value for name, value in fields.items() if name != "metadata"}
    nested = fields.get("metadata")
    flat |= nested if isinstance(nested, Mapping) else {} if nested is None else {"metadata": nested}
    if text is None:
        name = next((name for name in TEXT_KEYS if isinstance(flat.get(name), str)), None)
        text = "" if name is None else flat.pop(name)
    known = {name: value for name, value in flat.items() if value is not None}
    return Passage(str(key), text, vector, known)
