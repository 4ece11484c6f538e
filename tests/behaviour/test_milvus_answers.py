"""What Milvus answers to wrong calls, and that ours have the same codes.

Recorded on 2026-11-23 from the standalone server in milvus==2.3.5 by pymilvus 3.0. Where it answers 65535, its number
for what has none of its own, this package answers 1100, invalid parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import elanus
import pytest
from elanus import DataType

VECTOR = [[1.0, 0.0, 0.0, 0.0]]
ROW = {"id": 2, "n": 1, "w": "a", "v": VECTOR[0]}


@pytest.fixture
def client(client: elanus.Client) -> elanus.Client:
    """The collection that the server was asked about."""
    schema = client.create_schema(enable_dynamic_field=True).add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("n", DataType.INT64).add_field("w", DataType.VARCHAR, max_length=5)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=4)
    indexes = client.prepare_index_params("v", index_type="FLAT", metric_type="L2")
    client.create_collection("docs", schema=schema, index_params=indexes)
    client.insert("docs", [ROW])
    return client


def search(c: Any, **options: Any) -> Any:
    return c.search(**{"collection_name": "docs", "data": VECTOR, "limit": 1, "anns_field": "v", **options})


def released(c: Any) -> Any:
    c.release_collection("docs")
    return c


def without_index(c: Any) -> Any:
    released(c).drop_index("docs", "v")
    return c


Answer = tuple[Callable[[Any], Any], int, str]
ANSWERS: dict[str, Answer] = {
    "search no collection": (
        lambda c: search(c, collection_name="nope"), 100, "collection not found[database=default][collection=nope]",
    ),
    "query no collection": (
        lambda c: c.query("nope", filter="n > 0"), 100, "collection not found[database=default][collection=nope]",
    ),
    "describe no collection": (lambda c: c.describe_collection("nope"), 100, "[collection=nope]"),
    "insert no collection": (lambda c: c.insert("nope", [ROW]), 100, "[collection=nope]"),
    "drop no collection": (lambda c: c.drop_collection("nope"), 0, ""),
    "insert partition missing": (
        lambda c: c.insert("docs", [ROW], partition_name="nope"), 200, "partition not found[partition=nope]",
    ),
    "create existing different": (lambda c: c.create_collection("docs", dimension=8), 65535, ""),
    "long varchar": (lambda c: c.insert("docs", [{**ROW, "w": "abcdefg"}]), 1100, "5"),
    "bad name": (lambda c: c.create_collection("1 x", dimension=4), 1100, "1 x"),
    "alias of nothing": (
        lambda c: c.create_alias("nope", "al"), 100, "collection not found[database=default][collection=nope]",
    ),
    "alias is collection": (
        lambda c: c.create_alias("docs", "docs"),
        1601,
        "alias and collection name conflict[database=default][alias=docs]",
    ),
    "describe alias missing": (
        lambda c: c.describe_alias("nope"), 1600, "alias not found[database=default][alias=nope]",
    ),
    "released": (lambda c: search(released(c)), 101, "collection not loaded[collection="),
    "released query": (lambda c: released(c).query("docs", filter="n > 0"), 101, "collection not loaded[collection="),
    "load no index": (lambda c: without_index(c).load_collection("docs"), 700, ""),
    "drop no partition": (lambda c: c.drop_partition("docs", "nope"), 0, ""),
}  # fmt: skip
GENERIC: dict[str, Callable[[Any], Any]] = {
    "bad filter": lambda c: c.query("docs", filter="n >"),
    "type filter": lambda c: c.query("docs", filter="n == 'a'"),
    "limit big": lambda c: search(c, limit=20_000),
    "no field": lambda c: search(c, anns_field="nope"),
    "metric mismatch": lambda c: search(c, search_params={"metric_type": "IP"}),
    "insert wrong dim": lambda c: c.insert("docs", [{**ROW, "v": [1.0, 0.0]}]),
    "drop loaded index": lambda c: c.drop_index("docs", "v"),
    "index bad type": lambda c: c.create_index("docs", c.prepare_index_params("v", index_type="NONSENSE")),
    "drop default partition": lambda c: c.drop_partition("docs", "_default"),
    "delete bad filter": lambda c: c.delete("docs", filter="n >"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_wrong_call_has_the_code_and_words_of_milvus(client: elanus.Client, name: str) -> None:
    call, code, words = ANSWERS[name]
    if code == 0:
        call(client)
        return
    with pytest.raises(elanus.ElanusError) as caught:
        call(client)
    assert caught.value.code == code
    assert words in caught.value.message


@pytest.mark.parametrize("name", GENERIC)
def test_what_milvus_gives_no_code_of_its_own_is_an_invalid_parameter(client: elanus.Client, name: str) -> None:
    with pytest.raises(elanus.InvalidArgument) as caught:
        GENERIC[name](client)
    assert caught.value.code == 1100
