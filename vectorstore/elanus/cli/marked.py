"""Passages on a terminal, the words of the question marked."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

import elanus
from elanus.knowledge.hits import Hit

BEGIN, END = "\ue000", "\ue001"
"""Characters of private use, which texts do not have."""

LONGEST = 1_000_000
WIDTH = 104

WHOLE = elanus.LexicalHighlighter(
    pre_tags=[BEGIN], post_tags=[END], fragment_offset=LONGEST, fragment_size=LONGEST, num_of_fragments=1
)
"""Marks words in the whole text."""


def show_hits(hits: Sequence[Hit]) -> None:
    """Print passages that were found with `WHOLE`, best first."""
    console = Console(highlight=False)
    for hit in hits:
        console.print(Text.assemble(f"{hit.score:.3f}  ", (hit.origin, "cyan")))
        console.print(Padding(marked(hit), (0, 0, 0, 4)), width=min(WIDTH, console.width))
    if not hits:
        console.print("nothing found")


def marked(hit: Hit) -> Text:
    """A passage on one line, its marked words bold."""
    text = " ".join((hit.highlights or [hit.text])[0].split())
    pieces = re.split(f"{BEGIN}([^{END}]*){END}", text)
    return Text.assemble(*((piece, "bold green" if place % 2 else "") for place, piece in enumerate(pieces)))
