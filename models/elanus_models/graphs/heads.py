"""What comes after an encoder: each head adds one named output to the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from elanus_models.graphs.activation import activation
from elanus_models.graphs.architecture import (
    CLASSIFIER_DENSE,
    CLASSIFIER_OUT,
    TERMS_BIAS,
    TERMS_DENSE,
    TERMS_NORM,
    TERMS_WEIGHT,
    TOKEN_PROJECTION,
)
from elanus_models.graphs.bert import Encoder
from elanus_models.graphs.linear import FloatLinear

Head = Literal["hidden", "tokens", "classifier", "terms"]
Outputs = dict[str, list[str | int]]


def _hidden(encoder: Encoder, x: str) -> Outputs:
    """Token vectors as the encoder gives them: (texts, width, hidden)."""
    hidden = encoder.config.hidden_size
    encoder.unflatten(x, hidden, "last_hidden_state")
    return {"last_hidden_state": ["texts", "width", hidden]}


def _tokens(encoder: Encoder, x: str) -> Outputs:
    """Token vectors through ColBERT's projection: (texts, width, dim)."""
    projection = encoder.weights.get(TOKEN_PROJECTION, -1, encoder.config.hidden_size)
    product = encoder.g.op("MatMul", x, encoder.g.constant(projection.T))
    encoder.unflatten(product, len(projection), "token_embeddings")
    return {"token_embeddings": ["texts", "width", len(projection)]}


def _classifier(encoder: Encoder, x: str) -> Outputs:
    """Two layers over the first token, in float32: (texts, labels)."""
    g, config, weights = encoder.g, encoder.config, encoder.weights
    hidden, exact = config.hidden_size, FloatLinear(g)
    first = g.op("Gather", encoder.unflatten(x, hidden), g.constant(np.int64(0)), axis=1)
    act = activation(config.family.classifier_act)
    inner = exact.apply(exact.ready(first), *weights.dense(CLASSIFIER_DENSE, hidden, hidden))
    active = exact.ready(g.op(act.operator, inner, domain=act.domain))
    exact.apply(active, *weights.dense(CLASSIFIER_OUT, config.labels, hidden), output="logits")
    return {"logits": ["texts", config.labels]}


def _terms(encoder: Encoder, x: str) -> Outputs:
    """Term weights of SPLADE: log(1 + relu(largest logit over the text's tokens)), (texts, vocabulary).

    arXiv 2109.10086, equations 1 and 6.
    """
    g, linear, weights = encoder.g, encoder.linear, encoder.weights
    hidden, act = encoder.config.hidden_size, activation(encoder.config.act)
    inner = linear.apply(linear.ready(x, "terms.input"), *weights.dense(TERMS_DENSE, hidden, hidden))
    x = encoder.repeat_first(encoder.norm(TERMS_NORM, g.op(act.operator, inner, domain=act.domain)))
    name = TERMS_WEIGHT if TERMS_WEIGHT in weights else "embeddings.word_embeddings.weight"
    table = weights.get(name, -1, hidden)
    logits = linear.apply(linear.ready(x, "terms.output"), table.T)
    largest = g.op("ReduceMax", encoder.unflatten(logits, len(table)), axes=[1], keepdims=0)
    biased = g.op("Add", largest, g.constant(weights.get(TERMS_BIAS, len(table))))
    g.op("Log", g.op("Add", g.op("Relu", biased), g.constant(np.float32(1))), output="terms")
    return {"terms": ["texts", len(table)]}


HEADS: Mapping[Head, Callable[[Encoder, str], Outputs]] = {
    "hidden": _hidden,
    "tokens": _tokens,
    "classifier": _classifier,
    "terms": _terms,
}
