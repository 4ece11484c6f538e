"""Digests of files, and a memory of the large ones."""

from __future__ import annotations

import contextlib
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


def sha256_once(*paths: Path) -> str:
    """Return what `sha256_of` does; files are read again only after a size or a time of change differs."""
    places = [path.resolve() for path in paths]
    seen = [[str(place), place.stat().st_size, place.stat().st_mtime_ns] for place in places]
    name = hashlib.sha256("\n".join(map(str, places)).encode()).hexdigest()[:32]
    memory = default_cache_dir() / "digests" / f"{name}.json"
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        known = json.loads(memory.read_text(encoding="utf-8"))
        if known["files"] == seen:
            return str(known["sha256"])
    digest = sha256_of(*places)
    keep(memory, lambda: json.dumps({"files": seen, "sha256": digest}).encode())
    return digest


def check_blob(path: Path) -> None:
    """Hold a file of the hub's cache against its blob's name, which is its digest; other files have no such name.

    Raises ModelCorrupt.
    """
    place = path.resolve()
    if place.parent.name != "blobs":
        return
    promised = place.name
    if len(promised) not in (_SHA256, _SHA1):
        return
    found = sha256_once(place) if len(promised) == _SHA256 else git_blob_of(place)
    if found != promised:
        raise ModelCorrupt(f"{path} has the digest {found}, not {promised}: remove {place} and try again")


def _fed(digest: Any, *paths: Path) -> str:
    buffer = memoryview(bytearray(1 << 20))
    for path in paths:
        with path.open("rb", buffering=0) as file:
            while count := file.readinto(buffer):
                digest.update(buffer[:count])
    return str(digest.hexdigest())
