"""What goes wrong between a client and a server, and what becomes of it."""

from __future__ import annotations

import email.utils
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from elanus_models import HttpEmbedding, HttpReranker, ProviderError, ProviderRefused, RateLimited
from elanus_models.http.pace import Pace

from tests.models.http.conftest import Waits
from tests.models.http.stand_in import Answer, Server, vectors_of

Make = Callable[..., HttpEmbedding]
MakeReranker = Callable[..., HttpReranker]
BAD = Answer(500, {"error": {"message": "the GPU is on fire"}})
HTML = "<html>" + "busy " * 200 + "</html>"


@pytest.fixture
def impatient(server: Server) -> Make:
    """Models that really wait."""
    return lambda **arguments: HttpEmbedding("some-model", api_key="k", base_url=server.url, **arguments)


def test_a_wrong_key_is_refused_without_a_second_try(server: Server, embedding: Make, waits: Waits) -> None:
    server.script = [Answer(401, {"error": {"message": "Incorrect API key provided"}})]
    with pytest.raises(ProviderRefused, match=r"openai refused model 'some-model'.*Incorrect API key") as refused:
        embedding().embed_queries(["x"])
    assert refused.value.status == 401
    assert f"{server.url}/v1/embeddings" in str(refused.value)
    assert (len(server.seen), waits) == (1, [])


@pytest.mark.parametrize("status", [400, 404, 413, 422, 302])
def test_an_error_that_stays_is_not_tried_again(status: int, server: Server, embedding: Make) -> None:
    server.script = [Answer(status, {"detail": [{"loc": ["body"], "msg": "Field required"}]})]
    with pytest.raises(ProviderError, match=rf"\({status}\): Field required") as failed:
        embedding().embed_queries(["x"])
    assert type(failed.value) is ProviderError
    assert failed.value.status == status
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
def test_an_error_that_may_pass_is_tried_again(status: int, server: Server, embedding: Make, waits: Waits) -> None:
    server.script = [Answer(status, HTML), Answer(status, HTML)]
    np.testing.assert_array_equal(embedding().embed_queries(["x"]), vectors_of(["x"]))
    assert len(server.seen) == 3
    first, second = waits
    assert 0.25 <= first <= 0.5 <= second <= 1.0


async def test_the_async_methods_try_again_too(server: Server, embedding: Make, waits: Waits) -> None:
    server.script = [BAD, Answer(429, "", {"Retry-After": "3"})]
    np.testing.assert_array_equal(await embedding().aembed_queries(["x"]), vectors_of(["x"]))
    assert len(waits) == 2
    assert waits[1] == pytest.approx(3, abs=0.5)


async def test_an_error_of_one_batch_ends_the_async_call(server: Server, embedding: Make) -> None:
    server.script = [Answer(400, {"message": "no"})]
    with pytest.raises(ProviderError, match=r"\(400\): no"):
        await embedding(batch_size=1, concurrency=2).aembed_documents(["a", "b", "c", "d"])


def test_an_error_of_one_batch_ends_the_call(server: Server, embedding: Make) -> None:
    server.always = Answer(400, {"message": "no"})
    with pytest.raises(ProviderError, match=r"\(400\): no"):
        embedding(batch_size=1, concurrency=2).embed_documents([str(i) for i in range(50)])
    assert len(server.seen) < 20


def test_an_error_of_one_batch_does_not_wait_for_the_patience_of_another(server: Server, impatient: Make) -> None:
    both = threading.Barrier(2, timeout=5)

    def answer(body: Any) -> Answer:
        both.wait()
        first = body["input"] == ["a"]
        return Answer(503, "", {"Retry-After": "50"}) if first else Answer(400, {"message": "no"}, delay=0.1)

    server.choose = answer
    started = time.monotonic()
    with impatient(batch_size=1, concurrency=2) as model, pytest.raises(ProviderError, match=r"\(400\): no"):
        model.embed_documents(["a", "b"])
    assert time.monotonic() - started < 10


def test_waits_are_real(server: Server, impatient: Make) -> None:
    server.script = [Answer(503, "", {"Retry-After": "0.2"})]
    started = time.monotonic()
    with impatient() as model:
        model.embed_documents(["a"])
    assert time.monotonic() - started >= 0.2


def test_an_answer_that_cannot_be_unpacked_is_an_error(server: Server, embedding: Make) -> None:
    server.always = Answer(200, "no gzip", {"Content-Encoding": "gzip"})
    with pytest.raises(ProviderError, match="DecodingError"):
        embedding().embed_queries(["x"])
    assert len(server.seen) == 1


