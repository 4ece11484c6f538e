"""A filter's words, numbers, strings and signs."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from elanus.filter.excerpt import Span, wrong
from elanus.filter.literals import number, unquote, valid_text

LITERAL, NAME, END = "literal", "name", "end"


class Token(NamedTuple):
    """One piece of a filter.

    `kind` is `literal` (with its `value`), `name`, `end`, or the operator or keyword itself, in one spelling:
    `&&`, `and` and `AND` are all `and`. `exact` is false for a string that only a LIKE pattern may be.
    """

    kind: str
    text: str
    start: int
    end: int
    value: Any = None
    exact: bool = True

    @property
    def span(self) -> Span:
        return self.start, self.end


WORDS = ("and", "or", "not", "in", "like", "exists")
KEYWORDS = {spelled: word for word in WORDS for spelled in (word, word.upper())}
SPELLINGS = {"&&": "and", "||": "or", "!": "not"}
BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}

_INTEGER = r"-?(?:0|[1-9][0-9]{0,17})"
_QUOTED = r"""(?:"[^"\\\r\n]*"|'[^'\\\r\n]*')"""
_STRING = r"""[rR]?(?:"(?:[^"\\\r\n]|\\[^\r\n])*"|'(?:[^'\\\r\n]|\\[^\r\n])*')"""
_NUMBER = (
    r"0[xX][0-9a-fA-F]*(?:\.[0-9a-fA-F]*)?(?:[pP][+-]?[0-9]+)?|0[bB][01]+"
    r"|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
)
_SIGN = r"\*\*|==|!=|<=|>=|<<|>>|&&|\|\||=~|!~|[-+*/%<>()\[\]{},&|^~!=$]"


def _list_of(item: str) -> str:
    return rf"\[\s*{item}(?:\s*,\s*{item})+\s*,?\s*\]"


TOKEN = re.compile(
    rf"(?P<blank>[ \t\r\n]+)|(?P<integers>{_list_of(_INTEGER)})|(?P<strings>{_list_of(_QUOTED)})"
    rf"|(?P<string>{_STRING})|(?P<name>\$meta\b|[A-Za-z_][A-Za-z0-9_]*)"
    rf"|(?P<number>(?:{_NUMBER})[A-Za-z0-9_]*)|(?P<sign>{_SIGN})"
)


def tokenise(text: str) -> list[Token]:
    """Split a filter into tokens, the last of kind `end`.

    A list of plain integers or plain strings is one literal token, so that lists of ten thousand ids stay fast.

    Raises:
        FilterError: a character, number or string that Milvus's grammar does not know.
    """
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise _unreadable(text, at)
        kind, at = match.lastgroup, match.end()
        if kind != "blank":
            tokens.append(_token(text, str(kind), match))
    tokens.append(Token(END, "", len(text), len(text)))
    return tokens


def _token(text: str, kind: str, match: re.Match[str]) -> Token:
    word, start, end = match.group(), match.start(), match.end()
    if kind == "sign":
        return Token(SPELLINGS.get(word, word), word, start, end)
    if kind == "name":
        if word in BOOLEANS:
            return Token(LITERAL, word, start, end, BOOLEANS[word])
        return Token(KEYWORDS.get(word, NAME), word, start, end)
    try:
        value, exact = LITERALS[kind](word)
    except ValueError as error:
        raise wrong(text, (start, end), str(error)) from None
    return Token(LITERAL, word, start, end, value, exact)


def _integers(word: str) -> tuple[tuple[int, ...], bool]:
    return tuple(map(int, word[1:-1].rstrip(" \t\r\n,").split(","))), True


def _strings(word: str) -> tuple[tuple[str, ...], bool]:
    valid_text(word)
    quote = "'" if '"' not in word else '"' if "'" not in word else ""
    if quote:
        return tuple(word.split(quote)[1::2]), True
    return tuple(q[1:-1] for q in re.findall(_QUOTED, word)), True


def _number(word: str) -> tuple[int | float, bool]:
    return number(word), True


LITERALS: dict[str, Any] = {"integers": _integers, "strings": _strings, "string": unquote, "number": _number}


def _unreadable(text: str, at: int) -> Exception:
    found = text[at]
    if found in "\"'":
        return wrong(text, (at, at + 1), "this string has no closing quote")
    message = f"unexpected character {found!r}"
    if found.isalpha():
        message += '; a key that is not plain ASCII is written $meta["..."]'
    return wrong(text, (at, at + 1), message)
