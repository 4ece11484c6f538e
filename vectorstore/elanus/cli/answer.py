"""An answered question: hits with their rank on every route, and the words they share with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from elanus.analysis import make_analyzer

WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Rank:
    """A place in one route's list, from 1, and the score that gave it."""

    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found. `dense` and `bm25` are None where a route did not find it among its best."""

    id: str
    title: str
    module: str
    kind: str
    text: str
    fused: Rank
    dense: Rank | None
    bm25: Rank | None
    matched: list[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """A question, its hits best first, and the milliseconds its embedding and its hybrid search took."""

    question: str
    hits: list[Hit]
    embed_ms: float
    search_ms: float


class Matcher:
    """Finds the words of a question in texts as the BM25 index does: by their analysed form."""

    def __init__(self, question: str, analyzer: dict[str, Any]) -> None:
        self._terms = make_analyzer(analyzer).tokens
        words = dict.fromkeys(WORD.findall(question.lower()))
        self._forms = [(word, set(self._terms(word))) for word in words]

    def matched(self, text: str) -> list[str]:
        """Return the question's words that occur in a text in any form, in the question's order."""
        held = set(self._terms(text))
        return [word for word, forms in self._forms if forms & held]
