"""Nothing is ignored in silence: what Milvus's client knows and this one does not do is refused by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import elanus
import pytest
from elanus import AnnSearchRequest, DataType, FunctionType, RRFRanker

from tests import shapes

VECTOR = [1.0] * shapes.DIM
ROW = {"id": 1, "vector": VECTOR}

# Calls that are fine without further arguments, by method.
CALLS: dict[str, Callable[..., Any]] = {
    "create_collection": lambda c, **more: c.create_collection("new", dimension=4, **more),
    "has_collection": lambda c, **more: c.has_collection("c", **more),
    "list_collections": lambda c, **more: c.list_collections(**more),
    "describe_collection": lambda c, **more: c.describe_collection("c", **more),
    "get_collection_stats": lambda c, **more: c.get_collection_stats("c", **more),
    "rename_collection": lambda c, **more: c.rename_collection("c", "d", **more),
    "truncate_collection": lambda c, **more: c.truncate_collection("c", **more),
    "drop_collection": lambda c, **more: c.drop_collection("c", **more),
    "load_collection": lambda c, **more: c.load_collection("c", **more),
    "release_collection": lambda c, **more: c.release_collection("c", **more),
    "get_load_state": lambda c, **more: c.get_load_state("c", **more),
    "insert": lambda c, **more: c.insert("c", [ROW], **more),
    "upsert": lambda c, **more: c.upsert("c", [ROW], **more),
    "delete": lambda c, **more: c.delete("c", ids=[7], **more),
    "get": lambda c, **more: c.get("c", [7], **more),
    "query": lambda c, **more: c.query("c", filter="id == 7", **more),
    "search": lambda c, **more: c.search("c", [VECTOR], **more),
    "hybrid_search": lambda c, **more: c.hybrid_search(
        "c", [AnnSearchRequest([VECTOR], "vector", {}, 5)], RRFRanker(), **more
    ),
    "query_iterator": lambda c, **more: c.query_iterator("c", **more),
    "search_iterator": lambda c, **more: c.search_iterator("c", [VECTOR], **more),
    "create_index": lambda c, **more: c.create_index(
        "c", c.prepare_index_params("vector", metric_type="COSINE"), **more
    ),
    "list_indexes": lambda c, **more: c.list_indexes("c", **more),
    "describe_index": lambda c, **more: c.describe_index("c", "vector", **more),
    "drop_index": lambda c, **more: (c.release_collection("c"), c.drop_index("c", "vector", **more)),
    "flush": lambda c, **more: c.flush("c", **more),
    "create_alias": lambda c, **more: c.create_alias("c", "other_name", **more),
    "alter_alias": lambda c, **more: (c.create_alias("c", "alias"), c.alter_alias("c", "alias", **more)),
    "drop_alias": lambda c, **more: c.drop_alias("no_alias", **more),
    "describe_alias": lambda c, **more: (c.create_alias("c", "alias"), c.describe_alias("alias", **more)),
    "list_aliases": lambda c, **more: c.list_aliases("c", **more),
}

UNSUPPORTED = [
    *[("create_collection", name, value) for name, value in (
        ("num_shards", 2),
    )],
    *[("load_collection", name, value) for name, value in (
        ("replica_number", 2), ("load_fields", ["id"]), ("resource_groups", ["r"]), ("skip_load_dynamic_field", True),
        ("refresh", True),
    )],
    *[("query", name, value) for name, value in (
        ("iterator", True), ("timezone", "UTC"),
        ("guarantee_timestamp", 1),
    )],
    *[("search", name, value) for name, value in (
        ("function_chains", [object()]),
        ("search_aggregation", object()), ("json_path", "/a"), ("json_type", "int"),
        ("radius", 0.5), ("guarantee_timestamp", 1), ("graceful_time", 5),
        ("timezone", "UTC"), ("ignore_growing", True), ("iterator", True), ("namespace", "n"),
    )],
    *[("hybrid_search", name, value) for name, value in (
        ("json_path", "/a"),
    )],
]  # fmt: skip


@pytest.fixture
def client(client: elanus.Client) -> Iterator[elanus.Client]:
    """A client with a collection "c" of one row."""
    client.create_collection("c", dimension=shapes.DIM)
    client.insert("c", [ROW])
    return client


@pytest.mark.parametrize("method", CALLS)
def test_each_call_is_fine_without_further_arguments(client: elanus.Client, method: str) -> None:
    CALLS[method](client)


@pytest.mark.parametrize(("method", "name", "value"), UNSUPPORTED)
def test_an_option_of_milvus_that_is_not_implemented_is_refused_by_name(
    client: elanus.Client, method: str, name: str, value: Any
) -> None:
    before = client.query("c", filter="id >= 0", output_fields=["*"])
    with pytest.raises(elanus.NotSupported, match=name):
        CALLS[method](client, **{name: value})
    assert client.list_collections() == ["c"]
    assert client.query("c", filter="id >= 0", output_fields=["*"]) == before


@pytest.mark.parametrize("method", CALLS)
def test_an_unknown_argument_is_refused_by_name(client: elanus.Client, method: str) -> None:
    with pytest.raises(elanus.InvalidArgument, match="bogus_option"):
        CALLS[method](client, bogus_option=1)
    assert client.list_collections() == ["c"]


@pytest.mark.parametrize("method", CALLS)
def test_an_unknown_argument_is_refused_even_if_it_is_none(client: elanus.Client, method: str) -> None:
    with pytest.raises(elanus.InvalidArgument, match="bogus_option"):
        CALLS[method](client, bogus_option=None)


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("timeout", [-1, "soon", True, [1]])
def test_a_timeout_is_a_number_of_seconds(client: elanus.Client, method: str, timeout: Any) -> None:
    with pytest.raises(elanus.InvalidArgument, match="timeout"):
        CALLS[method](client, timeout=timeout)


@pytest.mark.parametrize("method", CALLS)
def test_a_timeout_is_accepted(client: elanus.Client, method: str) -> None:
    CALLS[method](client, timeout=30)


@pytest.mark.parametrize("method", ["create_collection", "query", "search", "hybrid_search", "get"])
@pytest.mark.parametrize("level", ["Strong", "Bounded", "Session", "Eventually", 0, elanus.ConsistencyLevel.Bounded])
def test_a_consistency_level_is_accepted(client: elanus.Client, method: str, level: Any) -> None:
    CALLS[method](client, consistency_level=level)


@pytest.mark.parametrize("method", ["create_collection", "query", "search", "hybrid_search"])
def test_a_consistency_level_that_is_none_of_milvuss_is_refused(client: elanus.Client, method: str) -> None:
    with pytest.raises(elanus.InvalidArgument, match="consistency"):
        CALLS[method](client, consistency_level="Sloppy")


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"metric_type": "L2"}, elanus.InvalidArgument),
        ({"params": {"radius": "near"}}, elanus.InvalidArgument),
        ({"params": {"range_filter": 0.5}}, elanus.InvalidArgument),
        ({"params": {"bogus_option": 1}}, elanus.InvalidArgument),
        ({"bogus_option": 1}, elanus.InvalidArgument),
        ({"params": 3}, elanus.InvalidArgument),
        ("ef=10", elanus.InvalidArgument),
        ({"group_by_field": "id"}, elanus.InvalidArgument),
        ({"round_decimal": 3}, elanus.NotSupported),
    ],
)
def test_a_search_parameter_that_does_nothing_here_is_refused(
    client: elanus.Client, params: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        client.search("c", [VECTOR], search_params=params)


def test_search_parameters_that_milvus_users_write_are_accepted(client: elanus.Client) -> None:
    for params in ({}, None, {"metric_type": "COSINE"}, {"metric_type": "COSINE", "params": {}}, {"params": {}}):
        (hits,) = client.search("c", [VECTOR], search_params=params)
        assert [hit["id"] for hit in hits] == [1]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"token": "root:Milvus"}, elanus.NotSupported),
        ({"user": "root"}, elanus.NotSupported),
        ({"password": "Milvus"}, elanus.NotSupported),
        ({"bogus_option": 1}, elanus.InvalidArgument),
    ],
)
def test_connection_options_of_a_server_are_refused_for_a_folder(
    folder: Path, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error, match=next(iter(options))):
        elanus.connect(folder, **options)
    assert not folder.exists()


FIELD_OPTIONS = [{"external_field": "x"}]


@pytest.mark.parametrize("option", FIELD_OPTIONS)
def test_a_field_option_that_is_not_implemented_is_refused_by_name(
    client: elanus.Client, option: dict[str, Any]
) -> None:
    with pytest.raises(elanus.NotSupported, match=next(iter(option))):
        client.create_schema().add_field("t", DataType.VARCHAR, max_length=5, **option)
    with pytest.raises(elanus.SchemaError, match="bogus_option"):
        client.create_schema().add_field("t", DataType.VARCHAR, max_length=5, bogus_option=None)


@pytest.mark.parametrize("name", ["TEXT", "STRUCT", "STRING"])
def test_a_type_that_is_not_implemented_is_refused_by_name(client: elanus.Client, name: str) -> None:
    with pytest.raises(elanus.NotSupported, match=name):
        client.create_schema().add_field("f", DataType[name], dim=8)


def test_a_function_that_is_not_implemented_is_refused_by_name() -> None:
    with pytest.raises(elanus.NotSupported, match="no function type UNKNOWN; there are BM25, TEXTEMBEDDING, RERANK"):
        elanus.Function("f", FunctionType.UNKNOWN, "a", "b")


@pytest.mark.parametrize("option", ["enable_namespace", "num_partitions", "bogus_option"])
def test_a_schema_option_that_is_not_implemented_is_refused_by_name(client: elanus.Client, option: str) -> None:
    with pytest.raises(elanus.InvalidArgument, match=option):
        client.create_schema(**{option: "x"})


@pytest.mark.parametrize(
    ("index_type", "error"),
    [("DISKANN", elanus.NotSupported), ("GPU_CAGRA", elanus.NotSupported), ("NONSENSE", elanus.InvalidArgument)],
)
def test_an_index_type_that_is_not_implemented_is_refused_by_name(
    client: elanus.Client, index_type: str, error: type[Exception]
) -> None:
    params = client.prepare_index_params("vector", index_type=index_type, metric_type="COSINE")
    schema = client.create_schema().add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=8)
    with pytest.raises(error, match=index_type):
        client.create_collection("d", schema=schema, index_params=params)
    assert not client.has_collection("d")


@pytest.mark.parametrize("index_type", ["AUTOINDEX", "FLAT"])
def test_an_index_parameter_that_does_nothing_is_refused_by_name(client: elanus.Client, index_type: str) -> None:
    schema = client.create_schema().add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=8)
    params = client.prepare_index_params(
        "vector", index_type=index_type, metric_type="COSINE", params={"bogus_option": 3}
    )
    with pytest.raises(elanus.InvalidArgument, match="bogus_option"):
        client.create_collection("d", schema=schema, index_params=params)


def test_the_same_collection_again_is_no_error_and_a_different_one_is(client: elanus.Client) -> None:
    client.create_collection("c", dimension=shapes.DIM)
    assert client.get_collection_stats("c") == {"row_count": 1}
    for different in ({"dimension": 5}, {"dimension": shapes.DIM, "metric_type": "L2"}):
        with pytest.raises(elanus.AlreadyExists):
            client.create_collection("c", **different)


PYMILVUS_ONLY = {"self", "kwargs"}


@pytest.mark.parametrize("method", CALLS)
def test_every_argument_of_pymilvus_is_known_here(client: elanus.Client, method: str) -> None:
    pymilvus = pytest.importorskip("pymilvus")
    theirs = inspect.signature(getattr(pymilvus.MilvusClient, method)).parameters
    ours = inspect.signature(getattr(elanus.Client, method)).parameters
    both = [name for name in theirs if name in ours]
    assert both == [name for name in ours if name in theirs], "the order of positional arguments differs"
    for name in both:
        if name not in PYMILVUS_ONLY:
            assert ours[name].default == theirs[name].default or method == "create_collection", name
    for name in set(theirs) - set(ours) - PYMILVUS_ONLY:
        with pytest.raises(elanus.NotSupported, match=name):
            CALLS[method](client, **{name: "something"})


def test_objects_of_pymilvus_are_accepted(folder: Path) -> None:
    pymilvus = pytest.importorskip("pymilvus")
    schema = pymilvus.MilvusClient.create_schema(auto_id=False, enable_dynamic_field=True)
    schema.add_field("id", pymilvus.DataType.INT64, is_primary=True)
    schema.add_field("text", pymilvus.DataType.VARCHAR, max_length=100, enable_analyzer=True)
    schema.add_field("sparse", pymilvus.DataType.SPARSE_FLOAT_VECTOR)
    schema.add_field("vector", pymilvus.DataType.FLOAT_VECTOR, dim=shapes.DIM)
    schema.add_function(pymilvus.Function("bm25", pymilvus.FunctionType.BM25, ["text"], ["sparse"]))
    params = pymilvus.MilvusClient.prepare_index_params()
    params.add_index("vector", index_type="AUTOINDEX", metric_type="COSINE")
    params.add_index("sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    with elanus.connect(folder) as client:
        client.create_collection("p", schema=schema, index_params=params)
        client.insert("p", [{"id": 1, "text": "a red kite", "vector": VECTOR, "extra": True}])
        requests = [
            pymilvus.AnnSearchRequest([VECTOR], "vector", {"metric_type": "COSINE"}, 5),
            pymilvus.AnnSearchRequest(["kite"], "sparse", {"metric_type": "BM25"}, 5),
        ]
        for ranker in (pymilvus.RRFRanker(), pymilvus.WeightedRanker(0.5, 0.5)):
            (hits,) = client.hybrid_search("p", requests, ranker, limit=3, output_fields=["extra"])
            assert [(hit["id"], hit["entity"]) for hit in hits] == [(1, {"extra": True})]


@pytest.mark.parametrize(
    "more",
    [
        {"dimension": 4}, {"metric_type": "L2"}, {"id_type": "string"}, {"primary_field_name": "key"},
        {"vector_field_name": "v"}, {"auto_id": True}, {"max_length": 5}, {"enable_dynamic_field": True},
    ],
)  # fmt: skip
def test_an_argument_of_the_quick_form_is_refused_beside_a_schema(client: elanus.Client, more: dict[str, Any]) -> None:
    schema = client.create_schema().add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=4)
    with pytest.raises(elanus.InvalidArgument, match=next(iter(more))):
        client.create_collection("d", schema=schema, **more)
    assert not client.has_collection("d")
