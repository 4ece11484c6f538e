"""Runs a recipe with tantivy: a text to its terms, and many texts to numbered terms in columns."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from elanus.analysis.params import Recipe, Step, read_params
from elanus.errors import InvalidArgument

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


def make_analyzer(params: Mapping[str, Any] | None = None) -> Analyzer:
    """Return the analyzer that Milvus's `analyzer_params` describe; None means the standard one.

    Raises NotSupported or InvalidArgument that name the option.
    """
    return Analyzer(read_params(params))


@dataclass(frozen=True)
class Analyzer:
    """Turns texts into terms; equal recipes make equal analyzers, and any thread may use one."""

    recipe: Recipe

    def tokens(self, text: str) -> list[str]:
        """Return the terms of one text in their order."""
        return self._engine.terms(text)

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

    @cached_property
    def _engine(self) -> _Engine:
        return _Engine(self.recipe)


class _Numbering(dict[_Key, int]):
    """Numbers new keys from 0 in the order in which they are asked for."""

    def __missing__(self, key: _Key) -> int:
        number = self[key] = len(self)
        return number


class _Engine:
    """tantivy's objects for one recipe: the whole chain, its tokenizer alone, and what single words became.

    An analyzer of tantivy's may not be entered twice at a time, hence the lock.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._lock = threading.Lock()
        self._whole = _build(recipe.tokenizer, recipe.steps)
        self._words = _build(recipe.tokenizer, ())
        self._ascii = _ascii_table(recipe)
        self._known: dict[str | bytes, tuple[str, ...]] = {}

    def terms(self, text: str) -> list[str]:
        return self._run(self._whole, text)

    def split(self, text: str) -> Sequence[str | bytes]:
        """The words of a text before the filters; those of an ASCII text as bytes, some three times as fast."""
        if self._ascii and text.isascii():
            return text.encode().translate(self._ascii).split()
        return self._run(self._words, text)

    def terms_of(self, word: str | bytes) -> tuple[str, ...]:
        terms = self._known.get(word)
        if terms is None:
            if len(self._known) >= REMEMBERED_WORDS:
                self._known.clear()
            terms = self._known[word] = tuple(self.terms(word if isinstance(word, str) else word.decode()))
        return terms

    def _run(self, analyzer: Any, text: str) -> list[str]:
        try:
            with self._lock:
                words: list[str] = analyzer.analyze(text)
        except UnicodeEncodeError as error:
            raise InvalidArgument(f"text is not valid Unicode: lone surrogate at character {error.start}") from None
        return words


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


def _ascii_table(recipe: Recipe) -> bytes | None:
    """What tantivy's simple tokenizer makes of ASCII: letters and digits stay, all else separates.

    Lower case at once where that is the first filter anyway: fewer distinct words to filter.
    """
    if recipe.tokenizer != "simple":
        return None
    lower = recipe.steps[:1] == (Step("lowercase"),)
    plain = bytes(code if chr(code).isalnum() and code < 128 else ord(" ") for code in range(256))
    return plain.lower() if lower else plain


def _build(tokenizer: str, steps: tuple[Step, ...]) -> Any:
    import tantivy

    builder = tantivy.TextAnalyzerBuilder(getattr(tantivy.Tokenizer, tokenizer)())
    for step in steps:
        make = getattr(tantivy.Filter, step.name)
        argument = list(step.argument) if isinstance(step.argument, tuple) else step.argument
        builder = builder.filter(make() if argument is None else make(argument))
    return builder.build()
