"""Reads Milvus's `analyzer_params` into a frozen recipe; everything wrong or not implemented is refused by name.

A recipe is plain data, so a schema is checked without loading tantivy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from elanus.analysis.languages import STEMMERS, STOP_LISTS
from elanus.errors import InvalidArgument, NotSupported, did_you_mean

_Entry = TypeVar("_Entry")


@dataclass(frozen=True)
class Step:
    """One token filter: the name of its constructor in `tantivy.Filter`, and the argument, if it takes one."""

    name: str
    argument: str | int | tuple[str, ...] | None = None


@dataclass(frozen=True)
class Recipe:
    """A tokenizer (the name of its constructor in `tantivy.Tokenizer`) and the filters after it, in order."""

    tokenizer: str
    steps: tuple[Step, ...]


TOKENIZERS = {"standard": "simple", "whitespace": "whitespace"}
LATER_TOKENIZERS = frozenset(
    {"jieba", "icu", "lindera", "ngram", "char_group", "language_identifier", "grpc", "thai", "custom_delimiter"}
)
PLAIN_FILTERS = {
    "lowercase": Step("lowercase"),
    "asciifolding": Step("ascii_fold"),
    "alphanumonly": Step("alphanum_only"),
}
LATER_FILTERS = frozenset({"cncharonly", "cnalphanumonly", "removepunct", "regex", "synonym", "pinyin", "decimaldigit"})
LATER_TYPES = frozenset({"chinese"})


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
    make = _look_up(name, BUILT_IN, LATER_TYPES, "analyzer type")
    _only(params, {"type", "stop_words"}, f"analyzer {name!r}")
    return make(params)


def _standard(params: Mapping[str, Any]) -> Recipe:
    return Recipe("simple", (Step("lowercase"), *_stop_steps(params.get("stop_words", ()))))


def _english(params: Mapping[str, Any]) -> Recipe:
    """Milvus stems before it removes stop words, so words like `be` from `being` go too."""
    steps = (Step("lowercase"), Step("stemmer", "english"), Step("stopword", "english"))
    return Recipe("simple", steps + _stop_steps(params.get("stop_words", ())))


BUILT_IN: dict[str, Callable[[Mapping[str, Any]], Recipe]] = {"standard": _standard, "english": _english}


def _custom(params: Mapping[str, Any]) -> Recipe:
    _only(params, {"tokenizer", "filter"}, "analyzer_params")
    _need("tokenizer" in params, "analyzer_params need a 'type' or a 'tokenizer', such as {'type': 'standard'}")
    filters = params.get("filter", ())
    _need(_is_list(filters), "'filter' of analyzer_params must be a list")
    steps = [step for entry in filters for step in _filter(entry)]
    return Recipe(_tokenizer(params["tokenizer"]), tuple(steps))


def _tokenizer(entry: Any) -> str:
    name = _type_of(entry, "tokenizer")
    found = _look_up(name, TOKENIZERS, LATER_TOKENIZERS, "tokenizer")
    if isinstance(entry, Mapping) and len(entry) > 1:
        options = ", ".join(repr(key) for key in entry if key != "type")
        raise NotSupported(f"tokenizer {name!r}: options {options} are not implemented; leave them out")
    return found


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
        steps.append(Step("stopword", language))
    if plain:
        steps.append(Step("custom_stopword", plain))
    return tuple(steps)


def _stemmer(entry: Mapping[str, Any]) -> tuple[Step, ...]:
    language = entry["language"]
    _need(isinstance(language, str), "'language' of the stemmer filter must be a string")
    if language.lower() not in STEMMERS:
        raise NotSupported(f"no stemmer for language {language!r}; there are {', '.join(sorted(STEMMERS))}")
    return (Step("stemmer", language.lower()),)


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
