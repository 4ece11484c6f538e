"""Cutting a text into passages at the ends of sentences, each beginning with the end of the one before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_ENDS = re.compile(r"\n\s*\n|(?<=[.!?\u2026])[\"')\]\u201d\u2019]*\s+|(?<=[\u3002\uff01\uff1f])")


@dataclass(frozen=True)
class Piece:
    """A passage and where in the text it begins."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """Where in the text it ends."""
        return self.start + len(self.text)


def split(text: str, size: int, overlap: int) -> list[Piece]:
    """Cut a text into pieces of at most `size` characters, each a slice of it; no word is cut that fits.

    A piece begins with those last sentences of the one before that fit into `overlap` characters.
    """
    pieces: list[Piece] = []
    spans = [part for span in _sentences(text) for part in _parts(text, *span, size)]
    first = 0
    while first < len(spans):
        last = first
        while last + 1 < len(spans) and spans[last + 1][1] - spans[first][0] <= size:
            last += 1
        pieces.append(Piece(text[spans[first][0] : spans[last][1]], spans[first][0]))
        after = last + 1
        while after < len(spans) and after - 1 > first and spans[last][1] - spans[after - 1][0] <= overlap:
            after -= 1
        first = after
    return pieces


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield where sentences begin and end, without the space between them."""
    start = 0
    for end in [match.end() for match in _ENDS.finditer(text)] + [len(text)]:
        stripped = text[start:end].strip()
        if stripped:
            begin = text.index(stripped[0], start)
            yield begin, begin + len(stripped)
        start = end


def _parts(text: str, start: int, end: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield a sentence in parts of at most `size` characters, cut between words where there are any."""
    while end - start > size:
        cut = text.rfind(" ", start, start + size + 1)
        cut = start + size if cut <= start else cut
        yield start, cut
        start = cut
        while start < end and text[start].isspace():
            start += 1
    if end > start:
        yield start, end
