"""From safetensors to ONNX without torch, in float32 or row-wise int8."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from elanus_models.batching import pad
from elanus_models.bert import INPUTS, BertConfig, Encoder, Tensors
from elanus_models.cpu import Precision
from elanus_models.errors import ModelUnsupported
from elanus_models.graph import Graph
from elanus_models.linear import FloatLinear, Linear, PeakLinear, RowInt8Linear
from elanus_models.session import evaluate

CONVERTER_VERSION = 3
"""Part of the cache key: rises with every change of the graph."""

_PROTOBUF_LIMIT = 2**31 - 2**24

Floats = npt.NDArray[np.float32]


def cache_key(name: str, config: Mapping[str, Any], weights_sha256: str, precision: str, layout: str) -> str:
    """Return the file name under which a conversion with just these inputs is kept."""
    parts = [weights_sha256, precision, layout, CONVERTER_VERSION, config]
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    plain = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)[-60:]
    return f"{plain}-{precision}-{digest[:20]}.onnx"


def convert_bert(
    weights: Path,
    config: BertConfig,
    precision: Precision,
    blank: list[int],
    unsigned_weights: bool = False,
) -> bytes:
    """Return the ONNX model of a BERT encoder; `blank` holds the tokens of an empty text.

    Raises ModelCorrupt if a tensor is missing or misshapen, ModelUnsupported over ONNX's size of 2 GB.
    """
    tensors = Tensors(weights)
    if precision == "float32" and tensors.size > _PROTOBUF_LIMIT:
        raise ModelUnsupported(f"{weights}: over 2 GB in float32, more than one ONNX file can hold; use int8")
    g = Graph()
    linear: Linear = FloatLinear(g)
    if precision == "int8":
        divisors = {site: _divisors(peak) for site, peak in _peaks(tensors, config, blank).items()}
        tokens = g.op("Shape", g.op("Reshape", "input_ids", g.ints(-1)))
        linear = RowInt8Linear(g, tokens, divisors, unsigned_weights)
    Encoder(g, linear, config, tensors).run(half_table=precision == "int8")
    try:
        return g.model("bert", INPUTS, {"last_hidden_state": ["texts", "width", config.hidden_size]})
    except ValueError as error:
        raise ModelUnsupported(f"{weights}: cannot be written as one ONNX file ({error})") from error


def _peaks(tensors: Tensors, config: BertConfig, blank: list[int]) -> dict[str, Floats]:
    """Return the largest magnitude of every channel at every site, over made-up texts.

    Outlying channels belong to the model more than to the text: texts of arbitrary tokens find them.
    """
    g = Graph()
    linear = PeakLinear(g)
    Encoder(g, linear, config, tensors).run()
    graph = g.model("peaks", INPUTS, {site: [config.hidden_size] for site in linear.sites})
    runs = evaluate(graph, linear.sites, [pad([text], 0) for text in _made_up_texts(config, blank)])
    return {site: np.max([run[site] for run in runs], axis=0) for site in linear.sites}


def _made_up_texts(config: BertConfig, blank: list[int]) -> list[list[int]]:
    """Return texts of arbitrary tokens between those of an empty text, the same on every machine."""
    most = config.max_position_embeddings - len(blank)
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
