from __future__ import annotations

import json

import numpy as np
import pytest
from elanus.schema.json_text import MAX_JSON_BYTES, MAX_JSON_DEPTH, field_text, json_text
from elanus.schema.unfit import Unfit
from hypothesis import given

from tests.schema.model import JSON, same


@given(JSON)
def test_json_reads_back_as_it_was_and_is_written_one_way(value):
    text = json_text(value)
    assert same(json.loads(text), value)
    assert field_text(json.dumps(value, indent=1)) == text


def test_numpy_values_count_as_numbers_and_lists():
    value = {
        "a": np.float32(0.5),
        "b": np.int8(3),
        "c": np.bool_(True),
        "d": np.arange(3),
        "e": np.str_("s"),
        "f": (1,),
    }
    assert json_text(value) == '{"a":0.5,"b":3,"c":true,"d":[0,1,2],"e":"s","f":[1]}'


@pytest.mark.parametrize(
    "value",
    [np.float32("nan"), np.array([1.0, np.inf]), np.array([{1: 2}]), np.datetime64("2020-01-01"), ({1: 2},), 1j],
)
def test_what_json_would_change_or_cannot_write_is_refused(value):
    with pytest.raises(Unfit, match="no JSON"):
        json_text({"x": value})


def nested(levels: int) -> list:
    value: list = []
    for _ in range(levels):
        value = [value]
    return value


def test_nesting_is_limited_as_a_value_and_as_text():
    assert json_text(nested(MAX_JSON_DEPTH)) == field_text("[" * 101 + "]" * 101)
    for deep in (nested(MAX_JSON_DEPTH + 1), {"a": nested(MAX_JSON_DEPTH)}):
        with pytest.raises(Unfit, match="nested deeper than 100 levels"):
            json_text(deep)
    for levels in (102, 30_000):
        with pytest.raises(Unfit):
            field_text("[" * levels + "]" * levels)
    itself: list = []
    itself.append(itself)
    with pytest.raises(Unfit, match="nested deeper"):
        json_text(itself)


def test_the_size_is_limited_in_bytes():
    fits = "é" * (MAX_JSON_BYTES // 2 - 1)
    assert len(json_text(fits).encode()) == MAX_JSON_BYTES
    with pytest.raises(Unfit, match="65538 bytes as JSON, more than 65536"):
        json_text(fits + "é")


@pytest.mark.parametrize("text", ["", "{", "NaN", "[Infinity]", "-Infinity", "{'a': 1}", "1 2", "1e999", '"\\ud800"'])
def test_text_that_is_no_json_is_refused(text):
    with pytest.raises(Unfit):
        field_text(text)
