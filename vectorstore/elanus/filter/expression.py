"""Filters built in Python: `F.year >= 2020` becomes text with places, and the values that go there.

A value never becomes part of the text, so none can change what a filter means. Only where there are no places, on a
Milvus server, the values are written out, by `elanus.filter.writing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from elanus.errors import FilterError, InvalidArgument, did_you_mean
from elanus.filter.functions import SPATIAL
from elanus.filter.writing import checked_value, escaped_pattern, written_path, written_value
from elanus.schema.geometry import canonical
from elanus.schema.unfit import Unfit

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


class Operand:
    """A field, a path or a calculation with them; comparing one gives an `Expression`."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def __repr__(self) -> str:
        return f"F: {Expression(self.parts)}"

    def __bool__(self) -> bool:
        raise TypeError(NO_TRUTH)

    def __eq__(self, value: object) -> Expression:  # type: ignore[override]
        return self.is_null() if value is None else self._binary("==", value)

    def __ne__(self, value: object) -> Expression:  # type: ignore[override]
        return self.not_null() if value is None else self._binary("!=", value)

    def __lt__(self, value: Any) -> Expression:
        return self._binary("<", value)

    def __le__(self, value: Any) -> Expression:
        return self._binary("<=", value)

    def __gt__(self, value: Any) -> Expression:
        return self._binary(">", value)

    def __ge__(self, value: Any) -> Expression:
        return self._binary(">=", value)

    def __add__(self, value: Any) -> Operand:
        return self._calculated("+", value)

    def __sub__(self, value: Any) -> Operand:
        return self._calculated("-", value)

    def __mul__(self, value: Any) -> Operand:
        return self._calculated("*", value)

    def __truediv__(self, value: Any) -> Operand:
        return self._calculated("/", value)

    def __mod__(self, value: Any) -> Operand:
        return self._calculated("%", value)

    def __pow__(self, value: Any) -> Operand:
        return self._calculated("**", value)

    def __and__(self, value: Any) -> Operand:
        return self._calculated("&", value)

    def __or__(self, value: Any) -> Operand:
        return self._calculated("|", value)

    def __xor__(self, value: Any) -> Operand:
        return self._calculated("^", value)

    def __lshift__(self, value: Any) -> Operand:
        return self._calculated("<<", value)

    def __rshift__(self, value: Any) -> Operand:
        return self._calculated(">>", value)

    def __invert__(self) -> Operand:
        return Operand(("~(", *self.parts, ")"))

    def between(self, low: Any, high: Any) -> Expression:
        """Both ends belong to the range."""
        return all_of([self >= low, self <= high])

    def isin(self, values: Iterable[Any]) -> Expression:
        """Whether the value is one of several; None among them also finds nulls."""
        wanted = _listed("isin", values)
        found = Expression((*self.parts, " in ", Bound([v for v in wanted if v is not None])))
        return found | self.is_null() if None in wanted else found

    def notin(self, values: Iterable[Any]) -> Expression:
        """Whether the value is none of several; nulls and missing keys match neither `isin` nor this."""
        wanted = _listed("notin", values)
        found = Expression((*self.parts, " not in ", Bound([v for v in wanted if v is not None])))
        return found & self.not_null() if None in wanted else found

    def is_null(self) -> Expression:
        """Whether the field is null or the key is missing."""
        return Expression((*self.parts, " is null"))

    def not_null(self) -> Expression:
        """Whether the field has a value."""
        return Expression((*self.parts, " is not null"))

    exists = not_null

    def like(self, pattern: str) -> Expression:
        r"""Whether a string fits a pattern: `%` is any text, `_` one character, `\%` a percent sign."""
        return self._pattern("like", pattern)

    def startswith(self, text: str) -> Expression:
        """Whether a string begins with this text."""
        return self._pattern("like", escaped_pattern(text) + "%")

    def endswith(self, text: str) -> Expression:
        """Whether a string ends with this text."""
        return self._pattern("like", "%" + escaped_pattern(text))

    def has_text(self, text: str, ignore_case: bool = False) -> Expression:
        """Whether a string has this text in it."""
        if ignore_case:
            return self._pattern("=~", "(?i)" + quoted_regex(text))
        return self._pattern("like", f"%{escaped_pattern(text)}%")

    def matches(self, regex: str) -> Expression:
        """Whether a regular expression of RE2's fits anywhere in a string."""
        return self._pattern("=~", regex)

    def text_match(self, words: str, minimum_should_match: int = 1) -> Expression:
        """Whether a text has these words, any one or at least so many; the field needs enable_match."""
        least = "" if minimum_should_match == 1 else f", minimum_should_match={_whole(minimum_should_match)}"
        return self._matched("text_match", words, least)

    def phrase_match(self, phrase: str, slop: int = 0) -> Expression:
        """Whether a text has this phrase, its words moved by `slop` places at most; the field needs enable_match."""
        return self._matched("phrase_match", phrase, f", {_whole(slop)}" if slop else "")

    def st(self, relation: str, shape: Any = None, distance: float | None = None) -> Expression:
        """How a geometry lies to another: `F.at.st("within", "POLYGON (...)")`, `F.at.st("dwithin", point, metres)`.

        `shape` is well-known text or an object of shapely's.
        """
        function = f"st_{relation}"
        if function not in SPATIAL:
            known = ", ".join(name.removeprefix("st_") for name in SPATIAL)
            raise FilterError(f"st: no relation {relation!r}{did_you_mean(str(relation), SPATIAL)}; known are {known}")
        given = [] if shape is None else [_shape_text(shape)]
        given += [] if distance is None else [checked_value(distance)]
        values = [part for value in given for part in (", ", Bound(value))]
        return Expression((f"{function}(", *self.parts, *values, ")"))

    def contains(self, value: Any) -> Expression:
        """Whether a list has this element."""
        return self._call("json_contains", value)

    def contains_any(self, values: Iterable[Any]) -> Expression:
        """Whether a list has at least one of these elements."""
        return self._call("json_contains_any", _listed("contains_any", values))

    def contains_all(self, values: Iterable[Any]) -> Expression:
        """Whether a list has every one of these elements."""
        return self._call("json_contains_all", _listed("contains_all", values))

    @property
    def length(self) -> Operand:
        """The number of a list's elements."""
        return Operand(("array_length(", *self.parts, ")"))

    def _binary(self, sign: str, value: Any) -> Expression:
        return Expression((*self.parts, f" {sign} ", *_side(value)))

    def _calculated(self, sign: str, value: Any) -> Operand:
        return Operand(("(", *self.parts, f" {sign} ", *_side(value), ")"))

    def _pattern(self, sign: str, pattern: str) -> Expression:
        if not isinstance(pattern, str):
            raise FilterError(f"a text is searched for with a str, not {type(pattern).__name__}")
        return Expression((*self.parts, f" {sign} ", Bound(checked_value(pattern))))

    def _matched(self, function: str, text: str, option: str) -> Expression:
        if not isinstance(text, str):
            raise FilterError(f"{function} takes a str, not {type(text).__name__}")
        return Expression((f"{function}(", *self.parts, ", ", Bound(checked_value(text)), f"{option})"))

    def _call(self, function: str, value: Any) -> Expression:
        return Expression((f"{function}(", *self.parts, ", ", Bound(checked_value(value)), ")"))


