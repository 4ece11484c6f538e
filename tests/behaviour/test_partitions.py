"""Partitions and partition keys: who is where, after every kind of write, on every path of reading."""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import elanus
import numpy as np
import pytest
from elanus import AnnSearchRequest, DataType, RRFRanker
from elanus.errors import InvalidArgument, PartitionNotFound, PartitionNotLoaded

from tests import shapes
from tests.behaviour.fleet import Child

VECTOR = [1.0] + [0.0] * (shapes.DIM - 1)


def article(key: int, **values: Any) -> dict[str, Any]:
    """A row of `shapes.articles` with the word `kite`."""
    row = {"id": key, "n": key, "score": 0.0, "flag": True, "color": "red", "tags": [], "meta": {}, "text": "kite"}
    return {**row, "vector": VECTOR, **values}


@pytest.fixture
def divided(client: elanus.Client) -> elanus.Client:
    """A client with collection "docs": rows 0..9 in the default partition, 10..19 in "a", 20..29 in "b"."""
    shapes.articles(client, "docs")
    client.insert("docs", [article(key) for key in range(10)])
    for start, name in ((10, "a"), (20, "b")):
        client.create_partition("docs", name)
        client.insert("docs", [article(key) for key in range(start, start + 10)], partition_name=name)
    return client


def found_by_every_path(client: elanus.Client, names: list[str] | None) -> dict[str, set[int]]:
    """The keys that each way of reading finds in these partitions."""
    dense = AnnSearchRequest([VECTOR], "vector", {}, 100)
    text = AnnSearchRequest(["kite"], "sparse", {}, 100)
    where: dict[str, Any] = {"partition_names": names}

    def of(hits: Any) -> set[int]:
        return {hit.id for hit in hits[0]}

    return {
        "dense": of(client.search("docs", [VECTOR], limit=100, anns_field="vector", **where)),
        "text": of(client.search("docs", ["kite"], limit=100, anns_field="sparse", **where)),
        "filtered": of(client.search("docs", [VECTOR], limit=100, anns_field="vector", filter="n >= 0", **where)),
        "hybrid": of(client.hybrid_search("docs", [dense, text], RRFRanker(), limit=100, **where)),
        "query": {row["id"] for row in client.query("docs", filter="id >= 0", **where)},
        "get": {row["id"] for row in client.get("docs", list(range(300)), **where)},
        "limit": {row["id"] for row in client.query("docs", limit=100, **where)},
    }


def assert_in(client: elanus.Client, names: list[str] | None, keys: set[int]) -> None:
    assert found_by_every_path(client, names) == dict.fromkeys(found_by_every_path(client, names), keys)
    assert client.query("docs", output_fields=["count(*)"], partition_names=names)[0]["count(*)"] == len(keys)


@pytest.mark.parametrize("flushed", [False, True])
def test_reads_are_of_the_named_partitions_only(divided: elanus.Client, flushed: bool) -> None:
    if flushed:
        divided.flush("docs")
    assert_in(divided, None, set(range(30)))
    assert_in(divided, ["a"], set(range(10, 20)))
    assert_in(divided, ["_default", "b"], {*range(10), *range(20, 30)})
    assert divided.get_partition_stats("docs", "a") == {"row_count": 10}


@pytest.mark.parametrize("flushes", [(), (0,), (1,), (0, 1)])
def test_upsert_into_another_partition_gives_one_answer_to_all_readers(
    divided: elanus.Client, folder: Path, flushes: tuple[int, ...]
) -> None:
    if 0 in flushes:
        divided.flush("docs")
    divided.upsert("docs", [article(12), article(3)], partition_name="b")
    if 1 in flushes:
        divided.flush("docs")
    with elanus.connect(folder) as other:
        for reader in (divided, other):
            assert_in(reader, ["a"], set(range(10, 20)) - {12})
            assert_in(reader, ["b"], {*range(20, 30), 12, 3})
            assert_in(reader, ["_default"], set(range(10)) - {3})
            assert_in(reader, None, set(range(30)))


