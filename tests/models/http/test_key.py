"""Keys: where they come from, and that they are seen nowhere."""

from __future__ import annotations

import asyncio
import copy
import logging
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from elanus_models import PROVIDERS, HttpEmbedding, HttpReranker, ProviderError, ProviderRefused

from tests.models.http.conftest import KEY
from tests.models.http.stand_in import Answer, Server

Make = Callable[..., Any]
HOSTED = [name for name, card in PROVIDERS.items() if card.needs_key]


@pytest.mark.parametrize("provider", HOSTED)
def test_a_missing_key_is_refused_naming_the_variable(provider: str, server: Server) -> None:
    name = PROVIDERS[provider].key_names[0]
    with pytest.raises(ProviderRefused, match=name):
        HttpEmbedding("m", provider=provider, base_url=server.url)


@pytest.mark.parametrize("provider", ["ollama", "vllm", "tei"])
def test_local_servers_need_no_key(provider: str, server: Server, embedding: Make) -> None:
    embedding(provider=provider, api_key=None).embed_queries(["x"])
    assert "authorization" not in server.seen[0].headers


@pytest.mark.parametrize("provider", list(PROVIDERS))
def test_every_variable_of_the_card_is_read(
    provider: str, server: Server, embedding: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = PROVIDERS[provider]
    for name in card.key_names:
        with monkeypatch.context() as environment:
            environment.setenv(name, f" {KEY}\n")
            model = embedding(provider=provider, api_key=None)
            assert model.info()["key"] == f"environment variable {name}"
            model.embed_queries(["x"])
        assert server.seen[-1].headers[card.key_header.lower()] == card.key_prefix + KEY


def test_the_environment_is_read_at_every_call(
    server: Server, embedding: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "first")
    model = embedding(api_key=None)
    model.embed_queries(["x"])
    monkeypatch.setenv("OPENAI_API_KEY", "second")
    model.embed_queries(["x"])
    assert [request.headers["authorization"] for request in server.seen] == ["Bearer first", "Bearer second"]
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ProviderRefused, match="OPENAI_API_KEY"):
        model.embed_queries(["x"])


def test_a_given_key_is_not_pickled(server: Server, embedding: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    model = embedding()
    model.embed_queries(["x"])
    model.transport.sleep = print
    model.transport.asleep = asyncio.sleep
    data = pickle.dumps(model)
    assert KEY.encode() not in data
    other = pickle.loads(data)
    with pytest.raises(ProviderRefused, match="OPENAI_API_KEY"):
        other.embed_queries(["x"])
    monkeypatch.setenv("OPENAI_API_KEY", "another")
    with other:
        other.embed_queries(["x"])
    assert server.seen[-1].headers["authorization"] == "Bearer another"
    assert other.fingerprint == model.fingerprint


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy])
def test_a_copy_in_the_same_process_keeps_the_key(way: Callable[[Any], Any], server: Server, embedding: Make) -> None:
    with way(embedding()) as twin:
        twin.embed_queries(["x"])
    assert server.seen[-1].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("key", ["two words", "sk-é-VERYSECRET", "sk\r\nX: VERYSECRET", "sk-\x7f-VERYSECRET"])
def test_a_key_that_no_header_can_carry_is_refused_unseen(key: str, server: Server) -> None:
    with pytest.raises(ProviderRefused, match="no header can") as refused:
        HttpEmbedding("m", api_key=key, base_url=server.url)
    assert "VERYSECRET" not in _all_of(refused.value)
    assert "words" not in str(refused.value)


def _all_of(error: BaseException) -> str:
    """Everything that an error shows: text, traceback, the variables of our frames in it, causes, pickle.

    A constructor that refuses its arguments holds them.
    """
    shown = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if "elanus_models" in frame.f_code.co_filename and frame.f_code.co_name != "__init__":
            shown += repr(frame.f_locals)
    linked = [one for one in (error.__cause__, error.__context__) if one is not None]
    return shown + pickle.dumps(error).decode("latin-1") + "".join(_all_of(one) for one in linked)


def _echo(request: str) -> Answer:
    return Answer(401, {"error": {"message": f"bad header {request}: Bearer {KEY}"}})


@pytest.mark.parametrize("provider", list(PROVIDERS))
@pytest.mark.parametrize(
    "answer",
    [
        _echo("authorization"),
        Answer(403, f"denied for {KEY}"),
        Answer(400, {"message": KEY * 40}),
        Answer(500, {"detail": KEY}),
        Answer(429, KEY),
        Answer(200, f"not json {KEY}"),
        Answer(200, {"data": [KEY], "embeddings": KEY}),
        Answer(200, {}, cut=1),
        Answer(302, "", {"Location": f"/?key={KEY}"}),
    ],
    ids=lambda answer: str(answer.status),
)
def test_a_key_is_in_no_error(
    provider: str, answer: Answer, server: Server, embedding: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.always = answer
    with pytest.raises(ProviderError) as failed:
        embedding(provider=provider, max_retries=1).embed_queries(["x"])
    assert "VERYSECRET" not in _all_of(failed.value)
    sent = [record for record in caplog.records if "location" not in record.getMessage().lower()]
    assert not any("VERYSECRET" in record.getMessage() for record in sent)


def test_a_key_is_in_no_error_of_the_network(embedding: Make) -> None:
    with pytest.raises(ProviderError) as failed:
        embedding(base_url="http://127.0.0.1:1", max_retries=1).embed_queries(["x"])
    assert "VERYSECRET" not in _all_of(failed.value)
    assert failed.value.__context__ is None


@pytest.mark.parametrize("provider", list(PROVIDERS))
def test_a_key_is_in_no_repr_info_fingerprint_or_log(
    provider: str, embedding: Make, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    model = embedding(provider=provider)
    model.embed_queries(["x"])
    transport = model.transport
    shown = [model, model.info(), model.fingerprint, transport, transport.asked, transport.retries, model.server]
    assert "VERYSECRET" not in "".join(f"{one!r}{one!s}" for one in shown)
    assert not any("VERYSECRET" in f"{record.getMessage()}{record.args!r}" for record in caplog.records)
    assert caplog.records
    assert "VERYSECRET" not in "".join(capfd.readouterr())


def test_a_rerankers_key_is_as_secret(
    server: Server, reranker: Callable[..., HttpReranker], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    model = reranker()
    model.rerank("x", ["y"])
    assert "VERYSECRET" not in f"{model!r}{model.info()}{caplog.text}"
    model.transport.sleep = print
    model.transport.asleep = asyncio.sleep
    assert KEY.encode() not in pickle.dumps(model)
    server.always = _echo("x")
    with pytest.raises(ProviderRefused) as refused:
        model.rerank("x", ["y"])
    assert "VERYSECRET" not in _all_of(refused.value)
