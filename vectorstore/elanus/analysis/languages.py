"""The languages for which there is a stemmer or a list of stop words."""

from __future__ import annotations

TANTIVY_STEMMERS = frozenset(
    {
        "arabic",
        "danish",
        "dutch",
        "english",
        "finnish",
        "french",
        "german",
        "greek",
        "hungarian",
        "italian",
        "norwegian",
        "portuguese",
        "romanian",
        "russian",
        "spanish",
        "swedish",
        "tamil",
        "turkish",
    }
)

TANTIVY_STOP_LISTS = frozenset(
    {
        "danish",
        "dutch",
        "english",
        "finnish",
        "french",
        "german",
        "hungarian",
        "italian",
        "norwegian",
        "portuguese",
        "russian",
        "spanish",
        "swedish",
    }
)

SNOWBALL_STEMMERS = frozenset(
    {"armenian", "basque", "catalan", "hindi", "indonesian", "irish", "lithuanian", "nepali", "serbian", "yiddish"}
)
"""Stemmers of snowballstemmer for languages that tantivy has none for."""
