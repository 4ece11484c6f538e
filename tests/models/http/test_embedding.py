"""Embedding over HTTP: what is asked in each provider's format, and what comes back."""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from elanus_models import PROVIDERS, HttpEmbedding, InvalidInput, MissingDependency

from tests.models.http.conftest import KEY
from tests.models.http.stand_in import DIM, Server, vectors_of

TEXTS = ["a kite hovers", "the wind drops", "größer", "日本語", ""]
Make = Callable[..., HttpEmbedding]
ASKED: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "openai": ("/v1/embeddings", "authorization", {"model": "m", "input": ["q"], "encoding_format": "base64"}, {}),
    "azure": (
        "/openai/deployments/m/embeddings?api-version=2024-10-21",
        "api-key",
        {"model": "m", "input": ["q"], "encoding_format": "base64"},
        {},
    ),
    "ollama": ("/v1/embeddings", "authorization", {"model": "m", "input": ["q"]}, {}),
    "vllm": ("/v1/embeddings", "authorization", {"model": "m", "input": ["q"], "encoding_format": "base64"}, {}),
    "tei": ("/embed", "authorization", {"inputs": ["q"]}, {}),
    "voyage": (
        "/v1/embeddings",
        "authorization",
        {"model": "m", "input": ["q"], "encoding_format": "base64", "input_type": "query"},
        {"input_type": "document"},
    ),
    "jina": (
        "/v1/embeddings",
        "authorization",
        {"model": "m", "input": ["q"], "task": "retrieval.query"},
        {"task": "retrieval.passage"},
    ),
    "cohere": (
        "/v2/embed",
        "authorization",
        {"model": "m", "texts": ["q"], "input_type": "search_query", "embedding_types": ["float"]},
        {"input_type": "search_document"},
    ),
    "mistral": ("/v1/embeddings", "authorization", {"model": "m", "input": ["q"]}, {}),
    "gemini": (
        "/v1beta/models/m:batchEmbedContents",
        "x-goog-api-key",
        {"requests": [{"model": "models/m", "content": {"parts": [{"text": "q"}]}, "taskType": "RETRIEVAL_QUERY"}]},
        {"taskType": "RETRIEVAL_DOCUMENT"},
    ),
    "nomic": (
        "/v1/embedding/text",
        "authorization",
        {"model": "m", "texts": ["q"], "task_type": "search_query"},
        {"task_type": "search_document"},
    ),
}


def test_every_provider_is_covered_here() -> None:
    assert set(ASKED) == {name for name, card in PROVIDERS.items() if card.embed}


@pytest.mark.parametrize("provider", ASKED)
def test_a_provider_is_asked_in_its_own_format(provider: str, server: Server, embedding: Make) -> None:
    path, header, body, document = ASKED[provider]
    model = embedding("m", provider=provider)
    np.testing.assert_array_equal(model.embed_queries(["q"]), vectors_of(["q"]))
    np.testing.assert_array_equal(model.embed_documents(["q"]), vectors_of(["q"]))
    asked, stored = server.seen
    assert asked.path == path
    assert asked.body == body
    assert asked.headers[header] == (KEY if header != "authorization" else f"Bearer {KEY}")
    flat = stored.body["requests"][0] if provider == "gemini" else stored.body
    assert {name: flat[name] for name in document} == document


@pytest.mark.parametrize("provider", ASKED)
def test_vectors_come_in_the_order_of_the_texts_over_all_batches(provider: str, embedding: Make) -> None:
    model = embedding(provider=provider, batch_size=2)
    found = model.embed_documents(TEXTS)
    assert found.dtype == np.float32
    assert found.shape == (len(TEXTS), DIM)
    np.testing.assert_array_equal(found, vectors_of(TEXTS))


@pytest.mark.parametrize("provider", ASKED)
def test_a_dimension_is_asked_for_by_the_providers_name_for_it(provider: str, server: Server, embedding: Make) -> None:
    model = embedding(provider=provider, dim=3)
    assert model.dim == 3
    np.testing.assert_array_equal(model.embed_queries(["abc"]), vectors_of(["abc"], 3))
    assert len(server.seen) == 1


def test_the_order_of_data_follows_its_index(server: Server, embedding: Make) -> None:
    server.script = [lambda right: {**right, "data": right["data"][::-1]}]
    np.testing.assert_array_equal(embedding().embed_documents(TEXTS), vectors_of(TEXTS))


def test_floats_are_read_where_base64_was_asked_for(server: Server, embedding: Make) -> None:
    server.script = [lambda right: {"data": [{"index": 0, "embedding": [0.5, -1, 2e-3]}]}]
    np.testing.assert_array_equal(embedding().embed_queries(["x"]), np.array([[0.5, -1, 2e-3]], np.float32))


def test_the_dimension_of_an_unknown_model_is_learned_from_one_text(server: Server, embedding: Make) -> None:
    model = embedding()
    assert model.info()["dim"] is None
    assert server.seen == []
    assert (model.dim, model.dim) == (DIM, DIM)
    assert len(server.seen) == 1
    assert model.info()["dim"] == DIM


