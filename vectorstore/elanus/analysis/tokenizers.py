"""Reads the tokenizers of Milvus's `analyzer_params` into steps."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from elanus.analysis.checks import expression, flag, is_list, look_up, need, only, strings, type_of
from elanus.analysis.recipe import Step
from elanus.errors import InvalidArgument

DICTIONARIES = ("ipadic", "ipadic-neologd", "unidic", "ko-dic", "cc-cedict")
"""Lindera's: three of Japanese, Korean, Chinese."""
JIEBA_WORDS = "_default_"


def read_tokenizer(entry: Any) -> Step:
    """Return the step of a tokenizer, given by its name or as {"type": name, ...}."""
    name = type_of(entry, "tokenizer")
    make, options = look_up(name, TOKENIZERS, LATER_TOKENIZERS, "tokenizer")
    given = entry if isinstance(entry, Mapping) else {}
    only(given, {"type", *options}, f"tokenizer {name!r}")
    return make(given)


def _ngram(entry: Mapping[str, Any]) -> Step:
    sizes = [entry.get("min_gram"), entry.get("max_gram")]
    for option, size in zip(("min_gram", "max_gram"), sizes, strict=True):
        whole = isinstance(size, int) and not isinstance(size, bool) and size > 0
        need(whole, f"the ngram tokenizer needs {option!r}, a whole number over 0, not {size!r}")
    low, high = int(entry["min_gram"]), int(entry["max_gram"])
    need(low <= high, f"'min_gram' of the ngram tokenizer must not exceed 'max_gram': {low} > {high}")
    return Step("ngram", (low, high, False))


def _regex(entry: Mapping[str, Any]) -> Step:
    return Step("regex", expression(entry.get("pattern"), "'pattern' of the regex tokenizer"))


def _char_group(entry: Mapping[str, Any]) -> Step:
    message = "the char_group tokenizer needs 'delimiters', a list of strings"
    return Step("char_group", strings(entry.get("delimiters"), message))


def _jieba(entry: Mapping[str, Any]) -> Step:
    """Mode, whether to guess words, and words beside jieba's own."""
    mode, where = entry.get("mode", "search"), "the jieba tokenizer"
    need(mode in ("search", "exact"), f"'mode' of {where} must be 'search' or 'exact', not {mode!r}")
    words = strings(entry.get("dict", (JIEBA_WORDS,)), f"'dict' of {where} must be a list of words")
    need(JIEBA_WORDS in words, f"'dict' of {where} must begin with {JIEBA_WORDS!r}: words are added to jieba's own")
    more = tuple(word for word in words if word != JIEBA_WORDS)
    return Step("jieba", (mode, flag(entry, "hmm", True, where), more))


def _lindera(entry: Mapping[str, Any]) -> Step:
    """The dictionary, and Lindera's own filters as JSON: [{"kind": "japanese_stop_tags", "tags": [...]}]."""
    kind, filters = entry.get("dict_kind"), entry.get("filter", [])
    need(
        kind in DICTIONARIES, f"the lindera tokenizer needs 'dict_kind', one of {', '.join(DICTIONARIES)}, not {kind!r}"
    )
    fits = is_list(filters) and all(
        isinstance(one, str) or (isinstance(one, Mapping) and "kind" in one) for one in filters
    )
    need(fits, "'filter' of the lindera tokenizer must be a list of {'kind': name, ...}")
    listed = [{"kind": one} if isinstance(one, str) else dict(one) for one in filters]
    try:
        return Step("lindera", (str(kind), json.dumps(listed)))
    except TypeError as error:
        raise InvalidArgument(f"'filter' of the lindera tokenizer: {error}") from None


TOKENIZERS: dict[str, tuple[Callable[[Mapping[str, Any]], Step], tuple[str, ...]]] = {
    "standard": (lambda entry: Step("simple"), ()),
    "whitespace": (lambda entry: Step("whitespace"), ()),
    "raw": (lambda entry: Step("raw"), ()),
    "ngram": (_ngram, ("min_gram", "max_gram")),
    "regex": (_regex, ("pattern",)),
    "char_group": (_char_group, ("delimiters",)),
    "jieba": (_jieba, ("mode", "hmm", "dict")),
    "icu": (lambda entry: Step("icu"), ()),
    "lindera": (_lindera, ("dict_kind", "filter")),
}
"""By name: how it is read, and its options."""

LATER_TOKENIZERS = {
    "language_identifier": "keep each row's language in a field and name it in multi_analyzer_params",
    "grpc": "cut the texts before they are inserted, and use the whitespace tokenizer",
    "thai": "use the icu tokenizer with the removepunct filter",
}
"""Milvus's other tokenizers, and what to do instead."""
