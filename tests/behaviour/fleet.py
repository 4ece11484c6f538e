"""Child processes for the tests: real ones, cheap to start, that report through a pipe and can be killed.

A fork server imports the engine once; every child is forked from it before any store is open, so it costs
milliseconds and shares nothing with its siblings. Where there is no fork, children are spawned.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any

import pytest

PATIENCE = 60.0


def _context() -> Any:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    os.environ["PYTHONPATH"] = os.pathsep.join(p for p in sys.path if p)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "elanus.client", "tests.shapes", "tests.behaviour.fleet"])
    return context


CONTEXT = _context()
needs_sigkill = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")


class Child:
    """A process that runs `job(connection, *arguments)`; what it sends arrives here even if it is killed after."""

    def __init__(self, job: Callable[..., None], *arguments: Any) -> None:
        self.pipe, theirs = CONTEXT.Pipe()
        self.process = CONTEXT.Process(target=_run, args=(job, theirs, arguments), daemon=True)
        self.process.start()
        theirs.close()

    def send(self, message: Any) -> None:
        """Send the child a message."""
        self.pipe.send(message)

    def receive(self) -> Any:
        """The child's next message; fail if none comes in time, raise EOFError if it died."""
        if not self.pipe.poll(PATIENCE):
            self.kill()
            pytest.fail(f"a child process said nothing for {PATIENCE:g} s")
        message = self.pipe.recv()
        if isinstance(message, Failure):
            self.join()
            pytest.fail(f"a child process failed:\n{message.trace}")
        return message

    def rest(self) -> list[Any]:
        """All messages until the child's end."""
        messages = []
        with suppress(EOFError, ConnectionResetError):
            while True:
                messages.append(self.receive())
        return messages

    def kill(self) -> None:
        """Kill the child without any warning."""
        self.process.kill()
        self.process.join(PATIENCE)

    def join(self) -> int | None:
        """Wait for the child's end and return its exit code (-9: killed)."""
        self.process.join(PATIENCE)
        if self.process.exitcode is None:
            self.kill()
            pytest.fail(f"a child process did not end within {PATIENCE:g} s")
        return self.process.exitcode

    def close(self) -> None:
        """End the child, if it still runs, and let go of it."""
        if self.process.is_alive():
            self.kill()
        self.process.join()
        self.process.close()
        self.pipe.close()


class Failure:
    """An exception that ended a child, as text."""

    def __init__(self, trace: str) -> None:
        self.trace = trace


def _run(job: Callable[..., None], pipe: Connection, arguments: tuple[Any, ...]) -> None:
    import traceback

    try:
        job(pipe, *arguments)
    except BaseException:
        pipe.send(Failure(traceback.format_exc()))
        raise SystemExit(1) from None


@contextmanager
def children() -> Iterator[Callable[..., Child]]:
    """Start children that end with the block."""
    started: list[Child] = []

    def start(job: Callable[..., None], *arguments: Any) -> Child:
        started.append(Child(job, *arguments))
        return started[-1]

    try:
        yield start
    finally:
        for child in started:
            with suppress(ValueError):
                child.close()