def test_the_dimension_of_a_known_model_needs_no_request(server: Server, embedding: Make) -> None:
    assert embedding("text-embedding-3-small").dim == 1536
    assert embedding("gemini-embedding-001", provider="gemini").dim == 3072
    assert server.seen == []


def test_a_models_own_dimension_is_not_asked_for(server: Server, embedding: Make) -> None:
    model = embedding("mistral-embed", provider="mistral", dim=1024)
    server.script = [lambda right: {"data": [{"index": 0, "embedding": [1.0] * 1024}]}]
    model.embed_queries(["x"])
    assert set(server.seen[0].body) == {"model", "input"}


def test_no_texts_give_no_vectors(embedding: Make) -> None:
    assert embedding().embed_documents([]).shape == (0, DIM)
    assert embedding("text-embedding-3-small").embed_documents([]).shape == (0, 1536)


def test_requests_stay_below_the_providers_limits(server: Server, embedding: Make) -> None:
    card = PROVIDERS["openai"]
    assert card.embed is not None
    narrow = replace(card, embed=replace(card.embed, max_texts=3, max_bytes=10))
    texts = ["äää", "bbbb", "cc", "d", "e", "f", "x" * 50, "g"]
    np.testing.assert_array_equal(embedding(provider=narrow).embed_documents(texts), vectors_of(texts))
    sent = sorted((request.body["input"] for request in server.seen), key=lambda batch: texts.index(batch[0]))
    assert sent == [["äää", "bbbb"], ["cc", "d", "e"], ["f"], ["x" * 50], ["g"]]


def test_prefixes_and_further_fields_reach_the_server(server: Server, embedding: Make) -> None:
    model = embedding(
        provider="tei",
        document_prefix="passage: ",
        query_prefix="query: ",
        extra={"truncate": True, "normalize": False},
    )
    model.embed_documents(["x"])
    model.embed_queries(["x"])
    assert [request.body["inputs"] for request in server.seen] == [["passage: x"], ["query: x"]]
    assert server.seen[0].body["truncate"] is True
    assert server.seen[0].body["normalize"] is False


def test_types_of_text_can_be_replaced_and_left_out(server: Server, embedding: Make) -> None:
    model = embedding(provider="jina", document_type="code.passage", query_type="")
    model.embed_documents(["x"])
    model.embed_queries(["x"])
    assert [request.body.get("task") for request in server.seen] == ["code.passage", None]


@pytest.mark.parametrize(
    ("model", "task"),
    [
        ("jina-embeddings-v4", "retrieval.passage"),
        ("jina-embeddings-v2-base-en", None),
        ("jina-code-embeddings-0.5b", "nl2code.passage"),
    ],
)
def test_a_model_is_sent_the_types_that_it_takes(model: str, task: str | None, server: Server, embedding: Make) -> None:
    server.script = [lambda right: {"data": [{"index": 0, "embedding": [1.0] * 2048}]}]
    embedding(model, provider="jina").embed_documents(["x"])
    assert server.seen[0].body.get("task") == task


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("{}", "/v1/embeddings"),
        ("{}/", "/v1/embeddings"),
        ("{}/gateway/openai/", "/gateway/openai/embeddings"),
        ("{}/v1/embeddings", "/v1/embeddings"),
    ],
)
def test_a_base_url_may_have_a_path_or_none(given: str, asked: str, server: Server, embedding: Make) -> None:
    embedding(base_url=given.format(server.url)).embed_queries(["x"])
    assert server.seen[0].path == asked


def test_names_of_models_are_quoted_in_addresses(server: Server, embedding: Make) -> None:
    embedding("my/model?x", provider="azure").embed_queries(["x"])
    assert server.seen[0].path == "/openai/deployments/my%2Fmodel%3Fx/embeddings?api-version=2024-10-21"
    embedding("models/gemini-x", provider="gemini").embed_queries(["x"])
    assert server.seen[1].path == "/v1beta/models/gemini-x:batchEmbedContents"


def test_addresses_come_from_the_environment_too(
    server: Server, embedding: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.url)
    embedding("m", provider="azure_openai", base_url=None).embed_queries(["x"])
    assert len(server.seen) == 1


def test_connections_are_kept_and_opened_again_after_a_close(server: Server, embedding: Make) -> None:
    with embedding() as model:
        model.embed_queries(["x"])
        model.embed_queries(["y"])
    model.embed_queries(["z"])
    first, second, third = (request.port for request in server.seen)
    assert first == second != third


def test_many_threads_may_use_one_model(embedding: Make) -> None:
    model = embedding(batch_size=2)

    def ask(number: int) -> bool:
        texts = [f"{number}-{i}" for i in range(7)]
        return bool((model.embed_documents(texts) == vectors_of(texts)).all())

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(ask, range(30)))


def test_requests_are_under_way_at_once(server: Server, embedding: Make) -> None:
    together = threading.Barrier(3, timeout=5)

    def meet(right: Any) -> Any:
        together.wait()
        return right

    server.script = [meet, meet, meet]
    found = embedding(batch_size=1, concurrency=3).embed_documents(["a", "b", "c"])
    np.testing.assert_array_equal(found, vectors_of(["a", "b", "c"]))


