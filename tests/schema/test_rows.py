from __future__ import annotations

import enum
import math
import os
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from elanus.errors import RowError
from elanus.schema.arrow import arrow_schema
from elanus.schema.collection import CollectionSchema
from elanus.schema.functions import Function
from elanus.schema.rows import to_batch
from elanus.types import DataType, FunctionType
from hypothesis import given
from hypothesis import strategies as st

from tests.schema import model
from tests.schema.model import DIM, GOOD, SCHEMA, Row, expected, make_schema, read_back, same

FIXED = make_schema(dynamic=False)
VECTORSTORE = Path(__file__).resolve().parents[2] / "vectorstore"


def rows_of(count: int, **changes: Any) -> list[Row]:
    return [GOOD | {"key": str(i), "big": i} | changes for i in range(count)]


def refused(schema: CollectionSchema, data: Any) -> str:
    with pytest.raises(RowError) as caught:
        to_batch(schema, data)
    return str(caught.value)


# What is stored


@given(st.lists(model.rows(), max_size=4))
def test_rows_read_back_as_they_were_given(rows):
    batch = to_batch(SCHEMA, rows)
    assert batch.schema.equals(arrow_schema(SCHEMA))
    batch.validate(full=True)
    assert same(read_back(batch), [expected(row) for row in rows])


@given(st.lists(model.rows(), min_size=1, max_size=6), st.data())
def test_the_first_wrong_value_is_named_by_row_field_and_value(rows, data):
    name, value = data.draw(st.sampled_from(BAD_VALUES))
    first = data.draw(st.integers(0, len(rows) - 1))
    also = data.draw(st.sets(st.integers(first, len(rows) - 1)))
    for number in {first} | also:
        rows[number] = rows[number] | {name: value}
    message = refused(SCHEMA, rows)
    assert message.startswith(f"row {first}, field '{name}' ({SCHEMA.field(name).dtype.name}), value ")


class Colour(str, enum.Enum):
    RED = "red"


class Number(enum.IntEnum):
    ONE = 1


