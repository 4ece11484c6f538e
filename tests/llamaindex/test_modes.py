"""Every query mode against a plain computation, and what restricts a query."""

from __future__ import annotations

from typing import Any

import elanus
import numpy as np
import pytest
from llama_index.core.vector_stores.types import (
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)
from llama_index.vector_stores.elanus import ElanusVectorStore

from tests.llamaindex.bird_notes import DIM, TEXTS, Lengths, embed, ids, nodes

QUESTION = "which kite is a bird of prey?"
COSINES = [float(np.dot(embed(QUESTION), embed(text))) for text in TEXTS]
BY_COSINE = [f"n{i}" for i in np.argsort(COSINES)[::-1]]


@pytest.fixture
def full(store: ElanusVectorStore) -> ElanusVectorStore:
    store.add(nodes())
    return store


def ask(mode: str = "default", k: int = 3, **more: Any) -> VectorStoreQuery:
    given = {"query_embedding": embed(QUESTION), "query_str": QUESTION, "similarity_top_k": k, **more}
    return VectorStoreQuery(mode=VectorStoreQueryMode(mode), **given)


def test_default_gives_the_nearest_with_their_cosine(full: ElanusVectorStore) -> None:
    found = full.query(ask())
    assert found.ids == ids(found) == BY_COSINE[:3]
    assert found.similarities == pytest.approx(sorted(COSINES)[:-4:-1], abs=1e-5)


@pytest.mark.parametrize("metric", ["L2", "IP"])
def test_similarities_grow_with_likeness_for_every_metric(client: elanus.Client, metric: str) -> None:
    store = ElanusVectorStore(client=client, metric_type=metric)
    store.add(nodes())
    found = store.query(ask(k=6))
    assert found.ids == BY_COSINE
    assert found.similarities == sorted(found.similarities, reverse=True)
    squared = [2 - 2 * cosine for cosine in sorted(COSINES, reverse=True)]
    expected = {"IP": sorted(COSINES, reverse=True), "L2": list(elanus.relevance(squared, "L2"))}
    assert found.similarities == pytest.approx(expected[metric], abs=1e-3)


@pytest.mark.parametrize("mode", ["sparse", "text_search"])
def test_the_text_modes_rank_by_bm25(full: ElanusVectorStore, mode: str) -> None:
    found = full.query(ask(mode, query_embedding=None))
    plain = full.client.search("llama_index", [QUESTION], anns_field="sparse", limit=3)[0]
    assert found.ids == [hit["pk"] for hit in plain]
    assert found.similarities == pytest.approx([hit["distance"] for hit in plain])
    assert ids(full.query(ask(mode, sparse_top_k=1))) == found.ids[:1]


def test_hybrid_without_alpha_is_reciprocal_rank_fusion(full: ElanusVectorStore) -> None:
    found = full.query(ask("hybrid"))
    words = full.query(ask("sparse", k=6)).ids
    scores = {n: 1 / (61 + rank) for rank, n in enumerate(BY_COSINE)}
    for rank, n in enumerate(words):
        scores[n] += 1 / (61 + rank)
    assert found.similarities == pytest.approx(sorted(scores.values(), reverse=True)[:3], abs=1e-6)
    assert found.ids == sorted(scores, key=scores.__getitem__, reverse=True)[:3]


def test_alpha_weighs_dense_against_words(full: ElanusVectorStore) -> None:
    assert full.query(ask("hybrid", alpha=1.0)).ids == BY_COSINE[:3]
    words = full.query(ask("sparse", k=6))
    assert full.query(ask("hybrid", k=1, alpha=0.0)).ids == words.ids[:1]
    found = full.query(ask("hybrid", k=6, alpha=0.25))
    bm25 = {n: 2 * np.arctan(s) / np.pi for n, s in zip(words.ids, words.similarities, strict=True)}
    fused = {f"n{i}": 0.25 * (1 + c) / 2 + 0.75 * bm25.get(f"n{i}", 0) for i, c in enumerate(COSINES)}
    assert dict(zip(found.ids, found.similarities, strict=True)) == pytest.approx(fused, abs=1e-4)


