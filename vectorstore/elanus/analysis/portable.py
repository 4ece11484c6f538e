"""Analyzer parameters as a Milvus server reads them, which has no built-in analyzer for most languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from elanus.analysis.filters import STEMMERS
from elanus.analysis.languages import TANTIVY_STEMMERS, TANTIVY_STOP_LISTS
from elanus.analysis.params import BUILT_IN
from elanus.errors import NotSupported


def for_server(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a field's options with a language's analyzer written as the chain that it stands for.

    Raises:
        NotSupported: the server has no stemmer for the language.
    """
    sent = dict(options)
    if isinstance(sent.get("analyzer_params"), Mapping):
        sent["analyzer_params"] = _chain(sent["analyzer_params"])
    several = sent.get("multi_analyzer_params")
    if isinstance(several, Mapping) and isinstance(several.get("analyzers"), Mapping):
        analyzers = {name: _chain(params) for name, params in several["analyzers"].items()}
        sent["multi_analyzer_params"] = {**several, "analyzers": analyzers}
    return sent


def _chain(params: Any) -> Any:
    language = params.get("type") if isinstance(params, Mapping) else None
    if language in BUILT_IN or language not in STEMMERS:
        return params
    if language not in TANTIVY_STEMMERS:
        raise NotSupported(f"a Milvus server has no stemmer for {language}; use {{'type': 'standard'}} there")
    words = [f"_{language}_"] if language in TANTIVY_STOP_LISTS else []
    words += params.get("stop_words", ())
    stop = [{"type": "stop", "stop_words": words}] if words else []
    return {"tokenizer": "standard", "filter": ["lowercase", *stop, {"type": "stemmer", "language": language}]}
