"""LlamaIndex's MetadataFilters, known by their attributes: filters, condition; key, operator, value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from elanus.errors import FilterError
from elanus.filter.dialects.rules import Rule, among, either, equal, every, null, opposite, test
from elanus.filter.fields import F, FieldPath


def _text(field: FieldPath, value: Any, ignore_case: bool) -> Rule:
    if not isinstance(value, str):
        raise FilterError(f"a text match takes a str, not {value!r}")
    return test(field, field.has_text(value, ignore_case))


def _empty(field: FieldPath, value: Any) -> Rule:
    """Null, missing, an empty text or an empty list."""
    return either([null(field), test(field, field == ""), test(field, field == [])])


OPERATORS: Mapping[str, Callable[[FieldPath, Any], Rule]] = {
    "==": equal,
    "!=": lambda field, value: opposite(equal(field, value)),
    ">": lambda field, value: test(field, field > value),
    ">=": lambda field, value: test(field, field >= value),
    "<": lambda field, value: test(field, field < value),
    "<=": lambda field, value: test(field, field <= value),
    "in": lambda field, values: among(field, _listed(values)),
    "nin": lambda field, values: opposite(among(field, _listed(values))),
    "any": lambda field, values: test(field, field.contains_any(_listed(values))),
    "all": lambda field, values: test(field, field.contains_all(_listed(values))),
    "contains": lambda field, value: test(field, field.contains(value)),
    "text_match": lambda field, value: _text(field, value, False),
    "text_match_insensitive": lambda field, value: _text(field, value, True),
    "is_empty": _empty,
}
CONDITIONS: Mapping[str, Callable[[Sequence[Rule]], Rule]] = {
    "and": every,
    "or": either,
    "not": lambda rules: opposite(either(rules)),
}


def from_llamaindex(filters: Any) -> Rule | None:
    """Translate MetadataFilters, nested as deep as they are; NOT means that none of its filters matches."""
    if not hasattr(filters, "filters"):
        raise FilterError(
            f"filters must be MetadataFilters, a str or an elanus.Expression, not {type(filters).__name__}"
        )
    return _group(filters) if filters.filters else None


def _group(group: Any) -> Rule:
    condition = _named(group.condition) if group.condition is not None else "and"
    if condition not in CONDITIONS:
        raise FilterError(f"MetadataFilters: no condition {condition!r}; there are {', '.join(CONDITIONS)}")
    return CONDITIONS[condition]([_group(part) if hasattr(part, "filters") else _leaf(part) for part in group.filters])


def _leaf(leaf: Any) -> Rule:
    operator = _named(leaf.operator)
    if operator not in OPERATORS:
        raise FilterError(f"MetadataFilter '{leaf.key}': no operator {operator!r}; there are {', '.join(OPERATORS)}")
    try:
        return OPERATORS[operator](F[leaf.key], leaf.value)
    except FilterError as error:
        raise FilterError(f"MetadataFilter '{leaf.key}' {operator}: {error.message}") from None


def _listed(values: Any) -> list[Any]:
    if not isinstance(values, (list, tuple, set, frozenset)):
        raise FilterError(f"the operator takes a list, not {values!r}")
    return list(values)


def _named(member: Any) -> str:
    return str(getattr(member, "value", member))
