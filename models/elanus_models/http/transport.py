"""The connections over which calls are sent, by many threads or from coroutines."""

from __future__ import annotations

import asyncio
import functools
import os
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from elanus_models.errors import missing
from elanus_models.http.exchange import Asked, Call, Reply, Retries, exchange
from elanus_models.http.pace import Pace

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

    import httpx

T = TypeVar("T")


@dataclass(frozen=True)
class Line:
    """What the threads of one process share: the pool of connections, and the pace."""

    client: httpx.Client
    pace: Pace


class Transport:
    """Sends calls, at most `concurrency` at a time, and gives what they were answered, in their order.

    Connections open on first use and are kept until `close`. A forked process opens its own. Coroutines share
    connections between `aopen` and `aclose`, which belong to one event loop; otherwise each run opens its own.
    `sleep(seconds, stopped)` and `asleep(seconds)` do the waiting; the former may end early once `stopped` is set.
    """

    def __init__(
        self,
        asked: Asked,
        *,
        retries: Retries,
        timeout: float,
        concurrency: int,
        requests_per_minute: float | None,
    ) -> None:
        self.asked = asked
        self.retries = retries
        self.timeout = timeout
        self.concurrency = concurrency
        self.requests_per_minute = requests_per_minute
        self.sleep: Callable[[float, threading.Event], object] = _sleep
        self.asleep: Callable[[float], Awaitable[object]] = asyncio.sleep
        self._lines: dict[int, Line] = {}
        self._clients: dict[asyncio.AbstractEventLoop, httpx.AsyncClient] = {}

    def run(self, calls: Sequence[Call[T]]) -> Iterator[T]:
        """Send the calls and yield what each was answered; the first error ends the waits of the others."""
        stopped = threading.Event()
        errors: list[Exception] = []

        def ask(call: Call[T]) -> T:
            try:
                return self._ask(call, stopped)
            except Exception as error:
                errors.append(error)
                stopped.set()
                raise

        if len(calls) < 2 or self.concurrency == 1:
            yield from map(ask, calls)
            return
        pool = ThreadPoolExecutor(min(self.concurrency, len(calls)), "elanus-http")
        try:
            yield from pool.map(ask, calls)
        except Exception as error:
            raise (errors[0] if errors else error) from None
        finally:
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)

    async def arun(self, calls: Sequence[Call[T]], advance: Callable[[int], object]) -> list[T]:
        """Send the calls from coroutines; `advance` is told the texts of each that is answered."""
        gate = asyncio.Semaphore(self.concurrency)
        async with self._client() as client:

            async def ask(call: Call[T]) -> T:
                async with gate:
                    answer = await self._aask(client, call)
                advance(call.texts)
                return answer

            tasks = [asyncio.create_task(ask(call)) for call in calls]
            try:
                return list(await asyncio.gather(*tasks))
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def close(self) -> None:
        """Close this process's connections; a later call opens new ones."""
        line = self._lines.pop(os.getpid(), None)
        if line is not None:
            line.client.close()

    async def aopen(self) -> None:
        """Keep the connections of this event loop's coroutines until `aclose`."""
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self._clients[loop] = _httpx().AsyncClient(**self._options())

    async def aclose(self) -> None:
        """Close the connections of this event loop's coroutines, and those of the threads."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_lines": {}, "_clients": {}}

    def _ask(self, call: Call[T], stopped: threading.Event) -> T:
        line = self._line()
        steps = exchange(call, self.asked, self.retries, line.pace)
        reply: Reply | None = None
        while True:
            try:
                seconds = steps.send(reply)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
            reply = None
            if seconds is None:
                try:
                    reply = _reply(line.client.post(call.url, **self._request(call)))
                except _failures() as error:
                    reply = _no_reply(error)
            else:
                self.sleep(seconds, stopped)
                if stopped.is_set():
                    raise CancelledError

    async def _aask(self, client: httpx.AsyncClient, call: Call[T]) -> T:
        steps = exchange(call, self.asked, self.retries, self._line().pace)
        reply: Reply | None = None
        while True:
            try:
                seconds = steps.send(reply)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
            reply = None
            if seconds is None:
                try:
                    reply = _reply(await client.post(call.url, **self._request(call)))
                except _failures() as error:
                    reply = _no_reply(error)
            else:
                await self.asleep(seconds)

    def _line(self) -> Line:
        """Return this process's line. A parent's connections are neither used nor closed by its children."""
        process = os.getpid()
        line = self._lines.get(process)
        if line is None:
            fresh = Line(_httpx().Client(**self._options()), Pace(self.requests_per_minute))
            line = self._lines.setdefault(process, fresh)
        return line

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[httpx.AsyncClient]:
        kept = self._clients.get(asyncio.get_running_loop())
        if kept is not None:
            yield kept
            return
        async with _httpx().AsyncClient(**self._options()) as client:
            yield client

    def _options(self) -> dict[str, Any]:
        return {"timeout": self.timeout, "headers": {"Content-Type": "application/json"}, "verify": _trust()}

    def _request(self, call: Call[Any]) -> dict[str, Any]:
        return {"content": call.body, "auth": self._sign}

    def _sign(self, request: httpx.Request) -> httpx.Request:
        header = self.asked.key.header()
        if header is not None:
            request.headers[header[0]] = header[1]
        return request


def _httpx() -> Any:
    try:
        import httpx
    except ImportError as error:
        raise missing("httpx") from error
    return httpx


@functools.cache
def _trust() -> ssl.SSLContext:
    """Return the certificates to trust; reading them takes 25 ms, so that clients share them."""
    return _httpx().create_ssl_context()  # type: ignore[no-any-return]


def _failures() -> tuple[type[Exception], ...]:
    """Return what httpx raises when there is no answer, or none that it can read."""
    httpx = _httpx()
    return (httpx.RequestError, httpx.InvalidURL)


def _sleep(seconds: float, stopped: threading.Event) -> None:
    stopped.wait(seconds)


def _reply(response: httpx.Response) -> Reply:
    return Reply(response.status_code, response.content, response.headers.get("retry-after"))


def _no_reply(error: Exception) -> Reply:
    """Return a failure in words: the exception itself holds the request, and with it the key."""
    kind = type(error).__name__
    lasting = not isinstance(error, _httpx().TransportError)
    return Reply(None, failure=f"{kind}: {error}" if str(error) else kind, lasting=lasting)
