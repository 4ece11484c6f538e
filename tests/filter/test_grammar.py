"""How filters are read: precedence, literals, escapes, keywords, limits."""

from __future__ import annotations

import time
from typing import Any

import pytest
from elanus.errors import FilterError
from elanus.filter import compile_filter
from elanus.filter.conditions import Always, Compare, Const
from elanus.filter.literals import number, unquote
from elanus.filter.parse import MAX_DEPTH

from tests.filter.rows import SCHEMA, matching

ROWS = [
    {"id": place, "count": place, "price": float(place), "color": "red" if place % 2 else "blue", "flag": place > 3}
    for place in range(6)
]


def constant(text: str) -> Any:
    """The value that a constant expression folds to."""
    condition = compile_filter(f"weight == ({text})", SCHEMA).condition
    assert isinstance(condition, Compare)
    assert isinstance(condition.right, Const)
    return condition.right.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 4 - 3", 3),
        ("-2 ** 2", -4.0),
        ("2 ** 3 ** 2", 64.0),
        ("2 ** -1", 0.5),
        ("6 & 3 | 8", 10),
        ("7 ^ 5 & 4", 3),
        ("1 | 2 ^ 3", 1),
        ("6 & 1 + 2", 2),
        ("1 << 2 + 1", 8),
        ("-1 >> 1", -1),
        ("-9 >> 1", -5),
        ("~5", -6),
        ("~ -1 * 3", 0),
        ("1 << 62", 2**62),
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("-7 % 3", -1),
        ("7.0 / 2", 3.5),
        ("- - 5", 5),
        ("+5", 5),
        ("-9223372036854775808", -(2**63)),
        ("017", 15),
        ("0x1F", 31),
        ("0b101", 5),
        ("1.", 1.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("0x1.8p1", 3.0),
    ],
)
def test_constants_fold_as_in_milvus(text: str, value: Any) -> None:
    folded = constant(text)
    assert folded == value
    assert type(folded) is type(value)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("count == 1 or count == 2 and price > 1", "count == 1 or (count == 2 and price > 1)"),
        ("not (count == 1) and price > 1", "(not (count == 1)) and price > 1"),
        ("count + 1 * 2 > 3", "(count + (1 * 2)) > 3"),
        ("not color like 'r%'", "not (color like 'r%')"),
        ("not exists year", "not (exists year)"),
        ("count == 1 && price > 0 || flag == true", "count == 1 and price > 0 or flag == true"),
        ("count == 1 AND price > 0 OR NOT (flag == TRUE)", "count == 1 and price > 0 or !(flag == true)"),
        ("1 < count <= 3", "count > 1 and count <= 3"),
        ("3 >= count > 1", "count > 1 and count <= 3"),
        ("1 < count + 1 <= 3", "count > 0 and count <= 2"),
        ("count in [1, 2] and flag == false", "(count in [1, 2]) and (flag == false)"),
        ("5 > count", "count < 5"),
        ("count\n>\t1", "count > 1"),
    ],
)
def test_precedence_is_that_of_milvus(text: str, same: str) -> None:
    assert matching(text, ROWS) == matching(same, ROWS)


def test_conditions_of_constants_are_answered_without_rows() -> None:
    for text, value in (
        ("1 < 2", True),
        ("'a' == 'b'", False),
        ("true", True),
        ("", True),
        ("  ", True),
        ("[1] == [1]", True),
    ):
        assert compile_filter(text, SCHEMA).condition == Always(value)
    assert compile_filter("", SCHEMA).is_always
    assert matching("1 == 1 and count > 3", ROWS) == [4, 5]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ('"plain"', "plain"),
        ("'single'", "single"),
        (r'"say \"hi\""', 'say "hi"'),
        (r"'it\'s'", "it's"),
        (r'"it\'s"', "it's"),
        (r'"a\\b"', "a\\b"),
        (r'"\a\b\f\n\r\t\v"', "\a\b\f\n\r\t\v"),
        (r'"\x41\101\u00e9\U0001F600"', "AAé😀"),
        (r'"\xc3\xa9"', "é"),
        (r'r"a\n"', r"a\n"),
        ('"日本"', "日本"),
        ('""', ""),
    ],
)
def test_strings_have_the_escapes_of_milvus(written: str, text: str) -> None:
    assert unquote(written) == (text, True)
    assert matching(f"color == {written}", [{"price": 0.0, "color": text}, {"price": 0.0, "color": "other"}]) == [0]


