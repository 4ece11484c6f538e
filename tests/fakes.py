"""Models that need no weights, and a way to register them as a package would: by entry points."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ENTRY_POINTS = """\
[elanus.models]
words = tests.fakes:Words
plain = tests.fakes:Plain
broken = tests.fakes:Broken
nonsense = tests.fakes:Nonsense
[elanus.rerankers]
overlap = tests.fakes:Overlap
broken = tests.fakes:Broken
"""


def register(folder: Path) -> Path:
    """Let this process find the models of this file as if a package had brought them; `folder` is put on the path."""
    info = folder / "fakes-1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fakes\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return folder


class Words:
    """Vectors that count hashed words: texts with common words are near. `made` and `calls` tell what was done."""

    made: int = 0
    calls: list[tuple[str, list[str]]] = []  # noqa: RUF012
    version = 1  # of the weights, so to speak: what another process may have another of

    def __init__(self, model_name: str = "small", *, dim: int = 8, salt: str = "") -> None:
        Words.made += 1
        self.model_name, self.dim, self.salt = model_name, dim, salt

    @property
    def fingerprint(self) -> str:
        return f"words/{self.model_name}/{self.dim}/{self.salt}/{Words.version}"

    def embed_documents(self, texts: list[str]) -> npt.NDArray[np.float32]:
        Words.calls.append(("documents", texts))
        return self.vectors(texts)

    def embed_queries(self, texts: list[str]) -> npt.NDArray[np.float32]:
        Words.calls.append(("queries", texts))
        return self.vectors(texts)

    def vectors(self, texts: list[str]) -> npt.NDArray[np.float32]:
        vectors = np.full((len(texts), self.dim), 0.01, np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            for word in text.lower().split():
                vector[hashlib.sha256((self.salt + word).encode()).digest()[0] % self.dim] += 1
        return vectors


class Plain:
    """An embedder with neither dim nor fingerprint; vectors as lists."""

    def __init__(self, model_name: str = "plain", *, size: int = 8) -> None:
        self.size = size

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[float(len(text))] * self.size for text in texts]

    embed_queries = embed_documents


class Broken:
    """A model whose every call fails, or that cannot be made."""

    def __init__(self, model_name: str = "broken", *, at_once: bool = False) -> None:
        if at_once:
            raise ConnectionError("the server is asleep")

    def embed_documents(self, texts: list[str]) -> Any:
        raise ConnectionError("the server fell asleep")

    embed_queries = embed_documents

    def rerank(self, query: str, documents: list[str]) -> Any:
        raise ConnectionError("the server fell asleep")


class Nonsense:
    """No model at all."""


class Overlap:
    """A reranker that counts common words. `calls` tells what was asked."""

    calls: list[tuple[str, list[str]]] = []  # noqa: RUF012

    def __init__(self, model_name: str = "overlap", *, weight: float = 1.0) -> None:
        self.weight = weight

    def rerank(self, query: str, documents: list[str]) -> list[float]:
        Overlap.calls.append((query, documents))
        return [self.weight * len(set(query.split()) & set(document.split())) for document in documents]
