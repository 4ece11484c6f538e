"""Names and types: from the syntax tree and a schema to conditions, or to an error that points at the mistake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from elanus.filter.conditions import (
    Always,
    And,
    Arith,
    Compare,
    Condition,
    Const,
    Contains,
    Element,
    Field,
    In,
    IsNull,
    Length,
    Like,
    Moved,
    Not,
    Operand,
    Or,
    path_of,
)
from elanus.filter.element_calls import element_call
from elanus.filter.excerpt import Span
from elanus.filter.functions import CONTAINS, PHRASE_MATCH, QUANTIFIED, RANDOM_SAMPLE, SPATIAL, TEXT_MATCH
from elanus.filter.moments import Moment
from elanus.filter.names import ANY_KIND, KIND_OF_TYPE, describe, kind_of_operand
from elanus.filter.operands import OperandChecker
from elanus.filter.parse import COMPARISONS
from elanus.filter.pattern import compile_pattern, compile_regex
from elanus.filter.scalars import BOOL, FLIPPED, KINDS, LIST, NUMBER, STRING, TIMESTAMP, compare
from elanus.filter.spatial_calls import spatial_call
from elanus.filter.text_calls import text_call
from elanus.filter.tree import (
    Binary,
    Call,
    Chain,
    Literal,
    Logic,
    Member,
    Node,
    NullTest,
    Unary,
)
from elanus.schema.fields import FieldSchema

SAMPLE = "random_sample(0.1)"
MARGIN = 1e-10


class Checker(OperandChecker):
    """Checks one filter against one schema."""

    def whole(self, node: Node) -> tuple[Condition, float | None]:
        """Return a filter's condition, and the share of the rows that match it that `random_sample` asks for."""
        parts = node.parts if isinstance(node, Logic) and node.op == "and" else (node,)
        last = parts[-1]
        if not isinstance(last, Call) or last.name != RANDOM_SAMPLE:
            return self.condition(node), None
        share = self.share(last)
        rest = tuple(map(self.condition, parts[:-1]))
        return rest[0] if len(rest) == 1 else And(rest) if rest else Always(True), share

    def share(self, node: Call) -> float:
        operand = self.operand(node.args[0])
        share = operand.value if isinstance(operand, Const) else None
        if not isinstance(share, float) or not MARGIN < share < 1 - MARGIN:
            message = f"random_sample takes a share between 0 and 1, as in random_sample(0.1), not {describe(operand)}"
            raise self.wrong(node.args[0].span, message)
        return share

    def misplaced(self, node: Call) -> Condition:
        raise self.wrong(node.span, "random_sample stands last in a filter, alone or after an 'and': ... and " + SAMPLE)

    def condition(self, node: Node) -> Condition:
        """Return the node as a condition, or raise if it is only a value."""
        if isinstance(node, Logic):
            parts = tuple(self.condition(part) for part in node.parts)
            return And(parts) if node.op == "and" else Or(parts)
        if isinstance(node, Unary) and node.op == "not":
            return Not(self.condition(node.operand))
        if isinstance(node, Binary) and node.op in COMPARISONS:
            return self.comparison(node.op, node.left, node.right, node.span)
        if isinstance(node, Binary) and node.op in PATTERNS:
            return self.like(node)
        if isinstance(node, Chain):
            return self.chain(node)
        if isinstance(node, Member):
            return self.member(node)
        if isinstance(node, NullTest):
            return self.null_test(node)
        if isinstance(node, Call) and self.elements is not None:
            raise self.wrong(node.span, f"{node.name} cannot be asked of elements")
        if isinstance(node, Call) and node.name in CALLS:
            return CALLS[node.name](self, node)
        return self.constant_condition(node)

    def inside(self, array: FieldSchema) -> Checker:
        """Return a checker of conditions on the elements of an array, in which nothing else has a name."""
        inner = Checker(self.text, self.schema, self.values)
        inner.elements = array
        return inner

    def constant_condition(self, node: Node) -> Condition:
        operand = self.operand(node)
        if isinstance(operand, Const) and isinstance(operand.value, bool):
            return Always(operand.value)
        if kind_of_operand(operand) == BOOL:
            raise self.wrong(node.span, f"{describe(operand)} is no condition yet; compare it: ... == true")
        raise self.wrong(node.span, f"expected a condition, and {describe(operand)} is a value; compare it")

    def comparison(self, op: str, left_node: Node, right_node: Node, span: Span) -> Condition:
        left, right = self.operand(left_node), self.operand(right_node)
        if TIMESTAMP in (kind_of_operand(left), kind_of_operand(right)):
            left, right = self.as_moment(left, left_node.span), self.as_moment(right, right_node.span)
        if isinstance(left, Const) and isinstance(right, Const):
            result = compare(op, left.value, right.value)
            if result is None:
                raise self.wrong(span, f"cannot compare {describe(left)} with {describe(right)}")
            return Always(result)
        if isinstance(left, Const):
            left, right, op = right, left, FLIPPED[op]
        self.check_comparable(op, left, right, span)
        if isinstance(right, Const) and isinstance(right.value, Moment):
            right = Const(int(right.value))
        return Compare(op, left, right)

    def check_comparable(self, op: str, left: Operand, right: Operand, span: Span) -> None:
        kinds = kind_of_operand(left), kind_of_operand(right)
        if not isinstance(right, Const) and (path_of(left) or path_of(right)):
            raise self.wrong(span, "a JSON path can be compared with constants only, not with another field")
        if kinds[0] != kinds[1] and (ANY_KIND not in kinds or TIMESTAMP in kinds):
            message = f"cannot compare {describe(left)} with {describe(right)}"
            raise self.wrong(span, message + QUOTE_HINT.get(kinds, ""))
        if LIST in kinds:
            self.check_list_comparison(op, left, right, span)

    def check_list_comparison(self, op: str, left: Operand, right: Operand, span: Span) -> None:
        if op not in ("==", "!="):
            raise self.wrong(span, f"lists can be compared by == and !=, not by {op}")
        if not isinstance(right, Const):
            raise self.wrong(span, "an array can be compared with a list of constants only")
        if isinstance(left, Field):
            self.check_elements(left, right.value, span)

    def chain(self, node: Chain) -> Condition:
        first, last = self.operand(node.first), self.operand(node.last)
        if kind_of_operand(self.operand(node.middle)) == TIMESTAMP:
            first, last = self.as_moment(first, node.first.span), self.as_moment(last, node.last.span)
        ends = (first, last)
        if any(kind_of_operand(end) not in (NUMBER, STRING, TIMESTAMP, ANY_KIND) for end in ends):
            raise self.wrong(node.span, "a chained comparison needs numbers, strings or timestamps")
        if isinstance(first, Const) and isinstance(last, Const):
            low, high = (first, last) if node.op1.startswith("<") else (last, first)
            ordered = compare("<=" if "=" in node.op1 and "=" in node.op2 else "<", low.value, high.value)
            if ordered is None:
                raise self.wrong(node.span, f"{describe(first)} and {describe(last)} are no ends of one range")
            if not ordered:
                raise self.wrong(node.span, "invalid range: its lower end is not below its upper end")
        return And(
            (
                self.comparison(node.op1, node.first, node.middle, node.span),
                self.comparison(node.op2, node.middle, node.last, node.span),
            )
        )

    def like(self, node: Binary) -> Condition:
        operand = self.operand(node.left)
        if isinstance(node.right, Literal) and isinstance(node.right.value, str):
            pattern: Operand = Const(node.right.value)
        else:
            pattern = self.operand(node.right)
        if isinstance(operand, (Const, Arith, Length)) or kind_of_operand(operand) not in (STRING, ANY_KIND):
            raise self.wrong(
                node.left.span, f"'{node.op}' needs a string field or a JSON path, not {describe(operand)}"
            )
        if not isinstance(pattern, Const) or not isinstance(pattern.value, str):
            raise self.wrong(node.right.span, f"the pattern of '{node.op}' must be a string, not {describe(pattern)}")
        try:
            fits = Like(operand, PATTERNS[node.op](pattern.value))
        except ValueError as error:
            raise self.wrong(node.right.span, str(error)) from None
        return Not(fits) if node.op == "!~" else fits

    def member(self, node: Member) -> Condition:
        operand, values = self.operand(node.operand), self.operand(node.values)
        if isinstance(operand, Const) and not isinstance(values, Const):
            message = "the left side of 'in' is a field; for a list field write array_contains(field, value)"
            raise self.wrong(node.span, message)
        if isinstance(operand, (Const, Arith, Length, Moved)) or kind_of_operand(operand) == LIST:
            raise self.wrong(node.operand.span, f"'in' needs a single scalar field, not {describe(operand)}")
        if not isinstance(values, Const) or not isinstance(values.value, tuple):
            message = f"the right side of 'in' must be a list, not {describe(values)}; write [...] around it"
            raise self.wrong(node.values.span, message)
        wanted = kind_of_operand(operand)
        if wanted == TIMESTAMP:
            values = self.moments(values, node.values.span)
        misfits = [k for k in set(map(type, values.value)) if not _is_of(wanted, KINDS[k])]
        if misfits:
            value = next(v for v in values.value if type(v) is misfits[0])
            raise self.wrong(node.values.span, f"{describe(operand)} cannot be {describe(Const(value))}")
        found = In(operand, tuple(map(int, values.value)) if wanted == TIMESTAMP else values.value)
        return Not(found) if node.negated else found

    def null_test(self, node: NullTest) -> Condition:
        operand = self.opaque(node.operand) or self.name(node.operand)
        if isinstance(operand, Element):
            raise self.wrong(node.span, "'is null' is for fields and JSON paths; compare array_length instead")
        if node.exists and (isinstance(operand, Field) or not operand.keys):
            raise self.wrong(node.span, f"'exists' takes a JSON path or a dynamic key, not {describe(operand)}")
        test = IsNull(operand)
        return Not(test) if node.negated else test

    def contains(self, node: Call) -> Condition:
        array, values = self.array(node), self.operand(node.args[1])
        if not isinstance(values, Const):
            raise self.wrong(node.args[1].span, f"{node.name} needs a constant, not {describe(values)}")
        many = CONTAINS[node.name] != "one"
        if many and not isinstance(values.value, tuple):
            raise self.wrong(node.args[1].span, f"{node.name} needs a list, not {describe(values)}")
        wanted = values.value if many else (values.value,)
        if isinstance(array, Field):
            self.check_elements(array, wanted, node.args[1].span)
        elif Moment in map(type, wanted):
            raise self.wrong(node.args[1].span, f"{describe(array)} holds no timestamps, only texts of them")
        return Contains(array, wanted, every=CONTAINS[node.name] != "any")

    def check_elements(self, array: Field, values: tuple[Any, ...], span: Span) -> None:
        for kind in set(map(type, values)):
            if KINDS[kind] != KIND_OF_TYPE[array.dtype]:
                value = next(v for v in values if type(v) is kind)
                raise self.wrong(span, f"{describe(array)} cannot hold {describe(Const(value))}")


