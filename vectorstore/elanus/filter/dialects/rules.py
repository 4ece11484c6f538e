"""Two-valued logic on top of the language's three-valued one.

A rule gives its filter, or the filter for exactly the other rows. Negation moves down to the single tests, where a
null or missing field is let in by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from elanus.filter.expression import Expression, all_of, any_of
from elanus.filter.fields import Operand

Rule: TypeAlias = Callable[[bool], Expression]


def test(field: Operand, condition: Expression) -> Rule:
    """A condition on a field that may be null or missing, which does not satisfy it."""
    return lambda negated: any_of([~condition, field.is_null()]) if negated else condition


def null(field: Operand) -> Rule:
    """Whether a field is null or missing."""
    return lambda negated: field.not_null() if negated else field.is_null()


def every(rules: Sequence[Rule]) -> Rule:
    """All of the rules; of none, always."""
    return lambda negated: (any_of if negated else all_of)([rule(negated) for rule in rules])


def either(rules: Sequence[Rule]) -> Rule:
    """At least one of the rules; of none, never."""
    return lambda negated: (all_of if negated else any_of)([rule(negated) for rule in rules])


def opposite(rule: Rule) -> Rule:
    """Exactly the rows that the rule leaves out."""
    return lambda negated: rule(not negated)


def equal(field: Operand, value: Any) -> Rule:
    """Whether a field has this value; None asks for null."""
    return null(field) if value is None else test(field, field == value)


def among(field: Operand, values: Iterable[Any]) -> Rule:
    """Whether a field has one of these values; None among them asks for null."""
    listed = list(values)
    wanted = [value for value in listed if value is not None]
    found = test(field, field.isin(wanted))
    return either([found, null(field)]) if len(wanted) < len(listed) else found
