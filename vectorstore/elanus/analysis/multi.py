"""Several analyzers for one field: each row's text goes through the one that another field of the row names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from elanus.analysis.analyzer import Analyzer, EncodedTexts, make_analyzer, number_anew
from elanus.errors import InvalidArgument, did_you_mean

DEFAULT = "default"
"""The analyzer of rows whose field names no other, and of queries that do not say."""
KEYS = ("by_field", "analyzers", "alias")


@dataclass(frozen=True)
class MultiAnalyzer:
    """Analyzers by name; `alias` has further names for them, `by_field` is the field that names a row's."""

    by_field: str
    analyzers: Mapping[str, Analyzer]
    alias: Mapping[str, str]

    def named(self, name: str | None = None) -> Analyzer:
        """Return the analyzer of that name or alias, the default one for any other."""
        return self.analyzers[self._resolved(name)]

    def encode(self, texts: Sequence[str | None], names: Iterable[str | None]) -> EncodedTexts:
        """Return the terms of many texts as numbers, each as the analyzer named beside it gives them."""
        owners = [self._resolved(name) for name in names]
        pieces = []
        for owner in sorted({*owners}) or [DEFAULT]:
            own = [text if one == owner else None for text, one in zip(texts, owners, strict=True)]
            pieces.append(self.analyzers[owner].encode(own))
        return _interleaved(pieces)

    def _resolved(self, name: str | None) -> str:
        meant = self.alias.get(name, name) if name is not None else DEFAULT
        return meant if meant in self.analyzers else DEFAULT


def make_multi_analyzer(params: Any) -> MultiAnalyzer:
    """Return the analyzers that Milvus's `multi_analyzer_params` describe.

    Raises NotSupported or InvalidArgument that name the analyzer and the option.
    """
    _need(isinstance(params, Mapping), f"must be a mapping, not {type(params).__name__}")
    for key in params:
        _need(key in KEYS, f"have no option {key!r}{did_you_mean(str(key), KEYS)}")
    by_field, described, alias = params.get("by_field"), params.get("analyzers"), params.get("alias") or {}
    _need(isinstance(by_field, str) and bool(by_field), "need 'by_field', the name of the field that names analyzers")
    named = isinstance(described, Mapping) and DEFAULT in described and all(isinstance(name, str) for name in described)
    _need(named, f"need 'analyzers', a dict of analyzer_params by name, with one named {DEFAULT!r} for unknown names")
    _need(isinstance(alias, Mapping), "take 'alias', a dict from a further name to an analyzer's")
    for other, name in alias.items():
        _need(isinstance(other, str) and isinstance(name, str), f"have an alias {other!r} of {name!r}; both are str")
        _need(name in described, f"have an alias {other!r} of no analyzer: {name!r}{did_you_mean(name, described)}")
    return MultiAnalyzer(by_field, {name: _made(name, described[name]) for name in described}, dict(alias))


def _made(name: str, params: Any) -> Analyzer:
    try:
        return make_analyzer(params)
    except InvalidArgument as error:
        raise type(error)(f"multi_analyzer_params, analyzer '{name}': {error.message}") from None


def _interleaved(pieces: Sequence[EncodedTexts]) -> EncodedTexts:
    """Join encodings of the same texts, of which each text has terms in one at most."""
    terms, ids = number_anew(pieces)
    texts = [np.repeat(np.arange(len(piece.lengths)), np.maximum(piece.lengths, 0)) for piece in pieces]
    order = np.argsort(np.concatenate(texts), kind="stable")
    return EncodedTexts(terms, ids[order], np.max([piece.lengths for piece in pieces], axis=0))


def _need(condition: bool, message: str) -> None:
    if not condition:
        raise InvalidArgument(f"multi_analyzer_params {message}")
