"""The activations of feed-forward layers."""

from __future__ import annotations

from dataclasses import dataclass

from elanus_models.errors import ModelUnsupported
from elanus_models.graphs.graph import MICROSOFT


@dataclass(frozen=True)
class Range:
    """The values an activation can take: at least `-floor`, which is stored as byte 0 of `zero` steps."""

    floor: float
    zero: int


@dataclass(frozen=True)
class Activation:
    """The operator of an activation and the range of what it gives; None where that is on both sides of zero."""

    operator: str
    domain: str = ""
    bounds: Range | None = None


_GELU_RANGE = Range(floor=0.17, zero=24)
_ACTIVATIONS = {
    "gelu": Activation("Gelu", MICROSOFT, _GELU_RANGE),
    "gelu_new": Activation("FastGelu", MICROSOFT, _GELU_RANGE),
    "gelu_pytorch_tanh": Activation("FastGelu", MICROSOFT, _GELU_RANGE),
    "relu": Activation("Relu", bounds=Range(floor=0.0, zero=0)),
    "tanh": Activation("Tanh"),
}


def activation(name: str) -> Activation:
    """Return the activation that a `config.json` names; raises ModelUnsupported."""
    found = _ACTIVATIONS.get(name)
    if found is None:
        raise ModelUnsupported(f"the activation '{name}' is not supported; known: {', '.join(_ACTIVATIONS)}")
    return found
