"""Digests of files, and a memory of the large ones."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from elanus_models.cache import default_cache_dir, keep
from elanus_models.errors import ModelCorrupt

_SHA256, _SHA1 = 64, 40
"""How many hexadecimal digits name a blob in the hub's cache: of a large file, of one kept in git."""


def sha256_of(*paths: Path) -> str:
    """Return the hex digest of the files' bytes, one after the other."""
    return _fed(hashlib.sha256(), *paths)


def git_blob_of(path: Path) -> str:
    """Return the name that git gives to a file's content."""
    return _fed(hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False), path)


def sha256_once(path: Path) -> str:
    """Return a file's digest; it is read again only after its size or its time of change differ."""
    place = path.resolve()
    state = place.stat()
    seen = [str(place), state.st_size, state.st_mtime_ns]
    memory = default_cache_dir() / "digests" / f"{hashlib.sha256(str(place).encode()).hexdigest()[:32]}.json"
    try:
        *known, digest = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        known, digest = [], ""
    if known != seen or not isinstance(digest, str):
        digest = sha256_of(place)
        keep(memory, lambda: json.dumps([*seen, digest]).encode())
    return digest


def check_blob(path: Path) -> None:
    """Hold a file of the hub's cache against its blob's name, which is its digest; other files have no such name.

    Raises ModelCorrupt.
    """
    place = path.resolve()
    if place.parent.name != "blobs":
        return
    promised = place.name
    found = {_SHA256: sha256_once, _SHA1: git_blob_of}.get(len(promised), lambda _: promised)(place)
    if found != promised:
        raise ModelCorrupt(f"{path} has the digest {found}, not {promised}: remove {place} and try again")


def _fed(digest: Any, *paths: Path) -> str:
    buffer = memoryview(bytearray(1 << 20))
    for path in paths:
        with path.open("rb", buffering=0) as file:
            while count := file.readinto(buffer):
                digest.update(buffer[:count])
    return str(digest.hexdigest())
