"""Values in a filter: from the syntax tree to operands, names resolved and constants folded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from elanus.errors import FilterError
from elanus.filter.conditions import Arith, Const, Element, Field, Length, Moved, Operand, Path, path_of
from elanus.filter.elements import SELF
from elanus.filter.excerpt import Span, wrong
from elanus.filter.functions import LENGTH
from elanus.filter.moments import Interval, Moment, moment, moved
from elanus.filter.names import ANY_KIND, KIND_OF_TYPE, describe, is_floating, kind_of_operand, resolve, struct_member
from elanus.filter.parse import ARITHMETIC, COMPARISONS, LOOSE
from elanus.filter.scalars import BITWISE, MAX_SHIFT, NUMBER, SHIFTS, TIMESTAMP, arithmetic, fits
from elanus.filter.tree import (
    Binary,
    Call,
    Chain,
    Duration,
    EachElement,
    ListOf,
    Literal,
    Member,
    Name,
    Node,
    NullTest,
    Template,
    Unary,
)
from elanus.schema.arrow import stored_fields
from elanus.schema.collection import CollectionSchema
from elanus.schema.fields import FieldSchema
from elanus.types import DataType

WHOLE_ONLY = BITWISE | {"%"}
CONDITIONS = (Binary, Chain, Member, NullTest)
PARENTHESES = "'not' binds to the one operand behind it; write not (...) around the whole condition"


class OperandChecker:
    """Checks the values in one filter; `fields` and `paths` collect what they read."""

    def __init__(self, text: str, schema: CollectionSchema, values: Mapping[str, Any]) -> None:
        self.text = text
        self.schema = schema
        self.values = values
        self.elements: FieldSchema | None = None
        self.fields: set[str] = set()
        self.paths: set[tuple[str, tuple[str | int, ...]]] = set()

    def wrong(self, span: Span, message: str) -> FilterError:
        return wrong(self.text, span, message)

    def operand(self, node: Node) -> Operand:
        """Return the node as a value, its constants folded, or raise if it is a condition."""
        return self.storable(self.unchecked(node), node.span)

    def storable(self, operand: Operand, span: Span) -> Operand:
        if isinstance(operand, Const) and not _storable(operand.value):
            raise self.wrong(span, f"{describe(operand)} does not fit a 64-bit number")
        return operand

    def unchecked(self, node: Node) -> Operand:
        if isinstance(node, Literal):
            if not node.exact:
                raise self.wrong(node.span, r"'\%' and '\_' are escapes of 'like' patterns only")
            return Const(node.value)
        if isinstance(node, Name):
            return self.name(node)
        if isinstance(node, EachElement):
            return self.element(node)
        if isinstance(node, Template):
            return Const(self.values[node.name])
        if isinstance(node, ListOf):
            return Const(tuple(self.item(item) for item in node.items))
        if isinstance(node, Unary) and node.op != "not":
            return self.signed(node)
        if isinstance(node, Binary) and node.op in ARITHMETIC:
            return self.calculation(node)
        if isinstance(node, Call) and node.name == LENGTH:
            return Length(self.array(node))
        if isinstance(node, Duration):
            raise self.wrong(node.span, "an interval stands behind the + or - of a timestamp")
        if isinstance(node, Unary):
            raise self.wrong(node.span, PARENTHESES)
        raise self.wrong(node.span, "this is a condition, not a value; join conditions by 'and' or 'or'")

    def item(self, node: Node) -> Any:
        operand = self.operand(node)
        if not isinstance(operand, Const):
            raise self.wrong(node.span, f"a list holds constants, not {describe(operand)}")
        return operand.value

    def opaque(self, node: Name) -> Field | None:
        """Return a field that can only be asked whether it is null, as a vector can; None if it is another name."""
        field = next((f for f in stored_fields(self.schema) if f.name == node.name), None)
        if field is None or node.keys or field.dtype in KIND_OF_TYPE or self.elements is not None:
            return None
        if field.dtype == DataType.ARRAY and field.struct_fields is None:
            return None
        self.fields.add(field.name)
        return Field(field.name, field.dtype)

    def element(self, node: EachElement) -> Field:
        """Return the element of a list, or a field of the struct that it is."""
        array = self.elements
        if array is None:
            raise self.wrong(node.span, "'$' stands inside element_filter, match_any and its like only")
        if array.struct_fields is not None:
            return struct_member(self.text, node.span, array, node.field)
        if node.field is not None:
            raise self.wrong(node.span, f"the elements of '{array.name}' are no structs; write $")
        assert array.element_type is not None
        return Field(SELF, array.element_type)

    def name(self, node: Name) -> Field | Element | Path:
        if self.elements is not None:
            written = f"$[{node.name}]" if self.elements.struct_fields else "$"
            raise self.wrong(node.span, f"a condition on elements names nothing else; the element's is {written}")
        operand = resolve(self.text, node, self.schema)
        if isinstance(operand, Path):
            self.paths.add((operand.field, operand.keys))
        else:
            field = operand.array if isinstance(operand, Element) else operand
            self.fields.add(field.struct or field.name)
        return operand

    def signed(self, node: Unary) -> Operand:
        operand = self.unchecked(node.operand)
        self.check_number(operand, node.operand.span)
        if node.op == "+":
            return operand
        if node.op == "~":
            return self.calculated("^", operand, Const(-1), node)
        return Const(-operand.value) if isinstance(operand, Const) else Arith("-", Const(0), operand)

    def calculation(self, node: Binary) -> Operand:
        if isinstance(node.right, Duration):
            return self.moved(node, node.right.value)
        if node.op in LOOSE:
            self.check_grouped(node)
        left, right = self.unchecked(node.left), self.unchecked(node.right)
        self.check_number(left, node.left.span)
        self.check_number(right, node.right.span)
        if node.op in ("/", "%") and isinstance(right, Const) and right.value == 0:
            raise self.wrong(node.right.span, "division by zero")
        if node.op in SHIFTS and isinstance(right, Const) and not 0 <= right.value <= MAX_SHIFT:
            raise self.wrong(node.right.span, f"a shift is by 0 to {MAX_SHIFT} bits")
        constant = isinstance(left, Const) or isinstance(right, Const)
        if not constant and (path_of(left) or path_of(right)):
            raise self.wrong(node.span, "a JSON path can be calculated with constants only")
        if not (isinstance(left, Const) and isinstance(right, Const)):
            left, right = self.storable(left, node.left.span), self.storable(right, node.right.span)
        return self.calculated(node.op, left, right, node)

    def calculated(self, op: str, left: Operand, right: Operand, node: Unary | Binary) -> Operand:
        """Put a calculation together, or do it where both sides are constants."""
        if op in WHOLE_ONLY and (is_floating(left) or is_floating(right)):
            raise self.wrong(node.span, f"'{node.op}' works on integers only")
        if not isinstance(left, Const) or not isinstance(right, Const):
            return Arith(op, left, right)
        result = arithmetic(op, left.value, right.value)
        if result is None:
            raise self.wrong(node.span, "this calculation has no result")
        return Const(result)

    def moved(self, node: Binary, by: Interval) -> Operand:
        """`timestamp + INTERVAL '...'`, or with a minus."""
        operand = self.unchecked(node.left)
        if kind_of_operand(operand) != TIMESTAMP or node.op not in "+-":
            raise self.wrong(
                node.span,
                "an interval can be added to a timestamp or taken from it, "
                + f"not joined by '{node.op}' to {describe(operand)}",
            )
        by = by if node.op == "+" else by.reversed()
        if isinstance(operand, Const):
            return Const(Moment(moved(np.array([operand.value], np.int64), by)[0]))
        if not isinstance(operand, Field):
            raise self.wrong(node.span, "a field is moved by one interval; write both as one, or move the constant")
        return Moved(operand, by)

    def as_moment(self, operand: Operand, span: Span) -> Operand:
        """A constant that a timestamp is compared with, as a moment; texts are read as ISO literals are."""
        return Const(self.read_moment(operand.value, span)) if isinstance(operand, Const) else operand

    def moments(self, values: Const, span: Span) -> Const:
        """The constants of a list, each `as_moment`."""
        return Const(tuple(self.read_moment(value, span) for value in values.value))

    def read_moment(self, value: Any, span: Span) -> Any:
        try:
            return moment(value) if isinstance(value, str) else value
        except ValueError as error:
            raise self.wrong(span, str(error)) from None

    def check_grouped(self, node: Binary) -> None:
        """Refuse `a & 1 == 1`, which Milvus's grammar reads as `a & (1 == 1)`."""
        for side in (node.left, node.right):
            if isinstance(side, CONDITIONS) and (not isinstance(side, Binary) or side.op in COMPARISONS):
                message = f"'{node.op}' calculates with integers, and comparisons bind tighter"
                hint = f"write (a {node.op} b) == c, and join conditions by 'and' or 'or'"
                raise self.wrong(side.span, f"{message}; {hint}")

    def check_number(self, operand: Operand, span: Span) -> None:
        if kind_of_operand(operand) not in (NUMBER, ANY_KIND):
            raise self.wrong(span, f"cannot calculate with {describe(operand)}")

    def array(self, node: Call) -> Field | Path:
        argument = node.args[0]
        structs = self.opaque(argument) if node.name == LENGTH and isinstance(argument, Name) else None
        if structs is not None and structs.dtype == DataType.ARRAY:
            return replace(structs, is_array=True)
        operand = self.operand(argument)
        if isinstance(operand, Path) or (isinstance(operand, Field) and operand.is_array):
            return operand
        raise self.wrong(argument.span, f"{node.name} needs an ARRAY field or a JSON path, not {describe(operand)}")


def _storable(value: Any) -> bool:
    if not isinstance(value, tuple):
        return fits(value)
    kinds = set(map(type, value))
    if kinds == {int}:
        return fits(min(value)) and fits(max(value))
    return kinds == {str} or all(map(_storable, value))
