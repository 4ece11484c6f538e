"""Several analyzers side by side: every text has the terms that its own analyzer gives it."""

from __future__ import annotations

import random

import pytest
from elanus.analysis.multi import MultiAnalyzer, make_multi_analyzer

PARAMS = {
    "by_field": "language",
    "analyzers": {
        "default": {},
        "en": {"type": "english"},
        "grams": {"tokenizer": {"type": "ngram", "min_gram": 2, "max_gram": 3}},
        "none": {"tokenizer": "standard", "filter": [{"type": "length", "max": 0}]},
    },
    "alias": {"english": "en", "en-GB": "en"},
}


@pytest.fixture
def analyzer() -> MultiAnalyzer:
    return make_multi_analyzer(PARAMS)


def test_a_name_an_alias_or_else_the_default_one(analyzer: MultiAnalyzer) -> None:
    assert analyzer.named("en") is analyzer.named("english") is analyzer.named("en-GB")
    for other in (None, "", "EN", "default", "klingon"):
        assert analyzer.named(other) is analyzer.named()
    assert analyzer.named("en").tokens("Kites") == ["kite"]


def test_many_texts_have_the_terms_of_each(analyzer: MultiAnalyzer) -> None:
    chance = random.Random(2)
    names = chance.choices(["en", "english", "grams", "none", "default", "klingon", None], k=80)
    texts = [chance.choice(["Running Kites", "", None, "kites", "a kite runs", "ki"]) for _ in names]
    encoded = analyzer.encode(texts, names)
    expected = [None if t is None else analyzer.named(n).tokens(t) for t, n in zip(texts, names, strict=True)]
    assert encoded.lengths.tolist() == [-1 if found is None else len(found) for found in expected]
    assert [encoded.terms[number] for number in encoded.ids] == [term for found in expected if found for term in found]
    assert len(set(encoded.terms)) == len(encoded.terms)


def test_no_texts_have_no_terms(analyzer: MultiAnalyzer) -> None:
    assert analyzer.encode([], []).lengths.tolist() == []
    nothing = analyzer.encode([None, None], ["en", None])
    assert (nothing.ids.tolist(), nothing.lengths.tolist()) == ([], [-1, -1])
