"""Dense layers of a converted graph: plain float32, or row-wise int8.

Row-wise int8 quantises every token's activations with a scale of its own and every output channel's weights
with another, so a token's result does not depend on what else is in the batch. Activations are unsigned
bytes around a zero point, which is the operand order that x86's 8-bit instructions take. Channels that reach
far beyond the others would waste a token's 8 bits: they are divided by a power of two, and their weights
multiplied by it (SmoothQuant, arXiv 2211.10438, with the scale reduced to outliers).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from elanus_models.graphs.activation import Range
from elanus_models.graphs.graph import MICROSOFT, Graph

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Rows:
    """Token vectors (tokens, width) made ready for several layers.

    Quantised ones have their scales, their zero point and what their channels were divided by.
    """

    values: str
    scales: str = ""
    zero: int = 0
    divisors: Floats | None = None


class Linear(Protocol):
    """How a graph multiplies token vectors by weights."""

    def ready(self, x: str, site: str = "", bounds: Range | None = None) -> Rows:
        """Prepare token vectors; without bounds they are taken to spread evenly around zero.

        `site` names a place in the model where some channels may reach far beyond the others.
        """
        ...

    def apply(self, rows: Rows, weight: Floats, bias: Floats | None = None) -> str:
        """Return `rows @ weight + bias`; weight is (inputs, outputs)."""
        ...


class FloatLinear:
    """Float32 layers."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def ready(self, x: str, site: str = "", bounds: Range | None = None) -> Rows:
        return Rows(x)

    def apply(self, rows: Rows, weight: Floats, bias: Floats | None = None, output: str = "") -> str:
        g = self._graph
        if bias is None:
            return g.op("MatMul", rows.values, g.constant(weight), output=output)
        return g.op("Gemm", rows.values, g.constant(weight), g.constant(bias), output=output)


class PeakLinear(FloatLinear):
    """Float32 layers that also output each site's largest magnitude per channel, under the site's name."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self.sites: list[str] = []

    def ready(self, x: str, site: str = "", bounds: Range | None = None) -> Rows:
        if site:
            self._graph.op("ReduceMax", self._graph.op("Abs", x), output=site, axes=[0], keepdims=0)
            self.sites.append(site)
        return Rows(x)


class RowInt8Linear:
    """Int8 layers with one scale per token and one per output channel.

    `tokens` names the number of tokens in the batch, as a vector of one int64. `divisors` gives for each site
    what its channels are divided by. `unsigned_weights` stores the same integers shifted by 128, for CPUs
    whose signed kernels overflow.
    """

    def __init__(self, graph: Graph, tokens: str, divisors: Mapping[str, Floats], unsigned_weights: bool) -> None:
        self._graph = graph
        self._divisors = divisors
        self._tokens = tokens
        self._unsigned = unsigned_weights
        self._zeros: dict[int, str] = {}

    def ready(self, x: str, site: str = "", bounds: Range | None = None) -> Rows:
        g = self._graph
        divisors = self._divisors.get(site)
        if divisors is not None:
            x = g.op("Mul", x, g.constant(1 / divisors))
        if bounds is None:
            zero, least = 128, 1e-10
            peak = g.op("ReduceMax", g.op("Abs", x), axes=[1], keepdims=1)
            step = g.op("Mul", peak, g.constant(np.float32(1 / 127)))
        else:
            zero, least = bounds.zero, max(bounds.floor / max(bounds.zero, 1), 1e-10)
            peak = g.op("ReduceMax", x, axes=[1], keepdims=1)
            step = g.op("Mul", peak, g.constant(np.float32(1 / (255 - zero))))
        scales = g.op("Max", step, g.constant(np.float32(least)))
        flat = g.op("Squeeze", scales, g.ints(1))
        return Rows(g.op("QuantizeLinear", x, flat, self._zero(zero), axis=0), scales, zero, divisors)

    def apply(self, rows: Rows, weight: Floats, bias: Floats | None = None) -> str:
        g = self._graph
        if rows.divisors is not None:
            weight = weight * rows.divisors[:, None]
        steps = np.maximum(np.abs(weight).max(axis=0) / np.float32(127), np.float32(1e-12))
        whole = np.clip(np.rint(weight / steps), -127, 127)
        stored = (whole + 128).astype(np.uint8) if self._unsigned else whole.astype(np.int8)
        shift = g.constant(np.uint8(128)) if self._unsigned else g.constant(np.int8(0))
        product = g.op(
            "MatMulIntegerToFloat",
            rows.values,
            g.constant(stored),
            rows.scales,
            g.constant(steps.astype(np.float32)),
            g.constant(np.uint8(rows.zero)),
            shift,
            domain=MICROSOFT,
        )
        # The operator's own bias input is added before the rows are scaled.
        return product if bias is None else g.op("Add", product, g.constant(bias))

    def _zero(self, zero: int) -> str:
        if zero not in self._zeros:
            self._zeros[zero] = self._graph.op("ConstantOfShape", self._tokens, value=np.array([zero], np.uint8))
        return self._zeros[zero]
