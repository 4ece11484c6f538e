"""Random filters on random rows: plain Python and every form of columns give one answer."""

from __future__ import annotations

import pytest
from elanus.filter import compile_filter, matches
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.filter.reference import Filter, Row, filters, leaves, rows
from tests.filter.rows import FORMS, SCHEMA

tables = st.lists(rows, min_size=0, max_size=12)
common = settings(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def check(table: list[Row], asked: list[Filter]) -> None:
    made = {name: form(table) for name, form in FORMS.items()}
    for one in asked:
        predicate = compile_filter(one.text, SCHEMA)
        expected = [one.test(row) is True for row in table]
        for name, columns in made.items():
            assert matches(predicate, columns).tolist() == expected, (name, one.text)


@settings(common, max_examples=350)
@given(tables, st.lists(leaves, min_size=1, max_size=8))
def test_every_form_of_columns_answers_a_simple_filter_as_plain_python_does(
    table: list[Row], asked: list[Filter]
) -> None:
    check(table, asked)


@settings(common, max_examples=180)
@given(tables, st.lists(filters, min_size=1, max_size=4))
def test_every_form_of_columns_answers_a_nested_filter_as_plain_python_does(
    table: list[Row], asked: list[Filter]
) -> None:
    check(table, asked)


@pytest.mark.parametrize("form", FORMS)
def test_a_filter_on_no_rows_is_an_empty_mask(form: str) -> None:
    for text in (
        'color == "red"',
        "year > 5",
        'array_contains(tags, "a")',
        "tags[0] == 'a'",
        "meta is null",
        "price * 2 > 1",
    ):
        assert matches(compile_filter(text, SCHEMA), FORMS[form]([])).tolist() == []