def test_an_address_that_no_host_can_have_is_not_tried_again(embedding: Make, waits: Waits) -> None:
    with pytest.raises(ProviderError, match="InvalidURL"):
        embedding(base_url="http://1.2.3.999").embed_queries(["x"])
    assert waits == []


def test_a_server_that_fails_for_ever_is_given_up(server: Server, embedding: Make, waits: Waits) -> None:
    server.always = BAD
    with pytest.raises(ProviderError, match=r"\(500, 4 times\): the GPU is on fire") as failed:
        embedding(max_retries=3).embed_queries(["x"])
    assert failed.value.status == 500
    assert (len(server.seen), len(waits)) == (4, 3)


def test_no_retries_mean_one_request(server: Server, embedding: Make) -> None:
    server.always = BAD
    with pytest.raises(ProviderError, match=r"\(500\)"):
        embedding(max_retries=0).embed_queries(["x"])
    assert len(server.seen) == 1


def test_retry_after_in_seconds_is_waited_for(server: Server, embedding: Make, waits: Waits) -> None:
    server.script = [Answer(429, {"message": "slow down"}, {"Retry-After": "7"})]
    np.testing.assert_array_equal(embedding().embed_queries(["x"]), vectors_of(["x"]))
    assert list(waits) == [pytest.approx(7, abs=0.5)]


def test_retry_after_as_a_date_is_waited_for(server: Server, embedding: Make, waits: Waits) -> None:
    date = email.utils.formatdate(time.time() + 30, usegmt=True)
    server.script = [Answer(503, "", {"Retry-After": date})]
    np.testing.assert_array_equal(embedding().embed_queries(["x"]), vectors_of(["x"]))
    assert list(waits) == [pytest.approx(30, abs=2)]


@pytest.mark.parametrize("header", ["soon", "nan", "-5", "Mon, 99 Foo 2020"])
def test_a_retry_after_that_says_nothing_does_no_harm(header: str, server: Server, embedding: Make) -> None:
    server.script = [Answer(503, "", {"Retry-After": header})]
    np.testing.assert_array_equal(embedding().embed_queries(["x"]), vectors_of(["x"]))


def test_a_server_that_asks_for_an_hour_is_not_waited_for(server: Server, embedding: Make, waits: Waits) -> None:
    server.always = Answer(429, {"detail": "quota used up"}, {"Retry-After": "3600"})
    with pytest.raises(RateLimited, match="quota used up") as limited:
        embedding().embed_queries(["x"])
    assert limited.value.status == 429
    assert (len(server.seen), waits) == (1, [])


def test_too_many_requests_for_ever_are_a_rate_limit(server: Server, embedding: Make) -> None:
    server.always = Answer(429, {"message": "slow down"})
    with pytest.raises(RateLimited, match="requests_per_minute"):
        embedding(max_retries=2).embed_queries(["x"])
    assert len(server.seen) == 3


def test_a_connection_refused_is_tried_again_and_named(embedding: Make, waits: Waits) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(ProviderError, match=f"could not be reached.*127.0.0.1:{port}.*3 times") as failed:
        embedding(base_url=f"http://127.0.0.1:{port}", max_retries=2).embed_queries(["x"])
    assert failed.value.status is None
    assert len(waits) == 2


def test_a_server_that_does_not_answer_in_time_is_named(server: Server, embedding: Make) -> None:
    server.script = [Answer(200, {}, delay=0.3)]
    with pytest.raises(ProviderError, match="ReadTimeout"):
        embedding(timeout=0.05, max_retries=0).embed_queries(["x"])


def test_an_answer_that_breaks_off_is_asked_for_again(server: Server, embedding: Make) -> None:
    server.script = [Answer(200, {"data": []}, cut=5)]
    np.testing.assert_array_equal(embedding().embed_queries(["x"]), vectors_of(["x"]))
    assert len(server.seen) == 2


