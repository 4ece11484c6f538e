"""Locks between processes, held by the kernel: a process that dies lets go at once."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from elanus.errors import StoreBusy, StoreClosed

if os.name == "nt":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        os.lseek(descriptor, 0, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined,unused-ignore]

    def _wait(descriptor: int) -> None:
        while not _try_lock(descriptor):
            time.sleep(0.001)

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)

    def _wait(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)


class FileLock:
    """An exclusive lock on a file, between the threads and the processes that name the same path.

    The kernel queues waiters, which is what makes many writers fair (SQLite's busy handler does not). The
    descriptor stays open for the object's life; a forked child must make its own object.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = -1
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
        self._threads = threading.Lock()
        self._path = path

    def __enter__(self) -> FileLock:
        self._threads.acquire()
        try:
            _wait(self._open_descriptor())
        except BaseException:
            self._threads.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    @contextmanager
    def within(self, timeout: float | None) -> Iterator[None]:
        """Hold the lock, taken within `timeout` seconds (None: however long it takes), or raise StoreBusy."""
        if timeout is None:
            self.__enter__()
        else:
            self.acquire(timeout)
        try:
            yield
        finally:
            self.release()

    def acquire(self, timeout: float) -> None:
        """Take the lock within `timeout` seconds, or raise StoreBusy."""
        deadline = time.monotonic() + timeout
        while not self.try_acquire():
            if time.monotonic() > deadline:
                raise StoreBusy(f"{self._path.name} has been held by another process for {timeout:g} s")
            time.sleep(0.005)

    def try_acquire(self) -> bool:
        """Take the lock if it is free; say whether it was."""
        if not self._threads.acquire(blocking=False):
            return False
        locked = False
        try:
            locked = _try_lock(self._open_descriptor())
        finally:
            if not locked:
                self._threads.release()
        return locked

    def release(self) -> None:
        """Let the next waiter in."""
        try:
            _unlock(self._descriptor)
        finally:
            self._threads.release()

    @property
    def closed(self) -> bool:
        """Whether `close` has let go of the file."""
        return self._descriptor < 0

    def _open_descriptor(self) -> int:
        if self._descriptor < 0:
            raise StoreClosed(f"the store at {self._path.parent} was closed")
        return self._descriptor

    def close(self) -> None:
        """Wait for the thread that holds the lock and close the descriptor; who waits behind gets StoreClosed."""
        with self._threads:
            self.leak()

    def leak(self) -> None:
        """Close the descriptor without waiting, as a forked child must: the threads that held locks are not there."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        self.leak()