@pytest.mark.parametrize("written", [r'"\q"', r'"\xff"', r'"\ud800"', r'"\U00110000"', r'"\400"', '"\ud800"', r'"\?"'])
def test_what_is_no_string_is_refused(written: str) -> None:
    with pytest.raises(ValueError):
        unquote(written)


@pytest.mark.parametrize("word", ["08", "12abc", "0x", "1e999", "0b2", "1e", "9" * 5_000, "1.5.2e1x"])
def test_what_is_no_number_is_refused(word: str) -> None:
    with pytest.raises(ValueError):
        number(word)


def test_long_chains_of_or_are_flat() -> None:
    text = " or ".join(f"(count == {n} and price > 0)" for n in range(2_000))
    assert matching(text, ROWS) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "text",
    [
        "(" * 500 + "count == 1" + ")" * 500,
        "not (" * 5_000 + "count == 1" + ")" * 5_000,
        "count" + " + 1" * 5_000 + " == 1",
        "count == " + "-" * 5_000 + "1",
        "[" * 5_000,
        "count in " + "[" * 3_000 + "]" * 3_000,
        "1 + (" * 5_000,
    ],
)
def test_deep_nesting_is_a_clear_error(text: str) -> None:
    with pytest.raises(FilterError, match=f"nested deeper than {MAX_DEPTH} levels"):
        compile_filter(text, SCHEMA)


def test_nesting_up_to_the_limit_works_with_every_construct() -> None:
    deep = "count" + " + 1" * 45 + " == 45"
    for _ in range(45):
        deep = f"not ({deep})"
    assert matching(deep, ROWS) == [1, 2, 3, 4, 5]


def test_lists_of_ten_thousand_values_are_read_at_once() -> None:
    start = time.process_time()
    assert matching(f"count in {list(range(3, 20_003))}", ROWS) == [3, 4, 5]
    names = [f"name {n}" for n in range(10_000)]
    assert matching(f"color in {[*names, 'red']}", ROWS) == [1, 3, 5]
    assert matching(f"color not in {[*names, 'red']}", ROWS) == [0, 2, 4]
    assert matching("count in {ids}", ROWS, ids=range(2) and list(range(4, 50_000))) == [4, 5]
    assert time.process_time() - start < 2.0


@pytest.mark.parametrize(
    "text", ["count in []", "count in [1, ]", "count in [ 1 ,2 , ]", "count in [1, -2, 1 + 1]", "count in [0x1, 2]"]
)
def test_lists_may_be_empty_end_in_a_comma_and_hold_constant_expressions(text: str) -> None:
    values = {1, 2} & {1, *([2] if "2" in text or "1 + 1" in text else [])} if "1" in text else set()
    assert set(matching(text, ROWS)) == (values if "[1, ]" not in text else {1})


def test_equal_filters_have_equal_keys_and_others_do_not() -> None:
    def key(text: str, **params: Any) -> str:
        return compile_filter(text, SCHEMA, params or None).key

    assert key("count == {a}", a=1) == key("count == {a}", a=1)
    different = [
        key("count == 1"),
        key("count == 1.0"),
        key("mix == {a}", a=1),
        key("mix == {a}", a=1.0),
        key("mix == {a}", a=True),
        key("mix in {a}", a=[1]),
        key("mix in {a}", a=[True]),
        key("count in {a}", a=list(range(1_000))),
        key("count in {a}", a=list(range(1_001))),
    ]
    assert len(set(different)) == len(different)
    assert len(key("count in {a}", a=list(range(1_000)))) < 100
    assert compile_filter("count == 1", SCHEMA) == compile_filter("count == 1", SCHEMA)
    assert len({compile_filter("count == 1", SCHEMA), compile_filter("count == 1", SCHEMA)}) == 1


def test_a_predicate_knows_what_it_reads() -> None:
    predicate = compile_filter('count > 1 and tags[0] == "a" and year == 3 and exists meta["a"]["b"]', SCHEMA)
    assert predicate.fields == {"count", "tags"}
    assert predicate.paths == {("$meta", ("year",)), ("meta", ("a", "b"))}
