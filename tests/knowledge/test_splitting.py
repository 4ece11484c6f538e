"""Passages are slices of their text, within their size, and lose no word."""

from __future__ import annotations

from elanus.knowledge.splitting import split
from hypothesis import given, settings
from hypothesis import strategies as st

TEXTS = st.text(alphabet=st.sampled_from("ab c. d!\n é。"), max_size=400)


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.integers(5, 60), st.integers(0, 30))
def test_pieces_are_slices_that_cover_all_words(text: str, size: int, overlap: int) -> None:
    pieces = split(text, size, min(overlap, size - 1))
    covered = set()
    for piece in pieces:
        assert text[piece.start : piece.end] == piece.text
        assert 0 < len(piece.text) <= size
        covered |= set(range(piece.start, piece.end))
    assert all(place in covered for place, character in enumerate(text) if not character.isspace())
    assert [piece.start for piece in pieces] == sorted({piece.start for piece in pieces})


def test_pieces_end_with_sentences_and_begin_with_the_last_one() -> None:
    text = "One is here. Two is here. Three is here. Four is here."
    assert [piece.text for piece in split(text, 30, 15)] == [
        "One is here. Two is here.",
        "Two is here. Three is here.",
        "Three is here. Four is here.",
    ]
    assert [piece.text for piece in split("word " * 5, 9, 0)] == ["word word", "word word", "word"]
    assert split(" \n ", 50, 10) == []
