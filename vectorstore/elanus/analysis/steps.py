"""The steps of a recipe made to run: tantivy's tokenizers and filters, and those that stand beside them in Python."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from elanus.analysis import packages
from elanus.analysis.packages import Words, not_unicode
from elanus.analysis.recipe import Recipe, Step

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
_HAN_OR_ALPHANUMERIC = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff0-9A-Za-z]+")


def make_tokenizer(step: Step) -> Words:
    """Return what cuts a text into words."""
    if step.name in _PYTHON_TOKENIZERS:
        return _PYTHON_TOKENIZERS[step.name](step.argument)
    return _tantivy(step, ())


def make_positions(step: Step) -> Callable[[str], list[int]] | None:
    """Return what gives the positions of a text's words, where they are not simply counted.

    jieba's words stand where they begin, since they may overlap; all n-grams stand at 0.
    """
    if step.name in _POSITIONS:
        return _POSITIONS[step.name](step.argument)
    if step.name == "ngram":
        tokenize = make_tokenizer(step)
        return lambda text: [0] * len(tokenize(text))
    return None


def make_filters(steps: Sequence[Step]) -> list[Words]:
    """Return what each word passes through, one after the other; neighbouring filters of tantivy's are one."""
    made: list[Words] = []
    for in_python, group in groupby(steps, lambda step: step.name in _PYTHON_FILTERS):
        if in_python:
            made += [_PYTHON_FILTERS[step.name](step.argument) for step in group]
        else:
            made.append(_tantivy(Step("raw"), tuple(group)))
    return made


def make_whole(recipe: Recipe) -> Words | None:
    """Return the whole recipe as one analyzer of tantivy's, if all of it is tantivy's."""
    steps = (recipe.tokenizer, *recipe.steps)
    if any(step.name in _PYTHON_TOKENIZERS or step.name in _PYTHON_FILTERS for step in steps):
        return None
    return _tantivy(recipe.tokenizer, recipe.steps)


def _tantivy(tokenizer: Step, steps: Sequence[Step]) -> Words:
    """Build an analyzer; one of tantivy's may not be entered twice at a time, hence the lock."""
    import tantivy

    builder = tantivy.TextAnalyzerBuilder(_made(tantivy.Tokenizer, tokenizer))
    for step in steps:
        builder = builder.filter(_made(tantivy.Filter, step))
    analyzer, lock = builder.build(), threading.Lock()

    def analyze(text: str) -> list[str]:
        try:
            with lock:
                words: list[str] = analyzer.analyze(text)
        except UnicodeEncodeError as error:
            raise not_unicode(error) from None
        return words

    return analyze


def _made(owner: Any, step: Step) -> Any:
    make = getattr(owner, step.name)
    if step.argument is None:
        return make()
    if isinstance(step.argument, tuple) and step.name == "ngram":
        return make(*step.argument)
    return make(list(step.argument) if isinstance(step.argument, tuple) else step.argument)


def _char_group(delimiters: Any) -> Words:
    cut = re.compile("|".join(map(re.escape, delimiters)))
    return lambda text: [word for word in cut.split(text) if word]


def _snowball(language: Any) -> Words:
    from snowballstemmer import stemmer

    stem = stemmer(language).stemWord
    return lambda word: [stem(word)]


def _only(pattern: re.Pattern[str]) -> Callable[[Any], Words]:
    return lambda argument: lambda word: [word] if pattern.fullmatch(word) else []


def _regex(expression: Any) -> Words:
    matches = re.compile(expression).search
    return lambda word: [word] if matches(word) else []


def _removepunct(argument: Any) -> Words:
    return lambda word: [word] if any(character.isalnum() for character in word) else []


def _decimaldigit(argument: Any) -> Words:
    return lambda word: ["".join(str(unicodedata.decimal(character, character)) for character in word)]


def _synonym(synonyms: Any) -> Words:
    others = {word: list(found) for word, found in synonyms}
    return lambda word: others.get(word, [word])


_PYTHON_TOKENIZERS: Mapping[str, Callable[[Any], Words]] = {
    "char_group": _char_group,
    "icu": packages.icu,
    "jieba": packages.jieba,
    "lindera": packages.lindera,
}
_POSITIONS: Mapping[str, Callable[[Any], Callable[[str], list[int]]]] = {
    "jieba": packages.jieba_positions,
    "lindera": packages.lindera_positions,
}
_PYTHON_FILTERS: Mapping[str, Callable[[Any], Words]] = {
    "snowball": _snowball,
    "cncharonly": _only(_HAN),
    "cnalphanumonly": _only(_HAN_OR_ALPHANUMERIC),
    "removepunct": _removepunct,
    "regex_filter": _regex,
    "decimaldigit": _decimaldigit,
    "synonym": _synonym,
    "pinyin": packages.pinyin,
}
