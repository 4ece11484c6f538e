"""An embedder that remembers what it embedded."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any, TypeVar

from elanus_models.cache import default_cache_dir
from elanus_models.errors import InvalidInput
from elanus_models.model import Embedder, Role, positive
from elanus_models.remembering.memory import Memory, check_apsw
from elanus_models.remembering.vector_bytes import CODECS

Vectors = TypeVar("Vectors")


class CachedEmbedding(Embedder[Vectors]):
    """Embeds each text once, across runs and processes: a text that was embedded before is read from a file.

    `path` is the file, by default one in $ELANUS_CACHE or the platform's cache folder, which all models share: a key is
    a digest of the embedder's fingerprint, of whether the text is a document or a query, and of the text. Texts are not
    kept, vectors are. Beyond `max_bytes` what was used longest ago is forgotten. One object may be used by many
    threads, the file by many processes; where it cannot be read or written, texts are embedded as if it were not there.

    Raises InvalidInput for an embedder whose vectors have no plain form.
    """

    def __init__(
        self,
        embedder: Embedder[Vectors],
        path: str | os.PathLike[str] | None = None,
        *,
        max_bytes: int = 1 << 30,
    ) -> None:
        check_apsw()
        self.gives = embedder.gives
        if self.gives not in CODECS:
            raise InvalidInput(f"{type(embedder).__name__} gives several kinds of vectors, which are not remembered")
        self._embedder = embedder
        self._codec = CODECS[self.gives]
        target = default_cache_dir() / "embeddings.sqlite" if path is None else Path(path)
        self._memory = Memory(target, positive("max_bytes", max_bytes))
        self._hits = self._misses = 0

    @property
    def dim(self) -> int:
        """The length of every vector."""
        return self._embedder.dim

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the embedder within."""
        return self._embedder.fingerprint

    def _identity(self) -> dict[str, Any]:
        return {"embedder": self._embedder.fingerprint}

    def settled(self) -> dict[str, Any]:
        """Return what the embedder within chose by this machine."""
        return self._embedder.settled()

    def info(self) -> dict[str, Any]:
        """Return the embedder's info and what is remembered: `hits` and `misses` count texts of this object."""
        rows, size = self._memory.size()
        remembered = {"rows": rows, "bytes": size, "hits": self._hits, "misses": self._misses}
        return {**self._embedder.info(), "cache": str(self._memory.path), **remembered}

    def clear(self) -> None:
        """Forget everything in the file, of all models."""
        self._memory.clear()

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        self._memory.close()

    def __repr__(self) -> str:
        return f"CachedEmbedding({self._embedder!r}, '{self._memory.path}')"

    def _embed(self, texts: list[str], role: Role) -> Vectors:
        embed = self._embedder.embed_documents if role == "document" else self._embedder.embed_queries
        if not texts:
            return embed([])
        prefix = f"{self._embedder.fingerprint}\0{role}\0".encode()
        keys = [_key(prefix, text) for text in texts]
        found = {key: self._codec.read(raw) for key, raw in self._memory.load(list(dict.fromkeys(keys))).items()}
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        self._misses += len(new)
        self._hits += len(texts) - len(new)
        if new:
            fresh = dict(zip(new, embed(new.values()), strict=True))  # type: ignore[call-overload]
            self._memory.store({key: self._codec.write(vector) for key, vector in fresh.items()})
            found |= fresh
        joined: Vectors = self._codec.join([found[key] for key in keys])
        return joined


def _key(prefix: bytes, text: str) -> bytes:
    return hashlib.blake2b(prefix + text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
