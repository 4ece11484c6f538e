"""Tokenizers and filters of packages that are installed on request."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from elanus.analysis.recipe import Step
from elanus.errors import InvalidArgument, NotSupported

Words = Callable[[str], list[str]]
"""From a text to its words, or from a word to what a filter leaves of it."""


class Needed(NamedTuple):
    """A module that a step needs, and what installs it."""

    module: str
    install: str


PACKAGES: Mapping[str, Needed] = {
    "jieba": Needed("jieba", "pip install 'elanus[chinese]'"),
    "pinyin": Needed("pypinyin", "pip install 'elanus[chinese]'"),
    "icu": Needed("icu4py", "pip install 'elanus[icu]'"),
    "lindera": Needed("lindera", "pip install 'elanus[lindera]', for Japanese, Korean and Chinese"),
}


def check_packages(steps: Iterable[Step]) -> None:
    """Raise NotSupported if a step needs a package, or a dictionary, that is not installed."""
    for step in steps:
        needed = PACKAGES.get(step.name)
        if needed is not None and importlib.util.find_spec(needed.module) is None:
            raise NotSupported(f"{step.name} needs the package {needed.module}: {needed.install}")
        if step.name == "lindera":
            _segmenter(step.argument)


def jieba(argument: Any) -> Words:
    """Return jieba's cutting of Chinese; blanks are no words."""
    mode, guess, _ = argument
    tokenizer = _jieba(argument)
    cut = tokenizer.lcut_for_search if mode == "search" else tokenizer.lcut
    return lambda text: [word for word in cut(text, HMM=guess) if word.strip()]


def jieba_positions(argument: Any) -> Callable[[str], list[int]]:
    """Return where jieba's words begin, in characters: in its search mode they overlap."""
    mode, guess, _ = argument
    tokenizer, how = _jieba(argument), "search" if mode == "search" else "default"
    return lambda text: [start for word, start, _ in tokenizer.tokenize(text, how, guess) if word.strip()]


@lru_cache(maxsize=8)
def _jieba(argument: Any) -> Any:
    import jieba

    jieba.setLogLevel("ERROR")
    if not argument[2]:
        return jieba.dt
    tokenizer = jieba.Tokenizer()
    for word in argument[2]:
        tokenizer.add_word(word)
    return tokenizer


def icu(argument: Any) -> Words:
    """Return ICU's word breaking (Unicode's rules, and dictionaries where there are no blanks); all of a text stays."""
    from icu4py.breakers import WordBreaker

    def cut(text: str) -> list[str]:
        try:
            return list(WordBreaker(text, "root"))
        except UnicodeEncodeError as error:
            raise not_unicode(error) from None

    return cut


def lindera(argument: Any) -> Words:
    """Return Lindera's cutting by a dictionary; punctuation stays."""
    tokenize = _segmenter(argument)
    return lambda text: [token.surface for token in tokenize(text)]


def lindera_positions(argument: Any) -> Callable[[str], list[int]]:
    """Return the numbers of Lindera's tokens, those that its own filters removed counted."""
    tokenize = _segmenter(argument)
    return lambda text: [token.position for token in tokenize(text)]


@lru_cache(maxsize=8)
def _segmenter(argument: Any) -> Callable[[str], list[Any]]:
    from lindera import TokenizerBuilder

    dictionary, filters = argument
    try:
        builder = TokenizerBuilder()
        builder.set_mode("normal")
        builder.set_dictionary(f"embedded://{dictionary}")
        for one in json.loads(filters):
            builder.append_token_filter(one.pop("kind"), one)
        tokenizer = builder.build()
    except (ValueError, TypeError) as error:
        raise NotSupported(
            f"the lindera tokenizer cannot be made: {error}; its dictionary {dictionary!r} is in the package "
            f"lindera-python-{dictionary}, of which one can be installed at a time, or in lindera-python-cjk"
        ) from None

    def tokenize(text: str) -> list[Any]:
        try:
            return list(tokenizer.tokenize(text))
        except UnicodeEncodeError as error:
            raise not_unicode(error) from None

    return tokenize


def pinyin(argument: Any) -> Words:
    """Return what writes Chinese in Latin letters: the word, its syllables, these joined, and their first letters."""
    from pypinyin import lazy_pinyin

    original, syllables, joined, letters = argument

    def spell(word: str) -> list[str]:
        found = lazy_pinyin(word, errors="ignore")
        kept = [word] if original else []
        kept += found if syllables else []
        kept += ["".join(found)] if joined and found else []
        return kept + (["".join(one[0] for one in found)] if letters and found else [])

    return spell


def not_unicode(error: UnicodeEncodeError) -> InvalidArgument:
    """The error that a text has a lone surrogate."""
    return InvalidArgument(f"text is not valid Unicode: lone surrogate at character {error.start}")
