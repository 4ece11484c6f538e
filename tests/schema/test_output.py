from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from elanus.errors import FieldNotFound, InvalidArgument, NotSupported
from elanus.schema.collection import CollectionSchema
from elanus.schema.functions import Function
from elanus.schema.output import Output, read_rows, resolve_output
from elanus.schema.reading import reader
from elanus.schema.rows import to_batch
from elanus.types import DataType, FunctionType
from hypothesis import given
from hypothesis import strategies as st

from tests.schema import model
from tests.schema.model import GOOD, SCHEMA, expected, make_schema, same


def searchable(dynamic: bool) -> CollectionSchema:
    schema = CollectionSchema(enable_dynamic_field=dynamic)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=50, enable_analyzer=True)
    schema.add_field("meta", DataType.JSON)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    schema.add_function(Function("bm25", FunctionType.BM25, "text", "sparse"))
    return schema


OPEN, CLOSED = searchable(True), searchable(False)
ALL = Output(("id", "text"), ("meta",), ("vector",))


@pytest.mark.parametrize("names", [None, [], ()])
def test_a_search_returns_nothing_by_default_and_a_query_everything(names):
    for schema in (OPEN, CLOSED):
        assert resolve_output(schema, names).empty
        assert resolve_output(schema, names, query=True) == resolve_output(schema, ["*"])


def test_a_star_is_all_that_is_stored_with_the_dynamic_fields():
    assert resolve_output(CLOSED, ["*"]) == ALL
    assert resolve_output(OPEN, ["*"]) == Output(*(ALL.plain, ALL.json, ALL.vectors), dynamic=True)
    assert resolve_output(OPEN, ["*", "text", "extra"]) == resolve_output(OPEN, ["*"])


def test_names_are_read_by_kind_and_a_query_adds_the_key():
    assert resolve_output(CLOSED, ["meta", "text"]) == Output(("text",), ("meta",))
    assert resolve_output(CLOSED, ["text"], query=True) == Output(("id", "text"))
    assert resolve_output(OPEN, ["extra", "id"]) == Output(("id",), dynamic=True, keys=frozenset({"extra"}))
    assert resolve_output(OPEN, ["$meta"]) == Output(dynamic=True)
    assert resolve_output(OPEN, ["$meta", "extra"]) == Output(dynamic=True)


@pytest.mark.parametrize(
    ("schema", "names", "error", "message"),
    [
        (CLOSED, ["txet"], FieldNotFound, "no output field 'txet'; did you mean 'text'"),
        (CLOSED, ["$meta"], FieldNotFound, "no output field '\\$meta'"),
        (CLOSED, ["sparse"], InvalidArgument, "'sparse' is computed by a function and not stored"),
        (OPEN, ["*", "sparse"], InvalidArgument, "'sparse' is computed"),
        (OPEN, ['$meta["a"]'], NotSupported, "a part of a JSON value"),
        (OPEN, ['meta["a"]'], NotSupported, "a part of a JSON value"),
        (OPEN, "text", InvalidArgument, "must be a list of str, not 'text'"),
        (OPEN, ["text", 3], InvalidArgument, "must be a list of str"),
        (OPEN, 3, InvalidArgument, "must be a list of str, not 3"),
    ],
)
def test_what_cannot_be_returned_is_refused(schema, names, error, message):
    with pytest.raises(error, match=message):
        resolve_output(schema, names)


def encoded(column: pa.Array) -> pa.Array:
    """The column as a segment may hold it: strings, and lists of them, dictionary-encoded."""
    if pa.types.is_string(column.type):
        return column.dictionary_encode()
    if pa.types.is_list(column.type) and pa.types.is_string(column.type.value_type) and not column.offset:
        mask = column.is_null() if column.null_count else None
        return pa.ListArray.from_arrays(column.offsets, column.values.dictionary_encode(), mask=mask)
    return column


@given(st.lists(model.rows(), min_size=1, max_size=5), st.data())
def test_some_rows_and_fields_of_any_form_of_column_read_as_the_model_says(rows, data):
    batch = to_batch(SCHEMA, rows)
    start = data.draw(st.integers(0, len(rows) - 1))
    wanted = np.array(data.draw(st.lists(st.integers(0, len(rows) - 1 - start))), np.int64)
    names = data.draw(st.lists(st.sampled_from([*SCHEMA.names(), "$meta", "*", "a", "extra"])))
    parts: dict[str, Any] = {
        "plain": {name: batch.slice(start).column(name) for name in batch.schema.names},
        "encoded": {name: encoded(batch.column(name)).slice(start) for name in batch.schema.names},
    }
    model_rows = [expected(rows[start + i]) for i in wanted]
    every = "*" in names
    chosen = [
        {k: v for k, v in row.items() if every or k in names or ("$meta" in names and k not in SCHEMA.names())}
        for row in model_rows
    ]
    for columns in parts.values():
        found = read_rows(lambda name, c=columns: reader(c[name]), wanted, resolve_output(SCHEMA, names))
        assert same(found, chosen)


def test_nothing_wanted_gives_empty_dicts():
    batch = to_batch(make_schema(), [GOOD] * 3)
    read = lambda name: reader(batch.column(name))  # noqa: E731
    assert read_rows(read, np.array([0, 2]), Output()) == [{}, {}]
    assert read_rows(read, np.array([], np.int64), resolve_output(SCHEMA, ["*"])) == []


def test_a_vector_leaves_as_a_list_of_python_floats_and_results_are_plain_json():
    batch = to_batch(SCHEMA, [GOOD | {"extra": [1, {"a": None}]}])
    (row,) = read_rows(lambda name: reader(batch.column(name)), np.array([0]), resolve_output(SCHEMA, ["*"]))
    assert type(row["vector"]) is list
    assert same(json.loads(json.dumps(row)), row)
    assert row["extra"] == [1, {"a": None}]
