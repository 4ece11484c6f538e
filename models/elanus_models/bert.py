"""BERT encoders as ONNX graphs.

Three constants of the original are folded away, none of which changes a result: the query weights carry the
attention's 1/sqrt(head size); the key bias shifts all scores of a row alike, which softmax ignores; the value
bias passes through weights that sum to one, so it moves behind the output projection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from elanus_models.errors import ModelCorrupt, ModelUnsupported
from elanus_models.folder import CONVERTIBLE
from elanus_models.graph import MICROSOFT, Graph
from elanus_models.linear import Linear, Range
from elanus_models.safetensors import read_tensors

INPUTS = {"input_ids": ["texts", "width"], "attention_mask": ["texts", "width"]}

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Activation:
    """The operator of a feed-forward layer and the range of what it gives."""

    operator: str
    domain: str
    bounds: Range


_GELU_RANGE = Range(floor=0.17, zero=24)
_ACTIVATIONS = {
    "gelu": Activation("Gelu", MICROSOFT, _GELU_RANGE),
    "gelu_new": Activation("FastGelu", MICROSOFT, _GELU_RANGE),
    "gelu_pytorch_tanh": Activation("FastGelu", MICROSOFT, _GELU_RANGE),
    "relu": Activation("Relu", "", Range(floor=0.0, zero=0)),
}


@dataclass(frozen=True)
class BertConfig:
    """The part of a BERT `config.json` that decides the graph."""

    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    vocab_size: int
    max_position_embeddings: int
    layer_norm_eps: float
    hidden_act: str

    @classmethod
    def read(cls, config: Mapping[str, Any], origin: Path) -> BertConfig:
        """Check a parsed `config.json`; raises ModelUnsupported for other architectures, or ModelCorrupt."""
        kind = config.get("model_type")
        if kind not in CONVERTIBLE:
            raise ModelUnsupported(
                f"{origin}: model_type '{kind}' cannot be converted (only {', '.join(CONVERTIBLE)} can); "
                "put the model's own ONNX export into the folder as model.onnx"
            )
        position = config.get("position_embedding_type", "absolute")
        if position != "absolute":
            raise ModelUnsupported(f"{origin}: position_embedding_type '{position}' is not supported")
        act = config.get("hidden_act", "gelu")
        if act not in _ACTIVATIONS:
            raise ModelUnsupported(f"{origin}: hidden_act '{act}' is not supported; known: {', '.join(_ACTIVATIONS)}")
        try:
            return cls(
                hidden_size=int(config["hidden_size"]),
                num_hidden_layers=int(config["num_hidden_layers"]),
                num_attention_heads=int(config["num_attention_heads"]),
                vocab_size=int(config["vocab_size"]),
                max_position_embeddings=int(config["max_position_embeddings"]),
                layer_norm_eps=float(config.get("layer_norm_eps", 1e-12)),
                hidden_act=act,
            )
        except KeyError as error:
            raise ModelCorrupt(f"{origin} lacks {error}") from error


class Tensors:
    """The weights of a checkpoint by their plain BERT names."""

    def __init__(self, path: Path) -> None:
        self._path = path
        renamed = {
            name.removeprefix("bert.").replace(".gamma", ".weight").replace(".beta", ".bias"): tensor
            for name, tensor in read_tensors(path).items()
        }
        self._tensors = renamed
        self.size = sum(tensor.nbytes for tensor in renamed.values())

    def get(self, name: str, *shape: int) -> Floats:
        """Return a float32 tensor; -1 stands for any size."""
        tensor = self._tensors.get(name)
        if tensor is None:
            raise ModelCorrupt(f"{self._path} has no tensor '{name}'; it is no BERT encoder or not whole")
        fits = len(shape) == tensor.ndim and all(
            want in (-1, have) for want, have in zip(shape, tensor.shape, strict=True)
        )
        if not fits:
            raise ModelCorrupt(f"{self._path}: tensor '{name}' has shape {tensor.shape}, not {shape}")
        return np.asarray(tensor, dtype=np.float32)


class Encoder:
    """Adds the parts of a BERT encoder to a graph; `x` is always (tokens, hidden).

    The graph's inputs are `input_ids` and `attention_mask`, both (texts, width).
    """

    def __init__(self, g: Graph, linear: Linear, config: BertConfig, tensors: Tensors) -> None:
        self._g = g
        self._linear = linear
        self._config = config
        self._tensors = tensors
        shape = g.op("Shape", "input_ids")
        self._batch = g.op("Slice", shape, g.ints(0), g.ints(1))
        self._width = g.op("Slice", shape, g.ints(1), g.ints(2))
        heads = config.num_attention_heads
        self._head_size = config.hidden_size // heads
        self._heads_shape = g.op("Concat", self._batch, self._width, g.ints(heads, self._head_size), axis=0)
        mask = g.to_float("attention_mask")
        hidden = g.op("Mul", g.op("Sub", g.constant(np.float32(1)), mask), g.constant(np.float32(-1e9)))
        self._mask = g.op("Unsqueeze", hidden, g.ints(1, 2))

    def run(self, half_table: bool = False) -> None:
        """Add the whole encoder, which gives `last_hidden_state` (texts, width, hidden)."""
        g = self._g
        x = self.embed(half_table)
        for layer in range(self._config.num_hidden_layers):
            x = self.layer(f"encoder.layer.{layer}", x)
        shape = g.op("Concat", self._batch, self._width, g.ints(self._config.hidden_size), axis=0)
        g.op("Reshape", x, shape, output="last_hidden_state")

    def embed(self, half_table: bool) -> str:
        """Sum word, position and type embeddings; a half-precision word table halves the file."""
        g, hidden = self._g, self._config.hidden_size
        table = self._tensors.get("embeddings.word_embeddings.weight", -1, hidden)
        positions = self._tensors.get("embeddings.position_embeddings.weight", -1, hidden)
        first_type = self._tensors.get("embeddings.token_type_embeddings.weight", -1, hidden)[0]
        if half_table and np.abs(table).max() < 60000:
            words = g.to_float(g.op("Gather", g.constant(table.astype(np.float16)), "input_ids"))
        else:
            words = g.op("Gather", g.constant(table), "input_ids")
        places = g.op("Slice", g.constant(positions + first_type), g.ints(0), self._width, g.ints(0))
        x = g.op("Reshape", g.op("Add", words, places), g.ints(-1, hidden))
        return self._norm("embeddings.LayerNorm", x)

    def layer(self, name: str, x: str) -> str:
        """Add self-attention and feed-forward, each with its residual and norm."""
        x = self._norm(f"{name}.attention.output.LayerNorm", self._attention(f"{name}.attention", x), x)
        return self._norm(f"{name}.output.LayerNorm", self._feed_forward(name, x), x)

    def _attention(self, name: str, x: str) -> str:
        g, hidden = self._g, self._config.hidden_size
        scale = np.float32(self._head_size**-0.5)
        query, query_bias = self._dense(f"{name}.self.query")
        key, _ = self._dense(f"{name}.self.key")
        value, value_bias = self._dense(f"{name}.self.value")
        out, out_bias = self._dense(f"{name}.output.dense")
        rows = self._linear.ready(x, f"{name}.input")
        q = self._split_heads(self._linear.apply(rows, query * scale, query_bias * scale))
        k = self._split_heads(self._linear.apply(rows, key))
        v = self._split_heads(self._linear.apply(rows, value))
        scores = g.op("Add", g.op("FusedMatMul", q, k, transB=1, domain=MICROSOFT), self._mask)
        mixed = g.op("Transpose", g.op("MatMul", g.op("Softmax", scores, axis=-1), v), perm=[0, 2, 1, 3])
        joined = g.op("Reshape", mixed, g.ints(-1, hidden))
        return self._linear.apply(self._linear.ready(joined), out, out_bias + value_bias @ out)

    def _feed_forward(self, name: str, x: str) -> str:
        act = _ACTIVATIONS[self._config.hidden_act]
        rows = self._linear.ready(x, f"{name}.intermediate.input")
        wide = self._linear.apply(rows, *self._dense(f"{name}.intermediate.dense", -1, None))
        active = self._g.op(act.operator, wide, domain=act.domain)
        rows = self._linear.ready(active, bounds=act.bounds)
        return self._linear.apply(rows, *self._dense(f"{name}.output.dense", None, -1))

    def _dense(self, name: str, outputs: int | None = None, inputs: int | None = None) -> tuple[Floats, Floats]:
        hidden = self._config.hidden_size
        weight = self._tensors.get(f"{name}.weight", outputs or hidden, inputs or hidden)
        return weight.T, self._tensors.get(f"{name}.bias", len(weight))

    def _split_heads(self, x: str) -> str:
        return self._g.op("Transpose", self._g.op("Reshape", x, self._heads_shape), perm=[0, 2, 1, 3])

    def _norm(self, name: str, x: str, residual: str = "") -> str:
        g, hidden = self._g, self._config.hidden_size
        total = g.op("Add", x, residual) if residual else x
        weight = g.constant(self._tensors.get(f"{name}.weight", hidden))
        bias = g.constant(self._tensors.get(f"{name}.bias", hidden))
        return g.op("LayerNormalization", total, weight, bias, axis=-1, epsilon=self._config.layer_norm_eps)