@pytest.mark.parametrize("flushed", [False, True])
def test_a_dropped_partition_takes_its_rows_along(divided: elanus.Client, folder: Path, flushed: bool) -> None:
    if flushed:
        divided.flush("docs")
    with elanus.connect(folder) as other:
        other.get_collection_stats("docs")
        divided.release_partitions("docs", ["a"])
        divided.drop_partition("docs", "a")
        divided.create_partition("docs", "a")
        for reader in (divided, other):
            assert reader.list_partitions("docs") == ["_default", "b", "a"]
            assert_in(reader, ["a"], set())
            assert_in(reader, None, {*range(10), *range(20, 30)})
        other.insert("docs", [article(10)], partition_name="a")
    divided.flush("docs")
    assert_in(divided, ["a"], {10})
    divided.close()
    with elanus.connect(folder) as again:
        assert_in(again, ["a"], {10})
        assert_in(again, None, {*range(11), *range(20, 30)})


def test_deletes_keep_to_the_named_partition(divided: elanus.Client) -> None:
    assert divided.delete("docs", ids=[1, 11, 21], partition_name="a") == {"delete_count": 1}
    assert divided.delete("docs", filter="n % 2 == 0", partition_name="b") == {"delete_count": 5}
    assert_in(divided, None, set(range(30)) - {11, 20, 22, 24, 26, 28})


def test_a_released_partition_is_left_out_and_refused_by_name(divided: elanus.Client) -> None:
    divided.release_partitions("docs", "a")
    assert_in(divided, None, {*range(10), *range(20, 30)})
    with pytest.raises(PartitionNotLoaded, match="partition=a"):
        divided.search("docs", [VECTOR], anns_field="vector", partition_names=["a"])
    assert divided.get_load_state("docs", "a")["state"].name == "NotLoad"
    assert divided.get_load_state("docs", "b")["state"].name == "Loaded"
    divided.load_partitions("docs", ["a"])
    assert_in(divided, None, set(range(30)))
    divided.release_collection("docs")
    divided.load_partitions("docs", ["b"])
    assert_in(divided, None, set(range(20, 30)))
    divided.load_collection("docs")
    assert_in(divided, None, set(range(30)))


def test_partition_names_that_do_not_exist_are_refused_with_the_closest(divided: elanus.Client) -> None:
    divided.create_partition("docs", "autumn")
    with pytest.raises(PartitionNotFound, match=r"partition=autum\].*'autumn'") as error:
        divided.insert("docs", [article(90)], partition_name="autum")
    assert error.value.code == 200
    with pytest.raises(PartitionNotFound, match="partition=nope"):
        divided.query("docs", filter="id > 0", partition_names=["nope"])
    with pytest.raises(InvalidArgument, match="list of names"):
        divided.query("docs", filter="id > 0", partition_names="a")
    with pytest.raises(InvalidArgument, match="release it first"):
        divided.drop_partition("docs", "a")
    divided.release_partitions("docs", ["_default"])
    with pytest.raises(InvalidArgument, match="default partition"):
        divided.drop_partition("docs", "_default")
    divided.drop_partition("docs", "nope")
    assert divided.has_partition("docs", "a")
    assert not divided.has_partition("docs", "nope")


def _write_and_drop(pipe: Connection, folder: Path) -> None:
    with elanus.connect(folder) as client:
        for round_ in range(20):
            client.create_partition("docs", "c")
            client.insert("docs", [article(100 + round_)], partition_name="c")
            client.release_partitions("docs", ["c"])
            client.drop_partition("docs", "c")


def test_partitions_come_and_go_in_one_process_while_another_writes(divided: elanus.Client, folder: Path) -> None:
    child = Child(_write_and_drop, folder)
    for key in range(200, 230):
        divided.insert("docs", [article(key)], partition_name="a")
        if key % 10 == 0:
            divided.flush("docs")
    child.join()
    assert_in(divided, None, {*range(30), *range(200, 230)})


