"""Reads the filters of Milvus's `analyzer_params` into steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from elanus.analysis.checks import expression, flag, look_up, need, only, strings, type_of
from elanus.analysis.languages import SNOWBALL_STEMMERS, TANTIVY_STEMMERS, TANTIVY_STOP_LISTS
from elanus.analysis.recipe import Step
from elanus.analysis.stop_words import STOP_WORDS
from elanus.analysis.synonyms import read_synonyms
from elanus.errors import NotSupported

Steps = tuple[Step, ...]
STEMMERS = TANTIVY_STEMMERS | SNOWBALL_STEMMERS
STOP_LISTS = TANTIVY_STOP_LISTS | STOP_WORDS.keys()
PINYIN = {
    "keep_original": True,
    "keep_full_pinyin": True,
    "keep_joined_full_pinyin": False,
    "keep_separate_first_letter": False,
}
"""What the pinyin filter leaves of a word, and whether it does if nothing is said."""


def read_filter(entry: Any) -> Steps:
    """Return the steps of a filter, given by its name or as {"type": name, ...}."""
    name = type_of(entry, "filter")
    if name in PLAIN_FILTERS:
        only(entry if isinstance(entry, Mapping) else {}, {"type"}, f"filter {name!r}")
        return (PLAIN_FILTERS[name],)
    make, needed, options = look_up(name, FILTERS, LATER_FILTERS, "filter", also=PLAIN_FILTERS)
    given = entry if isinstance(entry, Mapping) else {}
    only(given, {"type", *options}, f"filter {name!r}", FILE_OPTIONS)
    need(not needed or needed in given, f"filter {name!r} needs {needed!r}: {{'type': {name!r}, {needed!r}: ...}}")
    return make(given)


def stop_steps(words: Any) -> Steps:
    """Words as they stand; `_english_` and its like stand for tantivy's list of that language."""
    given = strings(words, "'stop_words' must be a list of strings", empty=True)
    lists = [word for word in given if len(word) > 2 and word[0] == word[-1] == "_"]
    plain = tuple(word for word in given if word not in lists)
    steps = []
    for name in lists:
        language = name[1:-1]
        if language not in STOP_LISTS:
            known = ", ".join(f"_{known}_" for known in sorted(STOP_LISTS))
            raise NotSupported(f"no list of stop words {name!r}; there are {known}")
        own = STOP_WORDS.get(language)
        steps.append(Step("stopword", language) if own is None else Step("custom_stopword", own))
    if plain:
        steps.append(Step("custom_stopword", plain))
    return tuple(steps)


def stem(language: str) -> Step:
    """The stemmer of a language that has one."""
    return Step("stemmer" if language in TANTIVY_STEMMERS else "snowball", language)


def _stemmer(entry: Mapping[str, Any]) -> Steps:
    language = entry["language"]
    need(isinstance(language, str), "'language' of the stemmer filter must be a string")
    if language.lower() not in STEMMERS:
        raise NotSupported(f"no stemmer for language {language!r}; there are {', '.join(sorted(STEMMERS))}")
    return (stem(language.lower()),)


def _length(entry: Mapping[str, Any]) -> Steps:
    """Milvus keeps tokens of at most `max` UTF-8 bytes; tantivy keeps those below its limit."""
    longest = entry["max"]
    valid = isinstance(longest, int) and not isinstance(longest, bool) and 0 <= longest < 2**31
    need(valid, f"'max' of the length filter must be a whole number from 0, not {longest!r}")
    return (Step("remove_long", longest + 1),)


def _decompounder(entry: Mapping[str, Any]) -> Steps:
    words = strings(entry["word_list"], "'word_list' of the decompounder filter must be a list of words")
    return (Step("split_compound", words),)


def _regex(entry: Mapping[str, Any]) -> Steps:
    return (Step("regex_filter", expression(entry["expr"], "'expr' of the regex filter")),)


def _synonym(entry: Mapping[str, Any]) -> Steps:
    where = "the synonym filter"
    rows = strings(entry["synonyms"], f"'synonyms' of {where} must be a list of rows such as 'fast, quick => speedy'")
    return (Step("synonym", read_synonyms(rows, flag(entry, "expand", True, where))),)


def _pinyin(entry: Mapping[str, Any]) -> Steps:
    kept = tuple(flag(entry, option, default, "the pinyin filter") for option, default in PINYIN.items())
    return (Step("pinyin", kept),)


PLAIN_FILTERS = {
    "lowercase": Step("lowercase"),
    "asciifolding": Step("ascii_fold"),
    "alphanumonly": Step("alphanum_only"),
    "cncharonly": Step("cncharonly"),
    "cnalphanumonly": Step("cnalphanumonly"),
    "decimaldigit": Step("decimaldigit"),
    "removepunct": Step("removepunct"),
}
FILTERS: dict[str, tuple[Callable[[Mapping[str, Any]], Steps], str, tuple[str, ...]]] = {
    "stop": (lambda entry: stop_steps(entry["stop_words"]), "stop_words", ("stop_words",)),
    "stemmer": (_stemmer, "language", ("language",)),
    "length": (_length, "max", ("max",)),
    "decompounder": (_decompounder, "word_list", ("word_list",)),
    "regex": (_regex, "expr", ("expr",)),
    "synonym": (_synonym, "synonyms", ("synonyms", "expand")),
    "pinyin": (_pinyin, "", tuple(PINYIN)),
}
"""By name: how it is read, the option it cannot do without, and all its options."""

FILE_OPTIONS = {
    "stop_words_file": "give the words in 'stop_words'",
    "word_list_file": "give the words in 'word_list'",
    "synonyms_file": "give the rows in 'synonyms'",
}
"""Options that name a file on a server, and what to do instead."""
LATER_FILTERS = {"arabic_normalization": "use the stemmer of arabic, which normalises too"}
"""Milvus's other filters, and what to do instead."""
