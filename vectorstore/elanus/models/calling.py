"""Calling a model: what goes wrong in it becomes one kind of error, and what it gives is checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from elanus.errors import ElanusError, InvalidArgument, ModelFailed

Floats = np.ndarray[Any, np.dtype[np.float32]]


class Embedder(Protocol):
    """What is asked of an embedding model; it may also have `dim` and `fingerprint`."""

    def embed_documents(self, texts: list[str]) -> Any:
        """Embed passages: a float array (texts, dim)."""

    def embed_queries(self, texts: list[str]) -> Any:
        """Embed questions: a float array (texts, dim)."""


def embed_documents(model: Any, texts: Sequence[str], dim: int | None, who: str) -> Floats:
    """Embed passages in one call: float32 (texts, dim).

    Raises:
        ModelFailed: the model raised, or gave anything but finite vectors of that length; names `who`.
    """
    with failing(who):
        return _checked(model.embed_documents(list(texts)), len(texts), dim, who)


def embed_queries(model: Any, texts: Sequence[str], dim: int | None, who: str) -> Floats:
    """Embed questions, as `embed_documents` does passages."""
    with failing(who):
        return _checked(model.embed_queries(list(texts)), len(texts), dim, who)


def _checked(given: Any, texts: int, dim: int | None, who: str) -> Floats:
    vectors = np.asarray(given, np.float32)
    shape = (texts, vectors.shape[1] if dim is None and vectors.ndim == 2 else dim)
    if vectors.shape != shape:
        wanted = f"({texts}, {'dim' if dim is None else dim})"
        raise ModelFailed(f"{who} gave vectors of shape {vectors.shape} for {texts} texts, not {wanted}")
    if not np.isfinite(vectors).all():
        raise ModelFailed(f"{who} gave a vector with NaN or infinity")
    return vectors


def fingerprint(model: Any) -> str | None:
    """What must agree for two models' vectors to be comparable, or None if the model does not say."""
    said = getattr(model, "fingerprint", None)
    return None if said is None else str(said)


@contextmanager
def failing(who: str, *, wrong_arguments: bool = False) -> Iterator[None]:
    """Turn a model's own errors into ModelFailed that names `who`, with the cause kept.

    With `wrong_arguments` a TypeError or a ValueError is about what the caller asked for: InvalidArgument.
    """
    try:
        yield
    except ElanusError:
        raise
    except Exception as error:
        if wrong_arguments and isinstance(error, (TypeError, ValueError)):
            raise InvalidArgument(f"{who}: {error}") from error
        raise ModelFailed(f"{who}: {type(error).__name__}: {error}") from error
