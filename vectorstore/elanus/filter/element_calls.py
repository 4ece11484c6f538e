"""`element_filter`, `match_any` and its like: a condition on the elements of a list, checked against what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elanus.filter.conditions import Condition, Const, Quantified
from elanus.filter.functions import COUNTED, THRESHOLD
from elanus.filter.names import KIND_OF_TYPE, declared, describe
from elanus.filter.tree import Call, Name

if TYPE_CHECKING:
    from elanus.filter.check import Checker

MAX_THRESHOLD = 2**31 - 1


def element_call(checker: Checker, node: Call) -> Condition:
    """Return the condition of a call, or raise if its field is no list or its condition does not fit the elements."""
    argument = node.args[0]
    field = declared(checker.schema, argument.name) if isinstance(argument, Name) and not argument.keys else None
    if field is None or (field.struct_fields is None and field.element_type not in KIND_OF_TYPE):
        raise checker.wrong(
            argument.span, f"{node.name} needs an ARRAY field, not {describe(checker.operand(argument))}"
        )
    checker.fields.add(field.name)
    condition = checker.inside(field).condition(node.args[1])
    return Quantified(field.name, node.name, condition, _threshold(checker, node))


def _threshold(checker: Checker, node: Call) -> int:
    if node.name not in COUNTED:
        return 0
    given = node.option(THRESHOLD)
    if given is None:
        raise checker.wrong(node.span, f"{node.name} needs {THRESHOLD}=..., a number of elements")
    threshold = checker.operand(given)
    value = threshold.value if isinstance(threshold, Const) else None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_THRESHOLD:
        raise checker.wrong(given.span, f"{THRESHOLD} must be an integer, 0 or more, not {describe(threshold)}")
    return value
