"""`st_within` and its like: from the calls in a filter to conditions, their shapes checked."""

from __future__ import annotations

from elanus.filter.conditions import Const, Field, Spatial
from elanus.filter.excerpt import unsupported
from elanus.filter.functions import DISTANCE
from elanus.filter.names import describe
from elanus.filter.operands import OperandChecker
from elanus.filter.shapes import has_shapely
from elanus.filter.tree import Call, Name
from elanus.schema.geometry import canonical
from elanus.schema.unfit import Unfit
from elanus.types import DataType


def spatial_call(checker: OperandChecker, node: Call) -> Spatial:
    """Return the condition of a call, or raise if its field is no GEOMETRY or an argument is of no use."""
    field = _field(checker, node)
    if not has_shapely():
        message = f"{node.name} needs the package shapely: pip install 'elanus[geometry]'"
        raise unsupported(checker.text, node.span, message)
    if len(node.args) == 1:
        return Spatial(field.name, node.name)
    shape = _shape(checker, node)
    if node.name != DISTANCE:
        return Spatial(field.name, node.name, shape)
    if not shape.startswith("POINT") or shape.endswith("EMPTY"):
        raise checker.wrong(node.args[1].span, f"{node.name} measures from a point, such as 'POINT (13.4 52.5)'")
    return Spatial(field.name, node.name, shape, _distance(checker, node))


def _field(checker: OperandChecker, node: Call) -> Field:
    argument = node.args[0]
    field = checker.opaque(argument) if isinstance(argument, Name) else None
    if field is None or field.dtype != DataType.GEOMETRY:
        said = describe(checker.operand(argument)) if field is None else describe(field)
        raise checker.wrong(argument.span, f"{node.name} needs a GEOMETRY field, not {said}")
    return field


def _shape(checker: OperandChecker, node: Call) -> str:
    text = checker.operand(node.args[1])
    try:
        return canonical(text.value if isinstance(text, Const) else None)
    except Unfit as error:
        raise checker.wrong(node.args[1].span, f"the shape of {node.name}: {error}") from None


def _distance(checker: OperandChecker, node: Call) -> float:
    distance = checker.operand(node.args[2])
    value = distance.value if isinstance(distance, Const) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        message = f"{node.name} takes a distance in metres, 0 or more, not {describe(distance)}"
        raise checker.wrong(node.args[2].span, message)
    return float(value)
