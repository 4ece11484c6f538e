"""Finding an embedding model among the installed packages that offer one."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any, Protocol

GROUP = "elanus.models"


class EmbedderError(Exception):
    """No package offers the embedder, or it could not be made; the message says what to install."""


class Embedder(Protocol):
    """What the demo asks of a model; vectors are float32 arrays of shape (texts, dim)."""

    @property
    def dim(self) -> int: ...

    @property
    def fingerprint(self) -> str: ...

    def embed_documents(self, texts: list[str]) -> Any: ...

    def embed_queries(self, texts: list[str]) -> Any: ...


def make_embedder(model: str, provider: str = "onnx") -> Embedder:
    """Return a model from the factory registered as `provider` in the entry-point group `elanus.models`.

    Raises EmbedderError if there is no such provider, if it lacks a package, or if it has no such model.
    """
    found = list(entry_points(group=GROUP, name=provider))
    if not found:
        raise EmbedderError(f"no installed package offers the embedder '{provider}'; pip install 'elanus[models]'")
    try:
        embedder: Embedder = found[0].load()(model)
    except Exception as error:  # a provider's errors are its own; each becomes one message
        raise EmbedderError(f"the embedding model '{model}' cannot be used: {error}") from error
    return embedder
