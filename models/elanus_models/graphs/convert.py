"""From safetensors to ONNX without torch, in float32 or row-wise int8."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from elanus_models.batching import pad
from elanus_models.cpu import Precision
from elanus_models.errors import ModelUnsupported
from elanus_models.graphs.architecture import EncoderConfig
from elanus_models.graphs.bert import Encoder
from elanus_models.graphs.graph import Graph
from elanus_models.graphs.heads import HEADS, Head
from elanus_models.graphs.linear import FloatLinear, Linear, PeakLinear, RowInt8Linear
from elanus_models.graphs.weights import Weights
from elanus_models.session import evaluate

CONVERTER_VERSION = 3
"""Part of the cache key: rises with every change of the graph."""

_PROTOBUF_LIMIT = 2**31 - 2**24

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Conversion:
    """What is to be made of a checkpoint.

    `blank` holds the tokens of an empty text. `unsigned_weights` stores int8 weights as CPUs want them whose signed
    kernels overflow.
    """

    head: Head
    precision: Precision
    blank: tuple[int, ...]
    unsigned_weights: bool = False

    def file_name(self, name: str, config: Mapping[str, Any], weights_sha256: str) -> str:
        """Return the name under which the result is kept: other inputs or another converter give another name."""
        layout = "unsigned" if self.unsigned_weights else "signed"
        parts = [weights_sha256, self.head, self.precision, layout, CONVERTER_VERSION, config]
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        plain = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)[-60:]
        return f"{plain}-{self.head}-{self.precision}-{digest[:20]}.onnx"


def convert(checkpoint: Path, config: EncoderConfig, wanted: Conversion) -> bytes:
    """Return the ONNX model of an encoder with a head.

    Raises ModelCorrupt if a tensor is missing or misshapen, ModelUnsupported over ONNX's size of 2 GB.
    """
    weights = Weights(checkpoint, config.family)
    if wanted.precision == "float32" and weights.size > _PROTOBUF_LIMIT:
        raise ModelUnsupported(f"{checkpoint}: over 2 GB in float32, more than one ONNX file can hold; use int8")
    g = Graph()
    linear: Linear = FloatLinear(g)
    if wanted.precision == "int8":
        divisors = {site: _divisors(peak) for site, peak in _peaks(weights, config, wanted).items()}
        tokens = g.op("Shape", g.op("Reshape", "input_ids", g.ints(-1)))
        linear = RowInt8Linear(g, tokens, divisors, wanted.unsigned_weights)
    encoder = Encoder(g, linear, config, weights, types=wanted.head == "classifier")
    outputs = HEADS[wanted.head](encoder, encoder.run(half_table=wanted.precision == "int8"))
    try:
        return g.model(wanted.head, encoder.inputs, outputs)
    except ValueError as error:
        raise ModelUnsupported(f"{checkpoint}: cannot be written as one ONNX file ({error})") from error


def _peaks(weights: Weights, config: EncoderConfig, wanted: Conversion) -> dict[str, Floats]:
    """Return the largest magnitude of every channel at every site, over made-up texts.

    Outlying channels belong to the model more than to the text: texts of arbitrary tokens find them.
    """
    g = Graph()
    linear = PeakLinear(g)
    encoder = Encoder(g, linear, config, weights)
    HEADS[wanted.head](encoder, encoder.run())
    graph = g.model("peaks", encoder.inputs, {site: [config.hidden_size] for site in linear.sites})
    runs = evaluate(graph, linear.sites, [pad([text], 0) for text in _made_up_texts(config, wanted.blank)])
    return {site: np.max([run[site] for run in runs], axis=0) for site in linear.sites}


def _made_up_texts(config: EncoderConfig, blank: tuple[int, ...]) -> list[list[int]]:
    """Return texts of arbitrary tokens between those of an empty text, the same on every machine."""
    most = config.max_length - len(blank)
    lengths = [min(length, most) for length in (0, 1, 2, 4, 8, 16, 24, 32, 48, 64, 64, 64)]
    spread = (np.arange(sum(lengths), dtype=np.uint64) * np.uint64(2654435761)) % np.uint64(2**32)
    ids = (spread * np.uint64(config.vocab_size) >> np.uint64(32)).astype(np.int64)
    texts = np.split(ids, np.cumsum(lengths)[:-1])
    return [text for ids in texts if (text := [*blank[:1], *ids.tolist(), *blank[1:]])]


def _divisors(peak: Floats) -> Floats:
    """Return the powers of two that bring outlying channels down to about twice the median peak."""
    ratio = peak / max(2 * float(np.median(peak)), 1e-10)
    divisors: Floats = np.exp2(np.rint(np.log2(np.maximum(ratio, 1)))).astype(np.float32)
    return divisors
