"""Stores with every kind of vector, as the commands show them."""

from __future__ import annotations

import json
from pathlib import Path

import elanus
from elanus import DataType
from elanus.cli.app import app
from typer.testing import CliRunner


def test_struct_arrays_and_narrow_vectors_are_shown(folder: Path) -> None:
    with elanus.connect(folder, durability="os") as client:
        struct = client.create_struct_field_schema().add_field("text", DataType.VARCHAR, max_length=9)
        struct.add_field("v", DataType.FLOAT_VECTOR, dim=2)
        schema = client.create_schema(enable_dynamic_field=True).add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("chunks", DataType.ARRAY, element_type=DataType.STRUCT, struct_schema=struct, max_capacity=3)
        schema.add_field("half", DataType.FLOAT16_VECTOR, dim=2)
        params = client.prepare_index_params("chunks[v]")
        params.add_index("half", metric_type="L2")
        client.create_collection("c", schema=schema, index_params=params)
        client.insert("c", [{"id": 1, "chunks": [{"text": "a", "v": [1.0, 0.0]}], "half": [1.0, 0.5]}])
    shown = CliRunner().invoke(app, ["inspect", str(folder)]).stdout
    lines = [line.split(maxsplit=2) for line in shown.splitlines() if line.startswith("  ")]
    assert ["chunks", "ARRAY", "of text VARCHAR, v FLOAT_VECTOR, v: AUTOINDEX MAX_SIM_COSINE"] in lines
    assert ["half", "FLOAT16_VECTOR", "dim=2, AUTOINDEX L2"] in lines
    asked = CliRunner().invoke(app, ["query", str(folder), "c", "--vectors"])
    assert json.loads(asked.stdout) == {
        "id": 1,
        "chunks": [{"text": "a", "v": [1.0, 0.0]}],
        "half": ["003c0038"],
    }
