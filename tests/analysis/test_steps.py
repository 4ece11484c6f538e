"""Tokenizers and filters beyond tantivy's plain ones: what they make of a text, alone and in batches."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest
from elanus.analysis import make_analyzer
from elanus.errors import NotSupported


def synonyms(*rows: str, **options: Any) -> dict[str, Any]:
    return {"tokenizer": "whitespace", "filter": [{"type": "synonym", "synonyms": list(rows), **options}]}


TEXTS = ["Perusahaan itu membangun 3 jembatan.", "", "foo_bar-baz", "Ünïcode über alles!", None, "北京 2024 kite 很好"]
CASES: list[tuple[dict[str, Any], str, list[str]]] = [
    ({"type": "indonesian"}, "Perusahaan itu membangun jembatan yang besar", ["usaha", "bangun", "jembat", "besar"]),
    ({"type": "german"}, "Die Häuser und die Gärten", ["haus", "gart"]),
    ({"type": "german", "stop_words": ["gärten"]}, "Häuser und Gärten", ["haus"]),
    ({"tokenizer": {"type": "ngram", "min_gram": 2, "max_gram": 3}}, "abcd", ["ab", "abc", "bc", "bcd", "cd"]),
    ({"tokenizer": {"type": "ngram", "min_gram": 2, "max_gram": 2}, "filter": ["lowercase"]}, "ABc", ["ab", "bc"]),
    ({"tokenizer": {"type": "regex", "pattern": "[a-z]+"}}, "ab1cd", ["ab", "cd"]),
    ({"tokenizer": "raw", "filter": ["lowercase"]}, "A Whole Title", ["a whole title"]),
    ({"tokenizer": {"type": "char_group", "delimiters": ["-", "|"]}}, "a b-c|d", ["a b", "c", "d"]),
    ({"tokenizer": "whitespace", "filter": ["removepunct"]}, "a -- b! ...", ["a", "b!"]),
    ({"tokenizer": "whitespace", "filter": ["cncharonly"]}, "北京 x1 很好", ["北京", "很好"]),
    ({"tokenizer": "whitespace", "filter": ["cnalphanumonly", "lowercase"]}, "北京 X1 é", ["北京", "x1"]),
    ({"tokenizer": "standard", "filter": ["decimaldigit"]}, "٣ kites, ๔๕ ½", ["3", "kites", "45", "½"]),
    (synonyms("fast, quick => speedy"), "fast red quick", ["fast", "speedy", "red", "quick", "speedy"]),
    (synonyms("fast, quick => speedy", expand=False), "fast red quick", ["speedy", "red", "speedy"]),
    (synonyms("happy, joyful, glad"), "joyful", ["joyful", "happy", "glad"]),
    (synonyms("happy, joyful, glad", expand=False), "glad happy sad", ["happy", "happy", "sad"]),
    (synonyms("a => b, c", "a => d", "b, x"), "a b", ["a", "b", "c", "d", "b", "x"]),
    (synonyms(r"ny => new\ york, \=>, \,", expand=False), "ny", ["new york", "=>", ","]),
    ({"tokenizer": "standard", "filter": [{"type": "regex", "expr": "^k"}]}, "kite wind kites", ["kite", "kites"]),
    (
        {
            "tokenizer": "standard",
            "filter": ["lowercase", {"type": "stemmer", "language": "Indonesian"}, "asciifolding"],
        },
        "BUKUNYA",
        ["buku"],
    ),
]


@pytest.mark.parametrize(("params", "text", "expected"), CASES, ids=[str(n) for n in range(len(CASES))])
def test_a_text_becomes_these_terms(params: dict[str, Any], text: str, expected: list[str]) -> None:
    assert make_analyzer(params).tokens(text) == expected


@pytest.mark.parametrize("params", [params for params, _, _ in CASES], ids=[str(n) for n in range(len(CASES))])
def test_many_texts_have_the_terms_of_each(params: dict[str, Any]) -> None:
    analyzer = make_analyzer(params)
    texts = [*TEXTS, *(text for _, text, _ in CASES)]
    encoded = analyzer.encode(texts)
    terms = [encoded.terms[number] for number in encoded.ids]
    expected = [None if text is None else analyzer.tokens(text) for text in texts]
    assert encoded.lengths.tolist() == [-1 if found is None else len(found) for found in expected]
    assert terms == [term for found in expected if found for term in found]


@pytest.mark.filterwarnings("ignore")
def test_chinese_is_cut_into_words() -> None:
    if find_spec("jieba") is None:
        with pytest.raises(NotSupported, match=r"pip install 'elanus\[chinese\]'"):
            make_analyzer({"type": "chinese"})
        return
    terms = make_analyzer({"type": "chinese"}).tokens("我来到北京清华大学, OK!")
    assert {"北京", "清华", "大学", "OK"} <= set(terms)
    assert "," not in terms
    exact = make_analyzer({"tokenizer": {"type": "jieba", "mode": "exact"}}).tokens("我来到北京清华大学")
    assert exact == ["我", "来到", "北京", "清华大学"]
