"""Nodes in, nodes out, and away."""

from __future__ import annotations

from pathlib import Path

import elanus
import pytest
from elanus import F
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
)
from llama_index.vector_stores.elanus import ElanusVectorStore

from tests.llamaindex.bird_notes import TEXTS, embed, ids, node, nodes


def year_at_least(year: int) -> MetadataFilters:
    return MetadataFilters(filters=[MetadataFilter(key="year", value=year, operator=FilterOperator.GTE)])


def test_add_returns_the_ids_and_get_nodes_gives_them_back_in_the_order_asked_for(store: ElanusVectorStore) -> None:
    assert store.add(nodes()) == [f"n{i}" for i in range(len(TEXTS))]
    found = store.get_nodes(["n4", "missing", "n1", "n4"])
    assert ids(found) == ["n4", "n1"]
    assert [n.get_content() for n in found] == [TEXTS[4], TEXTS[1]]
    assert found[0].metadata == {"year": 2024, "even": True}
    assert found[0].ref_doc_id == "doc2"


def test_a_node_of_a_known_id_replaces_it(store: ElanusVectorStore) -> None:
    store.add(nodes())
    store.add([node("n0", "Ospreys fish.", "doc9")])
    assert store.get_nodes(["n0"])[0].get_content() == "Ospreys fish."
    assert len(store.get_nodes()) == len(TEXTS)


def test_nodes_go_in_by_batches(folder: Path) -> None:
    store = ElanusVectorStore(str(folder), batch_size=2, durability="os")
    assert store.add([]) == []
    assert len(store.add(nodes())) == len(store.get_nodes()) == len(TEXTS)
    store.close()


def test_get_nodes_takes_filters_ids_or_both(store: ElanusVectorStore) -> None:
    store.add(nodes())
    assert ids(store.get_nodes(filters=year_at_least(2024))) == ["n4", "n5"]
    assert ids(store.get_nodes(["n5", "n0"], year_at_least(2024))) == ["n5"]
    assert store.get_nodes([]) == []


def test_delete_removes_the_nodes_of_one_document(store: ElanusVectorStore) -> None:
    store.add(nodes())
    store.delete("doc1")
    store.delete("no such document")
    assert ids(store.get_nodes()) == ["n0", "n1", "n4", "n5"]


def test_delete_nodes_takes_filters_ids_or_both(store: ElanusVectorStore) -> None:
    store.add(nodes())
    store.delete_nodes([])
    store.delete_nodes(["n0", "n5"], year_at_least(2024))
    assert ids(store.get_nodes()) == ["n0", "n1", "n2", "n3", "n4"]
    store.delete_nodes(["n0", "n1"])
    store.delete_nodes(filters=year_at_least(2024))
    assert ids(store.get_nodes()) == ["n2", "n3"]
    with pytest.raises(elanus.InvalidArgument, match=r"clear\(\) deletes all"):
        store.delete_nodes()
    with pytest.raises(elanus.InvalidArgument, match=r"clear\(\) deletes all"):
        store.delete_nodes(filters=MetadataFilters(filters=[]))


def test_clear_leaves_an_empty_collection_that_can_be_filled_again(store: ElanusVectorStore) -> None:
    store.add(nodes())
    store.clear()
    assert store.get_nodes() == []
    store.add(nodes()[:1])
    assert ids(store.get_nodes()) == ["n0"]


def test_before_the_first_add_there_is_nothing_and_no_error(folder: Path) -> None:
    store = ElanusVectorStore(str(folder), durability="os")
    store.delete("doc0")
    store.delete_nodes(["n0"])
    store.clear()
    assert store.get_nodes() == []
    assert store.query(VectorStoreQuery(query_embedding=embed("kite"))).nodes == []
    assert store.client.list_collections() == []
    store.close()


def test_overwrite_drops_what_was_there(folder: Path) -> None:
    first = ElanusVectorStore(str(folder), durability="os")
    first.add(nodes())
    second = ElanusVectorStore(client=first.client, overwrite=True)
    assert second.get_nodes() == []
    first.close()


def test_metadata_are_fields_of_the_plain_client(store: ElanusVectorStore) -> None:
    store.add(nodes())
    rows = store.client.query("llama_index", filter=F.year >= 2025, output_fields=["text", "year", "ref_doc_id"])
    assert rows == [{"pk": "n5", "text": TEXTS[5], "year": 2025, "ref_doc_id": "doc2"}]


@pytest.mark.parametrize("call", ["add", "delete", "delete_nodes"])
def test_unknown_arguments_are_refused(store: ElanusVectorStore, call: str) -> None:
    with pytest.raises(elanus.InvalidArgument, match=f"{call}: unknown argument 'partition'"):
        getattr(store, call)([], partition="p")


