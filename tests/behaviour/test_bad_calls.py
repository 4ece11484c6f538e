"""Every argument of every call, given what it cannot be: an error of ours that names the argument or the value.

The table has, for each argument, values that no call may accept; each is tried alone beside arguments that are fine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import elanus
import pytest
from elanus import AnnSearchRequest, DataType, ElanusError, RRFRanker

from tests import shapes

VECTOR = [0.5] * shapes.DIM
NAN, INF = float("nan"), float("inf")
NAMES = [None, 7, "", "1st", "a b", "a/b", "x" * 256, b"docs", ["docs"], "é"]
COUNTS = [0, -1, 1.5, "3", True, 16_385, [1]]
OFFSETS = [-1, 1.5, "3", True, 16_385, [1]]
TIMES = [-1, "soon", True, [1]]
LEVELS = ["Sloppy", 9, 1.5, [1], object()]
FILTERS = [
    7, "n >", "n = 1", "nope nope", "(n > 1", "n > 'a'", "color > 3", "n in 3", "n like 'a%'", "tags == 1",
    "n > {x}", "array_contains(n, 1)", "vector == 1", "1 + 1", "n / 0 > 1", "color like 3", "text_match(color, 'a')",
    "unknown_function(n)", "n > 99999999999999999999", "'a'", "not", "n >> 1.5 == 1", "sample(0.5)",
]  # fmt: skip
FIELDS = ["id", 7, [7], ["sparse"], [["id"]], {"id": 1}]
PARTITIONS = ["_default", ["nope"], [7], 7]
VECTORS = [
    [], [[]], [[1.0]], "text", [["a"] * shapes.DIM], [[NAN] * shapes.DIM], [[INF] * shapes.DIM], 7, [None], [{}],
    [[None] * shapes.DIM], [[1.0] * shapes.DIM, [1.0]],
]  # fmt: skip
KEYS = ["a", [1.5], [None], [True], [[1]], 2**63, {"a": 1}]
PARAMS = [
    "ef=3", [1], {"ef": 0}, {"params": 3}, {"params": {"ef": 1}}, {"params": {"bogus": 1}}, {"metric_type": "L2"},
    {"params": {"radius": "a"}}, {"params": {"range_filter": 0.5}}, {"params": {"radius": 0.5, "range_filter": 0.1}},
]  # fmt: skip
ROWS = [
    None, 7, "row", [7], [[1, 2]], [{}], [{"id": "a"}], [{"id": 1}], [None], [{"id": 1, "n": "x"}],
]  # fmt: skip

Call = Callable[..., Any]
DENSE = AnnSearchRequest([VECTOR], "vector", {}, 5)
NEAR = {"collection_name": "docs", "data": [VECTOR], "anns_field": "vector"}
CALLS: dict[str, tuple[Call, dict[str, list[Any]]]] = {
    "search": (
        lambda c, **a: c.search(**{**NEAR, **a}),
        {
            "collection_name": NAMES, "data": VECTORS, "filter": FILTERS, "limit": COUNTS, "output_fields": FIELDS,
            "search_params": PARAMS, "timeout": TIMES, "partition_names": PARTITIONS, "offset": OFFSETS,
            "anns_field": [7, "nope", "n", ["vector"], "text"], "ranker": [7, "rrf", RRFRanker(), object()],
            "consistency_level": LEVELS, "round_decimal": [-2, 7, "1", 1.5, True], "explain": [1, "yes"],
            "group_by_field": [7, "nope.x", "tags", "vector", ["n"]], "group_size": [1, 0],
            "ids": [[1]], "filter_params": [{"x": 1}], "order_by_fields": ["n:up", [{"field": "vector"}], [7]],
        },
    ),
    "text search": (
        lambda c, **a: c.search(**{"collection_name": "docs", "data": ["kite"], "anns_field": "sparse", **a}),
        {"data": [[], [7], [VECTOR], 7, None, [None]], "limit": COUNTS, "search_params": [{"params": {"ef": 3}}]},
    ),
    "hybrid_search": (
        lambda c, **a: c.hybrid_search(**{
            "collection_name": "docs", "reqs": [DENSE], "ranker": RRFRanker(), **a
        }),
        {
            "collection_name": NAMES, "reqs": [[], [7], [None]],
            "ranker": [None, 7, "rrf", elanus.WeightedRanker(1, 1)],
            "limit": COUNTS, "offset": OFFSETS, "output_fields": FIELDS, "timeout": TIMES, "consistency_level": LEVELS,
            "partition_names": PARTITIONS, "round_decimal": [-2, 7, "1"], "explain": [1], "group_size": [0],
        },
    ),
    "query": (
        lambda c, **a: c.query(**{"collection_name": "docs", "filter": "id >= 0", **a}),
        {
            "collection_name": NAMES, "filter": FILTERS, "output_fields": [*FIELDS, ["sum(color)"]],
            "limit": COUNTS, "offset": OFFSETS, "timeout": TIMES, "ids": [[1]], "partition_names": PARTITIONS,
            "consistency_level": LEVELS, "filter_params": [{"x": 1}, 7], "order_by": ["n:up", ["vector"], [7], 7],
            "group_by_fields": [7, ["vector"], ["tags"]],
        },
    ),
    "get": (
        lambda c, **a: c.get(**{"collection_name": "docs", "ids": [1], **a}),
        {
            "collection_name": NAMES, "ids": [None, *KEYS], "output_fields": FIELDS, "timeout": TIMES,
            "partition_names": PARTITIONS, "consistency_level": LEVELS,
        },
    ),
    "insert": (
        lambda c, **a: c.insert(**{"collection_name": "docs", "data": [], **a}),
        {"collection_name": NAMES, "data": ROWS, "timeout": TIMES, "partition_name": ["nope", 7, ["a"]]},
    ),
    "upsert": (
        lambda c, **a: c.upsert(**{"collection_name": "docs", "data": [], **a}),
        {
            "collection_name": NAMES, "data": ROWS, "timeout": TIMES, "partition_name": ["nope", 7],
            "field_ops": [7, {"nope": "array_append"}, {"n": "array_append"}, {"tags": "bogus"}],
        },
    ),
    "delete": (
        lambda c, **a: c.delete(**{"collection_name": "docs", **({} if "filter" in a else {"ids": [7]}), **a}),
        {
            "collection_name": NAMES, "ids": KEYS, "filter": FILTERS, "timeout": TIMES, "partition_name": ["nope", 7],
        },
    ),
    "query_iterator": (
        lambda c, **a: c.query_iterator(**{"collection_name": "docs", **a}).next(),
        {
            "collection_name": NAMES, "batch_size": COUNTS, "limit": [-2, 1.5, "3", True], "filter": FILTERS,
            "output_fields": FIELDS, "partition_names": PARTITIONS, "timeout": TIMES,
        },
    ),
    "search_iterator": (
        lambda c, **a: c.search_iterator(**{**NEAR, **a}).next(),
        {
            "collection_name": NAMES, "data": [*VECTORS, [VECTOR, VECTOR]], "batch_size": COUNTS, "filter": FILTERS,
            "limit": [-2, 1.5, "3"], "output_fields": FIELDS, "search_params": PARAMS, "round_decimal": [-2, 7],
            "partition_names": PARTITIONS, "anns_field": [7, "nope", "n"], "external_filter_func": [7],
        },
    ),
    "create_collection": (
        lambda c, **a: c.create_collection(**{"collection_name": "new", "dimension": 4, **a}),
        {
            "collection_name": NAMES, "dimension": [0, 1, -4, "4", 1.5, True, 40_000], "id_type": ["float", 7, None],
            "primary_field_name": ["", 7, "a b", "vector"], "vector_field_name": ["", 7, "id"],
            "metric_type": ["COSIN", "BM25", "JACCARD"], "schema": [7, {}, "s"], "index_params": [7, "AUTOINDEX"],
            "timeout": TIMES, "consistency_level": LEVELS, "num_partitions": [4], "num_shards": [2],
            "properties": [7, {"a": 1}, {"collection.ttl.seconds": "x"}],
        },
    ),
    "create_partition": (
        lambda c, **a: c.create_partition(**{"collection_name": "docs", "partition_name": "new", **a}),
        {"collection_name": NAMES, "partition_name": ["", 7, "a b", None, "x" * 256], "timeout": TIMES},
    ),
    "load_partitions": (
        lambda c, **a: c.load_partitions(**{"collection_name": "docs", "partition_names": ["_default"], **a}),
        {"collection_name": NAMES, "partition_names": [[], ["nope"], [7], None], "timeout": TIMES},
    ),
    "release_partitions": (
        lambda c, **a: c.release_partitions(**{"collection_name": "docs", "partition_names": ["_default"], **a}),
        {"collection_name": NAMES, "partition_names": [[], ["nope"], [7], None], "timeout": TIMES},
    ),
    "create_index": (
        lambda c, **a: c.create_index(**{"collection_name": "docs", "index_params": c.prepare_index_params("n"), **a}),
        {"collection_name": NAMES, "index_params": [None, 7, [], "n"], "timeout": TIMES},
    ),
    "describe_index": (
        lambda c, **a: c.describe_index(**{"collection_name": "docs", "index_name": "vector", **a}),
        {"collection_name": NAMES, "index_name": ["nope", "", 7], "timeout": TIMES},
    ),
    "alter_collection_properties": (
        lambda c, **a: c.alter_collection_properties(**{"collection_name": "docs", "properties": {}, **a}),
        {"collection_name": NAMES, "properties": [7, {"nope": 1}, {7: 1}, ["a"]], "timeout": TIMES},
    ),
    "add_collection_field": (
        lambda c, **a: c.add_collection_field(**{
            "collection_name": "docs", "field_name": "new", "data_type": DataType.INT64, "nullable": True, **a
        }),
        {
            "collection_name": NAMES, "field_name": ["", 7, "a b", "n"], "timeout": TIMES, "nullable": [False],
            "data_type": ["INT64", 999, None, DataType.FLOAT_VECTOR, DataType.VARCHAR], "default_value": ["a", 2**70],
        },
    ),
    "rename_collection": (
        lambda c, **a: c.rename_collection(**{"old_name": "nothing", "new_name": "new", **a}),
        {"old_name": NAMES, "new_name": NAMES, "target_db": ["nope"], "timeout": TIMES},
    ),
    "create_alias": (
        lambda c, **a: c.create_alias(**{"collection_name": "docs", "alias": "live", **a}),
        {"collection_name": NAMES, "alias": ["", 7, "a b", "docs"], "timeout": TIMES},
    ),
    "create_database": (
        lambda c, **a: c.create_database(**{"db_name": "db", **a}),
        {"db_name": ["", 7, "a b", "a/b", "default"], "properties": [7, {"a": 1}], "timeout": TIMES},
    ),
    "use_database": (lambda c, **a: c.use_database(**a), {"db_name": ["nope", "", 7]}),
    "run_analyzer": (
        lambda c, **a: c.run_analyzer(**{"texts": "a", **a}),
        {"texts": [7, [7], None], "analyzer_params": [7, {"type": "nope"}, {"tokenizer": 7}]},
    ),
}  # fmt: skip
CASES = [
    pytest.param(call, argument, value, id=f"{name}-{argument}-{number}")
    for name, (call, table) in CALLS.items()
    for argument, values in table.items()
    for number, value in enumerate(values)
]


@pytest.fixture(scope="module")
def client() -> Iterator[elanus.Client]:
    """A client with "docs" of one row."""
    with elanus.connect(":memory:") as opened:
        shapes.articles(opened, "docs")
        row = {"id": 1, "n": 1, "score": 0.5, "flag": True, "color": "red", "tags": ["a"], "meta": {}, "text": "kite"}
        opened.insert("docs", [{**row, "vector": VECTOR}])
        yield opened


def test_there_are_many_bad_calls() -> None:
    assert len(CASES) >= 300


@pytest.mark.parametrize(("call", "argument", "value"), CASES)
def test_a_bad_argument_is_refused_with_an_error_that_says_what(
    client: elanus.Client, call: Call, argument: str, value: Any
) -> None:
    before = (client.list_collections(), client.list_databases(), client.query("docs", limit=10))
    with pytest.raises(ElanusError) as caught:
        call(client, **{argument: value})
    assert type(caught.value) is not ElanusError
    assert caught.value.code > 0
    assert len(caught.value.message) > 10
    assert (client.list_collections(), client.list_databases(), client.query("docs", limit=10)) == before