CALLS: dict[str, Callable[[Checker, Call], Condition]] = {
    **dict.fromkeys(CONTAINS, Checker.contains),
    TEXT_MATCH: text_call,
    PHRASE_MATCH: text_call,
    RANDOM_SAMPLE: Checker.misplaced,
    **dict.fromkeys(SPATIAL, spatial_call),
    **dict.fromkeys(QUANTIFIED, element_call),
}


def _is_of(wanted: str | None, kind: str) -> bool:
    """Whether a constant of one kind can be among the values of another."""
    return kind == wanted or (wanted == ANY_KIND and kind not in (LIST, TIMESTAMP))


PATTERNS = {"like": compile_pattern, "=~": compile_regex, "!~": compile_regex}
QUOTE_HINT: dict[tuple[str | None, str | None], str] = {
    (STRING, NUMBER): "; a string is written in quotes",
    (NUMBER, STRING): "; a number is written without quotes",
    (STRING, BOOL): "; a string is written in quotes",
    (BOOL, STRING): "; true and false are written without quotes",
    (BOOL, NUMBER): "; write true or false",
    (TIMESTAMP, NUMBER): "; a timestamp is written ISO '2025-05-01T23:59:59Z'",
    (ANY_KIND, TIMESTAMP): "; JSON holds texts, compare with such a text",
    (STRING, TIMESTAMP): "; compare with a text of the form that the rows hold",
}
