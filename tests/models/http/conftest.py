"""A stand-in of the providers' servers, an environment without keys, and models that do not really wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from elanus_models import PROVIDERS, HttpEmbedding, HttpReranker

from tests.models.http.stand_in import Server, serving

KEY = "sk-VERYSECRET-1234567890"
"""The key that must be seen nowhere."""


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for card in PROVIDERS.values():
        for name in (*card.key_names, *card.url_names):
            monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as one:
        yield one


class Waits(list[float]):
    """The seconds a model meant to wait."""


@pytest.fixture
def waits() -> Waits:
    return Waits()


def _patient(model: Any, waits: Waits) -> None:
    def sleep(seconds: float, stopped: threading.Event) -> None:
        waits.append(seconds)

    async def asleep(seconds: float) -> None:
        waits.append(seconds)

    model.transport.sleep = sleep
    model.transport.asleep = asleep


@pytest.fixture
def embedding(server: Server, waits: Waits) -> Iterator[Callable[..., HttpEmbedding]]:
    made: list[HttpEmbedding] = []

    def make(model: str = "some-model", **arguments: Any) -> HttpEmbedding:
        one = HttpEmbedding(model, **{"base_url": server.url, "api_key": KEY, **arguments})
        _patient(one, waits)
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


@pytest.fixture
def reranker(server: Server, waits: Waits) -> Iterator[Callable[..., HttpReranker]]:
    made: list[HttpReranker] = []

    def make(model: str = "some-reranker", **arguments: Any) -> HttpReranker:
        one = HttpReranker(model, **{"base_url": server.url, "api_key": KEY, **arguments})
        _patient(one, waits)
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()
