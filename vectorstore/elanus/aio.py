"""The client for asyncio: every method of `Client` as a coroutine, run on threads."""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

from elanus.client import Client


class AsyncClient:
    """Wrap a `Client` (or make one from `connect`'s arguments) so that its methods can be awaited.

    The event loop is never blocked: calls run on a small pool of threads, where searches release the GIL.
    `close()` is awaited like the rest. What does no work (`create_schema`, `prepare_index_params`) stays a plain
    method.
    """

    _PLAIN = frozenset({"create_schema", "create_struct_field_schema", "prepare_index_params"})

    def __init__(self, path: str | os.PathLike[str] | Client | None = None, **options: Any) -> None:
        self._client = path if isinstance(path, Client) else Client(path, **options)
        self._pool = ThreadPoolExecutor(thread_name_prefix="elanus-async")
        self._closed = False

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)
        if name in self._PLAIN or not callable(method):
            return method  # type: ignore[no-any-return]

        @functools.wraps(method)
        async def call(*args: Any, **kwargs: Any) -> Any:
            work = functools.partial(method, *args, **kwargs)
            if self._closed:
                return work()  # the client refuses at once
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)

        return call

    async def close(self) -> None:
        """Close the client; again is harmless."""
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(None, self._client.close)
        self._pool.shutdown(wait=False)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
