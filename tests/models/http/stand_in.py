"""A server on this machine that speaks the providers' formats, and makes the mistakes it is told to."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import numpy.typing as npt

DIM = 6


def vector_of(text: str, dim: int = DIM) -> list[float]:
    """The vector this server has for a text."""
    numbers = np.frombuffer(text.encode().ljust(dim, b"~")[:dim], np.uint8).astype(np.float32)
    return [float(number) for number in numbers / 64 + len(text)]


def vectors_of(texts: list[str], dim: int = DIM) -> npt.NDArray[np.float32]:
    """The vectors this server has for texts."""
    return np.array([vector_of(text, dim) for text in texts], np.float32)


def score_of(query: str, document: str) -> float:
    """The score this server gives: how many letters the two share."""
    return len(set(query) & set(document)) / 8


@dataclass
class Answer:
    """What to answer instead of the right thing."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    delay: float = 0.0


@dataclass
class Request:
    """What a client sent."""

    path: str
    headers: dict[str, str]
    body: Any
    port: int


def _embed_openai(body: Any) -> Any:
    dim = body.get("dimensions") or body.get("output_dimension") or DIM
    data = [{"object": "embedding", "index": i, "embedding": vector_of(t, dim)} for i, t in enumerate(body["input"])]
    if body.get("encoding_format") == "base64":
        for one in data:
            one["embedding"] = base64.b64encode(np.array(one["embedding"], "<f4").tobytes()).decode()
    return {"object": "list", "data": data, "model": body.get("model", "m"), "usage": {"total_tokens": 1}}


def _embed_cohere(body: Any) -> Any:
    assert body["embedding_types"] == ["float"]
    dim = body.get("output_dimension", DIM)
    return {
        "id": "1",
        "embeddings": {"float": [vector_of(text, dim) for text in body["texts"]]},
        "texts": body["texts"],
    }


def _embed_gemini(body: Any) -> Any:
    def one(request: Any) -> Any:
        (part,) = request["content"]["parts"]
        return {"values": vector_of(part["text"], request.get("outputDimensionality", DIM))}

    return {"embeddings": [one(request) for request in body["requests"]]}


def _ranked(body: Any, texts: list[str], name: str) -> list[Any]:
    scored = [{"index": i, name: score_of(body["query"], text)} for i, text in enumerate(texts)]
    return sorted(scored, key=lambda one: -one[name])[: body.get("top_n", body.get("top_k"))]


def _rerank(body: Any) -> Any:
    if "texts" in body:
        return _ranked(body, body["texts"], "score")
    name = "data" if "top_k" in body else "results"
    return {"id": "1", name: _ranked(body, body["documents"], "relevance_score"), "meta": {}}


_ROUTES: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    (":batchEmbedContents", _embed_gemini),
    (
        "/embedding/text",
        lambda body: {"embeddings": [vector_of(t, body.get("dimensionality", DIM)) for t in body["texts"]]},
    ),
    ("/embeddings", _embed_openai),
    ("/v2/embed", _embed_cohere),
    ("/embed", lambda body: [vector_of(text, body.get("dimensions", DIM)) for text in body["inputs"]]),
    ("/rerank", _rerank),
)


class Server(ThreadingHTTPServer):
    """Answers as the path asks, unless `script` (taken from its front), `choose` or `always` has another answer."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.script: list[Answer | Callable[[Any], Any]] = []
        self.always: Answer | None = None
        self.choose: Callable[[Any], Answer | None] = lambda body: None
        self.seen: list[Request] = []
        self.lock = threading.Lock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing about clients that went away."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.server.lock:
            self.server.seen.append(Request(self.path, headers, body, self.client_address[1]))
            step = self.server.script.pop(0) if self.server.script else None
        step = step or self.server.choose(body) or self.server.always
        if step is None or not isinstance(step, Answer):
            path = self.path.partition("?")[0]
            right = next((make(body) for end, make in _ROUTES if path.endswith(end)), None)
            step = (
                Answer(404, {"error": "no such path"}) if right is None else Answer(body=step(right) if step else right)
            )
        self._send(step)

    def _send(self, answer: Answer) -> None:
        time.sleep(answer.delay)
        body = answer.body
        data = (
            body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        )
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(data)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data[: len(data) - answer.cut])
        if answer.cut:
            self.close_connection = True

    def log_message(self, *parts: Any) -> None:
        pass


@contextmanager
def serving() -> Iterator[Server]:
    """A server that runs until the end of the block."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
