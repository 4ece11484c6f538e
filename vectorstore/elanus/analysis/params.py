"""Reads Milvus's `analyzer_params` into a frozen recipe; everything wrong or not implemented is refused by name.

A recipe is plain data, so a schema is checked without loading tantivy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from elanus.analysis.languages import SNOWBALL_STEMMERS, TANTIVY_STEMMERS, TANTIVY_STOP_LISTS
from elanus.analysis.stop_words import STOP_WORDS
from elanus.errors import InvalidArgument, NotSupported, did_you_mean

_Entry = TypeVar("_Entry")


@dataclass(frozen=True)
class Step:
    """A tokenizer or a token filter by the name it has in `steps.py`, and the argument, if it takes one."""

    name: str
    argument: str | int | tuple[str, ...] | tuple[int, int, bool] | None = None


@dataclass(frozen=True)
class Recipe:
    """A tokenizer and the filters after it, in order."""

    tokenizer: Step
    steps: tuple[Step, ...]


LATER_TOKENIZERS = frozenset({"icu", "lindera", "language_identifier", "grpc", "thai"})
PLAIN_FILTERS = {
    "lowercase": Step("lowercase"),
    "asciifolding": Step("ascii_fold"),
    "alphanumonly": Step("alphanum_only"),
    "cncharonly": Step("cncharonly"),
    "cnalphanumonly": Step("cnalphanumonly"),
    "removepunct": Step("removepunct"),
}
LATER_FILTERS = frozenset({"synonym", "pinyin", "decimaldigit"})
STEMMERS = TANTIVY_STEMMERS | SNOWBALL_STEMMERS
STOP_LISTS = TANTIVY_STOP_LISTS | STOP_WORDS.keys()


def read_params(params: Mapping[str, Any] | None) -> Recipe:
    """Return the recipe of Milvus's analyzer parameters; None and {} mean the standard analyzer.

    Raises NotSupported for what Milvus has and Elanus does not implement, InvalidArgument for everything else.
    """
    if params is None:
        return _standard({})
    _need(isinstance(params, Mapping), f"analyzer_params must be a mapping, not {type(params).__name__}")
    if not params:
        return _standard({})
    return _built_in(params) if "type" in params else _custom(params)


def _built_in(params: Mapping[str, Any]) -> Recipe:
    name = params["type"]
    _only(params, {"type", "stop_words"}, f"analyzer {name!r}")
    if isinstance(name, str) and name in STEMMERS and name not in BUILT_IN:
        return _language(name, params)
    return _look_up(name, BUILT_IN, frozenset(), "analyzer type", also=STEMMERS)(params)


def _standard(params: Mapping[str, Any]) -> Recipe:
    return Recipe(Step("simple"), (Step("lowercase"), *_stop_steps(params.get("stop_words", ()))))


def _english(params: Mapping[str, Any]) -> Recipe:
    """Milvus stems before it removes stop words, so words like `be` from `being` go too."""
    steps = (Step("lowercase"), Step("stemmer", "english"), Step("stopword", "english"))
    return Recipe(Step("simple"), steps + _stop_steps(params.get("stop_words", ())))


def _chinese(params: Mapping[str, Any]) -> Recipe:
    return Recipe(Step("jieba", "search"), (Step("cnalphanumonly"), *_stop_steps(params.get("stop_words", ()))))


def _language(language: str, params: Mapping[str, Any]) -> Recipe:
    """Stop words first, as they are written, then stems."""
    own = _stop_steps([f"_{language}_"]) if language in STOP_LISTS else ()
    more = _stop_steps(params.get("stop_words", ()))
    return Recipe(Step("simple"), (Step("lowercase"), *own, *more, _stem(language)))


BUILT_IN: dict[str, Callable[[Mapping[str, Any]], Recipe]] = {
    "standard": _standard,
    "english": _english,
    "chinese": _chinese,
}


def _custom(params: Mapping[str, Any]) -> Recipe:
    _only(params, {"tokenizer", "filter"}, "analyzer_params")
    _need("tokenizer" in params, "analyzer_params need a 'type' or a 'tokenizer', such as {'type': 'standard'}")
    filters = params.get("filter", ())
    _need(_is_list(filters), "'filter' of analyzer_params must be a list")
    steps = [step for entry in filters for step in _filter(entry)]
    return Recipe(_tokenizer(params["tokenizer"]), tuple(steps))


def _tokenizer(entry: Any) -> Step:
    name = _type_of(entry, "tokenizer")
    make, options = _look_up(name, TOKENIZERS, LATER_TOKENIZERS, "tokenizer")
    given = entry if isinstance(entry, Mapping) else {}
    _only(given, {"type", *options}, f"tokenizer {name!r}")
    return make(given)


def _ngram(entry: Mapping[str, Any]) -> Step:
    sizes = [entry.get("min_gram"), entry.get("max_gram")]
    for option, size in zip(("min_gram", "max_gram"), sizes, strict=True):
        whole = isinstance(size, int) and not isinstance(size, bool) and size > 0
        _need(whole, f"the ngram tokenizer needs {option!r}, a whole number over 0, not {size!r}")
    low, high = int(entry["min_gram"]), int(entry["max_gram"])
    _need(low <= high, f"'min_gram' of the ngram tokenizer must not exceed 'max_gram': {low} > {high}")
    return Step("ngram", (low, high, False))


def _regex_tokenizer(entry: Mapping[str, Any]) -> Step:
    return Step("regex", _expression(entry.get("pattern"), "'pattern' of the regex tokenizer"))


def _char_group(entry: Mapping[str, Any]) -> Step:
    found = entry.get("delimiters")
    fits = _is_list(found) and bool(found) and all(isinstance(one, str) and one for one in found or ())
    _need(fits, "the char_group tokenizer needs 'delimiters', a list of strings")
    return Step("char_group", tuple(found or ()))


def _jieba(entry: Mapping[str, Any]) -> Step:
    mode = entry.get("mode", "search")
    _need(mode in ("search", "exact"), f"'mode' of the jieba tokenizer must be 'search' or 'exact', not {mode!r}")
    return Step("jieba", mode)


TOKENIZERS: dict[str, tuple[Callable[[Mapping[str, Any]], Step], tuple[str, ...]]] = {
    "standard": (lambda entry: Step("simple"), ()),
    "whitespace": (lambda entry: Step("whitespace"), ()),
    "raw": (lambda entry: Step("raw"), ()),
    "ngram": (_ngram, ("min_gram", "max_gram")),
    "regex": (_regex_tokenizer, ("pattern",)),
    "char_group": (_char_group, ("delimiters",)),
    "jieba": (_jieba, ("mode",)),
}


def _filter(entry: Any) -> tuple[Step, ...]:
    name = _type_of(entry, "filter")
    if name in PLAIN_FILTERS:
        _only(entry if isinstance(entry, Mapping) else {}, {"type"}, f"filter {name!r}")
        return (PLAIN_FILTERS[name],)
    make, options = _look_up(name, FILTERS, LATER_FILTERS, "filter", also=PLAIN_FILTERS)
    _need(isinstance(entry, Mapping), f"filter {name!r} needs its options: {{'type': {name!r}, {options[0]!r}: ...}}")
    _only(entry, {"type", *options}, f"filter {name!r}")
    _need(options[0] in entry, f"filter {name!r} needs {options[0]!r}")
    return make(entry)


def _stop(entry: Mapping[str, Any]) -> tuple[Step, ...]:
    return _stop_steps(entry["stop_words"])


def _stop_steps(words: Any) -> tuple[Step, ...]:
    """Words as they stand; `_english_` and its like stand for tantivy's list of that language."""
    _need(_is_list(words) and all(isinstance(word, str) for word in words), "'stop_words' must be a list of strings")
    lists = [word for word in words if len(word) > 2 and word[0] == word[-1] == "_"]
    plain = tuple(word for word in words if word not in lists)
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


