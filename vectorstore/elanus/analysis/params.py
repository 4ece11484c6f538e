"""Reads Milvus's `analyzer_params` into a frozen recipe; everything wrong or not supported is refused by name.

A recipe is plain data, so a schema is checked without loading tantivy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from elanus.analysis.checks import is_list, look_up, need, only
from elanus.analysis.filters import STEMMERS, STOP_LISTS, read_filter, stem, stop_steps
from elanus.analysis.recipe import Recipe, Step
from elanus.analysis.tokenizers import read_tokenizer

LATER_OPTIONS = {"char_filter": "replace the characters before the texts are inserted"}


def read_params(params: Mapping[str, Any] | None) -> Recipe:
    """Return the recipe of Milvus's analyzer parameters; None and {} mean the standard analyzer.

    Raises NotSupported for what Milvus has and Elanus does not implement, InvalidArgument for everything else.
    """
    if params is None:
        return _standard({})
    need(isinstance(params, Mapping), f"analyzer_params must be a mapping, not {type(params).__name__}")
    if not params:
        return _standard({})
    return _built_in(params) if "type" in params else _custom(params)


def _built_in(params: Mapping[str, Any]) -> Recipe:
    name = params["type"]
    only(params, {"type", "stop_words"}, f"analyzer {name!r}")
    if isinstance(name, str) and name in STEMMERS and name not in BUILT_IN:
        return _language(name, params)
    return look_up(name, BUILT_IN, {}, "analyzer type", also=STEMMERS)(params)


def _standard(params: Mapping[str, Any]) -> Recipe:
    return Recipe(Step("simple"), (Step("lowercase"), *stop_steps(params.get("stop_words", ()))))


def _english(params: Mapping[str, Any]) -> Recipe:
    """Milvus stems before it removes stop words, so words like `be` from `being` go too."""
    steps = (Step("lowercase"), Step("stemmer", "english"), Step("stopword", "english"))
    return Recipe(Step("simple"), steps + stop_steps(params.get("stop_words", ())))


def _chinese(params: Mapping[str, Any]) -> Recipe:
    return Recipe(read_tokenizer("jieba"), (Step("cnalphanumonly"), *stop_steps(params.get("stop_words", ()))))


def _language(language: str, params: Mapping[str, Any]) -> Recipe:
    """Stop words first, as they are written, then stems."""
    own = stop_steps([f"_{language}_"]) if language in STOP_LISTS else ()
    more = stop_steps(params.get("stop_words", ()))
    return Recipe(Step("simple"), (Step("lowercase"), *own, *more, stem(language)))


BUILT_IN: dict[str, Callable[[Mapping[str, Any]], Recipe]] = {
    "standard": _standard,
    "english": _english,
    "chinese": _chinese,
}


def _custom(params: Mapping[str, Any]) -> Recipe:
    only(params, {"tokenizer", "filter"}, "analyzer_params", LATER_OPTIONS)
    need("tokenizer" in params, "analyzer_params need a 'type' or a 'tokenizer', such as {'type': 'standard'}")
    filters = params.get("filter", ())
    need(is_list(filters), "'filter' of analyzer_params must be a list")
    steps = [step for entry in filters for step in read_filter(entry)]
    return Recipe(read_tokenizer(params["tokenizer"]), tuple(steps))
