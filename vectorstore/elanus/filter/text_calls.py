"""`text_match` and `phrase_match`: from the calls in a filter to conditions, their texts analysed."""

from __future__ import annotations

from elanus.analysis import analyzer_of
from elanus.filter.conditions import Const, Field, PhraseMatch, TextMatch
from elanus.filter.functions import MINIMUM, TEXT_MATCH
from elanus.filter.names import describe
from elanus.filter.operands import OperandChecker
from elanus.filter.texts import placed_terms
from elanus.filter.tree import Call, Node
from elanus.schema.fields import FieldSchema

MOST_REQUIRED = 1_000
MAX_SLOP = 2**32 - 1


def text_call(checker: OperandChecker, node: Call) -> TextMatch | PhraseMatch:
    """Return the condition of a call, or raise if its field is not kept for matching or an argument is of no use."""
    field, text = _field(checker, node), _text(checker, node)
    analyzer = analyzer_of(field).named()
    placed = placed_terms(analyzer, text)
    terms = tuple(term for _, term in placed)
    if node.name == TEXT_MATCH:
        least = 1 if node.option is None else _number(checker, node.option, MINIMUM, 1, MOST_REQUIRED)
        return TextMatch(field.name, analyzer, terms, least)
    slop = _number(checker, node.args[2], "slop", 0, MAX_SLOP) if len(node.args) > 2 else 0
    return PhraseMatch(field.name, analyzer, terms, tuple(place for place, _ in placed), slop)


def _field(checker: OperandChecker, node: Call) -> FieldSchema:
    operand = checker.operand(node.args[0])
    if not isinstance(operand, Field) or operand.is_array:
        raise checker.wrong(node.args[0].span, f"{node.name} needs a VARCHAR field, not {describe(operand)}")
    field = checker.schema.field(operand.name)
    if not field.enable_match:
        message = f"{node.name} needs a VARCHAR field with enable_match=True, and {describe(operand)} has not"
        raise checker.wrong(node.args[0].span, message)
    return field


def _text(checker: OperandChecker, node: Call) -> str:
    text = checker.operand(node.args[1])
    if not isinstance(text, Const) or not isinstance(text.value, str):
        raise checker.wrong(node.args[1].span, f"{node.name} searches for a string, not {describe(text)}")
    return text.value


def _number(checker: OperandChecker, node: Node, name: str, least: int, most: int) -> int:
    number = checker.operand(node)
    value = number.value if isinstance(number, Const) else None
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise checker.wrong(node.span, f"{name} must be an integer from {least} to {most}, not {describe(number)}")
    return value
