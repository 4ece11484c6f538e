"""A schema with every type, rows for it, and in plain Python what a stored row must read back as."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from elanus.schema.arrow import stored_fields
from elanus.schema.collection import CollectionSchema
from elanus.schema.output import read_rows, resolve_output
from elanus.schema.reading import reader
from elanus.types import DataType
from hypothesis import strategies as st

Row = dict[str, Any]
DIM = 4
INTEGERS = {"tiny": 8, "small": 16, "medium": 32, "big": 64}


def make_schema(*, dynamic: bool = True) -> CollectionSchema:
    """VARCHAR key; each type once; "note" nullable, "stock" with a default."""
    schema = CollectionSchema(enable_dynamic_field=dynamic)
    schema.add_field("key", DataType.VARCHAR, is_primary=True, max_length=12)
    schema.add_field("flag", DataType.BOOL)
    for name, bits in INTEGERS.items():
        schema.add_field(name, DataType[f"INT{bits}"])
    schema.add_field("real", DataType.FLOAT).add_field("double", DataType.DOUBLE)
    schema.add_field("note", DataType.VARCHAR, max_length=20, nullable=True)
    schema.add_field("stock", DataType.INT32, default_value=7)
    schema.add_field("meta", DataType.JSON)
    schema.add_field("tags", DataType.ARRAY, element_type=DataType.VARCHAR, max_capacity=3, max_length=8)
    schema.add_field("sizes", DataType.ARRAY, element_type=DataType.INT16, max_capacity=4, nullable=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
    return schema


SCHEMA = make_schema()
GOOD: Row = {
    "key": "a", "flag": True, "tiny": 1, "small": 2, "medium": 3, "big": 4, "real": 0.5, "double": 0.25, "note": "n",
    "stock": 5, "meta": {"x": [1, None, 2]}, "tags": ["p", "q"], "sizes": [1, 2], "vector": [1.0, 2.0, 3.0, 4.0],
}  # fmt: skip


def short_text(size: int) -> st.SearchStrategy[str]:
    """Text of at most `size` bytes."""
    return st.text(max_size=size).filter(lambda s: len(s.encode()) <= size)


def whole(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


FINITE = st.floats(allow_nan=False, allow_infinity=False)
SINGLE = st.floats(allow_nan=False, allow_infinity=False, width=32)
LEAVES = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | FINITE | st.text(max_size=5)
KEYS = st.text(min_size=1, max_size=3)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)
COMPONENTS = st.lists(SINGLE, min_size=DIM, max_size=DIM)
VECTORS = (
    COMPONENTS
    | COMPONENTS.map(tuple)
    | COMPONENTS.map(lambda v: np.array(v, np.float32))
    | COMPONENTS.map(lambda v: np.array(v, np.float64))
    | st.lists(st.floats(width=16, allow_nan=False, allow_infinity=False), min_size=DIM, max_size=DIM).map(
        lambda v: np.array(v, np.float16)
    )
    | st.lists(st.integers(-9, 9), min_size=DIM, max_size=DIM)
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "key": short_text(12),
    "flag": st.booleans() | st.booleans().map(np.bool_),
    "tiny": whole(8) | whole(8).map(np.int8) | st.integers(0, 127).map(np.uint8),
    "small": whole(16) | whole(16).map(np.int64),
    "medium": whole(32),
    "big": whole(64),
    "real": SINGLE | SINGLE.map(np.float32) | whole(16),
    "double": FINITE | FINITE.map(np.float64) | whole(32) | whole(32).map(np.int32),
    "note": st.none() | short_text(20),
    "stock": st.none() | whole(32),
    "meta": JSON.filter(lambda v: v is not None and not isinstance(v, str)),
    "tags": st.lists(short_text(8), max_size=3) | st.lists(short_text(8), max_size=3).map(tuple),
    "sizes": st.none() | st.lists(whole(16), max_size=4) | st.lists(whole(16), max_size=4).map(np.array),
    "vector": VECTORS,
}
VALUES["sizes"] = VALUES["sizes"].filter(lambda v: not (isinstance(v, np.ndarray) and v.dtype.kind == "f"))
DYNAMIC = st.dictionaries(KEYS.filter(lambda k: k not in VALUES and k != "$meta"), JSON, max_size=2)


@st.composite
def rows(draw: st.DrawFn) -> Row:
    """A right row; "note" and "stock" may be left out."""
    row = {name: draw(values) for name, values in VALUES.items()}
    for name in draw(st.sets(st.sampled_from(["note", "stock", "sizes"]))):
        del row[name]
    return row | draw(DYNAMIC)


def expected(row: Row) -> Row:
    """What the row reads back as: plain Python values, floats as their width keeps them, defaults and nulls."""
    out = {name: plain(value) for name, value in row.items()}
    out["real"] = float(np.float32(out["real"]))
    out["double"] = float(out["double"])
    out["vector"] = [float(np.float32(x)) for x in out["vector"]]
    out["stock"] = 7 if out.get("stock") is None else out["stock"]
    return {"note": None, "sizes": None} | out


def plain(value: Any) -> Any:
    """A value without numpy and tuples."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    return list(value) if isinstance(value, tuple) else value


def read_back(batch: Any, schema: CollectionSchema = SCHEMA) -> list[Row]:
    """All rows of a batch, as a search with output_fields=["*"] returns them."""
    assert set(batch.schema.names) >= {f.name for f in stored_fields(schema)}
    output = resolve_output(schema, ["*"])
    return read_rows(lambda name: reader(batch.column(name)), np.arange(batch.num_rows), output)


def same(a: Any, b: Any) -> bool:
    """Equality that tells 1, 1.0 and True apart, and -0.0 from 0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b) and (not isinstance(a, float) or math.copysign(1, a) == math.copysign(1, b))
