"""The store under LlamaIndex's own machinery: indexes, retrievers, query engines, pipelines."""

from __future__ import annotations

from pathlib import Path

import pytest
from llama_index.core import Document, StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.core.ingestion import DocstoreStrategy, IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter, TokenTextSplitter
from llama_index.core.schema import IndexNode, NodeRelationship
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.core.vector_stores.types import MetadataFilter, MetadataFilters
from llama_index.vector_stores.elanus import ElanusRerank, ElanusVectorStore

from tests.llamaindex.bird_notes import TEXTS, Lengths, Letters, nodes

DOCUMENTS = [Document(text=text, doc_id=f"doc{i}", metadata={"number": i}) for i, text in enumerate(TEXTS)]


def texts(found: object) -> list[str]:
    return [n.node.get_content() for n in found]  # type: ignore[attr-defined]


def test_an_index_is_built_searched_and_opened_again_from_disk(folder: Path) -> None:
    store = ElanusVectorStore(str(folder), durability="os")
    VectorStoreIndex.from_documents(DOCUMENTS, storage_context=StorageContext.from_defaults(vector_store=store))
    store.close()

    again = ElanusVectorStore(str(folder), durability="os")
    index = VectorStoreIndex.from_vector_store(again)
    found = index.as_retriever(similarity_top_k=2).retrieve(TEXTS[3])
    assert texts(found)[0] == TEXTS[3]
    assert found[0].score > 0.9
    assert found[0].node.ref_doc_id == "doc3"
    assert found[0].node.metadata == {"number": 3}
    again.close()


@pytest.mark.parametrize("mode", ["default", "sparse", "text_search", "hybrid", "mmr"])
def test_a_retriever_passes_the_mode_and_what_belongs_to_it(store: ElanusVectorStore, mode: str) -> None:
    index = VectorStoreIndex.from_documents(DOCUMENTS, storage_context=StorageContext.from_defaults(vector_store=store))
    more = {"alpha": 0.3, "sparse_top_k": 10, "hybrid_top_k": 2} if mode == "hybrid" else {}
    if mode == "mmr":
        more = {"vector_store_kwargs": {"mmr_threshold": 0.9}}
    only = MetadataFilters(filters=[MetadataFilter(key="number", value=2)])
    ask = index.as_retriever(vector_store_query_mode=mode, similarity_top_k=2, **more)
    assert TEXTS[2] in texts(ask.retrieve("the genus of the red kite"))
    narrow = index.as_retriever(vector_store_query_mode=mode, filters=only)
    assert texts(narrow.retrieve("the genus of the red kite")) == [TEXTS[2]]


async def test_retrievers_and_inserts_are_asynchronous(store: ElanusVectorStore) -> None:
    index = VectorStoreIndex.from_vector_store(store)
    await index.ainsert_nodes(nodes())
    found = await index.as_retriever(similarity_top_k=1).aretrieve(TEXTS[4])
    assert texts(found) == [TEXTS[4]]
    await index.adelete_ref_doc("doc2")
    await index.adelete_nodes(["n0"])
    assert [n.node_id for n in await store.aget_nodes()] == ["n1", "n2", "n3"]


@pytest.mark.filterwarnings("ignore:Call to deprecated method get_doc_id:DeprecationWarning")  # llama-index's own call
def test_documents_are_updated_and_deleted_through_the_index(store: ElanusVectorStore) -> None:
    index = VectorStoreIndex.from_documents(DOCUMENTS, storage_context=StorageContext.from_defaults(vector_store=store))
    index.delete_ref_doc("doc1")
    index.update_ref_doc(Document(text="Kestrels hover.", doc_id="doc2"))
    stored = {n.ref_doc_id: n.get_content() for n in store.get_nodes()}
    assert stored == {f"doc{i}": TEXTS[i] for i in (0, 3, 4, 5)} | {"doc2": "Kestrels hover."}


def test_a_query_engine_answers_with_a_reranker_behind_it(store: ElanusVectorStore) -> None:
    index = VectorStoreIndex.from_documents(DOCUMENTS, storage_context=StorageContext.from_defaults(vector_store=store))
    engine = index.as_query_engine(similarity_top_k=6, node_postprocessors=[ElanusRerank(Lengths(), top_n=1)])
    answer = engine.query("what is a kite?")
    assert texts(answer.source_nodes) == [min(TEXTS, key=len)]


def test_a_pipeline_replaces_changed_documents(store: ElanusVectorStore) -> None:
    pipeline = IngestionPipeline(
        transformations=[SentenceSplitter(chunk_size=64, chunk_overlap=0), Letters()],
        docstore=SimpleDocumentStore(),
        vector_store=store,
        docstore_strategy=DocstoreStrategy.UPSERTS,
    )
    pipeline.run(documents=DOCUMENTS)
    assert pipeline.run(documents=DOCUMENTS) == []
    pipeline.run(documents=[Document(text="Kestrels hover.", doc_id="doc2")])
    assert len(store.get_nodes()) == len(TEXTS)
    assert [n.get_content() for n in store.get_nodes() if n.ref_doc_id == "doc2"] == ["Kestrels hover."]


def test_chunks_of_one_document_know_their_neighbours(store: ElanusVectorStore) -> None:
    splitter = TokenTextSplitter(chunk_size=12, chunk_overlap=0)
    index = VectorStoreIndex.from_documents(
        [Document(text=" ".join(TEXTS), doc_id="all")],
        storage_context=StorageContext.from_defaults(vector_store=store),
        transformations=[splitter],
    )
    found = index.as_retriever(similarity_top_k=20).retrieve("kite")
    by_id = {n.node_id: n.node for n in found}
    assert len(by_id) > 2
    first = next(n for n in by_id.values() if NodeRelationship.PREVIOUS not in n.relationships)
    seen = [first]
    while seen[-1].next_node is not None:
        seen.append(by_id[seen[-1].next_node.node_id])
    assert " ".join(n.get_content() for n in seen) == " ".join(TEXTS)


def test_index_nodes_lead_to_what_they_stand_for(store: ElanusVectorStore) -> None:
    index = VectorStoreIndex.from_vector_store(store)
    index.insert_nodes([IndexNode(id_="i", text=TEXTS[0], index_id="details")])
    found = VectorStoreIndex.from_vector_store(store).as_retriever().retrieve(TEXTS[0])
    assert isinstance(found[0].node, IndexNode)
    assert found[0].node.index_id == "details"


def test_a_storage_context_is_persisted_beside_the_folder(folder: Path, tmp_path: Path) -> None:
    store = ElanusVectorStore(str(folder), durability="os")
    context = StorageContext.from_defaults(vector_store=store)
    VectorStoreIndex.from_documents(DOCUMENTS, storage_context=context)
    context.persist(str(tmp_path / "context"))
    loaded = StorageContext.from_defaults(persist_dir=str(tmp_path / "context"), vector_store=store)
    index = load_index_from_storage(loaded)
    assert texts(index.as_retriever(similarity_top_k=1).retrieve(TEXTS[1])) == [TEXTS[1]]
    store.close()
