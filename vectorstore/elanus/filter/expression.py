"""Filters built in Python: `F.year >= 2020` becomes text with places, and the values that go there.

A value never becomes part of the text, so none can change what a filter means. Only where there are no places, on a
Milvus server, the values are written out, by `elanus.filter.writing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from elanus.errors import FilterError, InvalidArgument
from elanus.filter.bind import templates
from elanus.filter.parse import parse
from elanus.filter.writing import checked_value, written_value

NO_TRUTH = (
    "a filter has no truth value; join filters by & | ~, each in parentheses, and write F.x.between(a, b) for a range"
)


@dataclass(frozen=True)
class Bound:
    """A value in a filter."""

    value: Any


Part = str | Bound
Parts = tuple[Part, ...]


@dataclass(frozen=True)
class Expression:
    """A filter with its values, immutable; `&`, `|` and `~` make new ones.

    Every `filter` and `expr` argument of a client takes one. `text` and `params` are its two halves, as the `filter`
    and `filter_params` of a search; `str()` gives the whole in Milvus's language.
    """

    parts: Parts
    joined: str = ""

    @classmethod
    def of(cls, text: str) -> Expression:
        """A filter that is written out, to be joined with others; it holds no `{name}` places.

        Raises:
            FilterError: it does not parse on its own, so that nothing in it can reach beyond it.
        """
        if any(True for _ in templates(parse(text))):
            raise FilterError(f"{text!r} has places for values; build the filter with elanus.F instead")
        return cls((text,))

    @property
    def text(self) -> str:
        """The filter with a `{name}` for every value."""
        number = count()
        return "".join(part if isinstance(part, str) else f"{{v{next(number)}}}" for part in self.parts)

    @property
    def params(self) -> dict[str, Any]:
        """The values by name."""
        return {f"v{n}": part.value for n, part in enumerate(p for p in self.parts if isinstance(p, Bound))}

    def __str__(self) -> str:
        return "".join(part if isinstance(part, str) else written_value(part.value) for part in self.parts)

    def __repr__(self) -> str:
        return f"<elanus.Expression {self}>"

    def __and__(self, other: Expression) -> Expression:
        return all_of((self, other)) if isinstance(other, Expression) else NotImplemented

    def __or__(self, other: Expression) -> Expression:
        return any_of((self, other)) if isinstance(other, Expression) else NotImplemented

    def __invert__(self) -> Expression:
        return Expression(("not (", *self.parts, ")"))

    def sample(self, share: float) -> Expression:
        """A random share of the rows that match, between 0 and 1; nothing can be joined to it."""
        own = self.parts if self.joined == "and" else ("(", *self.parts, ")")
        return Expression((*own, " and random_sample(", Bound(checked_value(share)), ")"))

    def __bool__(self) -> bool:
        raise TypeError(NO_TRUTH)


def all_of(parts: Sequence[Expression]) -> Expression:
    """Join filters by `and`; of no filters every row matches."""
    return _join("and", parts, "1 == 1")


def any_of(parts: Sequence[Expression]) -> Expression:
    """Join filters by `or`; of no filters no row matches."""
    return _join("or", parts, "1 == 0")


def nothing() -> Expression:
    """The filter that no row matches."""
    return any_of(())


def _join(word: str, filters: Sequence[Expression], empty: str) -> Expression:
    if len(filters) < 2:
        return filters[0] if filters else Expression((empty,))
    parts: list[Part] = []
    for each in filters:
        own = each.parts if each.joined == word else ("(", *each.parts, ")")
        parts += [f" {word} ", *own] if parts else own
    return Expression(tuple(parts), word)


def split_filter(filter: Any, params: Any) -> tuple[Any, Any]:
    """Return an `Expression` as text and params; anything else as it is.

    Raises:
        InvalidArgument: params beside an `Expression`, which carries its own.
    """
    if not isinstance(filter, Expression):
        return filter, params
    if params:
        raise InvalidArgument("filter_params cannot be given with an elanus.Expression, which holds its own values")
    return filter.text, filter.params
