"""Reranking over HTTP: what is asked in each provider's format, and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from elanus_models import PROVIDERS, HttpReranker, InvalidInput, RerankResult

from tests.models.http.conftest import KEY
from tests.models.http.stand_in import Server, score_of

QUERY = "where does a kite hover"
DOCUMENTS = ["the wind drops", "a kite hovers there", "", "größer", "a kite", "where", "日本語"]
Make = Callable[..., HttpReranker]
SCORES = [score_of(QUERY, document) for document in DOCUMENTS]
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "cohere": ("/v2/rerank", {"model": "m", "query": "q", "documents": ["a", "b"], "top_n": 2}),
    "jina": (
        "/v1/rerank",
        {"model": "m", "query": "q", "documents": ["a", "b"], "top_n": 2, "return_documents": False},
    ),
    "voyage": (
        "/v1/rerank",
        {"model": "m", "query": "q", "documents": ["a", "b"], "top_k": 2, "return_documents": False},
    ),
    "tei": ("/rerank", {"query": "q", "texts": ["a", "b"]}),
    "vllm": ("/v1/rerank", {"model": "m", "query": "q", "documents": ["a", "b"], "top_n": 2}),
}


def test_every_provider_is_covered_here() -> None:
    assert set(ASKED) == {name for name, card in PROVIDERS.items() if card.rerank}


@pytest.mark.parametrize("provider", ASKED)
def test_a_provider_is_asked_in_its_own_format(provider: str, server: Server, reranker: Make) -> None:
    reranker("m", provider=provider).rerank("q", ["a", "b"])
    (request,) = server.seen
    assert (request.path, request.body) == ASKED[provider]
    assert request.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("provider", ASKED)
@pytest.mark.parametrize("batch_size", [None, 1, 3])
def test_every_document_gets_its_score(provider: str, batch_size: int | None, reranker: Make) -> None:
    model = reranker(provider=provider, batch_size=batch_size)
    found = model.scores(QUERY, DOCUMENTS)
    assert found.dtype == np.float32
    assert found.tolist() == SCORES


async def test_results_come_best_first_in_both_ways(reranker: Make) -> None:
    model = reranker(batch_size=3)
    best = sorted(range(len(DOCUMENTS)), key=lambda i: -SCORES[i])
    wanted = [RerankResult(DOCUMENTS[i], SCORES[i], i) for i in best]
    assert model.rerank(QUERY, DOCUMENTS) == wanted
    assert await model.arerank(QUERY, DOCUMENTS) == wanted
    assert await model.arerank(QUERY, DOCUMENTS, 2) == model(QUERY, DOCUMENTS, 2) == wanted[:2]


async def test_no_documents_make_no_request(server: Server, reranker: Make) -> None:
    assert reranker().rerank(QUERY, []) == []
    assert await reranker().arerank(QUERY, []) == []
    assert server.seen == []


async def test_wrong_arguments_are_refused_before_a_request(server: Server, reranker: Make) -> None:
    model = reranker()
    for query, documents, top_k in ((3, ["a"], None), ("q", "a", None), ("q", ["a"], 0)):
        with pytest.raises(InvalidInput):
            model.rerank(query, documents, top_k)  # type: ignore[arg-type]
        with pytest.raises(InvalidInput):
            await model.arerank(query, documents, top_k)  # type: ignore[arg-type]
    assert server.seen == []


def test_a_server_with_one_model_is_asked_without_its_name(server: Server, reranker: Make) -> None:
    reranker("", provider="vllm", extra={"truncate_prompt_tokens": 99}).rerank("q", ["a"])
    assert server.seen[0].body == {"query": "q", "documents": ["a"], "top_n": 1, "truncate_prompt_tokens": 99}
    with pytest.raises(InvalidInput, match="name of a model"):
        reranker("", provider="cohere")


def test_what_does_not_rerank_is_refused(reranker: Make) -> None:
    with pytest.raises(InvalidInput, match="'openai' does not rerank; those that do: vllm, tei, voyage, jina, cohere"):
        reranker(provider="openai")
    with pytest.raises(InvalidInput, match="extra holds 'top_n'"):
        reranker(extra={"top_n": 3})


def test_info_names_server_and_model(server: Server, reranker: Make) -> None:
    info = reranker("m").info()
    assert (info["provider"], info["model"], info["url"], info["key"]) == (
        "cohere",
        "m",
        f"{server.url}/v2/rerank",
        "given",
    )
