"""One collection under both frameworks: each reads what the other wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores.types import VectorStoreQuery
from llama_index.vector_stores.elanus import ElanusVectorStore

from tests.llamaindex.bird_notes import TEXTS, embed, ids, nodes

langchain = pytest.importorskip("langchain_elanus", exc_type=ImportError)


def test_nodes_are_documents_and_documents_are_nodes(folder: Path) -> None:
    ours = ElanusVectorStore(str(folder), "shared", durability="os")
    ours.add(nodes())
    theirs = langchain.ElanusVectorStore(client=ours.client, collection_name="shared")
    document = theirs.get_by_ids(["n3"])[0]
    assert (document.id, document.page_content) == ("n3", TEXTS[3])
    assert {key: document.metadata[key] for key in ("year", "even", "doc_id")} == {
        "year": 2023,
        "even": False,
        "doc_id": "doc1",
    }

    theirs.add_embeddings(["Kestrels hover."], [embed("Kestrels hover.")], [{"year": 2030, "tags": ["x"]}], ids=["k"])
    found = ours.query(VectorStoreQuery(query_embedding=embed("Kestrels hover."), similarity_top_k=1))
    assert ids(found) == ["k"]
    assert type(found.nodes[0]) is TextNode
    assert found.nodes[0].metadata == {"year": 2030, "tags": ["x"]}
    assert found.nodes[0].get_content() == "Kestrels hover."
    assert ids(ours.query(VectorStoreQuery(query_str="kestrels", mode="text_search"))) == ["k"]
    ours.close()


def test_a_collection_that_langchain_made_takes_nodes(folder: Path) -> None:
    theirs = langchain.ElanusVectorStore(path=str(folder), collection_name="shared", durability="os")
    theirs.add_embeddings([TEXTS[0]], [embed(TEXTS[0])], [{"year": 1}], ids=["d"])
    ours = ElanusVectorStore(client=theirs.client, collection_name="shared")
    ours.add(nodes()[1:])
    assert ids(ours.get_nodes()) == ["d", "n1", "n2", "n3", "n4", "n5"]
    assert theirs.get_by_ids(["n1"])[0].page_content == TEXTS[1]
    theirs.close()
