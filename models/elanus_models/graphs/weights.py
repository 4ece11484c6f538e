"""The weights of a checkpoint, under BERT's names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from elanus_models.errors import ModelCorrupt
from elanus_models.graphs.architecture import Family
from elanus_models.graphs.safetensors import read_tensors

Floats = npt.NDArray[np.float32]


class Weights:
    """The tensors of a `model.safetensors`; `size` counts their bytes."""

    def __init__(self, path: Path, family: Family) -> None:
        self._path = path
        self._tensors = {family.plain_name(name): tensor for name, tensor in read_tensors(path).items()}
        self.size = sum(tensor.nbytes for tensor in self._tensors.values())

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def get(self, name: str, *shape: int) -> Floats:
        """Return a float32 tensor; -1 stands for any size."""
        tensor = self._tensors.get(name)
        if tensor is None:
            raise ModelCorrupt(f"{self._path} has no tensor '{name}'; it is another kind of model, or not whole")
        fits = len(shape) == tensor.ndim and all(
            want in (-1, have) for want, have in zip(shape, tensor.shape, strict=True)
        )
        if not fits:
            raise ModelCorrupt(f"{self._path}: tensor '{name}' has shape {tensor.shape}, not {shape}")
        return np.asarray(tensor, dtype=np.float32)

    def dense(self, name: str, outputs: int, inputs: int) -> tuple[Floats, Floats]:
        """Return a layer's weight as (inputs, outputs) and its bias; -1 stands for any size."""
        weight = self.get(f"{name}.weight", outputs, inputs)
        return weight.T, self.get(f"{name}.bias", len(weight))
