"""The demo's embedding model, from whatever installed package offers it."""

from __future__ import annotations

from typing import Any, Protocol

from elanus.models import find_embedder


class Embedder(Protocol):
    """What the demo asks of a model; vectors are float32 arrays of shape (texts, dim)."""

    @property
    def dim(self) -> int: ...

    @property
    def fingerprint(self) -> str: ...

    def embed_documents(self, texts: list[str]) -> Any: ...

    def embed_queries(self, texts: list[str]) -> Any: ...


def make_embedder(model: str, provider: str = "onnx") -> Embedder:
    """Return a model from the factory registered as `provider`; errors as `find_embedder` has them."""
    embedder: Embedder = find_embedder(provider, {"model_name": model}, "elanus demo")
    return embedder
