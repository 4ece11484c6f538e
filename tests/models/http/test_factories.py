"""The HTTP models as an engine finds them: entry points that take the parameters of Milvus's functions."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any

import pytest
from elanus_models import HttpEmbedding, HttpReranker, InvalidInput, ProviderRefused

from tests.models.http.conftest import KEY
from tests.models.http.stand_in import Server

EMBEDDERS = (
    *("openai", "azure_openai", "ollama", "vllm", "tei", "voyageai", "jina", "cohere", "mistral", "gemini", "nomic"),
)
RERANKERS = ("cohere", "jina", "voyageai", "tei", "vllm")


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI", "AZURE_OPENAI", "VOYAGE", "JINA", "CO", "MISTRAL", "GEMINI", "NOMIC"):
        monkeypatch.setenv(f"{name}_API_KEY", KEY)


def entry(group: str, name: str) -> Any:
    (found,) = entry_points(group=group, name=name)
    return found.load()


@pytest.fixture
def closing() -> Iterator[list[Any]]:
    made: list[Any] = []
    yield made
    for one in made:
        one.close()


@pytest.mark.parametrize("name", EMBEDDERS)
@pytest.mark.parametrize("address", ["url", "endpoint"])
def test_an_embedder_is_made_from_strings(name: str, address: str, server: Server, closing: list[Any]) -> None:
    params = {address: server.url, "dim": "3", "timeout": "5", "max_client_batch_size": "2", "MAX_RETRIES": "0"}
    model = entry("elanus.models", name)("m", **params)
    closing.append(model)
    assert isinstance(model, HttpEmbedding)
    assert model.embed_documents(["a", "b", "c"]).shape == (3, 3)
    assert len(server.seen) == 2
    assert (model.info()["timeout"], model.info()["max_retries"]) == (5.0, 0)


@pytest.mark.parametrize("name", RERANKERS)
def test_a_reranker_is_made_from_strings(name: str, server: Server, closing: list[Any]) -> None:
    model = entry("elanus.rerankers", name)(model_name="m", endpoint=server.url, max_client_batch_size=2)
    closing.append(model)
    assert isinstance(model, HttpReranker)
    assert [result.text for result in model.rerank("abc", ["x", "ab", "abc"])] == ["abc", "ab", "x"]
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("name", "params", "field", "value"),
    [
        ("openai", {"user": "me"}, "user", "me"),
        ("cohere", {"truncate": "END"}, "truncate", "END"),
        ("voyageai", {"truncation": "true"}, "truncation", True),
        ("tei", {"truncate": "False", "truncation_direction": "Left"}, "truncation_direction", "Left"),
        ("tei", {"ingestion_prompt": "passage: "}, "inputs", ["passage: x"]),
        ("vllm", {"truncate_prompt_tokens": "512"}, "truncate_prompt_tokens", 512),
    ],
)
def test_parameters_of_milvus_reach_the_request(
    name: str, params: dict[str, str], field: str, value: object, server: Server, closing: list[Any]
) -> None:
    model = entry("elanus.models", name)("m", url=server.url, **params)
    closing.append(model)
    model.embed_documents(["x"])
    assert server.seen[0].body[field] == value


def test_a_reranker_of_one_model_needs_no_name(server: Server, closing: list[Any]) -> None:
    for name, field in (("tei", "truncate"), ("vllm", "truncate_prompt_tokens")):
        model = entry("elanus.rerankers", name)(endpoint=server.url, **{field: "1" if name == "vllm" else "true"})
        closing.append(model)
        model.rerank("q", ["a"])
    assert [request.body.get("truncate_prompt_tokens") for request in server.seen] == [None, 1]


@pytest.mark.parametrize("param", ["credential", "api_key", "Credential", "integration_id"])
@pytest.mark.parametrize("group", ["elanus.models", "elanus.rerankers"])
def test_keys_are_no_parameters(group: str, param: str) -> None:
    with pytest.raises(InvalidInput, match="environment, CO_API_KEY") as refused:
        entry(group, "cohere")("m", **{param: KEY})
    assert KEY not in str(refused.value)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"dimension": 3}, "'dimension' is no parameter of 'openai'; there are: .*dim"),
        ({"dim": "many"}, "'dim' of 'openai' must be a whole number"),
        ({"dim": 2.5}, "must be a whole number"),
        ({"dim": True}, "must be a whole number"),
        ({"timeout": "long"}, "'timeout' of 'openai' must be a number"),
        ({"timeout": "nan"}, "timeout must be"),
        ({"dim": 0}, "dim must be"),
    ],
)
def test_a_parameter_that_means_nothing_is_refused(params: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        entry("elanus.models", "openai")("m", **params)


def test_a_missing_key_is_refused_when_the_model_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MISTRAL_API_KEY")
    with pytest.raises(ProviderRefused, match="MISTRAL_API_KEY"):
        entry("elanus.models", "mistral")("mistral-embed")
