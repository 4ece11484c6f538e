"""Databases: names of their own for collections and aliases, in one folder."""

from __future__ import annotations

from pathlib import Path

import elanus
import pytest
from elanus.errors import (
    AlreadyExists,
    CollectionNotFound,
    DatabaseNotFound,
    InvalidArgument,
    NotSupported,
    SchemaError,
)

from tests import shapes

VECTOR = [1.0] * shapes.DIM


@pytest.fixture
def two(client: elanus.Client) -> elanus.Client:
    """A client with "docs", alias "live", of row 1 in the default database and of row 2 in "other"; using "other"."""
    client.create_database("other")
    for key, name in enumerate(("default", "other"), 1):
        client.use_database(name)
        client.create_collection("docs", dimension=shapes.DIM)
        client.create_alias("docs", "live")
        client.insert("docs", [{"id": key, "vector": VECTOR}])
    return client


def ids(client: elanus.Client, name: str) -> list[int]:
    return [row["id"] for row in client.query(name, filter="id >= 0")]


def test_equal_names_in_two_databases_are_two_collections(two: elanus.Client, folder: Path) -> None:
    assert (ids(two, "docs"), ids(two, "live")) == ([2], [2])
    two.upsert("docs", [{"id": 3, "vector": VECTOR}])
    two.delete("live", ids=[2])
    two.flush("docs")
    assert two.describe_collection("live")["collection_name"] == "docs"
    assert two.describe_alias("live") == {"alias": "live", "collection_name": "docs", "db_name": "other"}
    with elanus.connect(folder) as other:
        assert ids(other, "docs") == [1]
        other.use_database("other")
        assert ids(other, "live") == [3]
    with elanus.connect(folder, db_name="other") as third:
        assert ids(third, "docs") == [3]
    two.drop_alias("live")
    two.drop_collection("docs")
    assert (two.list_collections(), two.list_aliases()["aliases"]) == ([], [])
    two.using_database("default")
    assert (two.list_collections(), ids(two, "live")) == (["docs"], [1])


def test_a_collection_moves_to_another_database(two: elanus.Client) -> None:
    with pytest.raises(InvalidArgument, match=r"aliases.*drop_alias"):
        two.rename_collection("docs", "moved", target_db="default")
    two.drop_alias("live")
    with pytest.raises(AlreadyExists, match="'docs' exists"):
        two.rename_collection("docs", "docs", target_db="default")
    with pytest.raises(DatabaseNotFound, match=r"defaul.*'default'|database=defaul"):
        two.rename_collection("docs", "moved", target_db="defaul")
    two.rename_collection("docs", "moved", target_db="default")
    two.drop_database("other")
    two.use_database("default")
    assert (two.list_databases(), two.list_collections(), ids(two, "moved")) == (["default"], ["docs", "moved"], [2])


def test_what_is_wrong_with_a_database_is_said(two: elanus.Client) -> None:
    with pytest.raises(InvalidArgument, match=r"other not empty.*docs"):
        two.drop_database("other")
    with pytest.raises(InvalidArgument, match="default"):
        two.drop_database("default")
    with pytest.raises(DatabaseNotFound, match=r"database=othr.*'other'") as error:
        two.use_database("othr")
    assert error.value.code == 800
    with pytest.raises(AlreadyExists, match="already exist"):
        two.create_database("other")
    with pytest.raises(SchemaError, match="a/b"):
        two.create_database("a/b")
    with pytest.raises(SchemaError, match="other/docs"):
        two.query("other/docs", filter="id > 0")
    with pytest.raises(NotSupported, match=r"database.replica.number"):
        two.create_database("new", properties={"database.replica.number": 2})
    with pytest.raises(CollectionNotFound, match="collection=dox"):
        two.query("dox", filter="id > 0")
    two.drop_database("nope")
    assert two.describe_database("other") == {"name": "other"}


def test_a_client_whose_database_is_dropped_by_another_is_told(two: elanus.Client, folder: Path) -> None:
    with elanus.connect(folder) as other:
        two.drop_alias("live")
        two.drop_collection("docs")
        other.drop_database("other")
    with pytest.raises(DatabaseNotFound, match="database=other"):
        two.create_collection("docs", dimension=shapes.DIM)
