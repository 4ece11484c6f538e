"""Suggested fusions: found on synthetic judgements, measured on what took no part in the choice."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import elanus
import numpy as np
import pytest
from elanus import AnnSearchRequest, DataType, Document, KnowledgeBase, RRFRanker, suggest_weights
from elanus.knowledge.evaluating import ndcg

from tests.behaviour.test_quality import read_judged
from tests.fakes import Words

TOPICS = 40


def fill(client: elanus.Client, metric: str) -> None:
    """Rows near their topic in "good"; anywhere in "bad"."""
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("good", DataType.FLOAT_VECTOR, dim=8).add_field("bad", DataType.FLOAT_VECTOR, dim=8)
    params = client.prepare_index_params()
    params.add_index("good", metric_type=metric)
    params.add_index("bad", metric_type="IP")
    client.create_collection("c", schema=schema, index_params=params)
    chance = np.random.default_rng(3)
    noise = chance.normal(size=(TOPICS * 5, 8))
    rows = [{"id": n, "good": topic(n % TOPICS) + 0.3 * noise[n], "bad": noise[-n]} for n in range(TOPICS * 5)]
    client.insert("c", rows[:150])
    client.flush("c")
    client.insert("c", rows[150:])


def topic(number: int) -> Any:
    return np.random.default_rng(number).normal(size=8)


def requests_of(question: str) -> list[AnnSearchRequest]:
    vector = topic(int(question))
    return [AnnSearchRequest([vector], name, {}, 50) for name in ("good", "bad")]


QUERIES = {f"q{n}": str(n) for n in range(TOPICS)}
QRELS = {f"q{n}": {str(n + TOPICS * copy): 1.0 for copy in range(5)} for n in range(TOPICS)}


@pytest.mark.parametrize("metric", ["COSINE", "L2", "IP"])
def test_a_route_that_knows_nothing_is_given_little_weight(client: elanus.Client, metric: str) -> None:
    fill(client, metric)
    told = suggest_weights(client, "c", requests_of, QUERIES, QRELS)
    good, bad = told.routes["good"], told.routes["bad"]
    assert good > 2 * bad
    assert told.rrf < told.ndcg
    assert told.ndcg >= good - 0.02
    assert told.ranker.weights[0] > told.ranker.weights[1]
    assert (told.questions, told.k) == (TOPICS, 10)
    assert "on held-out questions of 40; RRFRanker()" in str(told)
    assert suggest_weights(client, "c", requests_of, QUERIES, QRELS, kinds=["rrf"]).ranker.dict()["strategy"] == "rrf"


@pytest.mark.parametrize("kind", ["rrf", "weighted", "dbsf"])
def test_what_it_tells_is_what_searches_give(client: elanus.Client, kind: str) -> None:
    fill(client, "COSINE")
    told = suggest_weights(client, "c", requests_of, QUERIES, QRELS, kinds=[kind], folds=2)

    def measured(ranker: Any) -> float:
        found = [client.hybrid_search("c", requests_of(text), ranker, limit=10)[0] for text in QUERIES.values()]
        scores = [ndcg([str(hit.id) for hit in f], QRELS[q], 10) for q, f in zip(QUERIES, found, strict=True)]
        return float(np.mean(scores))

    assert told.rrf == pytest.approx(measured(RRFRanker()))
    alone = [client.search("c", requests_of(text)[0].data, anns_field="good", limit=10)[0] for text in QUERIES.values()]
    scores = [ndcg([str(hit.id) for hit in f], QRELS[q], 10) for q, f in zip(QUERIES, alone, strict=True)]
    assert told.routes["good"] == pytest.approx(np.mean(scores))
    assert measured(told.ranker) >= told.ndcg - 0.02, "the choice of all questions is no worse than that of some"


def test_where_there_is_nothing_to_learn_the_suggestion_is_rrf(client: elanus.Client) -> None:
    fill(client, "COSINE")
    chance = random.Random(1)
    noise = {q: {str(chance.randrange(TOPICS * 5)): 1.0} for q in QUERIES}
    told = suggest_weights(client, "c", requests_of, QUERIES, noise, kinds=["rrf"])
    assert told.ndcg == told.rrf, "what other k promised did not hold on held-out questions"
    assert told.ranker.dict() == RRFRanker().dict()


def test_what_cannot_be_judged_is_refused(client: elanus.Client) -> None:
    fill(client, "COSINE")
    for message, change in (
        ("0 judged questions are too few for 5 folds", {"qrels": {}}),
        ("folds must be a whole number of at least 2", {"folds": 1}),
        ("k must be", {"k": 0}),
        ("kinds must be some of rrf, weighted, dbsf", {"kinds": ["best"]}),
        ("at least two AnnSearchRequests", {"requests_of": lambda q: requests_of(q)[:1]}),
        ("search other fields", {"requests_of": lambda q: requests_of(q)[:: 1 if q == "0" else -1]}),
    ):
        asked: dict[str, Any] = {"requests_of": requests_of, "queries": QUERIES, "qrels": QRELS, **change}
        with pytest.raises(elanus.InvalidArgument, match=message):
            suggest_weights(client, "c", **asked)


def test_a_knowledge_base_suggests_a_ranker_that_its_search_takes() -> None:
    with KnowledgeBase(":memory:", embedder=Words(dim=64), reranker=None) as kb:
        kb.add([Document(f"word{n} word{n + 1} and the rest " * 30, id=f"d{n}") for n in range(30)])
        queries = {str(n): f"word{n} word{n + 1}" for n in range(30)}
        qrels = {str(n): {f"d{n}": 1.0} for n in range(30)}
        told = kb.suggest_weights(queries, qrels)
        assert list(told.routes) == ["vector", "sparse"]
        assert told.ndcg >= told.rrf
        assert kb.evaluate(queries, qrels, ranker=told.ranker).ndcg >= kb.evaluate(queries, qrels).ndcg - 0.02
        with pytest.raises(elanus.InvalidArgument, match="ranker fuses two searches; mode 'text' has one"):
            kb.search("word1", mode="text", ranker=told.ranker)


def test_on_the_judged_set_the_suggestion_beats_rrf_on_held_out_questions(judged_english: Path) -> None:
    judged = read_judged(judged_english)
    some = list(judged.questions)[:150]
    with KnowledgeBase(":memory:", embedder=Words(dim=256), reranker=None) as kb:
        kb.add([Document(text, id=key) for key, text in judged.passages.items()])
        told = kb.suggest_weights(
            {q: judged.questions[q] for q in some}, {q: dict.fromkeys(judged.answers[q], 1.0) for q in some}
        )
    assert told.ndcg > told.rrf + 0.05, told
    assert told.ndcg >= max(told.routes.values()) - 0.02, told