class FieldPath(Operand):
    """A field or dynamic key, and what `[...]` picks inside it."""

    def __init__(self, name: str, keys: tuple[str | int, ...] = ()) -> None:
        super().__init__((written_path(name, keys),))
        self._name = name
        self._keys = keys

    def __getitem__(self, key: str | int) -> FieldPath:
        if isinstance(key, bool) or not isinstance(key, (str, int)):
            raise FilterError(f"{self!r}: a key is a str and an index an int, not {key!r}")
        return FieldPath(self._name, (*self._keys, key))


class Fields:
    """`F.year` is the field or dynamic key `year`; `F["odd key"]` takes any name, `F.author["name"]` looks inside."""

    def __getattr__(self, name: str) -> FieldPath:
        if name.startswith("__"):
            raise AttributeError(name)
        return FieldPath(name)

    def __getitem__(self, name: str) -> FieldPath:
        if not isinstance(name, str):
            raise FilterError(f"F[...] takes a field's name, not {name!r}")
        return FieldPath(name)

    def __repr__(self) -> str:
        return "elanus.F"


F = Fields()


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


def quoted_regex(text: str) -> str:
    """Return a regular expression of RE2's that fits exactly this text."""
    return "".join(c if c.isalnum() or ord(c) > 127 else f"\\x{ord(c):02x}" for c in text)


def _side(value: Any) -> Parts:
    return value.parts if isinstance(value, Operand) else (Bound(checked_value(value)),)


def _shape_text(shape: Any) -> str:
    try:
        return canonical(shape)
    except Unfit as error:
        raise FilterError(f"st: a shape {error}") from None


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise FilterError(f"expected an int, not {value!r}")
    return value


def _listed(method: str, values: Iterable[Any]) -> list[Any]:
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise FilterError(f"{method} takes a list of values, not {values!r}")
    return [None if value is None else checked_value(value) for value in values]
