"""`F`: fields and what is asked of them, as `Expression`s."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from elanus.errors import FilterError, did_you_mean
from elanus.filter.expression import NO_TRUTH, Bound, Expression, Parts, all_of
from elanus.filter.functions import FUZZINESS, MINIMUM, PREFIX, SPATIAL
from elanus.filter.writing import PLAIN_NAME, checked_value, escaped_pattern, written_path, written_value
from elanus.schema.geometry import canonical
from elanus.schema.unfit import Unfit


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
        return self._moved(value) if isinstance(value, timedelta) else self._calculated("+", value)

    def __sub__(self, value: Any) -> Operand:
        return self._moved(-value) if isinstance(value, timedelta) else self._calculated("-", value)

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

    def text_match(
        self, words: str, minimum_should_match: int = 1, *, prefix: bool = False, fuzziness: int = 0
    ) -> Expression:
        """Whether a text has these words, any one or at least so many; the field needs enable_match.

        With `prefix` words that begin so count too, with `fuzziness` those at most so many typing errors away (0 to 2).
        Milvus has neither.
        """
        if not isinstance(prefix, bool):
            raise FilterError(f"prefix must be True or False, not {prefix!r}")
        given = {MINIMUM: (_whole(minimum_should_match), 1), PREFIX: (prefix, False), FUZZINESS: (_whole(fuzziness), 0)}
        options = [f", {name}={written_value(value)}" for name, (value, default) in given.items() if value != default]
        return self._matched("text_match", words, "".join(options))

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

    def match_any(self, condition: Condition) -> Expression:
        """Whether an element of a list matches: `F.chunks.match_any(lambda each: each["page"] > 3)`.

        `each` is the element, and `each["field"]` a field of the struct that it is.
        """
        return self._elements("match_any", condition)

    def match_all(self, condition: Condition) -> Expression:
        """Whether every element matches, as in an empty list."""
        return self._elements("match_all", condition)

    def match_least(self, condition: Condition, threshold: int) -> Expression:
        """Whether at least so many elements match."""
        return self._elements("match_least", condition, threshold)

    def match_most(self, condition: Condition, threshold: int) -> Expression:
        """Whether at most so many elements match."""
        return self._elements("match_most", condition, threshold)

    def match_exact(self, condition: Condition, threshold: int) -> Expression:
        """Whether exactly so many elements match."""
        return self._elements("match_exact", condition, threshold)

    @property
    def length(self) -> Operand:
        """The number of a list's elements."""
        return Operand(("array_length(", *self.parts, ")"))

    def _binary(self, sign: str, value: Any) -> Expression:
        return Expression((*self.parts, f" {sign} ", *_side(value)))

    def _calculated(self, sign: str, value: Any) -> Operand:
        return Operand(("(", *self.parts, f" {sign} ", *_side(value), ")"))

    def _moved(self, by: timedelta) -> Operand:
        seconds, rest = divmod(abs(by), timedelta(seconds=1))
        if rest:
            raise FilterError(f"a timestamp is moved by whole seconds, not by {by}")
        sign = "+" if by >= timedelta(0) else "-"
        return Operand((*self.parts, f" {sign} INTERVAL 'PT{seconds}S'"))

    def _elements(self, function: str, condition: Condition, threshold: int | None = None) -> Expression:
        asked = condition(EachElement())
        if not isinstance(asked, Expression):
            raise FilterError(f"{function} takes a condition on each element, as in lambda each: each > 3")
        option = "" if threshold is None else f", threshold={_whole(threshold)}"
        return Expression((f"{function}(", *self.parts, ", ", *asked.parts, f"{option})"))

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


class EachElement(Operand):
    """An element of a list, in a condition on each; `[...]` picks a field of the struct that it is."""

    def __init__(self) -> None:
        super().__init__(("$",))

    def __getitem__(self, field: str) -> Operand:
        if not isinstance(field, str) or not PLAIN_NAME.fullmatch(field):
            raise FilterError(f"a field of a struct has a plain name, not {field!r}")
        return Operand((f"$[{field}]",))


Condition = Callable[[EachElement], Expression]


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
