"""Tenants by partition key, groups, ranges and explanations, through the vector store and its retriever."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import elanus
import pytest
from langchain_core.documents import Document
from langchain_elanus import ElanusVectorStore

from tests.langchain.birds import Words


def notes() -> list[Document]:
    return [
        Document(
            id=f"{tenant}-{n}",
            page_content=f"{tenant} note {n} about kites",
            metadata={"tenant": tenant, "page": n % 2},
        )
        for tenant in ("ada", "bob", "cy")
        for n in range(4)
    ]


@pytest.mark.parametrize("search_type", ["similarity", "hybrid", "text", "mmr"])
def test_a_tenant_is_a_partition_key_and_finds_its_own(folder: Path, search_type: str) -> None:
    store = ElanusVectorStore(Words(), path=folder, partition_key_field="tenant", durability="os")
    store.add_documents(notes())
    fields = {field["name"]: field for field in store.client.describe_collection("langchain")["fields"]}
    assert fields["tenant"]["is_partition_key"]
    retriever = store.as_retriever(search_type=search_type, search_kwargs={"k": 10, "filter": {"tenant": "bob"}})
    found = retriever.invoke("note about kites")
    assert {document.id for document in found} == {f"bob-{n}" for n in range(4)}
    assert all(document.metadata["tenant"] == "bob" for document in found)
    assert "explanation" not in found[0].metadata
    with pytest.raises(elanus.RowError, match=r"'x'.*'tenant'"):
        store.add_texts(["no tenant"], ids=["x"])
    store.close()
    again = ElanusVectorStore(Words(), path=folder, durability="os")
    assert len(again.similarity_search("kites", k=10, filter={"tenant": "ada"})) == 4
    again.close()


@pytest.mark.parametrize("search", ["similarity_search", "hybrid_search", "text_search"])
def test_documents_are_grouped_by_a_metadata_key(store: ElanusVectorStore, search: str) -> None:
    store.add_documents(notes())
    ask: Any = getattr(store, search)
    one_each = ask("note about kites", k=3, group_by_field="tenant")
    assert sorted(document.metadata["tenant"] for document in one_each) == ["ada", "bob", "cy"]
    two_each = ask("note about kites", k=2, group_by_field="tenant", group_size=2, strict_group_size=True)
    assert len(two_each) == 4
    assert len({document.metadata["tenant"] for document in two_each}) == 2


def test_an_explanation_is_put_into_the_metadata(store: ElanusVectorStore) -> None:
    store.add_documents(notes())
    (best, *_), (word, *_), (near, *_) = (
        store.hybrid_search("bob note 2", k=3, explain=True),
        store.text_search("bob note 2", k=3, explain=True),
        store.similarity_search("bob note 2", k=3, explain=True),
    )
    assert best.id == word.id == near.id == "bob-2"
    dense, text = best.metadata["explanation"]["routes"]
    assert (dense["field"], dense["rank"], text["field"], text["rank"]) == ("vector", 1, "sparse", 1)
    assert set(text["terms"]) == {"bob", "note", "2"}
    assert word.metadata["explanation"]["routes"][0]["terms"] == text["terms"]
    assert near.metadata["explanation"]["routes"][0]["metric"] == "COSINE"


def test_a_range_bounds_what_is_found(store: ElanusVectorStore) -> None:
    store.add_documents(notes())
    everything = store.similarity_search_with_score("bob note 2 about kites", k=12)
    near = [(document.id, score) for document, score in everything if score > 0.9]
    found = store.similarity_search_with_score(
        "bob note 2 about kites", k=12, search_params={"params": {"radius": 0.9}}
    )
    assert 0 < len(near) < 12
    assert [(document.id, score) for document, score in found] == near


def test_a_target_recall_reaches_the_index(store: ElanusVectorStore) -> None:
    store.add_documents(notes())
    usual = store.similarity_search("bob note 2 about kites", k=5)
    assert store.similarity_search("bob note 2 about kites", k=5, search_params={"target_recall": 0.9}) == usual
    with pytest.raises(elanus.InvalidArgument, match="target_recall must be a number"):
        store.similarity_search("bob note 2 about kites", k=5, search_params={"target_recall": 9})


@pytest.mark.parametrize("search_type", ["similarity", "hybrid", "text", "mmr"])
def test_the_words_of_the_query_are_marked_in_the_metadata(store: ElanusVectorStore, search_type: str) -> None:
    store.add_documents(notes())
    retriever = store.as_retriever(search_type=search_type, search_kwargs={"k": 2, "highlight": True})
    (best, *_) = retriever.invoke("bob kites")
    assert best.metadata["highlights"] in (
        ["<em>bob</em> note " + best.id[-1] + " about <em>kites</em>"],
        ["<em>kites</em>"],
    )
    marks = elanus.LexicalHighlighter(pre_tags=["["], post_tags=["]"], fragment_size=6)
    retriever.search_kwargs = {"k": 1, "highlight": marks}
    (found,) = retriever.invoke("note")
    assert found.metadata["highlights"] == [f"[note] {found.id[-1]}"]


def test_a_search_by_vector_has_no_words_to_mark(store: ElanusVectorStore) -> None:
    store.add_documents(notes())
    vector = Words().embed_query("note")
    with pytest.raises(elanus.InvalidArgument, match="a search by vector has no words"):
        store.similarity_search_by_vector(vector, highlight=True)
    with pytest.raises(elanus.InvalidArgument, match="highlighter must be a LexicalHighlighter, not str"):
        store.similarity_search("note", highlight="yes")