BAD_VALUES: list[tuple[str, Any]] = [
    ("key", None), ("key", 5), ("key", b"a"), ("key", "x" * 13), ("key", "é" * 7), ("key", "a\ud800"), ("key", ["a"]),
    ("flag", 1), ("flag", "true"), ("flag", None),
    ("tiny", 128), ("tiny", -129), ("tiny", True), ("tiny", 1.0), ("tiny", "1"), ("tiny", np.float32(1)),
    ("small", 2**15), ("medium", 2**31), ("big", 2**63), ("big", np.uint64(2**63)), ("big", np.bool_(True)),
    ("big", np.timedelta64(1, "s")),
    ("real", math.nan), ("real", math.inf), ("real", 1e39), ("real", "1"), ("real", True), ("real", 10**400),
    ("double", math.nan), ("double", -math.inf), ("double", np.float32("nan")), ("double", 10**400), ("double", 1j),
    ("note", "x" * 21), ("note", 1), ("stock", 2**31), ("stock", "7"),
    ("meta", {"x": math.nan}), ("meta", {1: 2}), ("meta", [{"a": {2: 3}}]), ("meta", {"x": object()}), ("meta", None),
    ("meta", {"x": {1, 2}}), ("meta", {"x": b"a"}), ("meta", "no json"), ("meta", "NaN"), ("meta", ""),
    ("meta", {"x": "\udfff"}), ("meta", '"\\ud800"'), ("meta", {"x": "y" * 70_000}),
    ("tags", "pq"), ("tags", ["a"] * 4), ("tags", ["a", None]), ("tags", ["a", 1]), ("tags", ["x" * 9]), ("tags", None),
    ("tags", {"a"}), ("tags", [["a"]]), ("sizes", [2**15]), ("sizes", [1.0]), ("sizes", [True]), ("sizes", [[1]]),
    ("vector", [1.0] * 3), ("vector", [1.0] * 5), ("vector", [math.nan] * 4), ("vector", [1e39] * 4), ("vector", None),
    ("vector", ["a"] * 4), ("vector", 3.0), ("vector", []), ("vector", [[1.0] * 4]), ("vector", "abcd"),
    ("vector", np.zeros(3, np.float32)), ("vector", np.zeros((2, 2), np.float32)), ("vector", np.array(["a"] * 4)),
    ("vector", np.array([1, 2, 3, math.inf], np.float32)), ("vector", [1.0, None, 2.0, 3.0]), ("vector", {1: 0.5}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD_VALUES)
def test_a_wrong_value_refuses_the_batch_as_a_row_and_as_a_column(name, value):
    rows = rows_of(5)
    rows[3] = rows[3] | {name: value}
    assert refused(FIXED, rows).startswith(f"row 3, field '{name}'")
    columns = {field: [row[field] for row in rows] for field in GOOD}
    assert refused(FIXED, columns).startswith(f"row 3, field '{name}'")


def test_vectors_whose_lengths_only_add_up_are_refused():
    rows = rows_of(2)
    rows[0]["vector"], rows[1]["vector"] = np.zeros(DIM - 1, np.float32), np.zeros(DIM + 1, np.float32)
    assert "row 0, field 'vector' (FLOAT_VECTOR)" in refused(SCHEMA, rows)
    assert f"dimension {DIM - 1} where dim={DIM} is declared" in refused(SCHEMA, rows)


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("key", "x" * 13, "value 'xxxxxxxxxxxxx': 13 bytes in UTF-8, more than max_length=12"),
        ("key", None, "value None: null is not allowed; the field is neither nullable nor has a default_value"),
        ("tiny", 300, "value 300: out of range for INT8"),
        ("tiny", True, "value True: must be an integer, not bool"),
        ("real", math.nan, "value nan: NaN, infinity or out of range for FLOAT"),
        ("tags", ["a"] * 4, "value ['a', 'a', 'a', 'a']: 4 elements, more than max_capacity=3"),
        ("tags", ["a", 1], "value ['a', 1]: an element: must be a str, not int"),
        ("vector", [1.0] * 9, "value [1.0, 1.0, 1.0, ...]: dimension 9 where dim=4 is declared"),
        ("meta", {1: 2}, "value {1: 2}: no JSON: key 1 is no str"),
        ("meta", "{", "value '{': a str must be JSON text: "),
    ],
)
def test_the_rule_is_told(name, value, rule):
    assert rule in refused(SCHEMA, [GOOD | {name: value}])


def test_a_long_value_is_shown_shortened():
    message = refused(SCHEMA, [GOOD | {"note": "long " * 1000}])
    assert "value 'long long" in message
    assert len(message) < 200


def test_subclasses_of_str_int_and_list_are_taken():
    row = GOOD | {"key": Colour.RED, "tiny": Number.ONE, "note": np.str_("n"), "meta": OrderedDict(a=1)}
    (back,) = read_back(to_batch(SCHEMA, [OrderedDict(row)]))
    assert (back["key"], back["tiny"], back["note"], back["meta"]) == ("red", 1, "n", {"a": 1})


def test_a_str_in_a_json_field_is_json_text():
    rows = [GOOD | {"meta": text} for text in ('{"a": [1, 2.5]}', "7", '"word"', "null")]
    assert [row["meta"] for row in read_back(to_batch(SCHEMA, rows))] == [{"a": [1, 2.5]}, 7, "word", None]


# Missing, unknown and computed fields


def test_a_missing_field_is_named_with_the_row_and_the_closest_key():
    rows = rows_of(3)
    rows[1]["vectr"] = rows[1].pop("vector")
    message = "row 1: field 'vector' (FLOAT_VECTOR) is missing; did you mean 'vectr'?"
    assert refused(SCHEMA, rows) == message
    assert refused(FIXED, rows) == message


def test_an_unknown_field_is_refused_without_a_dynamic_field_and_kept_with_one():
    rows = rows_of(2)
    rows[1]["colour"] = "red"
    assert refused(FIXED, rows) == (
        "row 1: no field 'colour' in the schema; enable_dynamic_field=True would keep undeclared fields"
    )
    assert "did you mean 'note'?" in refused(FIXED, [GOOD | {"notes": 1}])
    assert [row.get("colour") for row in read_back(to_batch(SCHEMA, rows))] == [None, "red"]


