"""JSON by path: the columns say what the texts say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from elanus.filter import PathValues
from elanus.storage.encoding import dictionary
from elanus.storage.shred import MAX_KEYS, Shredded, shred
from hypothesis import given, settings
from hypothesis import strategies as st

MISSING = object()


def texts_of(values: list[Any]) -> pa.Array:
    """JSON texts; MISSING becomes a null."""
    return pa.array([None if value is MISSING else json.dumps(value) for value in values], pa.string())


def back(found: PathValues, length: int) -> list[Any]:
    """The values that a path's columns, bitmaps and residual describe; objects come back as {}."""
    values: list[Any] = [{} if present else MISSING for present in found.present]
    for column in found.columns:
        assert len(column) == length
        for row, value in enumerate(column.to_pylist()):
            if value is not None:
                assert values[row] == {}, "a row in two columns"
                values[row] = value
    for row in np.flatnonzero(found.null).tolist():
        assert values[row] == {}
        values[row] = None
    for row, value in found.residual.items():
        assert values[row] == {}
        values[row] = value
    return values


def at(value: Any, keys: tuple[str | int, ...]) -> Any:
    for key in keys:
        found = value.get(key, MISSING) if isinstance(value, dict) and isinstance(key, str) else MISSING
        if isinstance(value, list) and isinstance(key, int) and key < len(value):
            found = value[key]
        value = found
    return {} if isinstance(value, dict) else value


def exactly(values: list[Any]) -> list[str]:
    """Values with their types, so that 1, 1.0 and true differ."""
    return ["missing" if value is MISSING else repr(value) for value in values]


def check(shredded: Shredded, values: list[Any], keys: tuple[str | int, ...]) -> None:
    assert exactly(back(shredded.path(keys), len(values))) == exactly([at(value, keys) for value in values])


def mapped(shredded: Shredded, folder: Path) -> Shredded:
    """Written as an Arrow file and mapped back."""
    path = folder / "json.arrow"
    batch = shredded.to_batch()
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
        writer.write_batch(batch)
    with pa.memory_map(str(path)) as file:
        return Shredded.from_batch(pa.ipc.open_file(file).get_batch(0), shredded.texts)


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**80]),
    st.sampled_from([0.5, -0.0, 1e300, 1e16]),
    st.sampled_from(["", "a", "naïve", "日本", "\ud800", "x\u0000y", '"', "\\u0061"]),
)
keys_of = st.sampled_from(["a", "b", "c", "日", "\\", '"', ""])
values_of = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys_of, inner, max_size=3)),
    max_leaves=6,
)
documents = st.lists(
    st.one_of(st.just(MISSING), st.dictionaries(keys_of, values_of, max_size=4), values_of), max_size=10
)
PATHS: list[tuple[str | int, ...]] = [
    (),
    ("a",),
    ("b",),
    ("日",),
    ("\\",),
    ('"',),
    ("",),
    ("a", "b"),
    ("a", "a", "c"),
    ("a", 0),
    ("a", 1, "b"),
    (0,),
    ("none",),
    ("none", "of", "these"),
]


@settings(derandomize=True, deadline=None, database=None, max_examples=200)
@given(documents, st.sampled_from([0, 1, 3, 256]))
def test_every_path_says_what_the_texts_say(values: list[Any], max_paths: int) -> None:
    shredded = shred(texts_of(values), max_paths)
    batch = shredded.to_batch()
    reread = Shredded.from_batch(batch, shredded.texts)
    for keys in PATHS:
        check(shredded, values, keys)
        check(reread, values, keys)


def test_columns_are_typed_and_mapped_without_copies(tmp_path: Path) -> None:
    values = [
        {
            "year": 2000 + n % 20,
            "score": n / 7,
            "lang": "en" if n % 3 else "de",
            "id": f"doc-{n}",
            "ok": n % 2 == 0,
            "tags": ["a", "b"][: n % 3],
        }
        for n in range(5_000)
    ]
    shredded = mapped(shred(texts_of(values)), tmp_path)
    kinds = {
        "year": "int64",
        "score": "double",
        "lang": "dictionary<values=string, indices=int8, ordered=0>",
        "id": "string",
        "ok": "bool",
        "tags": "list<item: dictionary<values=string, indices=int8, ordered=0>>",
    }
    for key, kind in kinds.items():
        found = shredded.path((key,))
        assert [str(column.type) for column in found.columns] == [kind]
        assert not found.residual
        check(shredded, values, (key,))
    assert shredded.path(("year",)).columns[0].null_count == 0
    assert shredded.complete


