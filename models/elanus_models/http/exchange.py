"""One request and what becomes of it: sent again, answered, or an error. Nothing here waits or opens a connection."""

from __future__ import annotations

import email.utils
import json
import random
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from elanus_models.errors import ProviderError, ProviderRefused, RateLimited
from elanus_models.http.formats import Unexpected
from elanus_models.http.key import Key
from elanus_models.http.pace import Pace

T = TypeVar("T")
_SHOWN = 300


@dataclass(frozen=True)
class Call(Generic[T]):
    """A request as data: what is posted, how the answer is read (raising Unexpected), and how many texts it holds."""

    url: str
    body: bytes = field(repr=False)
    read: Callable[[Any], T]
    texts: int


@dataclass(frozen=True)
class Reply:
    """A server's answer; without a status, `failure` says why there was none, `lasting` that there will be none."""

    status: int | None
    body: bytes = field(default=b"", repr=False)
    retry_after: str | None = None
    failure: str = ""
    lasting: bool = False

    @property
    def passing(self) -> bool:
        """Whether asking again may help."""
        if self.status is None:
            return not self.lasting
        return self.status in (408, 409, 429) or self.status >= 500


@dataclass(frozen=True)
class Retries:
    """How often and when to ask again.

    The wait before attempt n+1 is random between half of and all of `first` * 2**n, at most `longest` seconds. A
    server that asks for more patience than `patience` seconds is not waited for.
    """

    most: int = 5
    first: float = 0.5
    longest: float = 20.0
    patience: float = 60.0

    def wait(self, attempt: int) -> float:
        """Return the seconds to wait after so many failed attempts."""
        return min(self.longest, self.first * 2.0 ** min(attempt, 30)) * random.uniform(0.5, 1)


@dataclass(frozen=True)
class Asked:
    """Who is asked for what, in the words of an error."""

    provider: str
    model: str
    key: Key

    def failed(self, call: Call[Any], reply: Reply, attempts: int) -> ProviderError:
        """Return the error for a reply that is none, or that says no."""
        what = f"model '{self.model}' at {call.url}"
        times = f", {attempts} times" if attempts > 1 else ""
        if reply.status is None:
            return ProviderError(
                f"{self.provider} could not be reached for {what}{times}: {self.key.hide(reply.failure)}"
            )
        said = shortened(self.key.hide(message(reply.body)))
        if reply.status in (401, 403):
            return ProviderRefused(
                f"{self.provider} refused {what} ({reply.status}): {said}; key: {self.key.origin}", reply.status
            )
        if reply.status == 429:
            return RateLimited(
                f"{self.provider} limits the rate of {what} (429{times}): {said}; "
                "set requests_per_minute lower, or max_retries higher",
                429,
            )
        return ProviderError(f"{self.provider} failed for {what} ({reply.status}{times}): {said}", reply.status)

    def unexpected(self, call: Call[Any], reply: Reply, why: str) -> ProviderError:
        """Return the error for a good answer that cannot be read."""
        return ProviderError(
            f"{self.provider} answered with {why} for model '{self.model}' at {call.url}; is that the address of "
            f"such a server, and the model of the right kind?",
            reply.status,
        )


def exchange(call: Call[T], asked: Asked, retries: Retries, pace: Pace) -> Generator[float | None, Reply | None, T]:
    """Yield seconds to wait, or None to send the call and be given its reply; return what the answer holds.

    Raises ProviderRefused, RateLimited or ProviderError.
    """
    attempt = 0
    while True:
        if (seconds := pace.reserve()) > 0:
            yield seconds
        reply = yield None
        assert reply is not None
        if reply.status is not None and reply.status < 300:
            return _read(call, asked, reply)
        told = _retry_after(reply.retry_after)
        if not reply.passing or attempt == retries.most or (told is not None and told > retries.patience):
            raise asked.failed(call, reply, attempt + 1)
        if told is not None:
            pace.hold(told)
        else:
            yield retries.wait(attempt)
        attempt += 1


def _read(call: Call[T], asked: Asked, reply: Reply) -> T:
    try:
        return call.read(json.loads(reply.body))
    except (ValueError, RecursionError):
        found = shortened(asked.key.hide(reply.body[: 4 * _SHOWN].decode("utf-8", "replace")), 80)
        error = asked.unexpected(call, reply, f"something that is no JSON ({found!r})")
    except Unexpected as why:
        error = asked.unexpected(call, reply, str(why))
    raise error


def _retry_after(text: str | None) -> float | None:
    """Return the seconds of a Retry-After header, which holds seconds or a date; None if neither."""
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return max(0.0, seconds) if seconds == seconds else None


def message(body: bytes) -> str:
    """Return what a server says about its error, wherever its provider puts it."""
    text = body.decode("utf-8", "replace")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return text
    for name in ("error", "message", "detail", "msg"):
        while isinstance(said, list) and said:
            said = said[0]
        if isinstance(said, dict) and said.get(name):
            said = said[name]
    return said if isinstance(said, str) else text


def shortened(text: str, most: int = _SHOWN) -> str:
    """Return the text on one line and of at most so many characters."""
    line = " ".join(text.split())
    return (line if len(line) <= most else line[: most - 1] + "…") or "no message"
