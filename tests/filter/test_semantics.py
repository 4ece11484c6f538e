"""What filters mean: Milvus's examples, unknown values, and the choices where Milvus leaves one."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from elanus.filter import compile_filter, matches
from elanus.filter.lists import true_places
from elanus.filter.pattern import compile_pattern
from elanus.storage.shred import shred

from tests.filter.reference import fits
from tests.filter.rows import FORMS, SCHEMA, MemoryRows, Row, matching, plain

PRODUCTS: list[Row] = [
    {
        "id": 1,
        "color": "red",
        "price": 9.5,
        "count": 2020,
        "flag": True,
        "tags": ["electronics", "sale"],
        "sizes": [1, 2, 3],
        "meta": {"product": {"model": "JSN-087", "price": 1850}, "tags": ["electronics", "sale", "new"], "rating": 4},
        "$meta": {"brand": "Acme", "year": 2021},
    },
    {
        "id": 2,
        "color": "blue",
        "price": 20.0,
        "count": None,
        "flag": False,
        "tags": [],
        "sizes": None,
        "meta": {"product": {"model": "XYZ-1"}, "tags": ["discount"], "rating": 4.5},
        "$meta": {"year": "2021"},
    },
    {
        "id": 3,
        "color": None,
        "price": 0.1,
        "count": 7,
        "flag": None,
        "tags": None,
        "sizes": [3],
        "meta": {"product": None},
    },
    {"id": 4, "color": "green", "price": 3.0, "count": 0, "tags": ["sale"], "sizes": [], "$meta": {"brand": None}},
]

EXAMPLES = [
    ('color == "red"', [1]),
    ('color != "red"', [2, 4]),
    ('color in ["red", "green", "blue"]', [1, 2, 4]),
    ('color not in ["red"]', [2, 4]),
    ('color like "r%"', [1]),
    ('color like "%e%"', [1, 2, 4]),
    ("color LIKE '_ed'", [1]),
    ("price > 3 and price <= 20", [1, 2]),
    ("3 <= price < 20", [1, 4]),
    ("price == 0.1", [3]),
    ("price in [0.1, 3]", [3, 4]),
    ("price * 2 > 18.9", [1, 2]),
    ("count % 10 == 7", [3]),
    ("2000 + count > 2006", [1, 3]),
    ("flag == true", [1]),
    ("flag != true", [2]),
    ("count is null", [2]),
    ("count IS NOT NULL", [1, 3, 4]),
    ("not (count > 5)", [4]),
    ('not (color == "red") and price > 1', [2, 4]),
    ("id in [1, 3] or count == 0", [1, 3, 4]),
    ('meta["product"]["model"] == "JSN-087"', [1]),
    ('meta["product"]["price"] > 1000', [1]),
    ('meta["product"]["price"] + 50 == 1900', [1]),
    ('meta["rating"] > 4', [2]),
    ('meta["rating"] in [4, 4.5]', [1, 2]),
    ('json_contains(meta["tags"], "sale")', [1]),
    ('JSON_CONTAINS_ALL(meta["tags"], ["electronics", "sale", "new"])', [1]),
    ('json_contains_any(meta["tags"], ["discount", "new"])', [1, 2]),
    ('meta["tags"][0] == "electronics"', [1]),
    ('array_length(meta["tags"]) == 3', [1]),
    ('array_contains(tags, "sale")', [1, 4]),
    ('ARRAY_CONTAINS_ANY(tags, ["new", "sale"])', [1, 4]),
    ("array_contains_all(sizes, [1, 3])", [1]),
    ("array_length(tags) < 2", [2, 4]),
    ("sizes[0] == 1", [1]),
    ("sizes[0] < 4", [1, 3]),
    ('tags == ["sale"]', [4]),
    ("year == 2021", [1]),
    ('$meta["brand"] == "Acme"', [1]),
    ("exists brand", [1]),
    ("exists year", [1, 2]),
    ('exists meta["product"]["model"]', [1, 2]),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("text", "ids"), EXAMPLES, ids=[text for text, _ in EXAMPLES])
def test_milvus_examples(text: str, ids: list[int], form: str) -> None:
    assert [PRODUCTS[place]["id"] for place in matching(text, PRODUCTS, form)] == ids


UNKNOWN = [
    ("color == 'red'", [3]),
    ("color in ['red', 'x']", [3]),
    ("color like '%'", [3]),
    ("count < 5", [2]),
    ("count + 1 < 5", [2]),
    ("array_contains(tags, 'sale')", [3]),
    ("array_length(sizes) == 3", [2]),
    ("sizes[1] == 2", [2, 3, 4]),
    ("brand == 'Acme'", [2, 3, 4]),
    ("year == 2021", [3, 4]),
    ("year == '2021'", [3, 4]),
    ("year in [2021]", [3, 4]),
    ("year in []", [3, 4]),
    ("meta['product'] == 1", [3, 4]),
    ("meta['product']['price'] / 2 > 1", [2, 3, 4]),
    ("json_contains(meta['tags'], 'new')", [3, 4]),
    ("json_contains(meta['tags'], 5)", [3, 4]),
    ("array_length(meta['rating']) == 0", [3, 4]),
    ("count / (count - count) == 1", [1, 2, 3, 4]),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("text", "unknown"), UNKNOWN, ids=[text for text, _ in UNKNOWN])
def test_unknown_matches_neither_a_filter_nor_its_negation(text: str, unknown: list[int], form: str) -> None:
    yes, no = matching(text, PRODUCTS, form), matching(f"not ({text})", PRODUCTS, form)
    assert not set(yes) & set(no)
    assert sorted({1, 2, 3, 4} - {place + 1 for place in yes + no}) == unknown
    assert matching(f"not (not ({text}))", PRODUCTS, form) == yes


def test_a_json_value_of_another_kind_does_not_fit_and_is_unequal() -> None:
    rows = [{"price": 0.0, "$meta": {"x": value}} for value in (5, "abc", [5], {"x": 5}, True, None)]
    rows.append({"price": 0.0, "$meta": {}})
    for text in ("x == 5", "x > 4", "x in [5]", "x + 1 == 6", "1 < x < 9"):
        assert matching(text, rows) == [0]
        assert matching(f"not ({text})", rows) == [1, 2, 3, 4]
    assert matching("x != 5", rows) == matching("x not in [5]", rows) == [1, 2, 3, 4]
    assert matching("x like 'a%'", rows) == [1]
    assert matching("not (x like 'a%')", rows) == [0, 2, 3, 4]
    assert matching("not json_contains(x, 5)", rows) == [0, 1, 3, 4]


def test_regular_expressions_find_anywhere_and_know_flags() -> None:
    rows = [{"price": 0.0, "color": value} for value in ("Red", "dark red", "blue", "naïve", None, "")]
    assert matching("color =~ 'red'", rows) == [1]
    assert matching("color =~ '(?i)red'", rows) == [0, 1]
    assert matching("color =~ '^.{4}$'", rows) == [2]
    assert matching("color !~ '(?i)red'", rows) == [2, 3, 5]
    assert matching("color =~ ''", rows) == [0, 1, 2, 3, 5]
    assert matching("x =~ 'b.$'", [{"price": 0.0, "$meta": {"x": v}} for v in ("abc", "cb", 5)]) == [0]


def test_null_tests_are_never_unknown() -> None:
    for text in ("color is null", "brand is null", "meta is null", 'meta["product"] is null', "exists brand"):
        yes, no = matching(text, PRODUCTS), matching(f"not ({text})", PRODUCTS)
        assert sorted(yes + no) == [0, 1, 2, 3]


def test_a_missing_key_and_a_json_null_are_both_null() -> None:
    assert matching("brand is null", PRODUCTS) == [1, 2, 3]
    assert matching("not exists brand", PRODUCTS) == [1, 2, 3]
    assert matching("meta is null", PRODUCTS) == [3]


def test_false_decides_an_and_and_true_an_or_whatever_is_unknown() -> None:
    assert matching('not (brand == "x" and price > 100)', PRODUCTS) == [0, 1, 2, 3]
    assert matching('brand == "x" or price > 0', PRODUCTS) == [0, 1, 2, 3]


def test_bools_are_no_numbers_in_json() -> None:
    rows = [{"price": 0.0, "$meta": {"x": value}} for value in (True, 1, 1.0, "1", [1], [True])]
    assert matching("x == 1", rows) == [1, 2]
    assert matching("x == true", rows) == [0]
    assert matching("x in [1, true]", rows) == [0, 1, 2]
    assert matching("json_contains(x, 1)", rows) == [4]
    assert matching("json_contains(x, true)", rows) == [5]


def test_json_numbers_compare_beyond_doubles() -> None:
    rows = [{"price": 0.0, "$meta": {"x": value}} for value in (2**53, 2**53 + 1, float(2**53), 2**70, -(2**70), 2**63)]
    assert matching(f"x == {2**53}", rows) == [0, 2]
    assert matching(f"x > {float(2**53)}", rows) == [1, 3, 5]
    assert matching(f"x >= {2**53 + 1}", rows) == [1, 3, 5]
    assert matching(f"x == {float(2**63)}", rows) == [5]
    assert matching("x < 0", rows) == [4]
    assert matching("x / 1024 > 9007199254740993", rows) == [3]


def test_lists_in_json_compare_and_contain_by_value() -> None:
    rows = [
        {"price": 0.0, "$meta": {"x": value}}
        for value in ([1, 2], [1.0, 2.0], [2, 1], [[1, 2], 3], [], "ab", [1, "a"], [None])
    ]
    assert matching("x == [1, 2]", rows) == [0, 1]
    assert matching("x != [1, 2]", rows) == [2, 3, 4, 5, 6, 7]
    assert matching("x == []", rows) == [4]
    assert matching("json_contains(x, [1, 2])", rows) == [3]
    assert matching("json_contains(x, 'a')", rows) == [6]
    assert matching("json_contains_all(x, [])", rows) == [0, 1, 2, 3, 4, 6, 7]
    assert matching("json_contains_any(x, [])", rows) == []
    assert matching("array_length(x) == 2", rows) == [0, 1, 2, 3, 6]


def test_arithmetic_never_overflows() -> None:
    rows = [{"price": 0.0, "count": value} for value in (2**63 - 1, 2**63 - 2, 100, -(2**63))]
    assert matching("count + 33 <= 19974", rows) == [2, 3]
    assert matching("count * 2 > 9223372036854775807", rows) == [0, 1]
    assert matching("count / -1 > 0", rows) == [3]
    assert matching("count % -1 == 0", rows) == [0, 1, 2, 3]
    assert matching("(count + 1) * 1000000000000 / 1000000000000 - 1 == 9223372036854775807", rows) == [0]


def test_a_float_field_calculates_in_float32_as_milvus_does() -> None:
    rows = [{"price": 1000.0}]
    assert matching("price * 26 > 25999.9999", rows) == []
    assert matching("price * 26 >= 25999.9999", rows) == [0]


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "%",
        "%%",
        "a%",
        "%a",
        "%a%",
        "a%b",
        "_",
        "a_c",
        "\\%",
        "%\\%%",
        "\\_",
        "a\\\\",
        "a\\",
        "\\a",
        ".*",
        "[a]",
        "%.%",
    ],
)
def test_patterns_are_found_alike_by_arrow_and_by_python(pattern: str) -> None:
    texts = [
        "",
        "a",
        "b",
        "ab",
        "abc",
        "a%",
        "%",
        "_",
        "a\\",
        "\\",
        ".*",
        "[a]",
        "a\nb",
        "ä",
        "aäc",
        "a😀c",
        "x.y",
        "\n",
    ]
    compiled = compile_pattern(pattern)
    expected = [fits(text, pattern.replace("a\\", "a\\\\") if pattern == "a\\" else pattern) for text in texts]
    assert [compiled.matches(text) for text in texts] == expected
    condition = compile_filter("color like {p}", SCHEMA, {"p": pattern})
    rows = plain([{"price": 0.0, "color": text} for text in texts])
    assert matches(condition, rows).tolist() == expected


@pytest.mark.parametrize("share", [0.0, 0.001, 0.05, 0.5, 1.0])
def test_true_places_agrees_with_numpy(share: float) -> None:
    random = np.random.default_rng(0)
    for length in (0, 1, 7, 8, 9, 64, 1_000, 1_003):
        mask = random.random(length) < share
        assert true_places(mask).tolist() == np.flatnonzero(mask).tolist()


def test_masks_are_the_callers_own() -> None:
    rows = plain(PRODUCTS)
    for text in ("exists year", "not exists year", "year == 2021", "count is null", "true", "color == 'red'"):
        predicate = compile_filter(text, SCHEMA)
        first = matches(predicate, rows)
        expected = first.tolist()
        first[:] = ~first
        assert matches(predicate, rows).tolist() == expected


def test_a_dictionary_of_many_strings_and_any_code_width_is_gathered() -> None:
    texts = [f"w{n % 50:02}" for n in range(400)] + [None]
    column = pa.array(texts).dictionary_encode()
    for width in (pa.int8(), pa.int16(), pa.int32(), pa.int64()):
        codes = pa.DictionaryArray.from_arrays(column.indices.cast(width), column.dictionary)
        rows = MemoryRows({"color": codes}, {"$meta": shred(pa.nulls(401, pa.string()))}, 401)
        for text, test in (
            ("color < 'w10'", lambda t: t < "w10"),
            ("color like '%1'", lambda t: t.endswith("1")),
            ("color like 'w_3'", lambda t: t[2] == "3"),
            ("color > ''", lambda t: True),
            ("color == 'no'", lambda t: False),
        ):
            expected = [word is not None and test(word) for word in texts]
            negated = [word is not None and not test(word) for word in texts]
            assert matches(compile_filter(f"{text} and color >= ''", SCHEMA), rows).tolist() == expected
            assert matches(compile_filter(f"not ({text}) or color == 'no'", SCHEMA), rows).tolist() == negated
            assert matches(compile_filter(text, SCHEMA), rows).tolist() == expected


def test_bits_are_those_of_twos_complement_and_no_shift_overflows() -> None:
    rows = [{"price": 0.0, "count": value} for value in (6, -1, 2**63 - 1, -(2**63), None)]
    assert matching("(count & 2) == 2", rows) == [0, 1, 2]
    assert matching("(count & {mask}) != 0", rows, mask=1) == [1, 2]
    assert matching("~count == -7", rows) == [0]
    assert matching("count << 63 < 0", rows) == [1, 3]
    assert matching("count << 63 > 9223372036854775807", rows) == [0, 2]
    assert matching("count >> 62 == 1", rows) == [2]
    assert matching("1 << count == 64", rows) == [0]
    assert matching("not (1 << count == 64)", rows) == []


def test_bits_of_a_json_value_need_an_integer() -> None:
    rows = [{"price": 0.0, "$meta": {"x": value}} for value in (6, 6.0, "6", 2**70 + 2, None)]
    assert matching("(x & 2) == 2", rows) == [0, 3]
    assert matching("(x & 2) != 2", rows) == [1, 2]
    assert matching("x ** 2 == 36", rows) == [0, 1]
