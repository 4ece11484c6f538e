"""The store on a Milvus server, where ELANUS_MILVUS_URL names one that runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from uuid import uuid4

import pytest
from llama_index.core.vector_stores.types import (
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)
from llama_index.vector_stores.elanus import ElanusVectorStore

from tests.llamaindex.bird_notes import Lengths, embed, ids, nodes

URL = os.environ.get("ELANUS_MILVUS_URL", "")
pytestmark = pytest.mark.skipif(not URL, reason="ELANUS_MILVUS_URL names no Milvus server")
QUESTION = "which kites are birds of prey?"


@pytest.fixture
def remote() -> Iterator[ElanusVectorStore]:
    store = ElanusVectorStore(URL, f"llamaindex_{uuid4().hex}", reranker=Lengths())
    yield store
    store.client.drop_collection(store.collection_name)
    store.close()


@pytest.mark.parametrize("mode", ["default", "sparse", "text_search", "hybrid", "semantic_hybrid", "mmr"])
def test_every_mode_answers_as_the_embedded_store_does(
    remote: ElanusVectorStore, store: ElanusVectorStore, mode: str
) -> None:
    local = ElanusVectorStore(client=store.client, reranker=Lengths())
    year = MetadataFilters(filters=[MetadataFilter(key="year", value=2023, operator=FilterOperator.LTE)])
    for each in (remote, local):
        each.add(nodes())
    for more in ({}, {"filters": year}, {"doc_ids": ["doc0", "doc1"]}, {"node_ids": ["n0", "n2", "n3"]}):
        query = VectorStoreQuery(
            query_embedding=embed(QUESTION),
            query_str=QUESTION,
            similarity_top_k=2,
            mode=VectorStoreQueryMode(mode),
            **more,  # type: ignore[arg-type]
        )
        theirs, ours = remote.query(query), local.query(query)
        assert theirs.ids == ours.ids
        assert theirs.similarities == pytest.approx(ours.similarities, rel=0.02, abs=1e-3)
        assert theirs.nodes == ours.nodes


def test_alpha_of_one_is_the_dense_half_alone(remote: ElanusVectorStore, store: ElanusVectorStore) -> None:
    """Other weights are not compared: milvus-lite 2.5.1 turns BM25 upside down when it weighs it."""
    for each in (remote, store):
        each.add(nodes())
    query = VectorStoreQuery(
        query_embedding=embed(QUESTION),
        query_str=QUESTION,
        similarity_top_k=3,
        mode=VectorStoreQueryMode.HYBRID,
        alpha=1.0,
    )
    theirs, ours = remote.query(query), store.query(query)
    assert theirs.ids == ours.ids
    assert theirs.similarities == pytest.approx(ours.similarities, abs=1e-3)


def test_nodes_are_read_replaced_and_deleted(remote: ElanusVectorStore) -> None:
    remote.add(nodes())
    remote.add(nodes()[:2])
    assert ids(remote.get_nodes()) == ids(nodes())
    assert ids(remote.get_nodes(["n3", "n1"])) == ["n3", "n1"]
    remote.delete("doc1")
    remote.delete_nodes(["n0"])
    assert ids(remote.get_nodes()) == ["n1", "n4", "n5"]
    again = ElanusVectorStore.from_dict(remote.to_dict())
    assert ids(again.get_nodes()) == ["n1", "n4", "n5"]
    again.clear()
    assert remote.get_nodes() == []
