"""Found passages, readable in a terminal and in a notebook."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_SHOWN = 200


@dataclass(frozen=True)
class Hit:
    """A passage that answers: its text, how well, and where it is from.

    `score` is the reranker's, or the fused one; `chunk` is the passage's place in its document, `document` the
    document's id, `start` where in the document the text begins. `explanation` is there if it was asked for: the
    passage's rank in each route, the terms it matched, its shares of the fused score, the reranker's effect; so are
    `highlights`, fragments of the passage with the question's words marked.
    """

    text: str
    score: float
    document: str
    chunk: int
    source: str = ""
    start: int = 0
    metadata: Mapping[str, Any] = field(default_factory=dict)
    explanation: Mapping[str, Any] | None = None
    highlights: tuple[str, ...] | None = None

    @property
    def origin(self) -> str:
        """Source and place, or the document's id."""
        return f"{self.source or self.document}#{self.chunk}"

    def __str__(self) -> str:
        return f"{self.score:.3f}  {self.origin}\n{textwrap.indent(textwrap.fill(self.text, 100), '    ')}"


class Hits(list[Hit]):
    """Found passages, best first."""

    def __init__(self, question: str, hits: list[Hit]) -> None:
        super().__init__(hits)
        self.question = question

    def __repr__(self) -> str:
        return f"Hits({self.question!r}, {list(self)!r})"

    def __str__(self) -> str:
        return "\n".join(map(str, self)) or "nothing found"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{number}</td><td>{hit.score:.3f}</td><td style='text-align:left'>{_shown(hit)}</td>"
            f"<td>{html.escape(hit.origin)}</td></tr>"
            for number, hit in enumerate(self, 1)
        )
        head = "<tr><th></th><th>score</th><th>passage</th><th>from</th></tr>"
        return f"<b>{html.escape(self.question)}</b><table>{head}{rows}</table>"


def _shown(hit: Hit) -> str:
    """The beginning of a passage, or its fragments with the words of the question marked."""
    if not hit.highlights:
        return html.escape(textwrap.shorten(hit.text, _SHOWN, placeholder=" …"))
    fragments = html.escape(" … ".join(hit.highlights))
    return fragments.replace("&lt;em&gt;", "<mark>").replace("&lt;/em&gt;", "</mark>")
