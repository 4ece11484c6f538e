"""Encoders of BERT's family as ONNX graphs.

Three constants of the original are folded away, none of which changes a result: the query weights carry the
attention's 1/sqrt(head size); the key bias shifts all scores of a row alike, which softmax ignores; the value
bias passes through weights that sum to one, so it moves behind the output projection.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from elanus_models.graphs.activation import activation
from elanus_models.graphs.architecture import EncoderConfig
from elanus_models.graphs.graph import MICROSOFT, Graph
from elanus_models.graphs.linear import Linear
from elanus_models.graphs.weights import Weights

_TYPES = "embeddings.token_type_embeddings.weight"
_RELATIVE = "encoder.relative_attention_bias.weight"
_FAR = 128
"""Relative positions from here on share one bucket (MPNet, as T5)."""

Floats = npt.NDArray[np.float32]


class Encoder:
    """Adds the parts of an encoder to a graph; `x` is always (tokens, hidden).

    The graph's inputs are `input_ids` and `attention_mask`, both (texts, width), and with `types` also
    `token_type_ids`; without it every token is of the first type.
    """

    def __init__(self, g: Graph, linear: Linear, config: EncoderConfig, weights: Weights, types: bool = False) -> None:
        self.g = g
        self.linear = linear
        self.config = config
        self.weights = weights
        self._act = activation(config.act)
        self._types = types and _TYPES in weights and len(weights.get(_TYPES, -1, config.hidden_size)) > 1
        shape = g.op("Shape", "input_ids")
        self._batch = g.op("Slice", shape, g.ints(0), g.ints(1))
        self._width = g.op("Slice", shape, g.ints(1), g.ints(2))
        self._head_size = config.hidden_size // config.heads
        self._heads_shape = g.op("Concat", self._batch, self._width, g.ints(config.heads, self._head_size), axis=0)
        mask = g.to_float("attention_mask")
        hidden = g.op("Mul", g.op("Sub", g.constant(np.float32(1)), mask), g.constant(np.float32(-1e9)))
        self._shift = g.op("Unsqueeze", hidden, g.ints(1, 2))
        if config.family.relative_positions:
            self._shift = g.op("Add", self._shift, self._relative_bias())

    @property
    def inputs(self) -> dict[str, list[str]]:
        """The graph's inputs and their axes."""
        names = ["input_ids", "attention_mask", *(["token_type_ids"] if self._types else [])]
        return {name: ["texts", "width"] for name in names}

    def run(self, half_table: bool = False) -> str:
        """Add the whole encoder and return the last layer's token vectors."""
        x = self.embed(half_table)
        for layer in range(self.config.layers):
            x = self.layer(f"encoder.layer.{layer}", x)
        return x

    def unflatten(self, x: str, size: int, output: str = "") -> str:
        """Return (tokens, size) as (texts, width, size)."""
        g = self.g
        return g.op("Reshape", x, g.op("Concat", self._batch, self._width, g.ints(size), axis=0), output=output)

    def repeat_first(self, x: str) -> str:
        """Put each text's first token in place of its padding, which changes no maximum over its tokens."""
        g, hidden = self.g, self.config.hidden_size
        by_text = self.unflatten(x, hidden)
        first = g.op("Slice", by_text, g.ints(0), g.ints(1), g.ints(1))
        real = g.op("Unsqueeze", g.to_bool("attention_mask"), g.ints(2))
        return g.op("Reshape", g.op("Where", real, by_text, first), g.ints(-1, hidden))

    def embed(self, half_table: bool) -> str:
        """Sum word, position and type embeddings; a half-precision word table halves the file."""
        g, config = self.g, self.config
        table = self.weights.get("embeddings.word_embeddings.weight", -1, config.hidden_size)
        if half_table and np.abs(table).max() < 60000:
            words = g.to_float(g.op("Gather", g.constant(table.astype(np.float16)), "input_ids"))
        else:
            words = g.op("Gather", g.constant(table), "input_ids")
        positions = self.weights.get("embeddings.position_embeddings.weight", -1, config.hidden_size)
        positions = positions[len(positions) - config.max_length :]
        if _TYPES in self.weights:
            kinds = self.weights.get(_TYPES, -1, config.hidden_size)
            if self._types:
                words = g.op("Add", words, g.op("Gather", g.constant(kinds), "token_type_ids"))
            else:
                positions = positions + kinds[0]
        places = g.op("Slice", g.constant(positions), g.ints(0), self._width, g.ints(0))
        x = g.op("Reshape", g.op("Add", words, places), g.ints(-1, config.hidden_size))
        return self.norm("embeddings.LayerNorm", x)

    def layer(self, name: str, x: str) -> str:
        """Add self-attention and feed-forward, each with its residual and norm."""
        x = self.norm(f"{name}.attention.output.LayerNorm", self._attention(f"{name}.attention", x), x)
        return self.norm(f"{name}.output.LayerNorm", self._feed_forward(name, x), x)

    def norm(self, name: str, x: str, residual: str = "") -> str:
        """Add a residual, if any, and normalise each token."""
        g, hidden = self.g, self.config.hidden_size
        total = g.op("Add", x, residual) if residual else x
        weight = g.constant(self.weights.get(f"{name}.weight", hidden))
        bias = g.constant(self.weights.get(f"{name}.bias", hidden))
        return g.op("LayerNormalization", total, weight, bias, axis=-1, epsilon=self.config.norm_eps)

    def _attention(self, name: str, x: str) -> str:
        g, hidden = self.g, self.config.hidden_size
        scale = np.float32(self._head_size**-0.5)
        query, query_bias = self.weights.dense(f"{name}.self.query", hidden, hidden)
        key, _ = self.weights.dense(f"{name}.self.key", hidden, hidden)
        value, value_bias = self.weights.dense(f"{name}.self.value", hidden, hidden)
        out, out_bias = self.weights.dense(f"{name}.output.dense", hidden, hidden)
        rows = self.linear.ready(x, f"{name}.input")
        q = self._split_heads(self.linear.apply(rows, query * scale, query_bias * scale))
        k = self._split_heads(self.linear.apply(rows, key))
        v = self._split_heads(self.linear.apply(rows, value))
        scores = g.op("Add", g.op("FusedMatMul", q, k, transB=1, domain=MICROSOFT), self._shift)
        mixed = g.op("Transpose", g.op("MatMul", g.op("Softmax", scores, axis=-1), v), perm=[0, 2, 1, 3])
        joined = g.op("Reshape", mixed, g.ints(-1, hidden))
        return self.linear.apply(self.linear.ready(joined), out, out_bias + value_bias @ out)

    def _feed_forward(self, name: str, x: str) -> str:
        hidden = self.config.hidden_size
        rows = self.linear.ready(x, f"{name}.intermediate.input")
        wide = self.linear.apply(rows, *self.weights.dense(f"{name}.intermediate.dense", -1, hidden))
        active = self.g.op(self._act.operator, wide, domain=self._act.domain)
        rows = self.linear.ready(active, bounds=self._act.bounds)
        return self.linear.apply(rows, *self.weights.dense(f"{name}.output.dense", hidden, -1))

    def _split_heads(self, x: str) -> str:
        return self.g.op("Transpose", self.g.op("Reshape", x, self._heads_shape), perm=[0, 2, 1, 3])

    def _relative_bias(self) -> str:
        """Add what each head adds to a score for the distance between two tokens: (1, heads, width, width)."""
        g, most = self.g, self.config.max_length
        table = self.weights.get(_RELATIVE, -1, self.config.heads)
        by_distance = table[_buckets(np.arange(1 - most, most), len(table))].T
        one, zero = g.constant(np.int64(1)), g.constant(np.int64(0))
        places = g.op("Range", zero, g.op("Squeeze", self._width, g.ints(0)), one)
        distances = g.op("Sub", g.op("Unsqueeze", places, g.ints(0)), g.op("Unsqueeze", places, g.ints(1)))
        numbers = g.op("Add", distances, g.constant(np.int64(most - 1)))
        return g.op("Unsqueeze", g.op("Gather", g.constant(by_distance), numbers, axis=1), g.ints(0))


def _buckets(distances: npt.NDArray[np.int64], buckets: int) -> npt.NDArray[np.int64]:
    """Return the bucket of each distance from query to key: exact when near, logarithmic up to `_FAR` (T5)."""
    half = buckets // 2
    near = half // 2
    steps = np.abs(distances)
    spread = np.log(np.maximum(steps, 1) / near) / np.log(_FAR / near) * (half - near)
    far = np.minimum(near + spread.astype(np.int64), half - 1)
    return np.where(distances > 0, half, 0) + np.where(steps < near, steps, far)
