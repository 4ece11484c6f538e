"""What there is to know about a model besides its weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Pooling = Literal["mean", "cls", "max", "last"]


@dataclass(frozen=True)
class WheelSource:
    """Where an installed Python package keeps the model."""

    distribution: str
    package: str
    folder: str


@dataclass(frozen=True)
class ModelCard:
    """One model as data: how its text is prepared and how its token vectors become one vector.

    `max_length` counts tokens, special ones included. `weights_sha256` is the digest of `model.safetensors`;
    files from a package or the network must have it, a folder that the user names need not.
    """

    name: str
    dim: int
    pooling: Pooling
    normalize: bool
    max_length: int
    aliases: tuple[str, ...] = ()
    query_prefix: str = ""
    document_prefix: str = ""
    weights_sha256: str = ""
    wheel: WheelSource | None = None
    license: str = ""

    def with_max_length(self, max_length: int) -> ModelCard:
        """Return the same card with another limit of tokens per text."""
        return replace(self, max_length=max_length)