async def test_the_async_methods_embed_alike(server: Server, embedding: Make) -> None:
    model = embedding(batch_size=2)
    np.testing.assert_array_equal(await model.aembed_documents(TEXTS), vectors_of(TEXTS))
    np.testing.assert_array_equal(await model.aembed_queries(["q"]), vectors_of(["q"]))
    assert (await model.aembed_documents([])).shape == (0, DIM)


async def test_async_with_keeps_the_connections(server: Server, embedding: Make) -> None:
    async with embedding() as model:
        await model.aembed_queries(["x"])
        await model.aembed_queries(["y"])
    await model.aembed_queries(["z"])
    first, second, third = (request.port for request in server.seen)
    assert first == second != third


async def test_coroutines_share_one_model(embedding: Make) -> None:
    async with embedding(batch_size=1) as model:
        found = await asyncio.gather(*[model.aembed_documents([f"a{i}", f"b{i}"]) for i in range(10)])
    for number, vectors in enumerate(found):
        np.testing.assert_array_equal(vectors, vectors_of([f"a{number}", f"b{number}"]))


def _ask(model: HttpEmbedding, answers: Any) -> None:
    answers.put(model.embed_queries(["child"]).tolist())


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="the system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_opens_its_own_connections(server: Server, embedding: Make) -> None:
    model = embedding()
    model.embed_queries(["parent"])
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    child = context.Process(target=_ask, args=(model, answers))
    child.start()
    child.join(20)
    assert child.exitcode == 0
    assert answers.get() == vectors_of(["child"]).tolist()
    model.embed_queries(["parent"])
    parent, forked, again = (request.port for request in server.seen)
    assert parent == again != forked
    answers.close()
    child.close()


async def test_progress_is_drawn_if_asked_for(embedding: Make, capsys: pytest.CaptureFixture[str]) -> None:
    model = embedding(batch_size=2, show_progress=True)
    model.embed_documents(["a", "b", "c"])
    assert "3/3" in capsys.readouterr().err
    await model.aembed_documents(["a", "b", "c"])
    assert "3/3" in capsys.readouterr().err


async def test_a_missing_httpx_is_named_with_the_way_out(embedding: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    model = embedding()
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(MissingDependency, match=r"httpx.*elanus\[models\]"):
        model.embed_queries(["x"])
    with pytest.raises(MissingDependency, match="httpx"):
        await model.aembed_queries(["x"])


def test_the_fingerprint_names_what_decides_about_the_vectors(embedding: Make) -> None:
    ways: list[dict[str, Any]] = [
        {},
        {"dim": 256},
        {"provider": "mistral"},
        {"query_prefix": "q: "},
        {"extra": {"user": "x"}},
        {"base_url": None},
        {"provider": "voyage"},
        {"provider": "voyage", "document_type": ""},
    ]
    found = [embedding("m", **way).fingerprint for way in ways]
    assert len(set(found)) == len(ways)
    assert embedding("m", batch_size=3, timeout=1).fingerprint == found[0]
    assert embedding("m", base_url=None).fingerprint == (
        '{"model":"m","prefixes":{"document":"","query":""},"provider":"openai","types":{"document":"","query":""}}'
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"provider": "opnai"}, "did you mean 'openai'"),
        ({"model": " "}, "model must be the name"),
        ({"model": ["m"]}, "model must be the name"),
        ({"dim": 0}, "dim must be"),
        ({"batch_size": 0}, "batch_size must be"),
        ({"concurrency": 0}, "concurrency must be"),
        ({"max_retries": -1}, "max_retries must be"),
        ({"timeout": 0}, "timeout must be"),
        ({"requests_per_minute": 0}, "requests_per_minute must be"),
        ({"document_type": "x"}, "knows no types of text"),
        ({"query_prefix": 3}, "must be str"),
        ({"extra": {"input": []}}, "extra holds 'input'"),
        ({"extra": {"dimensions": 3}}, "extra holds 'dimensions'"),
        ({"extra": {"x": object()}}, "what JSON can"),
        ({"extra": {"x": float("nan")}}, "what JSON can"),
        ({"base_url": "localhost:80"}, "must be a URL"),
        ({"base_url": "http://host:port"}, "must be a URL"),
        ({"base_url": f"http://u:{KEY}@host"}, "neither a user"),
        ({"base_url": f"http://host?key={KEY}"}, "neither a user"),
        ({"provider": "azure", "base_url": None}, "AZURE_OPENAI_ENDPOINT"),
        ({"api_key": 3}, "api_key must be"),
    ],
)
def test_an_argument_that_cannot_be_is_refused_at_once(arguments: dict[str, Any], said: str, embedding: Make) -> None:
    with pytest.raises(InvalidInput, match=said) as refused:
        embedding(**arguments)
    assert KEY not in str(refused.value)


def test_text_that_is_no_unicode_is_refused(server: Server, embedding: Make) -> None:
    with pytest.raises(InvalidInput, match="surrogate"):
        embedding().embed_documents(["fine", "\ud800"])
    assert server.seen == []