def _stemmer(entry: Mapping[str, Any]) -> tuple[Step, ...]:
    language = entry["language"]
    _need(isinstance(language, str), "'language' of the stemmer filter must be a string")
    if language.lower() not in STEMMERS:
        raise NotSupported(f"no stemmer for language {language!r}; there are {', '.join(sorted(STEMMERS))}")
    return (_stem(language.lower()),)


def _stem(language: str) -> Step:
    return Step("stemmer" if language in TANTIVY_STEMMERS else "snowball", language)


def _regex_filter(entry: Mapping[str, Any]) -> tuple[Step, ...]:
    return (Step("regex_filter", _expression(entry["expr"], "'expr' of the regex filter")),)


def _expression(value: Any, what: str) -> str:
    _need(isinstance(value, str) and bool(value), f"{what} must be a regular expression, not {value!r}")
    try:
        re.compile(value)
    except re.error as error:
        raise InvalidArgument(f"{what} is no regular expression: {error}") from None
    return str(value)


def _length(entry: Mapping[str, Any]) -> tuple[Step, ...]:
    """Milvus keeps tokens of at most `max` UTF-8 bytes; tantivy keeps those below its limit."""
    longest = entry["max"]
    valid = isinstance(longest, int) and not isinstance(longest, bool) and 0 <= longest < 2**31
    _need(valid, f"'max' of the length filter must be a whole number from 0, not {longest!r}")
    return (Step("remove_long", longest + 1),)


def _decompounder(entry: Mapping[str, Any]) -> tuple[Step, ...]:
    words = entry["word_list"]
    _need(
        _is_list(words) and bool(words) and all(isinstance(word, str) and word for word in words),
        "'word_list' of the decompounder filter must be a list of words",
    )
    return (Step("split_compound", tuple(words)),)


FILTERS: dict[str, tuple[Callable[[Mapping[str, Any]], tuple[Step, ...]], tuple[str, ...]]] = {
    "stop": (_stop, ("stop_words",)),
    "stemmer": (_stemmer, ("language",)),
    "length": (_length, ("max",)),
    "decompounder": (_decompounder, ("word_list",)),
    "regex": (_regex_filter, ("expr",)),
}


def _type_of(entry: Any, what: str) -> str:
    name = entry.get("type") if isinstance(entry, Mapping) else entry
    if not isinstance(name, str):
        raise InvalidArgument(f"a {what} of analyzer_params must be a name or {{'type': name, ...}}, not {entry!r}")
    return name


def _look_up(
    name: Any, table: Mapping[str, _Entry], later: frozenset[str], what: str, also: Iterable[str] = ()
) -> _Entry:
    if isinstance(name, str) and name in table:
        return table[name]
    known = sorted({*table, *also})
    if name in later:
        raise NotSupported(f"{what} {name!r} is not implemented; use one of {', '.join(known)}")
    raise InvalidArgument(f"unknown {what} {name!r}{did_you_mean(str(name), known)}")


def _only(params: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in params:
        _need(key in known, f"{where} has no option {key!r}{did_you_mean(str(key), known)}")


def _need(condition: bool, message: str) -> None:
    if not condition:
        raise InvalidArgument(message)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
