r"""Rows of synonyms, in Milvus's form: `fast, quick => speedy` maps words to others, `happy, joyful` are alike.

A backslash makes `,`, a blank, `\` or `=>` part of a word; without it a word has no blanks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from elanus.errors import InvalidArgument

Synonyms = tuple[tuple[str, tuple[str, ...]], ...]
"""Words, and what stands for each of them."""

_PIECE = re.compile(r"\\(=>|[,\\ ])|(=>)|(,)|(\s+)|(.)")


def read_synonyms(rows: Sequence[str], expand: bool) -> Synonyms:
    """Return what the rows say: with `expand` words stay beside what they map to, without they are replaced by it.

    Words that are alike stand for each other, or without `expand` the first for all.
    """
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        sides = _sides(row)
        for word in sides[0]:
            others = sides[-1] if expand or len(sides) == 2 else sides[0][:1]
            own = [word] if expand else []
            found.setdefault(word, {}).update(dict.fromkeys([*own, *others]))
    return tuple((word, tuple(others)) for word, others in found.items())


def _sides(row: str) -> list[list[str]]:
    """The words of a row, or those before and after its arrow."""
    sides, ended = [[""]], False
    for escaped, arrow, comma, blank, character in _PIECE.findall(row):
        if arrow:
            sides.append([""])
        elif comma:
            sides[-1].append("")
        elif not blank:
            _need(not ended, row, "a word has a blank in it; put a backslash before the blank")
            _need(character != "\\", row, "a backslash stands before ',', a blank, '=>' or a backslash")
            sides[-1][-1] += escaped or character
        ended = bool(blank and sides[-1][-1])
    words = [[word for word in side if word] for side in sides]
    _need(len(words) <= 2, row, "it has more than one '=>'")
    _need(all(words), row, "it has no words" if len(words) == 1 else "one side of '=>' has no words")
    return words


def _need(condition: bool, row: str, rule: str) -> None:
    if not condition:
        raise InvalidArgument(f"synonyms: the row {row!r} cannot be read: {rule}")
