"""Tenants by partition key, groups and explanations, through the vector store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import elanus
import pytest
from llama_index.core.schema import MetadataMode, TextNode
from llama_index.core.vector_stores.types import MetadataFilter, MetadataFilters, VectorStoreQuery, VectorStoreQueryMode
from llama_index.vector_stores.elanus import ElanusVectorStore

from tests.llamaindex.bird_notes import DIM, Letters

MODES = [VectorStoreQueryMode.DEFAULT, VectorStoreQueryMode.HYBRID, VectorStoreQueryMode.TEXT_SEARCH]


@pytest.fixture
def tenants(folder: Path) -> Iterator[ElanusVectorStore]:
    """A store of three tenants' notes, four each."""
    opened = ElanusVectorStore(str(folder), durability="os", partition_key_field="tenant")
    embed = Letters()
    texts = {
        f"{tenant}-{n}": (tenant, f"{tenant} note {n} about kites") for tenant in ("ada", "bob", "cy") for n in range(4)
    }
    opened.add(
        [
            TextNode(id_=key, text=text, metadata={"tenant": tenant}, embedding=embed.get_text_embedding(text))
            for key, (tenant, text) in texts.items()
        ]
    )
    assert len(texts) == 12
    assert len(embed.get_text_embedding("a")) == DIM
    yield opened
    opened.close()


def ask(mode: VectorStoreQueryMode, k: int, filters: MetadataFilters | None = None) -> VectorStoreQuery:
    text = "bob note 2 about kites"
    return VectorStoreQuery(Letters().get_text_embedding(text), k, query_str=text, mode=mode, filters=filters)


@pytest.mark.parametrize("mode", MODES)
def test_a_tenant_is_a_partition_key_and_finds_its_own(tenants: ElanusVectorStore, mode: VectorStoreQueryMode) -> None:
    fields = {field["name"]: field for field in tenants.client.describe_collection("llama_index")["fields"]}
    assert fields["tenant"]["is_partition_key"]
    own = MetadataFilters(filters=[MetadataFilter(key="tenant", value="bob")])
    result = tenants.query(ask(mode, 12, own))
    assert set(result.ids or ()) == {f"bob-{n}" for n in range(4)}
    assert all(node.metadata == {"tenant": "bob"} for node in result.nodes or ())


@pytest.mark.parametrize("mode", MODES)
def test_nodes_are_grouped_by_a_metadata_key(tenants: ElanusVectorStore, mode: VectorStoreQueryMode) -> None:
    result = tenants.query(ask(mode, 3), group_by_field="tenant")
    assert sorted(node.metadata["tenant"] for node in result.nodes or ()) == ["ada", "bob", "cy"]


@pytest.mark.parametrize("mode", MODES)
def test_an_explanation_is_in_the_metadata_and_kept_from_models(
    tenants: ElanusVectorStore, mode: VectorStoreQueryMode
) -> None:
    result = tenants.query(ask(mode, 2), explain=True)
    (node, *_) = result.nodes or ()
    assert node.node_id.startswith("bob")
    ranks = [route["rank"] for route in node.metadata["explanation"]["routes"]]
    assert min(rank for rank in ranks if rank is not None) == 1
    for for_model in (MetadataMode.LLM, MetadataMode.EMBED):
        assert "explanation" not in node.get_content(for_model)
    assert "explanation" not in tenants.get_nodes([node.node_id])[0].metadata


def test_a_range_bounds_what_is_found(tenants: ElanusVectorStore) -> None:
    everything = tenants.query(ask(VectorStoreQueryMode.DEFAULT, 12))
    assert everything.similarities is not None
    radius = sorted(everything.similarities)[6]
    near = [key for key, score in zip(everything.ids or (), everything.similarities, strict=True) if score > radius]
    found = tenants.query(ask(VectorStoreQueryMode.DEFAULT, 12), search_params={"params": {"radius": radius}})
    assert found.ids == near
    assert 0 < len(near) < 12


def test_a_target_recall_reaches_the_index(tenants: ElanusVectorStore) -> None:
    asked = ask(VectorStoreQueryMode.DEFAULT, 5)
    assert tenants.query(asked, search_params={"target_recall": 0.9}).ids == tenants.query(asked).ids
    with pytest.raises(elanus.InvalidArgument, match="target_recall must be a number"):
        tenants.query(asked, search_params={"target_recall": 9})


@pytest.mark.parametrize("mode", MODES)
def test_the_words_of_the_query_are_marked_in_the_metadata_and_kept_from_models(
    tenants: ElanusVectorStore, mode: VectorStoreQueryMode
) -> None:
    (node, *_) = tenants.query(ask(mode, 2), highlight=True).nodes or ()
    assert node.metadata["highlights"][0].startswith("<em>bob</em> <em>note</em> ")
    for for_model in (MetadataMode.LLM, MetadataMode.EMBED):
        assert "highlights" not in node.get_content(for_model)
    marks = elanus.LexicalHighlighter(pre_tags=["["], post_tags=["]"], fragment_size=3)
    (node, *_) = tenants.query(ask(mode, 2), highlight=marks).nodes or ()
    assert node.metadata["highlights"][0] == "[bob]"
    with pytest.raises(elanus.InvalidArgument, match="a search by vector has no words"):
        tenants.query(VectorStoreQuery(Letters().get_text_embedding("a"), 2), highlight=True)