# Partition keys


def tenants(client: elanus.Client, rows: int = 400, **options: Any) -> np.ndarray[Any, Any]:
    """A collection "docs" of rows with a tenant each, t0..t19; returns their vectors."""
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("tenant", DataType.VARCHAR, max_length=20, is_partition_key=True)
    schema.add_field("n", DataType.INT64)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=shapes.DIM)
    indexes = client.prepare_index_params("vector", metric_type="L2")
    client.create_collection("docs", schema=schema, index_params=indexes, **options)
    vectors = np.random.default_rng(5).standard_normal((rows, shapes.DIM), np.float32)
    client.insert(
        "docs",
        {"id": np.arange(rows), "tenant": [f"t{n % 20}" for n in range(rows)], "n": np.arange(rows), "vector": vectors},
    )
    return vectors


@pytest.mark.parametrize("flushed", [False, True])
def test_a_tenant_finds_its_own_rows_exactly(client: elanus.Client, flushed: bool) -> None:
    vectors = tenants(client)
    if flushed:
        client.flush("docs")
    client.upsert("docs", [{"id": 3, "tenant": "t4", "n": 3, "vector": vectors[3]}])
    client.delete("docs", ids=[24])
    own = [key for key in range(400) if key % 20 == 4 and key != 24] + [3]
    hits = client.search("docs", [vectors[3]], filter='tenant == "t4" and n < 300', limit=5)[0]
    near = sorted((float(((vectors[k] - vectors[3]) ** 2).sum()), k) for k in own if k < 300)[:5]
    assert [hit.id for hit in hits] == [key for _, key in near]
    assert {row["id"] for row in client.query("docs", filter='tenant in ["t4", "nobody"]')} == set(own)
    assert (
        client.query("docs", filter='tenant == "t3" or tenant == "t5"', output_fields=["count(*)"])[0]["count(*)"] == 39
    )


def test_a_key_divides_the_rows_over_the_partitions_asked_for(client: elanus.Client) -> None:
    tenants(client, num_partitions=4)
    assert client.list_partitions("docs") == ["_default_0", "_default_1", "_default_2", "_default_3"]
    assert client.describe_collection("docs")["num_partitions"] == 4
    counts = [client.get_partition_stats("docs", name)["row_count"] for name in client.list_partitions("docs")]
    assert sum(counts) == 400
    assert all(count % 20 == 0 for count in counts)
    for call in (
        lambda: client.create_partition("docs", "own"),
        lambda: client.query("docs", filter="n > 0", partition_names=["_default_1"]),
        lambda: client.insert("docs", [], partition_name="_default_1"),
    ):
        with pytest.raises(InvalidArgument, match="partition key"):
            call()


def test_a_partition_key_must_be_one_plain_field(client: elanus.Client) -> None:
    def create(*fields: tuple[str, DataType, dict[str, Any]], **options: Any) -> None:
        schema = client.create_schema(**options)
        schema.add_field("id", DataType.INT64, is_primary=True)
        for name, dtype, more in fields:
            schema.add_field(name, dtype, **more)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=shapes.DIM)
        client.create_collection("docs", schema=schema)

    key = {"is_partition_key": True}
    with pytest.raises(InvalidArgument, match="INT64 or VARCHAR"):
        create(("a", DataType.FLOAT, key))
    with pytest.raises(InvalidArgument, match="at most one partition key"):
        create(("a", DataType.INT64, key), ("b", DataType.INT64, key))
    with pytest.raises(InvalidArgument, match="cannot be nullable"):
        create(("a", DataType.INT64, {**key, "nullable": True}))
    with pytest.raises(InvalidArgument, match=r"no field 'tenan'.*'tenant'"):
        create(("tenant", DataType.INT64, {}), partition_key_field="tenan")
    create(("tenant", DataType.INT64, {}), partition_key_field="tenant")
    fields = client.describe_collection("docs")["fields"]
    assert [f["name"] for f in fields if f.get("is_partition_key")] == ["tenant"]