@pytest.mark.parametrize("key", [5, None, ("a",)])
def test_a_key_that_is_no_str_is_refused(key):
    assert "row 0" in refused(SCHEMA, [GOOD | {key: 1}])
    assert "row 0" in refused(FIXED, [GOOD | {key: 1}])


@pytest.mark.parametrize("value", [math.nan, {1, 2}, object(), b"a", "\ud800", {"deep": {1: 2}}, "x" * 70_000])
def test_a_dynamic_value_that_is_no_json_is_refused_by_name(value):
    assert "row 1, dynamic field 'extra', value " in refused(SCHEMA, [GOOD, GOOD | {"fine": 1, "extra": value}])


def test_dynamic_fields_that_are_too_long_only_together_are_refused():
    extra = {f"k{i}": "x" * 10_000 for i in range(7)}
    assert "row 0, the dynamic fields together: 70" in refused(SCHEMA, [GOOD | extra])


def test_the_dynamic_field_itself_and_a_field_without_a_name_are_refused():
    assert "'$meta' cannot be given" in refused(SCHEMA, [GOOD | {"$meta": {"a": 1}}])
    assert "'$meta' cannot be given" in refused(FIXED, [GOOD | {"$meta": {"a": 1}}])
    assert "needs a name" in refused(SCHEMA, [GOOD | {"": 1}])


@pytest.fixture(params=[True, False], ids=["dynamic", "fixed"])
def computed(request):
    """A schema with an auto_id key and a function's output."""
    schema = CollectionSchema(enable_dynamic_field=request.param)
    schema.add_field("id", DataType.INT64, is_primary=True, auto_id=True)
    schema.add_field("text", DataType.VARCHAR, max_length=50, enable_analyzer=True)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(Function("bm25", FunctionType.BM25, "text", "sparse"))
    return schema


def test_computed_fields_have_no_column_and_are_refused(computed):
    names = to_batch(computed, [{"text": "a kite"}]).schema.names
    assert names == ["text", "$meta"] if computed.enable_dynamic_field else ["text"]
    assert refused(computed, [{"text": "a"}, {"text": "b", "id": 5}]).startswith("row 1: field 'id' is numbered by")
    assert refused(computed, [{"text": "a", "sparse": {1: 0.5}}]).startswith("row 0: field 'sparse' is computed by")
    assert refused(computed, {"text": ["a"], "id": [5]}).startswith("field 'id' is numbered by")


# Shapes


@pytest.mark.parametrize("data", [[], (), {"key": [], "vector": []}, pa.table({"key": pa.array([], pa.string())})])
def test_no_rows_give_an_empty_batch(data):
    if isinstance(data, (dict, pa.Table)):
        schema = CollectionSchema().add_field("key", DataType.VARCHAR, is_primary=True, max_length=9)
        data = data if isinstance(data, pa.Table) else {"key": []}
    else:
        schema = SCHEMA
    batch = to_batch(schema, data)
    assert batch.num_rows == 0
    assert batch.schema.equals(arrow_schema(schema))


def test_one_dict_is_one_row():
    assert to_batch(SCHEMA, GOOD | {"extra": [1]}).equals(to_batch(SCHEMA, [GOOD | {"extra": [1]}]))


