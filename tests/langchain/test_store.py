"""The vector store: what comes back, in which order, and what is refused."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import elanus
import pytest
from elanus import DBSFRanker, F, RRFRanker, WeightedRanker
from langchain_core.documents import Document
from langchain_elanus import ElanusEmbeddings, ElanusReranker, ElanusRetriever, ElanusVectorStore

from tests.langchain.birds import BIRDS, CountsSharedLetters, Words


def ids(documents: Any) -> list[str]:
    return [document.id for document in documents]


def test_documents_come_back_as_they_were_stored(birds: ElanusVectorStore) -> None:
    assert birds.get_by_ids(["toy", "nobody", "kite"]) == [BIRDS[1], BIRDS[0]]
    assert birds.similarity_search("red kite country", k=1) == [BIRDS[0]]


def test_nested_metadata_and_odd_keys_round_trip(store: ElanusVectorStore) -> None:
    metadata = {"a b": 1, "in": [1, "x", None], "deep": {"k": [{"z": True}]}, "$x": "y", "ключ": None, "id": 7}
    store.add_texts(["text"], [metadata], ids=["1"])
    assert store.get_by_ids(["1"])[0].metadata == metadata
    assert ids(store.similarity_search("text", filter={"a b": 1, "in": {"$contains": "x"}, "ключ": None})) == ["1"]


def test_ids_upsert_and_none_ids_are_made(store: ElanusVectorStore) -> None:
    first = store.add_texts(["one", "two"], ids=["a", None])  # type: ignore[list-item]
    assert first[0] == "a"
    assert len(first[1]) == 36
    store.add_texts(["other"], ids=["a"])
    assert [document.page_content for document in store.get_by_ids(["a"])] == ["other"]


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ({"year": {"$gte": 2020}}, {"toy", "heron"}),
        ({"year": 2019}, {"kite"}),
        ({"$or": [{"year": 2019}, {"tags": {"$contains": "toy"}}]}, {"kite", "toy"}),
        ({"$not": {"tags": {"$contains": "bird"}}}, {"toy", "wind", "bare"}),
        ({"year": None}, {"wind", "bare"}),
        ("year > 2020 and json_contains(tags, 'air')", {"toy"}),
        ((F.year > 2020) & ~F.tags.contains("air"), {"heron"}),
        (F.text.has_text("kite"), {"kite", "toy"}),
        ({"pk": {"$in": ["kite", "bare"]}}, {"kite", "bare"}),
        (None, {"kite", "toy", "heron", "wind", "bare"}),
        ({}, {"kite", "toy", "heron", "wind", "bare"}),
    ],
    ids=str,
)
def test_every_search_takes_every_kind_of_filter(birds: ElanusVectorStore, filter: Any, found: set[str]) -> None:
    vector = Words().embed_query("kite")
    assert set(ids(birds.similarity_search("kite", k=9, filter=filter))) == found
    assert set(ids(birds.similarity_search_by_vector(vector, k=9, filter=filter))) == found
    assert set(ids(birds.max_marginal_relevance_search("kite", k=9, filter=filter))) == found
    assert set(ids(birds.hybrid_search("kite", k=9, filter=filter))) == found
    assert set(ids(birds.text_search("kite", k=9, filter=filter))) == found & {"kite", "toy"}
    assert set(ids(birds.as_retriever(search_kwargs={"filter": filter, "k": 9}).invoke("kite"))) == found


def test_delete_by_ids_and_by_filter(birds: ElanusVectorStore) -> None:
    assert birds.delete(["kite", "nobody"])
    assert birds.delete(filter={"year": {"$gte": 2022}})
    assert set(ids(birds.similarity_search("kite", k=9))) == {"toy", "wind", "bare"}
    with pytest.raises(elanus.InvalidArgument, match="ids or filter"):
        birds.delete()
    assert birds.delete([])


@pytest.mark.parametrize("metric", ["COSINE", "IP", "L2"])
def test_relevance_is_between_nought_and_one_and_falls(metric: str) -> None:
    store = ElanusVectorStore(Words(), path=":memory:", metric=metric)
    store.add_documents(BIRDS)
    scored = store.similarity_search_with_relevance_scores("the red kite soars over open country", k=5)
    scores = [score for _, score in scored]
    assert scored[0][0].id == "kite"
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    best = store.similarity_search_with_relevance_scores("red kite soars over open country", score_threshold=scores[1])
    assert ids(document for document, _ in best)[0] == "kite"
    assert len(best) < 5
    retriever = store.as_retriever(
        search_type="similarity_score_threshold",
        search_kwargs={"score_threshold": 0.999 if metric == "COSINE" else 0.7},
    )
    assert len(retriever.invoke("The red kite soars over open country.")) <= 5
    store.close()


def test_scores_are_the_metrics_own(birds: ElanusVectorStore) -> None:
    (document, score), *_ = birds.similarity_search_with_score(BIRDS[2].page_content, k=2)
    assert document.id == "heron"
    assert score == pytest.approx(1.0, abs=1e-5)


def test_mmr_prefers_variety(store: ElanusVectorStore) -> None:
    store.add_texts(["red kite", "red kite", "red kite", "red heron"], ids=["a", "b", "c", "d"])
    assert ids(store.max_marginal_relevance_search("red kite", k=2, lambda_mult=0.1))[1] == "d"
    assert "d" not in ids(store.max_marginal_relevance_search("red kite", k=3, lambda_mult=1.0))
    vector = Words().embed_query("red kite")
    assert ids(store.max_marginal_relevance_search_by_vector(vector, k=2, lambda_mult=0.1))[1] == "d"


def test_text_and_hybrid_search_find_words(birds: ElanusVectorStore) -> None:
    assert ids(birds.search("hunting herons", "text")) == ["heron"]
    assert ids(birds.search("turbine", "hybrid", k=2))[0] == "wind"
    assert ids(birds.as_retriever(search_type="text").invoke("strings")) == ["toy"]
    scored = birds.hybrid_search_with_score("kites", k=2, ranker=RRFRanker(10))
    assert scored[0][1] >= scored[1][1] > 0


def test_fusion_weights_are_dense_then_text(birds: ElanusVectorStore) -> None:
    question = "swifts sleep on the wing breeze breeze"
    by_words = birds.text_search(question, k=1)
    assert ids(birds.hybrid_search(question, k=1, ranker=WeightedRanker(0.0, 1.0))) == ids(by_words)
    assert ids(birds.hybrid_search(question, k=1, ranker=DBSFRanker(0.0, 1.0))) == ids(by_words)
    assert ids(birds.hybrid_search(question, k=1, reranker=WeightedRanker(0.0, 1.0))) == ids(by_words)


class Shuffles:
    """A reranker that answers with results in its own order, as `elanus_models` does."""

    class Result:
        def __init__(self, index: int, score: float) -> None:
            self.index, self.score = index, score

    def rerank(self, query: str, documents: list[str]) -> list[Shuffles.Result]:
        return [self.Result(n, float("wing" in text)) for n, text in reversed(list(enumerate(documents)))]


@pytest.mark.parametrize("search", ["similarity", "hybrid"])
def test_a_model_reorders(birds: ElanusVectorStore, search: str) -> None:
    assert ids(birds.search("kite", search, k=1, reranker=Shuffles())) == ["bare"]
    assert ids(ElanusRetriever(vectorstore=birds, k=1, reranker=Shuffles()).invoke("kite")) == ["bare"]


def test_the_compressor_reorders_and_tells_the_score() -> None:
    reranker = ElanusReranker(model=CountsSharedLetters(), top_n=2)
    found = reranker.compress_documents(BIRDS, "string")
    assert found[0].id == "toy"
    assert len(found) == 2
    assert found[0].metadata["relevance_score"] == 6.0
    assert "relevance_score" not in BIRDS[1].metadata
    assert asyncio.run(reranker.acompress_documents([], "x")) == []
    with pytest.raises(ValueError, match="rerank"):
        ElanusReranker(model=object())


def test_a_store_is_reopened_and_shared(tmp_path: Path) -> None:
    first = ElanusVectorStore(Words(), path=tmp_path / "kb")
    first.add_documents(BIRDS)
    second = ElanusVectorStore(Words(), path=tmp_path / "kb")
    assert ids(second.similarity_search("red kite", k=1)) == ["kite"]
    second.delete(["kite"])
    assert "kite" not in ids(first.similarity_search("red kite", k=5))
    dropped = ElanusVectorStore(Words(), path=tmp_path / "kb", drop_old=True)
    assert dropped.similarity_search("kite") == []
    for store in (first, second, dropped):
        store.close()


def test_a_collection_of_the_plain_client_is_read_by_its_schema() -> None:
    with elanus.connect(":memory:") as client:
        schema = client.create_schema(auto_id=True, enable_dynamic_field=True)
        schema.add_field("id", elanus.DataType.INT64, is_primary=True)
        schema.add_field("body", elanus.DataType.VARCHAR, max_length=100)
        schema.add_field("lang", elanus.DataType.VARCHAR, max_length=2, nullable=True)
        schema.add_field("emb", elanus.DataType.FLOAT_VECTOR, dim=64)
        indexes = client.prepare_index_params()
        indexes.add_index("emb", metric_type="IP")
        client.create_collection("mine", schema=schema, index_params=indexes)
        rows = [
            {"body": d.page_content, "emb": Words().embed_query(d.page_content), "n": n} for n, d in enumerate(BIRDS)
        ]
        keys = client.insert("mine", [{**rows[0], "lang": "en"}, *rows[1:]])["ids"]
        store = ElanusVectorStore(Words(), "mine", client=client, text_field="body")
        found = store.similarity_search("red kite soars", k=1)[0]
        assert (found.id, found.metadata) == (str(keys[0]), {"lang": "en", "n": 0})
        assert store.get_by_ids([str(keys[1]), "x"])[0].metadata == {"n": 1}
        with pytest.raises(elanus.InvalidArgument, match="can be read, not added"):
            store.add_texts(["more"])


def test_what_langchain_wrote_reads_well_in_the_plain_client(birds: ElanusVectorStore) -> None:
    rows = birds.client.query("langchain", "year >= 2020", output_fields=["text", "year"])
    assert [row["pk"] for row in rows] == ["heron", "toy"]


def test_documents_may_have_several_vectors() -> None:
    class Backwards(Words):
        def embed_query(self, text: str) -> list[float]:
            return super().embed_query(text[::-1])

    store = ElanusVectorStore({"words": Words(64), "backwards": Backwards(32)}, path=":memory:")
    store.add_documents(BIRDS)
    assert ids(store.similarity_search("red kite soars", k=1)) == ["kite"]
    assert ids(store.similarity_search("red kite soars", k=1, vector_field="backwards")) == ["kite"]
    assert ids(store.hybrid_search("red kite soars", k=1, vector_field="backwards")) == ["kite"]
    with pytest.raises(elanus.InvalidArgument, match="words, backwards"):
        store.similarity_search("kite", vector_field="forwards")
    one = ElanusVectorStore(Words(), client=store.client, vector_field="words")
    with pytest.raises(elanus.InvalidArgument, match="backwards"):
        one.add_texts(["more"])
    store.close()


def test_embeddings_made_elsewhere_are_stored(store: ElanusVectorStore) -> None:
    texts = ["red kite", "grey heron"]
    store.add_embeddings(texts, Words().embed_documents(texts), [{"n": 1}, {"n": 2}], ids=["a", "b"], batch_size=1)
    assert ids(store.similarity_search("heron", k=1)) == ["b"]
    with pytest.raises(elanus.InvalidArgument, match="embeddings"):
        store.add_embeddings(texts, [[0.0] * 64])


async def test_async_never_blocks_the_loop(birds: ElanusVectorStore) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.0005)
            ticks += 1

    ticking = asyncio.create_task(tick())
    await birds.aadd_texts([f"text {n}" for n in range(300)], ids=[str(n) for n in range(300)])
    found = await asyncio.gather(*(birds.asimilarity_search("kite", k=3) for _ in range(20)))
    ticking.cancel()
    assert {tuple(ids(documents)) for documents in found} == {tuple(ids(birds.similarity_search("kite", k=3)))}
    assert ticks > 0


async def test_every_async_method_answers_like_its_twin(birds: ElanusVectorStore) -> None:
    vector = Words().embed_query("kite")
    assert await birds.aget_by_ids(["toy"]) == birds.get_by_ids(["toy"])
    assert await birds.asimilarity_search_by_vector(vector) == birds.similarity_search_by_vector(vector)
    assert await birds.asimilarity_search_with_score("kite") == birds.similarity_search_with_score("kite")
    assert await birds.amax_marginal_relevance_search("kite") == birds.max_marginal_relevance_search("kite")
    mmr = birds.max_marginal_relevance_search_by_vector(vector)
    assert await birds.amax_marginal_relevance_search_by_vector(vector) == mmr
    for search_type in ("similarity", "mmr", "text", "hybrid"):
        assert await birds.asearch("kite", search_type) == birds.search("kite", search_type)
        retriever = birds.as_retriever(search_type=search_type)
        assert await retriever.ainvoke("kite") == retriever.invoke("kite")
    relevance = birds.similarity_search_with_relevance_scores("kite")
    assert await birds.asimilarity_search_with_relevance_scores("kite") == relevance
    assert await ElanusRetriever(vectorstore=birds).ainvoke("kite") == birds.hybrid_search("kite")
    assert await birds.adelete(["toy"])
    assert birds.get_by_ids(["toy"]) == []
    made = await ElanusVectorStore.afrom_texts(["one"], Words(), ids=["1"], path=":memory:")
    assert ids(made.similarity_search("one")) == ["1"]
    made.close()


def test_from_documents_and_reads_before_the_first_document() -> None:
    empty = ElanusVectorStore(Words(), path=":memory:")
    assert empty.similarity_search("x") == empty.hybrid_search("x") == empty.text_search("x") == []
    assert empty.get_by_ids(["x"]) == empty.max_marginal_relevance_search("x") == []
    assert empty.delete(["x"])
    empty.close()
    store = ElanusVectorStore.from_documents(BIRDS, Words(), path=":memory:", collection_name="b")
    assert ids(store.similarity_search("heron", k=1)) == ["heron"]
    store.close()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: s.add_texts(["a"], [{"text": 1}], ids=["x"]), "'x'.*'text'.*text_field"),
        (lambda s: s.add_texts(["a"], [{}, {}]), "metadatas: 2"),
        (lambda s: s.add_texts(["a"], ids=["1", "2"]), "ids: 2"),
        (lambda s: s.add_texts(["a"], batch=3), "'batch'"),
        (lambda s: s.add_texts(["a"], batch_size=0), "batch_size"),
        (lambda s: s.similarity_search("a", filters={}), "'filters'"),
        (lambda s: s.similarity_search("a", filter={"a": {"$foo": 1}}), r"\$foo"),
        (lambda s: s.similarity_search("a", filter="year >"), "end of the filter"),
        (lambda s: s.similarity_search("a", k=0), "k must be"),
        (lambda s: s.similarity_search("a", k=2.0), "k must be"),
        (lambda s: s.hybrid_search("a", fetch_k=10**6), "fetch_k must be"),
        (lambda s: s.add_texts(["a", "b"], [{}, {"d": {1}}], ids=["x", "y"], batch_size=1), r"document 'y'.*'d'"),
        (lambda s: ElanusVectorStore(Words(), path=":memory:", analyzer="klingon").add_texts(["a"]), "klingon"),
        (lambda s: s.similarity_search_by_vector([1.0], k=1), "dim 64"),
        (lambda s: s.similarity_search("a", reranker=RRFRanker()), "hybrid"),
        (lambda s: s.similarity_search("a", reranker=object()), "rerank"),
        (lambda s: s.hybrid_search("a", ranker=RRFRanker(), reranker=RRFRanker()), "not both"),
        (lambda s: s.max_marginal_relevance_search("a", lambda_mult=2), "lambda_mult"),
        (lambda s: s.text_search("a", vector_field="vector"), "'vector_field'"),
        (lambda s: s.delete(["a"], filter={"a": 1}), "either"),
        (lambda s: s.search("a", "fuzzy"), "fuzzy"),
        (lambda s: s.as_retriever(search_type="fuzzy"), "fuzzy"),
        (lambda s: ElanusVectorStore(Words()), "path="),
        (lambda s: ElanusVectorStore(Words(), path=":memory:", client=s.client), "path="),
        (lambda s: ElanusVectorStore(Words(), client=s.client, token="x"), "token"),
        (lambda s: ElanusVectorStore(None, client=s.client).similarity_search("a"), "embedding"),
        (lambda s: ElanusVectorStore(None, client=s.client).add_texts(["a"]), "embedding"),
    ],
)
def test_bad_input_is_refused_by_name(birds: ElanusVectorStore, call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(birds)
    assert set(ids(birds.similarity_search("kite", k=9))) >= {bird.id for bird in BIRDS}


def test_text_search_without_an_index_says_so() -> None:
    store = ElanusVectorStore(Words(), path=":memory:", bm25=False)
    store.add_documents(BIRDS)
    with pytest.raises(elanus.InvalidArgument, match="bm25=True"):
        store.text_search("kite")
    store.close()


def test_a_batch_is_stored_whole_or_not_at_all(store: ElanusVectorStore) -> None:
    with pytest.raises(elanus.RowError):
        store.add_texts(["fine", "x" * 70_000], ids=["1", "2"])
    assert store.get_by_ids(["1", "2"]) == []


def test_progress_is_shown(store: ElanusVectorStore, capsys: pytest.CaptureFixture[str]) -> None:
    store.add_texts(["a", "b", "c"], show_progress=True, batch_size=1)
    assert "3/3" in capsys.readouterr().err


def test_the_real_model_answers() -> None:
    store = ElanusVectorStore(ElanusEmbeddings(), path=":memory:")
    store.add_documents(BIRDS)
    assert ids(store.similarity_search("which animal lives near ponds?", k=1)) == ["heron"]
    assert isinstance(store.similarity_search("toys", k=1)[0], Document)
    store.close()
