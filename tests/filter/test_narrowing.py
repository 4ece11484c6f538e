"""Lookups narrow a filter to few rows and never lose one; deciding on those alone gives the answer of all rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from elanus.filter import Path, compile_filter, matches
from elanus.filter.conditions import Field, PhraseMatch, TextMatch
from elanus.filter.narrowing import Known, narrow
from elanus.filter.subset import Subset
from elanus.index.grams import Grams
from elanus.index.lookup import Lookup
from elanus.storage.encoding import dictionary
from hypothesis import given
from hypothesis import strategies as st

from tests.filter.reference import Filter, Row, filters, rows
from tests.filter.rows import FORMS, SCHEMA, MemoryRows


def kept(column: pa.Array) -> Lookup:
    """A lookup as a segment's file gives it back."""
    return Lookup.from_arrays(Lookup.build(column).to_arrays())


def known_in(columns: MemoryRows) -> object:
    """Everything looked up."""

    def known(operand: Field | Path | TextMatch | PhraseMatch) -> Known | None:
        if isinstance(operand, (TextMatch, PhraseMatch)):
            return Known(terms=columns.text_index(operand.field, operand.analyzer).postings)
        if isinstance(operand, Field):
            return Known((kept(columns.column(operand.name)),))
        found = columns.path(operand.field, operand.keys)
        return Known(tuple(kept(c) for c in found.columns), rest=np.array(sorted(found.residual), np.int64))

    return known


@given(st.lists(rows, max_size=12), st.lists(filters, min_size=1, max_size=4))
def test_the_rows_that_lookups_leave_answer_for_all(table: list[Row], asked: list[Filter]) -> None:
    for name, form in FORMS.items():
        columns = form(table)
        for one in asked:
            predicate = compile_filter(one.text, SCHEMA)
            expected = np.flatnonzero(matches(predicate, columns)).tolist()
            few = narrow(predicate.condition, known_in(columns))  # type: ignore[arg-type]
            if few is None:
                continue
            left = few.read()
            assert len(left) <= few.count
            decided = left[matches(predicate, Subset(columns, left))]
            assert decided.tolist() == expected, (name, one.text)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("count == 7", 2),
        ("count in [7, 8, 100]", 3),
        ("count > 7 and color == 'red'", 3),
        ("count < 7 or count > 8.5", 4),
        ("color like 're%'", 4),
        ("array_contains(tags, 'a')", 2),
        ("array_contains_all(tags, ['a', 'b'])", 2),
        ("meta['k'] == 1", 3),
        ("text_match(note, 'a')", 2),
        ("text_match(note, 'a c', minimum_should_match=2)", 3),
        ("phrase_match(note, 'a b')", 1),
        ("phrase_match(note, 'a zzz', 5) and count > 7", 0),
        ("text_match(note, '')", 0),
        ("not (text_match(note, 'a'))", None),
        ("not (count == 7)", None),
        ("count == 7 or weight > count", None),
        ("count != 7", None),
    ],
)
def test_lookups_count_before_they_read(text: str, count: int | None) -> None:
    table: list[Row] = [
        {"id": 0, "count": 7, "price": 0.0, "color": "red", "tags": ["a", "a"], "meta": {"k": 1}, "note": "a a b"},
        {"id": 1, "count": 7, "price": 0.0, "color": "rest", "tags": ["a", "b"], "meta": {"k": 1.0}, "note": "c A"},
        {"id": 2, "count": 8, "price": 0.0, "color": "red", "tags": ["b"], "meta": {"k": "1"}},
        {"id": 3, "count": 9, "price": 0.0, "color": "red", "tags": [], "meta": {}},
        {"id": 4, "count": -(2**63), "price": 0.0, "color": None, "meta": {"k": True}},
        {"id": 5, "count": 2**63 - 1, "price": 0.0, "color": "blue"},
        {"id": 6, "count": None, "price": 0.0, "color": "r"},
        {"id": 7, "count": 10, "price": 0.0, "color": "Red"},
    ]
    few = narrow(compile_filter(text, SCHEMA).condition, known_in(FORMS["plain"](table)))  # type: ignore[arg-type]
    assert (None if few is None else few.count) == count


@given(
    st.lists(st.one_of(st.none(), st.text("abé\U0001f600", max_size=6)), max_size=20),
    st.text("abé\U0001f600", max_size=4),
    st.integers(1, 4),
)
def test_grams_find_every_string_that_contains_a_literal(words: list[str | None], literal: str, size: int) -> None:
    for column in (pa.array(words, pa.string()), dictionary(pa.array(words, pa.string()))):
        grams = Grams.from_arrays(Grams.build(column, size).to_arrays())
        span = grams.containing(literal)
        if span is None:
            assert not literal
            continue
        found = set(grams.rows(span).tolist())
        assert found >= {row for row, word in enumerate(words) if word is not None and literal in word}
        assert all(words[row] for row in found)
        assert len(found) <= grams.count(span)


def test_a_lookup_orders_strings_by_code_point_and_keeps_nulls_out() -> None:
    words = ["b", None, "a", "é", "a\U0010ffff", "ab", "", "a"]
    for column in (pa.array(words), dictionary(pa.array(words * 9))):
        lookup = kept(column)
        spans = [lookup.starting("a"), lookup.compared(">=", "b"), lookup.equal("a"), lookup.equal(3)]
        assert [lookup.count([span]) * 8 // len(column) for span in spans] == [4, 2, 2, 0]
        found = lookup.rows([lookup.equal("a"), lookup.equal("a")]).tolist()
        assert found == [row for row in range(len(column)) if column[row].as_py() == "a"]
