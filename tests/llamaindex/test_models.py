"""The embedding model and the reranker as LlamaIndex uses them."""

from __future__ import annotations

from typing import Any

import elanus
import elanus_models
import numpy as np
import pytest
from llama_index.core import VectorStoreIndex
from llama_index.core.schema import NodeWithScore
from llama_index.vector_stores.elanus import ElanusEmbedding, ElanusRerank, ElanusVectorStore

from tests.llamaindex.bird_notes import TEXTS, Lengths, embed, ids, node, nodes


class TwoSided:
    """A model that tells questions from passages."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def embed_documents(self, texts: list[str]) -> Any:
        self.calls.append(len(texts))
        return np.asarray([embed(text) for text in texts], np.float32)

    def embed_queries(self, texts: list[str]) -> Any:
        return -np.asarray([embed(text) for text in texts], np.float32)


def test_questions_and_passages_go_to_their_own_methods() -> None:
    model = TwoSided()
    embedding = ElanusEmbedding(model=model)
    assert embedding.get_query_embedding("kite") == pytest.approx([-x for x in embed("kite")], abs=1e-6)
    assert embedding.get_text_embedding("kite") == pytest.approx(embed("kite"), abs=1e-6)
    assert isinstance(embedding.get_text_embedding("kite")[0], float)
    batch = ElanusEmbedding(model=model, embed_batch_size=4).get_text_embedding_batch(list(TEXTS))
    assert np.allclose(batch, [embed(text) for text in TEXTS])
    assert model.calls[-2:] == [4, 2]


def test_an_embedding_is_written_by_its_models_name(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, dict[str, Any]]] = []

    class Onnx(TwoSided):
        def __init__(self, name: str, **options: Any) -> None:
            super().__init__()
            made.append((name, options))

    monkeypatch.setattr("llama_index.vector_stores.elanus.embedding.OnnxEmbedding", Onnx)
    embedding = ElanusEmbedding("all-MiniLM-L6-v2", model_options={"precision": "float32"})
    data = embedding.to_dict()
    assert (data["class_name"], data["model_name"]) == ("ElanusEmbedding", "all-MiniLM-L6-v2")
    again = ElanusEmbedding.from_dict(data)
    assert made == [("all-MiniLM-L6-v2", {"precision": "float32"})] * 2
    assert again.to_dict() == data
    ElanusEmbedding()
    assert made[-1] == ("all-MiniLM-L6-v2", {})


def test_a_model_of_ones_own_is_given_again() -> None:
    data = ElanusEmbedding(model=TwoSided()).to_dict()
    assert data["model_name"] == "TwoSided"
    assert ElanusEmbedding.from_dict(data, model=TwoSided()).to_dict() == data
    with pytest.raises(elanus_models.ModelError):
        ElanusEmbedding.from_dict(data)


def test_what_cannot_embed_is_refused() -> None:
    with pytest.raises(elanus.InvalidArgument, match=r"must have a method embed_documents\(texts\)"):
        ElanusEmbedding(model=object())
    with pytest.raises(elanus.InvalidArgument, match="model_options are for a model_name"):
        ElanusEmbedding(model=TwoSided(), model_options={"threads": 1})
    with pytest.raises(ValueError, match="precision"):
        ElanusEmbedding(model=TwoSided(), precision="int8")


def test_a_real_model_under_an_index(store: ElanusVectorStore) -> None:
    try:
        model = ElanusEmbedding()
    except (elanus_models.ModelNotFound, elanus_models.MissingDependency) as missing:
        pytest.skip(str(missing))
    found = ElanusVectorStore(client=store.client, collection_name="real")
    index = VectorStoreIndex.from_vector_store(found, embed_model=model)
    index.insert_nodes([n.model_copy(update={"embedding": None}) for n in nodes()])
    hits = index.as_retriever(similarity_top_k=1).retrieve("raptors that are awake after dark")
    assert [hit.node.get_content() for hit in hits] == [TEXTS[3]]


def scored() -> list[NodeWithScore]:
    return [NodeWithScore(node=n, score=0.5) for n in nodes()]


def test_a_reranker_orders_nodes_by_its_scores() -> None:
    given = scored()
    found = ElanusRerank(Lengths(), top_n=3).postprocess_nodes(given, query_str="kite")
    expected = sorted(TEXTS, key=len)[:3]
    assert [n.node.text for n in found] == expected  # type: ignore[attr-defined]
    assert [n.score for n in found] != [0.5] * 3
    assert [n.score for n in given] == [0.5] * len(TEXTS)
    assert len(ElanusRerank(Lengths()).postprocess_nodes(scored(), query_str="kite")) == len(TEXTS)
    assert ElanusRerank(Lengths()).postprocess_nodes([], query_str="kite") == []


def test_a_reranker_reads_the_metadata_that_embeddings_see() -> None:
    seen: list[str] = []

    class Reader:
        def rerank(self, query: str, documents: list[str]) -> Any:
            seen.extend(documents)
            return np.zeros(len(documents))

    shown = node("a", "words", title="Kites", secret=1)
    shown.excluded_embed_metadata_keys = ["secret"]
    assert ids(ElanusRerank(Reader()).postprocess_nodes([NodeWithScore(node=shown)], query_str="q")) == ["a"]
    assert seen == ["title: Kites\n\nwords"]


def test_a_reranker_is_checked() -> None:
    class Short:
        def rerank(self, query: str, documents: list[str]) -> list[float]:
            return [1.0]

    with pytest.raises(elanus.InvalidArgument, match="no score for each of"):
        ElanusRerank(Short()).postprocess_nodes(scored(), query_str="kite")
    with pytest.raises(elanus.InvalidArgument, match="needs the query"):
        ElanusRerank(Lengths()).postprocess_nodes(scored())
    with pytest.raises(elanus.InvalidArgument, match="give model="):
        ElanusRerank()
    with pytest.raises(elanus.InvalidArgument, match="must have a method rerank"):
        ElanusRerank(object())
    with pytest.raises(ValueError, match="top_n"):
        ElanusRerank(Lengths(), top_n=0)
    data = ElanusRerank(Lengths(), top_n=2).to_dict()
    assert data == {"class_name": "ElanusRerank", "top_n": 2, "model_name": "Lengths"}
    assert ElanusRerank.from_dict(data, model=Lengths()).to_dict() == data