def test_mixed_numbers_have_a_column_each_and_no_residual() -> None:
    values = [{"x": n if n % 2 else n / 3} for n in range(100)] + [{"x": "text"}, {"x": True}, {"x": None}, {}, MISSING]
    found = shred(texts_of(values)).path(("x",))
    assert {str(column.type) for column in found.columns} >= {"int64", "double", "bool"}
    assert not found.residual
    check(shred(texts_of(values)), values, ("x",))


def test_the_rarest_paths_beyond_the_cap_are_read_from_the_texts() -> None:
    values = [{"common": n, f"rare{n}": [n, "x"]} for n in range(300)]
    shredded = shred(texts_of(values), max_paths=10)
    assert len(shredded.paths) == 10
    assert ("common",) in shredded.paths
    assert not shredded.complete
    for keys in (("rare7",), ("rare299",), ("rare299", 0), ("rare300",)):
        check(shredded, values, keys)


def test_deep_objects_are_read_from_the_texts() -> None:
    value: Any = {"leaf": 5}
    for _ in range(MAX_KEYS + 2):
        value = {"k": value}
    values = [value, {"k": 1}, {}]
    shredded = shred(texts_of(values))
    assert not shredded.complete
    check(shredded, values, ("k",) * MAX_KEYS)
    check(shredded, values, (*("k",) * (MAX_KEYS + 2), "leaf"))


def test_escaped_keys_are_found_when_the_texts_are_read() -> None:
    texts = pa.array(['{"\\u0079ear": 1}', '{"year": 2}', '{"x": "year"}', None, '{"a": {"year": 3}}', '[{"year": 4}]'])
    shredded = shred(texts, max_paths=0)
    assert exactly(back(shredded.path(("year",)), 6)) == exactly([1, 2, MISSING, MISSING, MISSING, MISSING])
    assert exactly(back(shredded.path((0, "year")), 6)) == exactly([*[MISSING] * 5, 4])


def test_empty_lists_join_the_lists_of_their_path() -> None:
    values = [{"x": []}, {"x": [1]}, {"x": ["a"]}, {"x": []}, {"x": [1.5]}]
    found = shred(texts_of(values)).path(("x",))
    assert sum(len(column) - column.null_count for column in found.columns) == 5
    check(shred(texts_of(values)), values, ("x",))


@pytest.mark.parametrize("texts", [[], [None, None], ["{}", "{}"], ["null"], ["1", '"a"', "[1]", "{}", None], ["[]"]])
def test_columns_of_any_length_and_shape_survive_the_file(texts: list[str | None], tmp_path: Path) -> None:
    column = pa.array(texts, pa.string())
    values = [MISSING if text is None else json.loads(text) for text in texts]
    for keys in PATHS:
        check(mapped(shred(column), tmp_path), values, keys)


def test_without_a_batch_the_texts_are_shredded() -> None:
    values = [{"a": 1}, {"a": "x"}]
    check(Shredded.from_batch(None, texts_of(values)), values, ("a",))


@pytest.mark.parametrize("texts", [["{"], ["1, 2"], ["1], [2"], ["{}", ""]])
def test_a_text_that_is_no_json_is_an_error(texts: list[str]) -> None:
    with pytest.raises(ValueError):
        shred(pa.array(texts))


def test_slices_are_read_from_their_own_rows() -> None:
    values = [{"x": n} for n in range(10)]
    check(shred(texts_of(values).slice(3, 4)), values[3:7], ("x",))


# dictionary


def test_few_distinct_strings_are_encoded_in_order_with_narrow_codes() -> None:
    encoded = dictionary(pa.array(["b", "a", None, "c"] * 500))
    assert encoded.type.index_type == pa.int8()
    assert encoded.dictionary.to_pylist() == ["a", "b", "c"]
    assert encoded.to_pylist() == ["b", "a", None, "c"] * 500
    assert dictionary(pa.array([f"w{n % 500}" for n in range(8_000)])).type.index_type == pa.int16()
    assert dictionary(pa.array([f"w{n % 40_000}" for n in range(400_000)])).type == pa.string()


def test_many_distinct_strings_and_other_columns_stay_as_they_are() -> None:
    for column in (
        pa.array([f"id{n}" for n in range(10_000)]),
        pa.array([1, 2]),
        pa.array([[1], [2]]),
        pa.array([], pa.string()),
    ):
        assert dictionary(column) is column


def test_strings_in_lists_are_encoded_whatever_the_slice() -> None:
    lists: list[Any] = [["a", "b"], None, [], ["b"]] * 500
    column = pa.array(lists)
    for start, length in ((0, 2_000), (3, 1_000), (1_999, 1), (5, 0)):
        encoded = dictionary(column.slice(start, length))
        assert encoded.type == pa.list_(pa.dictionary(pa.int8(), pa.string()))
        encoded.validate(full=True)
        assert encoded.to_pylist() == lists[start : start + length]
        assert encoded.cast(pa.list_(pa.string())).to_pylist() == lists[start : start + length]
