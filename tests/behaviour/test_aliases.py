"""Aliases: further names of collections, moved in one step; what Milvus says of them is in these tests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import apsw
import elanus
import pytest

from tests import shapes
from tests.behaviour.fleet import children
from tests.behaviour.models import passages, rows
from tests.fakes import Words

VECTOR = [1.0] * shapes.DIM


@pytest.fixture
def two(client: elanus.Client) -> Iterator[elanus.Client]:
    """A client with the collections "one", of row 1, alias "live", and "two", of row 2."""
    for key, name in enumerate(("one", "two"), 1):
        client.create_collection(name, dimension=shapes.DIM)
        client.insert(name, [{"id": key, "vector": VECTOR}])
    client.create_alias("one", "live")
    return client


def ids(client: elanus.Client, name: str) -> list[int]:
    return [row["id"] for row in client.query(name, filter="id >= 0")]


def test_an_alias_is_told_by_every_description(two: elanus.Client) -> None:
    two.create_alias("one", "also")
    two.create_alias("two", "later")
    assert two.describe_alias("live") == {"alias": "live", "collection_name": "one", "db_name": "default"}
    assert two.list_aliases("one") == {"aliases": ["also", "live"], "collection_name": "one", "db_name": "default"}
    assert two.list_aliases("live")["aliases"] == ["also", "live"]
    assert two.list_aliases() == {"aliases": ["also", "later", "live"], "db_name": "default"}
    assert two.describe_collection("one")["aliases"] == ["also", "live"]
    assert two.describe_collection("live") == two.describe_collection("one")
    assert two.list_collections() == ["one", "two"]
    assert two.has_collection("live")


# Every call that takes a collection's name, on an alias.
BY_ALIAS: dict[str, Callable[[elanus.Client], Any]] = {
    "insert": lambda c: c.insert("live", [{"id": 7, "vector": VECTOR}]),
    "upsert": lambda c: c.upsert("live", [{"id": 7, "vector": VECTOR}]),
    "delete": lambda c: c.delete("live", ids=[1]),
    "delete by filter": lambda c: c.delete("live", filter="id == 1"),
    "get": lambda c: c.get("live", [1]),
    "query": lambda c: c.query("live", filter="id == 1"),
    "search": lambda c: c.search("live", [VECTOR]),
    "hybrid_search": lambda c: c.hybrid_search(
        "live", [elanus.AnnSearchRequest([VECTOR], "vector", {}, 5)], elanus.RRFRanker()
    ),
    "stats": lambda c: c.get_collection_stats("live"),
    "load state": lambda c: c.get_load_state("live"),
    "release": lambda c: (c.release_collection("live"), c.load_collection("live")),
    "indexes": lambda c: (c.list_indexes("live"), c.describe_index("live", "vector")),
    "create index": lambda c: c.create_index("live", c.prepare_index_params("vector", metric_type="COSINE")),
    "flush": lambda c: c.flush("live"),
    "truncate": lambda c: c.truncate_collection("live"),
    "fingerprint": lambda c: c.bind_fingerprint("live", "vector", "f"),
}


@pytest.mark.parametrize("call", BY_ALIAS)
def test_every_call_takes_an_alias(two: elanus.Client, folder: Path, call: str) -> None:
    by_alias = BY_ALIAS[call](two)
    after = (ids(two, "one"), two.describe_collection("one"))
    assert ids(two, "live") == after[0]
    assert ids(two, "two") == [2]
    with elanus.connect(folder) as other:
        assert ids(other, "live") == after[0]
        if call in ("get", "query", "search", "hybrid_search", "stats", "load state", "indexes"):
            assert BY_ALIAS[call](other) == by_alias


def test_an_alias_moves_for_everybody_at_once(two: elanus.Client, folder: Path) -> None:
    with elanus.connect(folder, durability="os") as other, children() as start:
        reader = start(read_when_asked, str(folder))
        for name, expected in (("one", [1]), ("two", [2]), ("one", [1])):
            two.alter_alias(name, "live")
            assert ids(two, "live") == ids(other, "live") == expected
            reader.send("live")
            assert reader.receive() == expected
        two.drop_alias("live")
        reader.send("live")
        assert reader.receive() == "CollectionNotFound"
        reader.send("")
        reader.join()


def read_when_asked(pipe: Connection, path: str) -> None:
    """Answer each name with the ids of its collection."""
    with elanus.connect(path) as client:
        while name := pipe.recv():
            try:
                pipe.send(ids(client, name))
            except elanus.ElanusError as error:
                pipe.send(type(error).__name__)


def test_a_write_by_alias_goes_where_the_alias_points_when_it_commits(
    client: elanus.Client, folder: Path, fake_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        passages(client, name)
    client.create_alias("one", "live")
    embedding, go_on = threading.Event(), threading.Event()
    vectors = Words.vectors

    def slowly(*arguments: Any) -> Any:
        embedding.set()
        assert go_on.wait(20)
        return vectors(*arguments)

    monkeypatch.setattr(Words, "vectors", slowly)
    writer = threading.Thread(target=lambda: client.insert("live", rows()), name="writer")
    writer.start()
    assert embedding.wait(20)
    client.alter_alias("two", "live")
    client.get_collection_stats("one")
    go_on.set()
    writer.join()
    assert (ids(client, "one"), ids(client, "two")) == ([], [0, 1, 2, 3, 4])


def test_one_name_and_its_alias_share_what_this_process_holds(two: elanus.Client) -> None:
    assert two._store.collection("one") is two._store.collection("live")
    two.alter_alias("two", "live")
    assert two._store.collection("two") is two._store.collection("live")


def test_aliases_follow_a_rename_and_a_truncation(two: elanus.Client, folder: Path) -> None:
    two.rename_collection("one", "uno")
    assert two.describe_alias("live")["collection_name"] == "uno"
    two.truncate_collection("uno")
    assert ids(two, "live") == []
    assert two.describe_collection("uno")["aliases"] == ["live"]
    with elanus.connect(folder) as other:
        assert ids(other, "live") == []


def test_creating_the_same_alias_again_and_dropping_one_that_is_not_there_are_no_errors(two: elanus.Client) -> None:
    two.create_alias("one", "live")
    two.drop_alias("live")
    two.drop_alias("live")
    two.drop_alias("never_there")
    assert two.list_aliases()["aliases"] == []


@pytest.mark.parametrize(
    ("call", "error", "code", "message"),
    [
        (lambda c: c.create_alias("two", "live"), elanus.AliasExists, 1602,
         "live is alias to another collection: one: alias already exist[database=default][alias=live]"),
        (lambda c: c.create_alias("one", "two"), elanus.AliasConflict, 1601,
         "alias and collection name conflict[database=default][alias=two]"),
        (lambda c: c.alter_alias("one", "one"), elanus.AliasConflict, 1601,
         "alias and collection name conflict[database=default][alias=one]"),
        (lambda c: c.alter_alias("one", "liev"), elanus.AliasNotFound, 1600,
         "alias not found[database=default][alias=liev]; did you mean 'live'?"),
        (lambda c: c.describe_alias("one"), elanus.AliasNotFound, 1600,
         "alias not found[database=default][alias=one]"),
        (lambda c: c.create_alias("nope", "fresh"), elanus.CollectionNotFound, 100, "nope"),
        (lambda c: c.alter_alias("nope", "live"), elanus.CollectionNotFound, 100, "nope"),
        (lambda c: c.list_aliases("nope"), elanus.CollectionNotFound, 100, "nope"),
        (lambda c: c.query("liev", filter="id > 0"), elanus.CollectionNotFound, 100, "did you mean 'live'"),
        (lambda c: c.create_alias("one", "12-s"), elanus.InvalidArgument, 1100, "invalid alias name '12-s'"),
        (lambda c: c.create_alias("one", 5), elanus.InvalidArgument, 1100, "alias must be a str"),
        (lambda c: c.create_collection("live", dimension=4), elanus.AlreadyExists, 65535,
         "collection name [live] conflicts with an existing alias, please choose a unique name"),
        (lambda c: c.rename_collection("two", "live"), elanus.AlreadyExists, 65535,
         "cannot rename collection to an existing alias: live"),
        (lambda c: c.rename_collection("live", "three"), elanus.InvalidArgument, 1100,
         "unsupported use an alias to rename collection, alias:live"),
        (lambda c: c.drop_collection("live"), elanus.InvalidArgument, 1100,
         "cannot drop the collection via alias = live"),
        (lambda c: c.drop_collection("one"), elanus.InvalidArgument, 1100,
         "unable to drop the collection [one] because it has associated aliases ['live'], please remove all aliases"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_milvuss_words(
    two: elanus.Client, call: Callable[[elanus.Client], Any], error: type[elanus.ElanusError], code: int, message: str
) -> None:
    with pytest.raises(error) as caught:
        call(two)
    assert message in str(caught.value)
    assert caught.value.code == code
    assert (ids(two, "one"), ids(two, "two")) == ([1], [2])
    assert two.list_aliases() == {"aliases": ["live"], "db_name": "default"}


def test_a_collection_can_be_dropped_once_its_aliases_are(two: elanus.Client) -> None:
    two.drop_alias("live")
    two.drop_collection("one")
    assert two.list_collections() == ["two"]
    two.create_alias("two", "one")
    assert ids(two, "one") == [2]


def test_a_store_from_before_there_were_aliases_gets_them_when_it_is_opened(folder: Path) -> None:
    with elanus.connect(folder) as client:
        client.create_collection("one", dimension=4)
    connection = apsw.Connection(str(folder / "catalog.sqlite"))
    connection.execute("DROP TABLE alias")
    connection.close()
    with elanus.connect(folder) as client:
        assert client.describe_collection("one")["aliases"] == []
        client.create_alias("one", "live")
        assert client.get_collection_stats("live") == {"row_count": 0}


async def test_the_async_client_has_them_too(folder: Path) -> None:
    async with elanus.AsyncClient(folder) as client:
        await client.create_collection("one", dimension=4)
        await client.create_alias("one", "live")
        assert (await client.list_aliases("one"))["aliases"] == ["live"]