def test_a_hybrid_query_says_how_many_hits_each_half_brings(full: ElanusVectorStore) -> None:
    assert len(full.query(ask("hybrid", k=1, hybrid_top_k=4, sparse_top_k=1)).ids) <= 2
    assert len(full.query(ask("hybrid", k=6, hybrid_top_k=2)).ids) == 2
    assert len(full.query(ask("hybrid", k=2)).ids) == 2


def test_the_fusion_is_the_stores_or_the_calls(full: ElanusVectorStore) -> None:
    dense = elanus.WeightedRanker(1, 0)
    assert full.query(ask("hybrid"), ranker=dense).ids == BY_COSINE[:3]
    assert full.query(ask("hybrid"), ranker=elanus.DBSFRanker(1, 0)).ids == BY_COSINE[:3]
    other = ElanusVectorStore(client=full.client, hybrid_ranker=dense)
    assert other.query(ask("hybrid")).ids == BY_COSINE[:3]
    with pytest.raises(elanus.InvalidArgument, match="give alpha or ranker, not both"):
        full.query(ask("hybrid", alpha=0.5), ranker=dense)


def test_semantic_hybrid_lets_the_model_order_the_fused_hits(full: ElanusVectorStore) -> None:
    store = ElanusVectorStore(client=full.client, reranker=Lengths())
    found = store.query(ask("semantic_hybrid"))
    by_length = sorted(range(len(TEXTS)), key=lambda i: len(TEXTS[i]))
    assert found.ids == [f"n{i}" for i in by_length[:3]]
    assert found.similarities == [-float(len(TEXTS[i])) for i in by_length[:3]]
    assert full.query(ask("semantic_hybrid"), reranker=Lengths()).ids == found.ids
    with pytest.raises(elanus.InvalidArgument, match="give the store a reranker="):
        full.query(ask("semantic_hybrid"))
    with pytest.raises(elanus.InvalidArgument, match=r"must have a method rerank\(query, documents\)"):
        ElanusVectorStore(client=full.client, reranker=object())


def plain_mmr(k: int, balance: float) -> list[str]:
    """Maximal marginal relevance as the paper writes it."""
    taken: list[int] = []
    while len(taken) < k:

        def gain(i: int) -> float:
            near = max((float(np.dot(embed(TEXTS[i]), embed(TEXTS[j]))) for j in taken), default=0.0)
            return balance * COSINES[i] - (1 - balance) * near

        taken.append(max((i for i in range(len(TEXTS)) if i not in taken), key=gain))
    return [f"n{i}" for i in taken]


@pytest.mark.parametrize("balance", [0.2, 0.5, 0.8, 1.0])
def test_mmr_trades_likeness_for_variety(full: ElanusVectorStore, balance: float) -> None:
    found = full.query(ask("mmr", k=4, mmr_threshold=balance))
    assert found.ids == plain_mmr(4, balance)
    assert found.similarities == pytest.approx([COSINES[int(n[1:])] for n in found.ids], abs=1e-5)
    assert full.query(ask("mmr", k=4), mmr_threshold=balance).ids == found.ids


def test_mmr_chooses_among_as_many_candidates_as_asked_for(full: ElanusVectorStore) -> None:
    assert sorted(full.query(ask("mmr", mmr_threshold=0.0), mmr_prefetch_k=3).ids) == sorted(BY_COSINE[:3])
    assert sorted(full.query(ask("mmr", mmr_threshold=0.0), mmr_prefetch_factor=1).ids) == sorted(BY_COSINE[:3])
    with pytest.raises(elanus.InvalidArgument, match="not both"):
        full.query(ask("mmr"), mmr_prefetch_k=3, mmr_prefetch_factor=1)


