"""`text_match` and `phrase_match`: from the calls in a filter to conditions, their texts analysed."""

from __future__ import annotations

from elanus.analysis import analyzer_of
from elanus.filter.conditions import Const, Field, PhraseMatch, TextMatch
from elanus.filter.functions import FUZZINESS, MINIMUM, PREFIX, TEXT_MATCH
from elanus.filter.names import describe
from elanus.filter.operands import OperandChecker
from elanus.filter.texts import placed_terms
from elanus.filter.tree import Call, Node
from elanus.index.spelling import MAX_EDITS
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
        least = _number(checker, node.option(MINIMUM), MINIMUM, 1, 1, MOST_REQUIRED)
        edits = _number(checker, node.option(FUZZINESS), FUZZINESS, 0, 0, MAX_EDITS)
        return TextMatch(field.name, analyzer, terms, least, _flag(checker, node.option(PREFIX), PREFIX), edits)
    slop = _number(checker, node.args[2] if len(node.args) > 2 else None, "slop", 0, 0, MAX_SLOP)
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


def _flag(checker: OperandChecker, node: Node | None, name: str) -> bool:
    if node is None:
        return False
    flag = checker.operand(node)
    value = flag.value if isinstance(flag, Const) else None
    if not isinstance(value, bool):
        raise checker.wrong(node.span, f"{name} must be true or false, not {describe(flag)}")
    return value


def _number(checker: OperandChecker, node: Node | None, name: str, default: int, least: int, most: int) -> int:
    if node is None:
        return default
    number = checker.operand(node)
    value = number.value if isinstance(number, Const) else None
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise checker.wrong(node.span, f"{name} must be an integer from {least} to {most}, not {describe(number)}")
    return value
