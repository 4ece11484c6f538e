"""What there is to know about a model besides its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from elanus_models.pooling import Pooling

Kind = Literal["dense", "sparse", "tokens", "reranker", "static"]


@dataclass(frozen=True)
class WheelSource:
    """Where an installed Python package keeps the model."""

    distribution: str
    package: str
    folder: str


@dataclass(frozen=True)
class ModelCard:
    """One model as data: how its text is prepared and how its token vectors become one vector.

    `max_length` counts tokens, special ones included. `weights_sha256` is the digest of `model.safetensors`, which
    files from a package must have; what comes from the hub is held against the hub's own digests. `hub` names the
    repository.
    """

    name: str
    dim: int
    pooling: Pooling
    normalize: bool
    max_length: int
    kind: Kind = "dense"
    hub: str = ""
    aliases: tuple[str, ...] = ()
    query_prefix: str = ""
    document_prefix: str = ""
    weights_sha256: str = ""
    wheel: WheelSource | None = None
    license: str = ""