@pytest.mark.parametrize("mode", ["default", "sparse", "text_search", "hybrid", "mmr", "semantic_hybrid"])
def test_every_mode_keeps_to_filters_documents_and_nodes(full: ElanusVectorStore, mode: str) -> None:
    store = ElanusVectorStore(client=full.client, reranker=Lengths())
    even = MetadataFilters(filters=[MetadataFilter(key="even", value=1, operator=FilterOperator.NE)])
    years = MetadataFilters(filters=[MetadataFilter(key="year", value=2022, operator=FilterOperator.LTE)])
    assert set(ids(store.query(ask(mode, k=6, filters=years)))) <= {"n0", "n1", "n2"}
    assert set(ids(store.query(ask(mode, k=6, doc_ids=["doc0", "doc2"])))) <= {"n0", "n1", "n4", "n5"}
    assert set(ids(store.query(ask(mode, k=6, node_ids=["n1", "n2"])))) == {"n1", "n2"}
    assert ids(store.query(ask(mode, k=6, node_ids=["n1", "n2"], filters=years, doc_ids=["doc1"]))) == ["n2"]
    assert ids(store.query(ask(mode, k=6, node_ids=["n0", "n2"]), filter="year == 2022")) == ["n2"]
    assert ids(store.query(ask(mode, k=6, filters=even), filter=elanus.F.pk == "n0")) == ["n0"]
    assert ids(store.query(ask(mode, doc_ids=[]))) == []
    assert store.query(ask(mode, node_ids=[])).ids == store.query(ask(mode)).ids


def test_output_fields_limit_the_metadata_and_leave_the_node_whole(full: ElanusVectorStore) -> None:
    node = full.query(ask(output_fields=["year"])).nodes[0]
    assert list(node.metadata) == ["year"]
    assert node.ref_doc_id
    assert node.get_content()
    assert full.query(ask(output_fields=["*"])).nodes[0].metadata.keys() == {"year", "even"}
    assert full.query(ask(output_fields=[])).nodes[0].metadata == {}


def test_embedding_field_names_the_vector_to_search(full: ElanusVectorStore) -> None:
    assert full.query(ask(embedding_field="vector")).ids == BY_COSINE[:3]
    with pytest.raises(elanus.InvalidArgument, match="no dense vector field 'image'; it has 'vector'"):
        full.query(ask(embedding_field="image"))


@pytest.mark.parametrize("mode", ["svm", "logistic_regression", "linear_regression"])
def test_a_mode_there_is_nothing_for_is_refused(full: ElanusVectorStore, mode: str) -> None:
    with pytest.raises(elanus.NotSupported, match=f"query mode '{mode}' is not supported; use one of default"):
        full.query(ask(mode))


@pytest.mark.parametrize(
    ("mode", "more", "named"),
    [
        ("default", {"alpha": 0.5}, "alpha belongs to query mode 'hybrid'"),
        ("mmr", {"sparse_top_k": 2}, "sparse_top_k belongs"),
        ("sparse", {"hybrid_top_k": 2}, "hybrid_top_k belongs"),
        ("hybrid", {"mmr_threshold": 0.5}, "mmr_threshold belongs to query mode 'mmr'"),
        ("default", {"query_embedding": None}, "query mode 'default' needs query_embedding"),
        ("hybrid", {"query_str": None}, "query mode 'hybrid' needs query_str"),
        ("sparse", {"query_str": None}, "query mode 'sparse' needs query_str"),
    ],
)
def test_nothing_is_ignored(full: ElanusVectorStore, mode: str, more: dict[str, Any], named: str) -> None:
    with pytest.raises(elanus.InvalidArgument, match=named):
        full.query(ask(mode, **more))


def test_arguments_of_a_query_are_checked(full: ElanusVectorStore) -> None:
    with pytest.raises(
        elanus.InvalidArgument,
        match="query: unknown argument 'qdrant_filters'; it takes analyzer_name, explain, filter",
    ):
        full.query(ask(), qdrant_filters={})
    with pytest.raises(elanus.InvalidArgument, match="search_params belongs"):
        full.query(ask("sparse"), search_params={})
    assert full.query(ask(), search_params={"params": {}}).ids == BY_COSINE[:3]


def test_a_collection_without_bm25_refuses_the_text_modes(client: elanus.Client) -> None:
    store = ElanusVectorStore(client=client, bm25=False, dim=DIM)
    store.add(nodes())
    assert store.query(ask()).ids == BY_COSINE[:3]
    with pytest.raises(elanus.NotSupported, match="needs a BM25 field and collection 'llama_index' has none"):
        store.query(ask("hybrid"))
