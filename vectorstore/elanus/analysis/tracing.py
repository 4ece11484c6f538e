"""Where a text's terms come from: what `run_analyzer` tells of each."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import NamedTuple

HASHED_BYTES = 100
"""How much of a term Milvus hashes."""


class TracedTerm(NamedTuple):
    """A term, the word that it was made of as text[start:end], the word's position and how many it takes."""

    term: str
    start: int
    end: int
    position: int
    length: int


def starts_of(text: str, words: Sequence[str]) -> list[int]:
    """Return where words begin that lie in a text in the order of their beginnings, as n-grams do."""
    starts: list[int] = []
    taken: set[tuple[int, str]] = set()
    at = 0
    for word in words:
        at = text.index(word, at)
        while (at, word) in taken:
            at = text.index(word, at + 1)
        taken.add((at, word))
        starts.append(at)
    return starts


def hashed(term: str) -> int:
    """Return the number that stands for a term in the sparse vectors of a Milvus server."""
    return zlib.crc32(term.encode("utf-8", "surrogatepass")[:HASHED_BYTES]) % (2**32 - 1)