def test_a_dict_is_columns_if_its_first_telling_field_holds_a_sequence_of_values():
    schema = CollectionSchema(auto_id=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    schema.add_field("tags", DataType.ARRAY, element_type=DataType.INT8, max_capacity=2)
    one = to_batch(schema, {"vector": [1, 2], "tags": [1]})
    assert one.num_rows == 1
    for vectors in ([[1, 2]], [(1, 2)], np.array([[1, 2]]), [np.array([1, 2])], np.array([[1.0, 2.0]], np.float16)):
        assert to_batch(schema, {"vector": vectors, "tags": [[1]]}).equals(one)
    assert to_batch(schema, {"vector": np.array([1.0, 2.0]), "tags": [1]}).equals(one)


BASE = [row | {"extra": i, "word": "w"} for i, row in enumerate(rows_of(6))]


def as_columns(rows: Sequence[Row] = BASE) -> dict[str, Any]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def as_numpy(rows: Sequence[Row] = BASE) -> dict[str, Any]:
    arrays = {
        name: np.array(values) for name, values in as_columns(rows).items() if name not in ("meta", "tags", "sizes")
    }
    return as_columns(rows) | arrays | {"tags": np.array(as_columns(rows)["tags"]), "sizes": np.array([[1, 2]] * 6)}


def as_table(rows: Sequence[Row] = BASE) -> pa.Table:
    return pa.table(as_columns(rows))


def as_odd_table(rows: Sequence[Row] = BASE) -> pa.Table:
    """Chunks, large and dictionary-encoded strings, double vectors, a fixed-size list, JSON as text."""
    table = as_table(rows)
    odd = {
        "key": table["key"].cast(pa.large_string()),
        "note": table["note"].dictionary_encode(),
        "big": table["big"].cast(pa.int32()),
        "vector": table["vector"].cast(pa.list_(pa.float64(), DIM)),
        "tags": table["tags"].cast(pa.large_list(pa.large_string())),
        "sizes": table["sizes"].cast(pa.list_(pa.int8(), 2)),
        "meta": pa.chunked_array([['{"x":[1,null,2]}'] * 6]),
    }
    whole = pa.table({name: odd.get(name, table[name]) for name in table.column_names})
    return pa.concat_tables([whole.slice(0, 1), whole.slice(1, 0), whole.slice(1, 3), whole.slice(4)])


def as_batch(rows: Sequence[Row] = BASE) -> pa.RecordBatch:
    return pa.table(as_columns(rows)).combine_chunks().to_batches()[0]


def as_pandas(rows: Sequence[Row] = BASE) -> Any:
    return pytest.importorskip("pandas").DataFrame(as_columns(rows))


def as_pandas_of_arrays(rows: Sequence[Row] = BASE) -> Any:
    frame = as_pandas(rows)
    frame["vector"] = [np.array(v, np.float32) for v in frame["vector"]]
    frame["note"] = frame["note"].astype("category")
    frame.index = range(100, 106)
    return frame


def as_polars(rows: Sequence[Row] = BASE) -> Any:
    return pytest.importorskip("polars").DataFrame(as_columns(rows), strict=False)


def as_polars_of_arrays(rows: Sequence[Row] = BASE) -> Any:
    polars = pytest.importorskip("polars")
    return as_polars(rows).with_columns(
        polars.col("vector").cast(polars.Array(polars.Float32, DIM)), polars.col("note").cast(polars.Categorical)
    )


def as_columns_of_series(rows: Sequence[Row] = BASE) -> dict[str, Any]:
    return {name: as_pandas(rows)[name] for name in rows[0]}


def as_columns_of_polars(rows: Sequence[Row] = BASE) -> dict[str, Any]:
    return {name: as_polars(rows)[name] for name in rows[0]}


SHAPES = [
    as_columns, as_numpy, as_table, as_odd_table, as_batch, as_pandas, as_pandas_of_arrays, as_polars,
    as_polars_of_arrays, as_columns_of_series, as_columns_of_polars,
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_batch(shape):
    batch = to_batch(SCHEMA, shape())
    batch.validate(full=True)
    assert same(read_back(batch), read_back(to_batch(SCHEMA, BASE)))
    assert batch.equals(to_batch(SCHEMA, BASE))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_wrong_value_is_found_in_every_shape(shape):
    rows = [*BASE[:4], BASE[4] | {"small": 2**15}, BASE[5]]
    assert refused(SCHEMA, shape(rows)).startswith("row 4, field 'small' (INT16), value 32768: out of range")
    rows[4] = BASE[4] | {"note": "x" * 21}
    assert refused(SCHEMA, shape(rows)).startswith(
        "row 4, field 'note' (VARCHAR), value 'xxxxxxxxxxxxxxxxxxxxx': 21 by"
    )


def test_a_sliced_table_is_read_from_its_slice():
    assert same(read_back(to_batch(SCHEMA, as_table().slice(2, 3))), read_back(to_batch(SCHEMA, BASE[2:5])))
    batch = as_batch().slice(3)
    assert same(read_back(to_batch(SCHEMA, batch)), read_back(to_batch(SCHEMA, BASE[3:])))


def test_nulls_of_a_table_become_defaults_or_stay_where_they_may():
    table = as_table().set_column(9, "stock", pa.array([1, None, 3, None, 5, 6], pa.int8()))
    table = table.set_column(8, "note", pa.array(["a", None, "c", None, "e", "f"]))
    table = table.set_column(12, "sizes", pa.array([[1], None, [], [2], None, [3]]))
    back = read_back(to_batch(SCHEMA, table))
    assert [row["stock"] for row in back] == [1, 7, 3, 7, 5, 6]
    assert [row["note"] for row in back] == ["a", None, "c", None, "e", "f"]
    assert [row["sizes"] for row in back] == [[1], None, [], [2], None, [3]]
    message = refused(SCHEMA, table.set_column(2, "tiny", pa.array([1, 2, 3, None, 5, 6])))
    assert message.startswith("row 3, field 'tiny' (INT8), value None: null is not allowed")


def test_whole_numbers_that_pandas_made_float_for_want_of_null_are_whole_again():
    frame = as_pandas()
    frame["stock"] = [1, None, 3, None, 5, 6]
    frame["note"] = ["a", None, "c", float("nan"), "e", "f"]
    frame["extra"] = [1, None, 3, 4, 5, 6]
    assert frame["stock"].dtype == float
    back = read_back(to_batch(SCHEMA, frame))
    assert same([row["stock"] for row in back], [1, 7, 3, 7, 5, 6])
    assert same([row["extra"] for row in back], [1, None, 3, 4, 5, 6])
    assert [row["note"] for row in back] == ["a", None, "c", None, "e", "f"]
    frame["stock"] = [1, None, 3, None, 5, 6.5]
    assert "row 0, field 'stock' (INT32), value 1.0: must be an integer, not float" in refused(SCHEMA, frame)


def test_a_float_matrix_is_taken_without_a_copy():
    matrix = np.random.default_rng(0).random((6, DIM), np.float32)
    batch = to_batch(SCHEMA, as_columns() | {"vector": matrix})
    assert batch.column("vector").flatten().buffers()[1].address == matrix.ctypes.data
    table = as_batch().set_column(13, "vector", batch.column("vector"))
    again = to_batch(SCHEMA, table).column("vector")
    assert again.flatten().buffers()[1].address == matrix.ctypes.data


def test_any_layout_of_a_matrix_is_taken():
    matrix = np.arange(6 * DIM, dtype=np.float64).reshape(DIM, 6)
    batch = to_batch(SCHEMA, as_columns() | {"vector": matrix.T[::-1]})
    assert batch.column("vector").to_pylist() == matrix.T[::-1].tolist()


@pytest.mark.parametrize("dtype", [">f4", "<f8", "f2", ">i2", "u1"])
def test_numbers_of_any_numpy_type_are_taken(dtype):
    matrix = np.arange(6 * DIM).reshape(6, DIM).astype(dtype)
    (row, *_) = read_back(to_batch(SCHEMA, as_columns() | {"vector": matrix, "double": matrix[:, 1]}))
    assert (row["vector"], row["double"]) == ([0.0, 1.0, 2.0, 3.0], 1.0)


def test_masked_values_are_null():
    masked = np.ma.masked_equal(np.arange(6), 2)
    assert [row["stock"] for row in read_back(to_batch(SCHEMA, as_columns() | {"stock": masked}))] == [0, 1, 7, 3, 4, 5]
    matrix = np.ma.masked_equal(np.arange(6 * DIM, dtype=float).reshape(6, DIM), 9)
    assert "row 2, field 'vector'" in refused(SCHEMA, as_columns() | {"vector": matrix})


def test_an_arrow_table_is_taken_without_importing_pandas():
    program = """
import sys, numpy as np, pyarrow as pa
from elanus.schema.collection import CollectionSchema
from elanus.schema.rows import to_batch
from elanus.types import DataType
schema = CollectionSchema().add_field("id", DataType.INT64, is_primary=True)
schema.add_field("real", DataType.FLOAT).add_field("vector", DataType.FLOAT_VECTOR, dim=2)
numbers = lambda t, a: pa.Array.from_buffers(t, len(a), [None, pa.py_buffer(a)])
ids, real = numbers(pa.int64(), np.arange(2)), numbers(pa.float64(), np.ones(2))
vector = pa.FixedSizeListArray.from_arrays(numbers(pa.float32(), np.ones(4, np.float32)), 2)
batch = to_batch(schema, pa.Table.from_arrays([ids, real, vector], ["id", "real", "vector"]))
assert batch.num_rows == 2 and "pandas" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ, "PYTHONPATH": str(VECTORSTORE)})


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"key": ["a", "b"]}, "the columns have different lengths"),
        ({"note": "n"}, "column 'note' must be a list or an array, not str"),
        ({"extra": 5}, "column 'extra' must be a list or an array, not int"),
        ({"extra": np.array(5)}, "column 'extra' must be a list or an array, not ndarray"),
        ({"vector": np.zeros((6, DIM + 1))}, "row 0, field 'vector' (FLOAT_VECTOR), value [0.0, 0.0, 0.0, ...]: dim"),
        ({"vector": np.zeros((6, DIM, 1))}, "row 0, field 'vector'"),
        ({"vector": np.zeros(6)}, "row 0, field 'vector'"),
        ({"big": np.zeros((6, 2), int)}, "row 0, field 'big'"),
        ({"big": np.array(["2020-01-01"] * 6, "datetime64[ns]")}, "row 0, field 'big' (INT64)"),
        ({"key": pa.array([b"a"] * 6)}, "row 0, field 'key' (VARCHAR), value b'a': must be a str, not bytes"),
        ({"flag": np.array([0, 1] * 3)}, "row 0, field 'flag' (BOOL), value 0: must be a bool, not int"),
        ({"vector": pa.array([[1.0, 2.0, 3.0, None]] * 6)}, "row 0, field 'vector'"),
        ({"vector": pa.array([[1.0] * 4] * 5 + [[1.0] * 3])}, "row 5, field 'vector'"),
        ({"tags": pa.array([["a"]] * 5 + [["a", None]])}, "row 5, field 'tags' (ARRAY)"),
        ({"tags": pa.array([["a"]] * 5 + [["a"] * 4])}, "row 5, field 'tags' (ARRAY)"),
        ({"sizes": pa.array([[1]] * 5 + [[2**15]])}, "row 5, field 'sizes' (ARRAY), value [32768]: an element: out of"),
        ({"sizes": pa.array([[1.0]] * 6)}, "row 0, field 'sizes' (ARRAY), value [1.0]: an element: must be INT16"),
        ({"real": pa.array([1.0] * 5 + [1e39])}, "row 5, field 'real' (FLOAT), value 1e+39: NaN, infinity or out of"),
        ({"big": pa.array([1] * 5 + [2**63], pa.uint64())}, "row 5, field 'big' (INT64), value 9223372036854775808"),
    ],
)  # fmt: skip
def test_a_wrong_column_is_refused_by_name(columns, message):
    assert message in refused(SCHEMA, as_columns() | columns)


def test_a_missing_or_doubled_column_is_refused_by_name():
    columns = as_columns()
    columns["vectr"] = columns.pop("vector")
    assert refused(SCHEMA, columns) == "column 'vector' (FLOAT_VECTOR) is missing; did you mean 'vectr'?"
    doubled = pa.Table.from_arrays([*as_table().columns, as_table()["key"]], [*as_table().column_names, "key"])
    assert refused(SCHEMA, doubled) == "column 'key' occurs twice"


@pytest.mark.parametrize("data", [None, 7, "rows", b"rows", {1, 2}, iter([]), np.zeros((2, 2)), pa.array([1])])
def test_what_is_no_rows_is_refused(data):
    assert "data must be a list of dicts" in refused(SCHEMA, data)


@pytest.mark.parametrize("data", [[3], [["a"]], [GOOD, None], ("ab",)])
def test_a_list_of_something_else_is_refused(data):
    assert "must be a dict, not " in refused(SCHEMA, data)
