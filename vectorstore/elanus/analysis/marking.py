"""Words of a text that a query names, marked in fragments of the text."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from elanus.analysis.analyzer import Analyzer

Span = tuple[int, int]


@dataclass(frozen=True)
class Marks:
    """How words are marked, and how much of the text around them is kept.

    Attributes:
        before, after: what stands before and behind a marked word; of several the words take turns.
        offset: how many characters a fragment begins before its first marked word.
        size: the most characters of a fragment, marks not counted; one longer word is kept whole.
        fragments: the most fragments of a text.
    """

    before: tuple[str, ...] = ("<em>",)
    after: tuple[str, ...] = ("</em>",)
    offset: int = 0
    size: int = 100
    fragments: int = 5

    def mark(self, text: str, spans: Sequence[Span]) -> list[str]:
        """Return the fragments of a text around ascending spans that do not overlap."""
        found: list[str] = []
        number = last = 0
        while number < len(spans) and len(found) < self.fragments:
            begin = max(last, spans[number][0] - self.offset)
            inside = list(self._inside(spans[number:], begin))
            end = self._end(text, spans[number + len(inside) :], inside, begin)
            found.append(self._marked(text, inside, begin, end, number))
            number, last = number + len(inside), end
        return found

    def _inside(self, spans: Sequence[Span], begin: int) -> Iterator[Span]:
        """The spans that lie whole in the fragment that begins there, the first one however long it is."""
        for place, span in enumerate(spans):
            if place and span[1] > begin + self.size:
                return
            yield span

    def _end(self, text: str, rest: Sequence[Span], inside: Sequence[Span], begin: int) -> int:
        """Where a fragment ends: before a word to be marked that it would cut."""
        most = max(begin + self.size, inside[-1][1])
        return min(most, len(text), *(span[0] for span in rest[:1]))

    def _marked(self, text: str, spans: Sequence[Span], begin: int, end: int, number: int) -> str:
        pieces, at = [], begin
        for turn, (start, stop) in enumerate(spans, number):
            before, after = self.before[turn % len(self.before)], self.after[turn % len(self.after)]
            pieces += [text[at:start], before, text[start:stop], after]
            at = stop
        return "".join([*pieces, text[at:end]])


def spans_of(analyzer: Analyzer, text: str, terms: Collection[str]) -> list[Span]:
    """Where the words of a text stand that have one of these terms; those that overlap, as n-grams do, are one."""
    found: list[Span] = []
    for start, end in sorted({(word.start, word.end) for word in analyzer.trace(text) if word.term in terms}):
        if found and start < found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        elif end > start:
            found.append((start, end))
    return found
