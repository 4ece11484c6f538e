"""What the end and the forking of a process mean for the stores that are open in it."""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from pathlib import Path
from typing import Protocol


class Lasting(Protocol):
    """A store, as far as it is about processes."""

    def end_with_process(self) -> None: ...

    def pause(self, held: set[Path]) -> bool: ...

    def resume(self) -> None: ...

    def leave_to_parent(self) -> None: ...


_open: weakref.WeakSet[Lasting] = weakref.WeakSet()
_paused: list[Lasting] = []
_forking = threading.Lock()


def enter(store: Lasting) -> None:
    """Note that a store is open."""
    _open.add(store)


def leave(store: Lasting) -> None:
    """Note that a store has ended."""
    _open.discard(store)


def _at_exit() -> None:
    for store in list(_open):
        store.end_with_process()


def _before_fork() -> None:
    _forking.acquire()
    held: set[Path] = set()
    for store in list(_open):
        if store.pause(held):
            _paused.append(store)


def _after_fork_in_parent() -> None:
    try:
        for store in _paused:
            store.resume()
    finally:
        _paused.clear()
        _forking.release()


def _after_fork_in_child() -> None:
    global _forking
    _forking = threading.Lock()
    for store in _paused:
        store.leave_to_parent()
    _paused.clear()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
