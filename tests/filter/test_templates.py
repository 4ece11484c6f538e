"""Templates: values that are bound, never pasted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from elanus.errors import FilterError
from elanus.filter import compile_filter

from tests.filter.rows import SCHEMA, matching

HOSTILE = [
    '" or 1 == 1 or "',
    "' or true or '",
    "\\",
    '\\" or count > 0 or color == "',
    "{b}",
    "a\nb",
    "\x00",
    "%",
    "日本 😀",
    "] or [",
    "",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_string_is_only_a_string(value: str) -> None:
    rows = [{"price": 0.0, "color": value, "tags": [value]}, {"price": 0.0, "color": "other", "tags": ["other"]}]
    assert matching("color == {a}", rows, a=value) == [0]
    assert matching("color in {a}", rows, a=[value]) == [0]
    assert matching("array_contains(tags, {a})", rows, a=value) == [0]


@pytest.mark.parametrize(
    ("text", "value", "places"),
    [
        ("count == {a}", 2, [2]),
        ("{a} == count", np.int64(2), [2]),
        ("{a} < count <= 3", 1, [2, 3]),
        ("count in {a}", [1, 2], [1, 2]),
        ("count in {a}", (1, 2), [1, 2]),
        ("count in {a}", {1, 2}, [1, 2]),
        ("count in {a}", np.array([1, 2]), [1, 2]),
        ("count in [{a}, 3]", 1, [1, 3]),
        ("count + {a} == 3", 1, [2]),
        ("count + {a} * 2 == 3", 1, [1]),
        ("price < {a}", 0.5, [0]),
        ("price < {a}", np.float32(0.5), [0]),
        ("flag == {a}", True, [2, 3]),
        ("color like {a}", "r%", [1, 3]),
        ("{a}", True, [0, 1, 2, 3]),
        ("tags == {a}", ["x"], [0, 1, 2, 3]),
        ("array_contains_any(tags, {a})", ["x", "y"], [0, 1, 2, 3]),
        ("color not in {a}", ["red"] * 20, [0, 2]),
    ],
)
def test_a_template_stands_wherever_a_constant_may(text: str, value: Any, places: list[int]) -> None:
    rows = [
        {"count": n, "price": float(n), "flag": n > 1, "color": "red" if n % 2 else "blue", "tags": ["x"]}
        for n in range(4)
    ]
    assert matching(text, rows, a=value) == places


@pytest.mark.parametrize(
    ("text", "params", "message"),
    [
        ("count == {a}", None, r"no value for the template {a}; give it in filter_params"),
        ("count == {alpha}", {"alhpa": 1}, r"no value for the template {alpha}; did you mean 'alhpa'\?"),
        ("count == {a}", {"a": 1, "b": 2}, "filter_params has 'b', which the filter .* does not use"),
        ("count == 1", {"a": 1}, "filter_params has 'a'"),
        ("", {"a": 1}, r"filter_params \['a'\] are given without a filter"),
        ("count == {a}", {"a": None}, r"filter_params\['a'\] is a NoneType; a template takes"),
        ("count == {a}", {"a": {"x": 1}}, "is a dict"),
        ("count in {a}", {"a": [1, None]}, "is a NoneType"),
        ("count == {a}", {"a": 2**63}, "an integer must fit 64 bits"),
        ("count in {a}", {"a": [1, 2**63]}, "an integer must fit 64 bits"),
        ("price < {a}", {"a": float("nan")}, "must be a finite number"),
        ("price < {a}", {"a": [float("inf"), 1.0]}, "must be a finite number"),
        ("color == {a}", {"a": "\ud800"}, "not valid Unicode"),
        ("color in {a}", {"a": ["a", "\ud800"]}, "not valid Unicode"),
        ("color == {a}", {"a": 1}, "cannot compare the VARCHAR field 'color' with the number 1"),
        ("color in {a}", {"a": "red"}, "the right side of 'in' must be a list"),
        ("count in {a}", {"a": ["x", "y"]}, "cannot be the string 'x'"),
        ("5 < count < {a}", {"a": 1}, "invalid range"),
        ("count / {a} == 1", {"a": 0}, "division by zero"),
    ],
)
def test_a_wrong_parameter_is_refused(text: str, params: dict[str, Any] | None, message: str) -> None:
    with pytest.raises(FilterError, match=message):
        compile_filter(text, SCHEMA, params)


def test_a_list_that_holds_itself_is_refused() -> None:
    endless: list[Any] = [1]
    endless.append(endless)
    with pytest.raises(FilterError, match="is a list"):
        compile_filter("count in {a}", SCHEMA, {"a": endless})


def test_one_text_with_many_values_is_parsed_once() -> None:
    rows = [{"count": n, "price": 0.0} for n in range(5)]
    assert [matching("count == {a}", rows, a=n) for n in range(5)] == [[n] for n in range(5)]
