"""LangChain's own test suites: vector store, retrievers, embeddings, record manager."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.indexing import InMemoryRecordManager, index
from langchain_core.vectorstores import VectorStore
from langchain_elanus import ElanusEmbeddings, ElanusRetriever, ElanusVectorStore
from langchain_tests.integration_tests import (
    EmbeddingsIntegrationTests,
    RetrieversIntegrationTests,
    VectorStoreIntegrationTests,
)

from tests.langchain.birds import CountsSharedLetters


class TestInMemory(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self) -> Iterator[VectorStore]:
        store = ElanusVectorStore(self.get_embeddings(), path=":memory:")
        yield store
        store.close()


class TestOnDisk(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, tmp_path: Any) -> Iterator[VectorStore]:
        store = ElanusVectorStore(self.get_embeddings(), path=tmp_path / "kb", metric="L2", bm25=False)
        yield store
        store.close()


class TestHybridRetriever(RetrieversIntegrationTests):
    birds: ElanusVectorStore

    @pytest.fixture(autouse=True)
    def open_birds(self, birds: ElanusVectorStore) -> None:
        self.birds = birds

    @property
    def retriever_constructor(self) -> Any:
        return ElanusRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"vectorstore": self.birds, "reranker": CountsSharedLetters()}

    @property
    def retriever_query_example(self) -> str:
        return "kite"


class TestStoresRetriever(TestHybridRetriever):
    @property
    def retriever_constructor(self) -> Any:
        return lambda **kwargs: self.birds.as_retriever(search_type="hybrid", search_kwargs=kwargs)

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {}


class TestEmbeddings(EmbeddingsIntegrationTests):
    @property
    def embeddings_class(self) -> type[Embeddings]:
        return ElanusEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"model": "all-MiniLM-L6-v2"}


def documents(*texts: str, source: str = "a") -> list[Document]:
    return [Document(page_content=text, metadata={"source": source}) for text in texts]


def texts(store: ElanusVectorStore) -> list[str]:
    found = store.client.query(store.collection_name, limit=100, output_fields=["text"])
    return sorted(row["text"] for row in found)


@pytest.mark.parametrize("cleanup", [None, "incremental", "full", "scoped_full"])
def test_the_record_manager_keeps_the_store_in_step(store: ElanusVectorStore, cleanup: Any) -> None:
    records = InMemoryRecordManager("test")
    records.create_schema()

    def run(docs: list[Document]) -> dict[str, Any]:
        return dict(index(docs, records, store, cleanup=cleanup, source_id_key="source", key_encoder="sha256"))

    assert run(documents("one", "two") + documents("three", source="b"))["num_added"] == 3
    assert run(documents("one", "two") + documents("three", source="b"))["num_skipped"] == 3
    run(documents("one", "new"))
    left = {
        None: ["new", "one", "three", "two"],
        "incremental": ["new", "one", "three"],
        "full": ["new", "one"],
        "scoped_full": ["new", "one", "three"],
    }
    assert texts(store) == left[cleanup]
