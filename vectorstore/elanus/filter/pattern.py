r"""LIKE patterns: `%` is any text, `_` one character, and a backslash takes the next character as it is.

Regular expressions are RE2's (https://github.com/google/re2/wiki/Syntax) and may fit anywhere in a string.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

EXACT, PREFIX, SUFFIX, INNER, REGEX, ANYWHERE = "exact", "prefix", "suffix", "inner", "regex", "anywhere"
ANY, ONE = r"[\s\S]*", r"[\s\S]"


@dataclass(frozen=True)
class Pattern:
    """A compiled pattern: how to search, and the literal text, or the regular expression, to search for."""

    how: str
    text: str

    def matches(self, value: str) -> bool:
        """Whether the whole of one string fits the pattern."""
        return SEARCH[self.how](self.text, value)


def compile_pattern(pattern: str) -> Pattern:
    """Find the cheapest search that a LIKE pattern allows."""
    pieces = _pieces(pattern)
    middle = [piece for piece in pieces if piece != "%"]
    literal = all(len(piece) == 2 for piece in middle)
    lead, trail = pieces[:1] == ["%"], pieces[-1:] == ["%"]
    inner_any = "%" in "".join(p if p == "%" else "." for p in pieces).strip("%")
    if literal and not inner_any:
        how = {(True, True): INNER, (True, False): SUFFIX, (False, True): PREFIX, (False, False): EXACT}
        return Pattern(how[lead, trail], "".join(piece[1] for piece in middle))
    special = {"%": ANY, "_": ONE}
    return Pattern(REGEX, "".join(special.get(piece) or _quoted(piece[1]) for piece in pieces))


def compile_regex(regex: str) -> Pattern:
    """Return a regular expression as a pattern, or raise ValueError if RE2 does not know it."""
    try:
        pc.match_substring_regex(pa.array([""]), regex)
    except pa.ArrowInvalid as error:
        raise ValueError(f"not a regular expression of RE2: {error}") from None
    return Pattern(ANYWHERE, regex)


def _pieces(pattern: str) -> list[str]:
    """Wildcards as they are, characters behind a backslash; a backslash at the end stands for itself."""
    pieces: list[str] = []
    taken = False
    for character in pattern:
        if not taken and character == "\\":
            taken = True
            continue
        pieces.append("\\" + character if taken or character not in "%_" else character)
        taken = False
    return [*pieces, "\\\\"] if taken else pieces


def _quoted(character: str) -> str:
    """The character for RE2 and for `re` alike."""
    return character if character.isalnum() or ord(character) > 127 else f"\\x{ord(character):02x}"


SEARCH: dict[str, Callable[[str, str], bool]] = {
    EXACT: lambda text, value: value == text,
    PREFIX: lambda text, value: value.startswith(text),
    SUFFIX: lambda text, value: value.endswith(text),
    INNER: lambda text, value: text in value,
    REGEX: lambda text, value: re.fullmatch(text, value) is not None,
    ANYWHERE: lambda text, value: re.search(text, value) is not None,
}