def test_what_cannot_be_stored_is_refused_by_the_nodes_id(store: ElanusVectorStore) -> None:
    bare = node("n7", "words")
    bare.embedding = None
    with pytest.raises(elanus.InvalidArgument, match=r"node 'n7' has no embedding"):
        store.add([*nodes(), bare])
    with pytest.raises(elanus.InvalidArgument, match=r"node 'n8': metadata key 'vector' is the name of a field"):
        store.add([*nodes(), node("n8", "words", vector=1)])
    with pytest.raises(elanus.InvalidArgument, match=r"node 'n9': its text has 70000 bytes"):
        store.add([*nodes(), node("n9", "ü" * 35_000)])
    assert store.get_nodes() == []


def test_flat_metadata_refuses_nested_values_and_is_off_by_default(store: ElanusVectorStore) -> None:
    nested = node("n0", "words", author={"name": "Ada"}, tags=["a", "b"])
    store.add([nested])
    named = MetadataFilters(
        filters=[MetadataFilter(key="tags", value="b", operator=FilterOperator.CONTAINS)],
        condition=FilterCondition.AND,
    )
    assert store.get_nodes(filters=named)[0].metadata == nested.metadata
    flat = ElanusVectorStore(client=store.client, flat_metadata=True)
    with pytest.raises(ValueError, match="metadata author"):
        flat.add([nested])


def test_names_of_fields_are_the_callers_choice(folder: Path) -> None:
    names = {"pk_field": "id", "text_field": "body", "vector_field": "dense", "sparse_field": "bm25"}
    store = ElanusVectorStore(str(folder), durability="os", **names)
    store.add([node("n0", TEXTS[0], text="free for metadata")])
    assert store.get_nodes()[0].metadata == {"text": "free for metadata"}
    reopened = ElanusVectorStore(client=store.client)  # the schema tells
    assert ids(reopened.query(VectorStoreQuery(query_str="kites", mode="text_search"))) == ["n0"]
    store.close()


def test_an_existing_collection_is_opened_by_its_own_schema(client: elanus.Client) -> None:
    client.create_collection("quick", dimension=26, id_type="string", max_length=64)
    store = ElanusVectorStore(client=client, collection_name="quick")
    with pytest.raises(elanus.SchemaError, match=r"no VARCHAR field 'text' \(it has none\); name one with text_field="):
        store.get_nodes()


def test_a_collection_with_whole_keys_is_read_and_not_written(client: elanus.Client) -> None:
    schema = client.create_schema(auto_id=True, enable_dynamic_field=True)
    schema.add_field("id", elanus.DataType.INT64, is_primary=True)
    schema.add_field("body", elanus.DataType.VARCHAR, max_length=100)
    schema.add_field("dense", elanus.DataType.FLOAT_VECTOR, dim=26)
    indexes = client.prepare_index_params()
    indexes.add_index("dense", index_type="FLAT", metric_type="COSINE")
    client.create_collection("docs", schema=schema, index_params=indexes)
    keys = client.insert("docs", [{"body": t, "dense": embed(t), "n": i} for i, t in enumerate(TEXTS)])["ids"]
    store = ElanusVectorStore(client=client, collection_name="docs")
    found = store.query(VectorStoreQuery(query_embedding=embed(TEXTS[3]), similarity_top_k=1))
    assert (ids(found), found.nodes[0].metadata, found.nodes[0].get_content()) == ([str(keys[3])], {"n": 3}, TEXTS[3])
    assert ids(store.get_nodes([str(keys[1]), "no number"])) == [str(keys[1])]
    store.delete_nodes([str(keys[1])])
    assert len(store.get_nodes()) == len(TEXTS) - 1
    store.clear()
    assert store.get_nodes() == []
    with pytest.raises(elanus.NotSupported, match="nodes can be read, not added"):
        store.add(nodes())


@pytest.mark.parametrize("top_k", [0, 16_385])
def test_a_count_that_no_search_can_have_is_named(store: ElanusVectorStore, top_k: int) -> None:
    store.add(nodes())
    with pytest.raises(elanus.InvalidArgument, match="similarity_top_k"):
        store.query(VectorStoreQuery(query_embedding=embed("kite"), similarity_top_k=top_k))


def test_a_node_that_does_not_fit_is_named(store: ElanusVectorStore) -> None:
    store.add(nodes())
    with pytest.raises(elanus.RowError, match="node 'short'"):
        store.add([TextNode(id_="short", text="x", embedding=[1.0])])
