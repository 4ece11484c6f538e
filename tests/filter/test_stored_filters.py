"""Random filters on random rows through the client: one answer in every state of the rows, that of plain Python."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import elanus
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.filter.reference import EPOCH, Filter, Row, filters, rows
from tests.filter.rows import make_schema
from tests.filter.states import NAME, states

KEYS = [0, 1, -1, 2**63 - 1, -(2**63), 2**53, 2**53 + 1]
tables = st.lists(rows.filter(lambda row: "\\ud8" not in json.dumps(row)), min_size=10, max_size=16)


def create(client: elanus.Client) -> None:
    schema = make_schema()
    indexes = client.prepare_index_params()
    indexes.add_index("vector", index_type="FLAT", metric_type="L2")
    client.create_collection(NAME, schema=schema, index_params=indexes)


def stored(row: Row) -> dict[str, Any]:
    """The row as a client writes it: dynamic keys beside the fields."""
    fields = {name: value for name, value in row.items() if name != "$meta"}
    if row["seen"] is not None:
        fields["seen"] = EPOCH + timedelta(microseconds=row["seen"])
    if isinstance(fields.get("meta"), str):
        fields["meta"] = json.dumps(fields["meta"])  # a str is JSON text already
    return {**row["$meta"], **fields, "vector": [1.0, 0.5]}


@settings(max_examples=6, phases=[Phase.generate])
@given(tables, st.lists(filters, min_size=15, max_size=25))
def test_every_state_of_the_rows_answers_as_plain_python_does(
    tmp_path_factory: pytest.TempPathFactory, table: list[Row], asked: list[Filter]
) -> None:
    named = [{**row, "id": key} for row, key in zip(table, (*KEYS, *range(100, 120)), strict=False)]
    folder: Path = tmp_path_factory.mktemp("stored") / "store"
    for state, client in states(folder, create, [stored(row) for row in named]):
        for one in asked:
            found = {row["id"] for row in client.query(NAME, filter=one.text, output_fields=["id"])}
            assert found == {row["id"] for row in named if one.test(row) is True}, (state, one.text)
