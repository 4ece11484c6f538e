"""Filters as dicts of `$` operators, the style of LangChain's stores (PGVector, Chroma) and of Chroma itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from elanus.errors import FilterError, did_you_mean
from elanus.filter.dialects.rules import Rule, among, either, equal, every, null, opposite, test
from elanus.filter.fields import F, FieldPath, quoted_regex

Operator = Callable[[FieldPath, Any], Rule]


def _between(field: FieldPath, ends: Any) -> Rule:
    if not isinstance(ends, (list, tuple)) or len(ends) != 2:
        raise FilterError(f"$between takes [low, high], not {ends!r}")
    return test(field, field.between(*ends))


def _exists(field: FieldPath, wanted: Any) -> Rule:
    if not isinstance(wanted, bool):
        raise FilterError(f"$exists takes True or False, not {wanted!r}")
    return opposite(null(field)) if wanted else null(field)


def _ilike(field: FieldPath, pattern: Any) -> Rule:
    if not isinstance(pattern, str):
        raise FilterError(f"$ilike takes a str, not {pattern!r}")
    wild = {"%": r"[\s\S]*", "_": r"[\s\S]"}
    regex = "".join(wild.get(character) or quoted_regex(character) for character in pattern)
    return test(field, field.matches(rf"(?i)\A(?:{regex})\z"))


def _among(field: FieldPath, values: Any) -> Rule:
    if not isinstance(values, (list, tuple, set, frozenset)):
        raise FilterError(f"$in and $nin take a list, not {values!r}")
    return among(field, values)


CHROMA: Mapping[str, Operator] = {
    "$eq": equal,
    "$ne": lambda field, value: opposite(equal(field, value)),
    "$gt": lambda field, value: test(field, field > value),
    "$gte": lambda field, value: test(field, field >= value),
    "$lt": lambda field, value: test(field, field < value),
    "$lte": lambda field, value: test(field, field <= value),
    "$in": _among,
    "$nin": lambda field, values: opposite(_among(field, values)),
    "$contains": lambda field, value: test(field, field.contains(value)),
    "$not_contains": lambda field, value: opposite(test(field, field.contains(value))),
}
LANGCHAIN: Mapping[str, Operator] = {
    **CHROMA,
    "$between": _between,
    "$exists": _exists,
    "$like": lambda field, pattern: test(field, field.like(pattern)),
    "$ilike": _ilike,
    "$regex": lambda field, regex: test(field, field.matches(regex)),
}
JOINS: Mapping[str, Callable[[Sequence[Rule]], Rule]] = {
    "$and": every,
    "$or": either,
    "$nor": lambda rules: opposite(either(rules)),
}


def from_langchain(filter: Any) -> Rule | None:
    """Translate `{"year": {"$gte": 2020}, "$or": [...], "$not": {...}}`."""
    return _document(filter, LANGCHAIN)


def from_chroma(filter: Any) -> Rule | None:
    """Translate Chroma's `where`."""
    return _document(filter, CHROMA)


def _document(filter: Any, operators: Mapping[str, Operator]) -> Rule | None:
    if not isinstance(filter, Mapping):
        raise FilterError(f"a filter must be a dict, a str or an elanus.Expression, not {type(filter).__name__}")
    return _all(filter, operators) if filter else None


def _all(document: Any, operators: Mapping[str, Operator]) -> Rule:
    if not isinstance(document, Mapping):
        raise FilterError(f"expected a dict of conditions in the filter, not {document!r}")
    return every([_entry(key, value, operators) for key, value in document.items()])


def _entry(key: Any, value: Any, operators: Mapping[str, Operator]) -> Rule:
    if not isinstance(key, str):
        raise FilterError(f"a filter's keys are field names, not {key!r}")
    if key in JOINS:
        if not isinstance(value, (list, tuple)):
            raise FilterError(f"{key} takes a list of filters, not {value!r}")
        return JOINS[key]([_all(part, operators) for part in value])
    if key == "$not":
        return opposite(_all(value, operators))
    if key.startswith("$"):
        known = [*JOINS, "$not"]
        place = f"; it belongs to a field: {{'field': {{'{key}': ...}}}}" if key in operators else ""
        raise FilterError(
            f"no filter operator '{key}' here{place or did_you_mean(key, known) or f'; known are {known}'}"
        )
    return _field(key, value, operators)


def _field(name: str, value: Any, operators: Mapping[str, Operator]) -> Rule:
    if not isinstance(value, Mapping):
        return equal(F[name], value)
    rules = []
    for operator, operand in value.items():
        if operator == "$not":
            rules.append(opposite(_field(name, operand, operators)))
            continue
        make = operators.get(operator)
        if make is None:
            hint = did_you_mean(str(operator), operators) or f"; known are {', '.join(operators)}"
            raise FilterError(f"no filter operator {operator!r} (of field '{name}'){hint}")
        try:
            rules.append(make(F[name], operand))
        except FilterError as error:
            raise FilterError(f"field '{name}', {operator}: {error.message}") from None
    return every(rules)
