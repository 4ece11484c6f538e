"""The folder where converted models are kept, safe for several processes."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Callable
from pathlib import Path


def default_cache_dir() -> Path:
    """Return $ELANUS_CACHE, or this platform's folder for a user's cached files."""
    chosen = os.environ.get("ELANUS_CACHE")
    if chosen:
        return Path(chosen)
    system = platform.system()
    if system == "Windows":
        local = os.environ.get("LOCALAPPDATA")
        return Path(local or Path.home() / "AppData" / "Local") / "elanus" / "cache"
    if system == "Darwin":
        return Path.home() / "Library" / "Caches" / "elanus"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "elanus"


def keep(path: Path, make: Callable[[], bytes]) -> Path | bytes:
    """Write `make()` to `path` and return the path, or the bytes where nothing can be written.

    The file appears whole or not at all: a crash leaves a temporary name behind, and of several processes
    that write at once the last rename wins, over equal bytes.
    """
    data = make()
    temporary = path.with_name(f".{path.stem}-{os.getpid()}-{os.urandom(4).hex()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        return data
    return path
