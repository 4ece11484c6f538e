"""Cutting long documentation into passages that an embedding model reads whole."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

LONGEST = 800  # characters of a passage: about 200 tokens, under MiniLM's 256 even for code
SHORTEST_TAIL = 120  # characters; a shorter rest joins the passage before it


def split(text: str) -> list[str]:
    """Cut a text at blank lines into passages of about `LONGEST` characters; no word is cut, none is lost."""
    found: list[str] = []
    for block in blocks(inspect.cleandoc(text)):
        if found and len(found[-1]) + len(block) < LONGEST:
            found[-1] = f"{found[-1]}\n\n{block}"
        else:
            found.append(block)
    if len(found) > 1 and len(found[-1]) < SHORTEST_TAIL:
        rest = found.pop()
        found[-1] = f"{found[-1]}\n\n{rest}"
    return found


def blocks(text: str) -> Iterator[str]:
    """Yield paragraphs; one longer than a passage comes line by line, and a longer line in runs of words."""
    for paragraph in text.split("\n\n"):
        if len(paragraph) <= LONGEST:
            if paragraph.strip():
                yield paragraph.strip("\n").rstrip()
            continue
        yield from runs(paragraph.split("\n"), "\n")


def runs(pieces: list[str], glue: str) -> Iterator[str]:
    """Join neighbouring pieces into runs of at most `LONGEST` characters."""
    run = ""
    for piece in pieces:
        if len(piece) > LONGEST and glue == "\n":
            if run:
                yield run
            yield from runs(piece.split(" "), " ")
            run = ""
        elif run and len(run) + len(piece) >= LONGEST:
            yield run
            run = piece
        else:
            run = f"{run}{glue}{piece}" if run else piece
    if run.strip():
        yield run
