"""Qdrant's filters: dicts of must, should, must_not and min_should, or qdrant_client's models of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any

from elanus.errors import FilterError, NotSupported, did_you_mean
from elanus.filter.dialects.rules import Rule, among, either, equal, every, null, opposite, test
from elanus.filter.fields import F, FieldPath, Operand

CLAUSES = ("must", "should", "must_not", "min_should")
RANGE: Mapping[str, Callable[[Operand, Any], Any]] = {
    "gt": lambda field, value: field > value,
    "gte": lambda field, value: field >= value,
    "lt": lambda field, value: field < value,
    "lte": lambda field, value: field <= value,
}
MOST_COMBINATIONS = 256
STEP = re.compile(r"([^.\[\]]+)((?:\[\d+\])*)")


def from_qdrant(filter: Any) -> Rule | None:
    """Translate a filter; a value that is a list satisfies a match if one of its elements does, as in Qdrant."""
    document = _plain(filter)
    if not isinstance(document, Mapping):
        raise FilterError(f"a Qdrant filter must be a dict or a Filter, not {type(filter).__name__}")
    return _filter(document) if document else None


def _plain(value: Any) -> Any:
    """Models as dicts; what a model leaves out is None."""
    for method in ("model_dump", "dict"):
        if callable(getattr(value, method, None)) and not isinstance(value, Mapping):
            return _plain(getattr(value, method)(exclude_none=True))
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _filter(document: Mapping[str, Any]) -> Rule:
    for key in document:
        if key not in CLAUSES:
            hint = did_you_mean(str(key), CLAUSES) or f"; there are {', '.join(CLAUSES)}"
            raise FilterError(f"Qdrant filter: no clause {key!r}{hint}")
    rules = [_condition(part) for part in _many(document.get("must"))]
    rules += [opposite(_condition(part)) for part in _many(document.get("must_not"))]
    if document.get("should"):
        rules.append(either([_condition(part) for part in _many(document["should"])]))
    if document.get("min_should"):
        rules.append(_at_least(document["min_should"]))
    return every(rules)


def _many(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _at_least(clause: Mapping[str, Any]) -> Rule:
    rules = [_condition(part) for part in _many(clause.get("conditions"))]
    least = clause.get("min_count", 1)
    groups = list(combinations(rules, least))
    if len(groups) > MOST_COMBINATIONS:
        raise NotSupported(f"Qdrant filter: min_should of {least} in {len(rules)} conditions is too many combinations")
    return either([every(group) for group in groups])


def _condition(condition: Mapping[str, Any]) -> Rule:
    if not isinstance(condition, Mapping):
        raise FilterError(f"Qdrant filter: expected a condition, not {condition!r}")
    if set(condition) & set(CLAUSES):
        return _filter(condition)
    for name in ("is_empty", "is_null"):
        if isinstance(condition.get(name), Mapping):
            return TESTS[name](_path(condition[name].get("key")), True)
    field = _path(condition.get("key"))
    named = [name for name in condition if name != "key"]
    for name in named:
        if name not in TESTS:
            raise NotSupported(f"Qdrant filter: '{name}' has no counterpart here; there are {', '.join(TESTS)}")
    if not named:
        raise FilterError(f"Qdrant filter: the condition {dict(condition)!r} asks nothing")
    return every([TESTS[name](field, condition[name]) for name in named])


def _path(key: Any) -> FieldPath:
    if not isinstance(key, str):
        raise NotSupported("Qdrant filter: only conditions with a 'key' have a counterpart here (no has_id, no nested)")
    steps = key.split(".")
    path: FieldPath | None = None
    for step in steps:
        fit = STEP.fullmatch(step)
        if fit is None:
            raise NotSupported(
                f"Qdrant filter: the key {key!r} looks into every element of a list, which is not supported"
            )
        path = F[fit[1]] if path is None else path[fit[1]]
        for index in re.findall(r"\d+", fit[2]):
            path = path[int(index)]
    assert path is not None
    return path


def _match(field: FieldPath, match: Mapping[str, Any]) -> Rule:
    if len(match) != 1:
        raise FilterError(f"Qdrant filter: match takes one of {', '.join(MATCHES)}, not {dict(match)!r}")
    ((how, wanted),) = match.items()
    if how not in MATCHES:
        raise NotSupported(f"Qdrant filter: match '{how}' has no counterpart here; there are {', '.join(MATCHES)}")
    return MATCHES[how](field, wanted)


def _one(field: FieldPath, value: Any) -> Rule:
    return either([equal(field, value), test(field, field.contains(value))])


def _any(field: FieldPath, values: Any) -> Rule:
    return either([among(field, _many(values)), test(field, field.contains_any(_many(values)))])


def _except(field: FieldPath, values: Any) -> Rule:
    return every([opposite(null(field)), opposite(_any(field, values))])


MATCHES: Mapping[str, Callable[[FieldPath, Any], Rule]] = {
    "value": _one,
    "any": _any,
    "except": _except,
    "except_": _except,
    "text": lambda field, text: test(field, field.has_text(text)),
}


def _range(field: FieldPath, ends: Mapping[str, Any]) -> Rule:
    unknown = set(ends) - set(RANGE)
    if unknown or not ends:
        raise FilterError(f"Qdrant filter: range takes {', '.join(RANGE)}, not {sorted(unknown)}")
    return every([test(field, RANGE[end](field, value)) for end, value in ends.items()])


def _count(field: FieldPath, ends: Mapping[str, Any]) -> Rule:
    return every([test(field, RANGE[end](field.length, value)) for end, value in ends.items()])


def _truth(rule: Callable[[FieldPath], Rule]) -> Callable[[FieldPath, Any], Rule]:
    return lambda field, wanted: rule(field) if wanted else opposite(rule(field))


TESTS: Mapping[str, Callable[[FieldPath, Any], Rule]] = {
    "match": _match,
    "range": _range,
    "values_count": _count,
    "is_null": _truth(null),
    "is_empty": _truth(lambda field: either([null(field), test(field, field == [])])),
}
