from __future__ import annotations

import string
import threading
from typing import Any

import numpy as np
import pytest
from elanus.analysis import EncodedTexts, analyzer, make_analyzer
from elanus.errors import InvalidArgument
from hypothesis import given, settings
from hypothesis import strategies as st

RECIPES: dict[str, dict[str, Any]] = {
    "standard": {"type": "standard"},
    "english": {"type": "english"},
    "cased": {"tokenizer": "standard", "filter": ["asciifolding", {"type": "length", "max": 5}]},
    "whitespace": {"tokenizer": "whitespace", "filter": ["lowercase", {"type": "stop", "stop_words": ["a"]}]},
    "compounds": {"tokenizer": "standard", "filter": [{"type": "decompounder", "word_list": ["ab", "c", "abc"]}]},
}
words = st.text("abcABCßİΣ\u03c3\u03c2\u0301\u00e9\u4e2d0٣²Ⅷⓐ\ua644'-_ \t\x0b\x1c\n")
texts = st.one_of(st.text(string.printable), st.text(), words)


def decode(encoded: EncodedTexts) -> list[list[str] | None]:
    ends = np.cumsum(np.maximum(encoded.lengths, 0))
    runs = np.split(encoded.ids, ends)
    return [
        None if length < 0 else [encoded.terms[number] for number in run]
        for length, run in zip(encoded.lengths, runs, strict=False)
    ]


@pytest.mark.parametrize("name", RECIPES)
@settings(max_examples=150, deadline=None, derandomize=True)
@given(batch=st.lists(st.one_of(st.none(), texts), max_size=8))
def test_many_texts_at_once_give_the_terms_that_tantivy_gives_one_by_one(name: str, batch: list[str | None]) -> None:
    one = make_analyzer(RECIPES[name])
    encoded = one.encode(batch)
    assert decode(encoded) == [None if text is None else one.tokens(text) for text in batch]
    assert len(set(encoded.terms)) == len(encoded.terms)
    assert set(encoded.ids.tolist()) == set(range(len(encoded.terms)))
    assert (encoded.ids.dtype, encoded.lengths.dtype) == (np.int32, np.int32)


def test_every_character_separates_or_joins_as_tantivy_decides() -> None:
    batch = [f"a{chr(code)}b" for code in range(0x3000)]
    one = make_analyzer(RECIPES["standard"])
    assert decode(one.encode(batch)) == [one.tokens(text) for text in batch]


def test_null_and_empty_texts_are_told_apart() -> None:
    encoded = make_analyzer().encode([None, "", "...", "a a"])
    assert encoded.lengths.tolist() == [-1, 0, 0, 2]
    assert encoded.terms == ["a"]


def test_a_lone_surrogate_is_an_argument_error() -> None:
    with pytest.raises(InvalidArgument, match="surrogate at character 2"):
        make_analyzer().tokens("ab\ud800")
    with pytest.raises(InvalidArgument, match="surrogate"):
        make_analyzer().encode(["ab\ud800"])


def test_the_memory_of_words_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analyzer, "REMEMBERED_WORDS", 3)
    one = make_analyzer(RECIPES["english"])
    batch = ["running foxes jumped over lazy dogs", "foxes were running"]
    assert decode(one.encode(batch)) == [one.tokens(text) for text in batch]
    assert len(one._engine._known) <= 3


def test_one_analyzer_serves_threads() -> None:
    one = make_analyzer(RECIPES["english"])
    batch = [f"running foxes number {n} café" for n in range(500)]
    expected = decode(one.encode(batch))
    results: list[Any] = []

    def work() -> None:
        results.append(([one.tokens(text) for text in batch], decode(one.encode(batch))))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [(expected, expected)] * 4
