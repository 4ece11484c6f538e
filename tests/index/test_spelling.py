from __future__ import annotations

import random

import pytest
from elanus.index.inverted_terms import Words
from elanus.index.spelling import near
from hypothesis import given
from hypothesis import strategies as st

from tests.spelling import errors

LETTERS = "abcé\U0001f985\0"
words = st.text(st.sampled_from(LETTERS), max_size=7)


def found(kept: list[str], text: str, edits: int, prefix: bool) -> set[str]:
    vocabulary, _ = Words.sort(kept)
    return {vocabulary[number] for number in near(vocabulary, text, edits, prefix).tolist()}


@given(st.sets(words, max_size=40), words, st.integers(0, 2), st.booleans())
def test_words_within_so_many_errors_are_found(kept: set[str], text: str, edits: int, prefix: bool) -> None:
    def likest(word: str) -> int:
        return min(errors(text, word[:end]) for end in range(len(word) + 1)) if prefix else errors(text, word)

    assert found(sorted(kept), text, edits, prefix) == {word for word in kept if likest(word) <= edits}


def test_among_many_words_most_drop_out_early() -> None:
    chance = random.Random(3)
    kept = {"".join(chance.choices("abcdefgh", k=chance.randint(3, 9))) for _ in range(3_000)}
    for edits in (1, 2):
        text = chance.choice(sorted(kept))
        assert found(sorted(kept), text, edits, False) == {word for word in kept if errors(text, word) <= edits}


@given(st.sets(words, max_size=30), words)
def test_words_that_begin_so_stand_together(kept: set[str], text: str) -> None:
    vocabulary, _ = Words.sort(sorted(kept))
    first, last = vocabulary.starting(text)
    assert {vocabulary[number] for number in range(first, last)} == {word for word in kept if word.startswith(text)}


@pytest.mark.parametrize(
    ("one", "other", "count"), [("kite", "ktie", 1), ("kite", "kit", 1), ("ca", "abc", 3), ("", "ab", 2), ("é", "e", 1)]
)
def test_the_oracle_counts_errors(one: str, other: str, count: int) -> None:
    assert errors(one, other) == errors(other, one) == count
