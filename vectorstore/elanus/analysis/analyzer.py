"""Runs a recipe with tantivy: a text to its terms, and many texts to numbered terms in columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from elanus.analysis.packages import check_packages
from elanus.analysis.params import read_params
from elanus.analysis.recipe import Recipe, Step
from elanus.analysis.steps import make_filters, make_positions, make_tokenizer, make_whole
from elanus.analysis.tracing import TracedTerm, starts_of

REMEMBERED_WORDS = 65_536

_Key = TypeVar("_Key", str, str | bytes)


class EncodedTexts(NamedTuple):
    """Texts as numbers: `ids` indexes `terms`, text after text; `lengths` counts each text's terms.

    ids int32, lengths int32; a length of -1 marks a missing text (None), 0 a text without terms.
    `terms` are distinct, in no particular order.
    """

    terms: list[str]
    ids: npt.NDArray[np.int32]
    lengths: npt.NDArray[np.int32]


class PlacedWords(NamedTuple):
    """Texts as words and their positions: `ids` indexes `terms`, text after text; `lengths` counts each text's words.

    `terms[i]` are the terms that word i became, none for a stop word. ids, positions and lengths are int32; a position
    is what tantivy gives its token: the number of the word in its text, also where words before it left no term.
    """

    terms: list[tuple[str, ...]]
    ids: npt.NDArray[np.int32]
    positions: npt.NDArray[np.int32]
    lengths: npt.NDArray[np.int32]


def make_analyzer(params: Mapping[str, Any] | None = None) -> Analyzer:
    """Return the analyzer that Milvus's `analyzer_params` describe; None means the standard one.

    Raises NotSupported or InvalidArgument that name the option.
    """
    recipe = read_params(params)
    check_packages((recipe.tokenizer, *recipe.steps))
    return Analyzer(recipe)


@dataclass(frozen=True)
class Analyzer:
    """Turns texts into terms; equal recipes make equal analyzers, and any thread may use one."""

    recipe: Recipe
    by_field: ClassVar[None] = None

    def named(self, name: str | None = None) -> Analyzer:
        """Return this one, whatever name a query gives; a `MultiAnalyzer` has several."""
        return self

    def tokens(self, text: str) -> list[str]:
        """Return the terms of one text in their order."""
        return self._engine.terms(text)

    def trace(self, text: str) -> list[TracedTerm]:
        """Return the terms of one text with the words that they were made of."""
        engine = self._engine
        words = engine.tokenize(text)
        positions = range(len(words)) if engine.positions is None else engine.positions(text)
        by_character = self.recipe.tokenizer.name == "jieba"
        starts = positions if by_character else starts_of(text, words)
        return [
            TracedTerm(term, start, start + len(word), position, len(word) if by_character else 1)
            for word, start, position in zip(words, starts, positions, strict=True)
            for term in engine.terms_of(word)
        ]

    def encode(self, texts: Iterable[str | None]) -> EncodedTexts:
        """Return the terms of many texts as numbers; each text has the terms that `tokens` gives it.

        Filters look at one word at a time, so each distinct word passes them once.
        """
        words = _Numbering[str | bytes]()
        found: list[int] = []
        counts: list[int] = []
        split, number = self._engine.split, words.__getitem__
        for text in texts:
            if text is None:
                counts.append(-1)
                continue
            parts = split(text)
            counts.append(len(parts))
            found.extend(map(number, parts))
        terms_of_words = [self._engine.terms_of(word) for word in words]
        return _number_terms(terms_of_words, np.array(found, np.int32), np.array(counts, np.int64))

    def place(self, texts: Iterable[str]) -> PlacedWords:
        """Return the words of many texts, with their positions."""
        words = _Numbering[str | bytes]()
        found: list[int] = []
        counts: list[int] = []
        placed: list[int] = []
        split, number, positions = self._engine.split, words.__getitem__, self._engine.positions
        for text in texts:
            parts = split(text)
            counts.append(len(parts))
            found.extend(map(number, parts))
            if positions is not None:
                placed.extend(positions(text))
        lengths = np.array(counts, np.int32)
        places = np.array(placed, np.int32) if positions is not None else _counted(lengths)
        return PlacedWords([self._engine.terms_of(word) for word in words], np.array(found, np.int32), places, lengths)

    @cached_property
    def _engine(self) -> _Engine:
        return _Engine(self.recipe)


class _Numbering(dict[_Key, int]):
    """Numbers new keys from 0 in the order in which they are asked for."""

    def __missing__(self, key: _Key) -> int:
        number = self[key] = len(self)
        return number


class _Engine:
    """One recipe made to run: its tokenizer, its filters, and what single words became."""

    def __init__(self, recipe: Recipe) -> None:
        self.tokenize = make_tokenizer(recipe.tokenizer)
        self._filters = make_filters(recipe.steps)
        self.positions = make_positions(recipe.tokenizer)
        self._whole = make_whole(recipe)
        self._ascii = _ascii_table(recipe)
        self._known: dict[str | bytes, tuple[str, ...]] = {}

    def terms(self, text: str) -> list[str]:
        if self._whole is not None and not (self._ascii and text.isascii()):
            return self._whole(text)
        return [term for word in self.split(text) for term in self.terms_of(word)]

    def split(self, text: str) -> Sequence[str | bytes]:
        """The words of a text before the filters; those of an ASCII text as bytes, some three times as fast."""
        if self._ascii and text.isascii():
            return text.encode().translate(self._ascii).split()
        return self.tokenize(text)

    def terms_of(self, word: str | bytes) -> tuple[str, ...]:
        terms = self._known.get(word)
        if terms is None:
            if len(self._known) >= REMEMBERED_WORDS:
                self._known.clear()
            words = [word if isinstance(word, str) else word.decode()]
            for filter_word in self._filters:
                words = [term for one in words for term in filter_word(one)]
            terms = self._known[word] = tuple(words)
        return terms


def number_anew(pieces: Sequence[EncodedTexts]) -> tuple[list[str], npt.NDArray[np.int32]]:
    """Return the terms of several encodings, each once, and the ids of all of them, joined, as numbers of these."""
    numbers = _Numbering[str]()
    ids = [np.array([numbers[term] for term in piece.terms], np.int32)[piece.ids] for piece in pieces]
    return list(numbers), np.concatenate(ids)


def _number_terms(
    terms_of_words: list[tuple[str, ...]], found: npt.NDArray[np.int32], counts: npt.NDArray[np.int64]
) -> EncodedTexts:
    """Replace each word by its terms (none, one or several) and count again."""
    numbers = _Numbering[str]()
    flat = np.array([numbers[term] for terms in terms_of_words for term in terms], np.int32)
    widths = np.array([len(terms) for terms in terms_of_words], np.int64)
    starts = np.cumsum(widths) - widths
    ids, kept = _replace(found, flat, starts, widths)
    ends = np.concatenate(([0], np.cumsum(kept, dtype=np.int64)))
    bounds = np.concatenate(([0], np.cumsum(np.maximum(counts, 0))))
    lengths = np.diff(ends[bounds]).astype(np.int32)
    lengths[counts < 0] = -1
    return EncodedTexts(list(numbers), ids, lengths)


def _replace(
    found: npt.NDArray[np.int32],
    flat: npt.NDArray[np.int32],
    starts: npt.NDArray[np.int64],
    widths: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.integer[Any]]]:
    """The runs `flat[starts[w] : starts[w] + widths[w]]` of all words found, joined, and how long each is."""
    if widths.max(initial=0) <= 1:
        single = np.full(len(widths), -1, np.int32)
        single[widths == 1] = flat
        ids = single[found]
        present = ids >= 0
        return ids[present], present.view(np.int8)
    kept = widths[found]
    before = np.cumsum(kept) - kept
    return flat[np.arange(kept.sum()) + np.repeat(starts[found] - before, kept)], kept


def _counted(lengths: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """0, 1, 2, ... for each text anew."""
    ends = np.cumsum(lengths, dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    return (np.arange(total) - np.repeat(ends - lengths, lengths)).astype(np.int32)


def _ascii_table(recipe: Recipe) -> bytes | None:
    """What tantivy's simple tokenizer makes of ASCII: letters and digits stay, all else separates.

    Lower case at once where that is the first filter anyway: fewer distinct words to filter.
    """
    if recipe.tokenizer != Step("simple"):
        return None
    lower = recipe.steps[:1] == (Step("lowercase"),)
    plain = bytes(code if chr(code).isalnum() and code < 128 else ord(" ") for code in range(256))
    return plain.lower() if lower else plain