def _one(vector: Any, index: Any = 0) -> dict[str, Any]:
    return {"data": [{"index": index, "embedding": vector}]}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"data": [{"index": 0, "embe', "no JSON"),
        (HTML, "no JSON.*<html>busy"),
        (b"\xff\xfe", "no JSON"),
        ("", "no JSON.*no message"),
        ([], "no 'data'"),
        ({"data": 3}, "no list of data"),
        ({"data": []}, "0 vectors for 1 texts"),
        ({"data": [{"embedding": [1.0]}]}, "no 'index'"),
        ({"data": [{"index": 0}]}, "no 'embedding'"),
        (_one([1.0], 1), "do not number the 1 texts"),
        (_one([1.0], "0"), "do not number the 1 texts"),
        (_one([]), "something else than lists of numbers"),
        (_one(3), "something else than lists of numbers"),
        (_one(["a"]), "something else than numbers"),
        (_one([None, 1.0]), "not finite"),
        ('{"data": [{"index": 0, "embedding": [NaN]}]}', "not finite"),
        (_one([1e300]), "not finite"),
        (_one("####"), "no base64"),
        (_one("AAA="), "no base64"),
    ],
)
def test_an_answer_of_another_form_is_an_error(body: Any, said: str, server: Server, embedding: Make) -> None:
    server.script = [Answer(200, body)]
    with pytest.raises(ProviderError, match=said) as failed:
        embedding().embed_queries(["x"])
    assert failed.value.status == 200
    assert len(str(failed.value)) < 500
    assert len(server.seen) == 1


def test_vectors_of_different_lengths_are_an_error(server: Server, embedding: Make) -> None:
    server.script = [Answer(200, {"data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}]})]
    with pytest.raises(ProviderError, match="different lengths"):
        embedding().embed_documents(["x", "y"])


def test_too_few_vectors_are_an_error(server: Server, embedding: Make) -> None:
    server.script = [lambda right: {"data": right["data"][:1]}]
    with pytest.raises(ProviderError, match="1 vectors for 2 texts"):
        embedding().embed_documents(["x", "y"])


def test_vectors_that_are_not_of_the_dimension_are_an_error(server: Server, embedding: Make) -> None:
    with pytest.raises(ProviderError, match="vectors of 6 numbers, not 1536"):
        embedding("text-embedding-3-small").embed_queries(["x"])
    model = embedding()
    model.embed_queries(["x"])
    server.script = [Answer(200, _one([1.0, 2.0]))]
    with pytest.raises(ProviderError, match="vectors of 2 numbers, not 6"):
        model.embed_queries(["x"])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"results": [{"index": 0, "relevance_score": 1.0}]}, "1 results that do not number the 2 documents"),
        ({"results": [{"index": 0, "relevance_score": 1}, {"index": 0, "relevance_score": 1}]}, "do not number"),
        ({"results": [{"index": 0, "relevance_score": 1}, {"index": 1, "relevance_score": None}]}, "no finite number"),
        ({"results": [{"index": 0, "relevance_score": 1}, {"index": 1, "relevance_score": "x"}]}, "no number"),
        ({"results": [{"index": 0, "relevance_score": 1}, {"index": 1}]}, "no 'relevance_score'"),
        ({"data": []}, "no 'results'"),
    ],
)
def test_scores_of_another_form_are_an_error(body: Any, said: str, server: Server, reranker: MakeReranker) -> None:
    server.script = [Answer(200, body)]
    with pytest.raises(ProviderError, match=said):
        reranker().rerank("q", ["a", "b"])


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "what it says", "code": 3}},
        {"error": "what it says", "error_type": "validation"},
        {"message": "what it says"},
        {"message": {"detail": [{"msg": "what it says"}]}},
        {"detail": "what it says"},
        [{"error": {"code": 400, "message": "what it says"}}],
        "what it\n  says",
    ],
)
def test_the_servers_own_words_are_in_the_error(body: Any, server: Server, embedding: Make) -> None:
    server.script = [Answer(400, body)]
    with pytest.raises(ProviderError, match=r"\(400\): what it says$"):
        embedding().embed_queries(["x"])


def test_requests_start_as_rarely_as_asked(embedding: Make, waits: Waits) -> None:
    embedding(batch_size=1, concurrency=1, requests_per_minute=60).embed_documents(["a", "b", "c"])
    assert list(waits) == [pytest.approx(1, abs=0.3), pytest.approx(2, abs=0.3)]


def test_a_pace_spaces_requests_and_holds_all_of_them() -> None:
    now = [100.0]
    pace = Pace(120, clock=lambda: now[0])
    assert [pace.reserve() for _ in range(3)] == [0.0, 0.5, 1.0]
    now[0] += 60
    assert pace.reserve() == 0.0
    pace.hold(5)
    assert pace.reserve() == 5.0
    free = Pace(clock=lambda: now[0])
    assert [free.reserve() for _ in range(3)] == [0.0, 0.0, 0.0]
