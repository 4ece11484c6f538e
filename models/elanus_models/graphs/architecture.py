"""The encoder families whose weights are converted, and how each names its tensors and its settings.

All are BERT with small differences, so every family is brought to BERT's names, and every head to one set of names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elanus_models.errors import ModelCorrupt, ModelUnsupported

CLASSIFIER_DENSE, CLASSIFIER_OUT = "classifier.dense", "classifier.out"
TERMS_DENSE, TERMS_NORM, TERMS_WEIGHT, TERMS_BIAS = "terms.dense", "terms.LayerNorm", "terms.weight", "terms.bias"
TOKEN_PROJECTION = "linear.weight"

Renames = tuple[tuple[str, str], ...]

_OLD_NORMS: Renames = ((r"\.gamma$", ".weight"), (r"\.beta$", ".bias"))
_BERT: Renames = (
    (r"^classifier\.", f"{CLASSIFIER_OUT}."),
    (r"^pooler\.dense\.", f"{CLASSIFIER_DENSE}."),
    (r"^cls\.predictions\.transform\.dense\.", f"{TERMS_DENSE}."),
    (r"^cls\.predictions\.transform\.LayerNorm\.", f"{TERMS_NORM}."),
    (r"^cls\.predictions\.decoder\.weight$", TERMS_WEIGHT),
    (r"^cls\.predictions\.bias$", TERMS_BIAS),
)
_ROBERTA: Renames = (
    (r"^classifier\.out_proj\.", f"{CLASSIFIER_OUT}."),
    (r"^lm_head\.dense\.", f"{TERMS_DENSE}."),
    (r"^lm_head\.layer_norm\.", f"{TERMS_NORM}."),
    (r"^lm_head\.decoder\.weight$", TERMS_WEIGHT),
    (r"^lm_head\.bias$", TERMS_BIAS),
)
_MPNET: Renames = (
    *_ROBERTA,
    (r"\.attention\.attn\.q\.", ".attention.self.query."),
    (r"\.attention\.attn\.k\.", ".attention.self.key."),
    (r"\.attention\.attn\.v\.", ".attention.self.value."),
    (r"\.attention\.attn\.o\.", ".attention.output.dense."),
    (r"\.attention\.LayerNorm\.", ".attention.output.LayerNorm."),
)
_DISTILBERT: Renames = (
    (r"^transformer\.layer\.", "encoder.layer."),
    (r"\.attention\.q_lin\.", ".attention.self.query."),
    (r"\.attention\.k_lin\.", ".attention.self.key."),
    (r"\.attention\.v_lin\.", ".attention.self.value."),
    (r"\.attention\.out_lin\.", ".attention.output.dense."),
    (r"\.sa_layer_norm\.", ".attention.output.LayerNorm."),
    (r"\.ffn\.lin1\.", ".intermediate.dense."),
    (r"\.ffn\.lin2\.", ".output.dense."),
    (r"\.output_layer_norm\.", ".output.LayerNorm."),
    (r"^classifier\.", f"{CLASSIFIER_OUT}."),
    (r"^pre_classifier\.", f"{CLASSIFIER_DENSE}."),
    (r"^vocab_transform\.", f"{TERMS_DENSE}."),
    (r"^vocab_layer_norm\.", f"{TERMS_NORM}."),
    (r"^vocab_projector\.weight$", TERMS_WEIGHT),
    (r"^vocab_projector\.bias$", TERMS_BIAS),
)


@dataclass(frozen=True)
class Family:
    """One `model_type`.

    Tensor names lose `prefix`, then `renames` (patterns) are applied in order. `settings` are the names in
    `config.json` of hidden size, layers, heads and activation. With `skips_positions` the first token's position is
    the one after the padding token's number. `classifier_act` stands between a classifier's two layers.
    """

    prefix: str
    renames: Renames
    settings: tuple[str, str, str, str] = ("hidden_size", "num_hidden_layers", "num_attention_heads", "hidden_act")
    skips_positions: bool = False
    relative_positions: bool = False
    classifier_act: str = "tanh"

    def plain_name(self, name: str) -> str:
        """Return BERT's name for the tensor that this family calls `name`."""
        name = name.removeprefix(self.prefix)
        for pattern, plain in (*_OLD_NORMS, *self.renames):
            name = re.sub(pattern, plain, name)
        return name


FAMILIES: Mapping[str, Family] = {
    "bert": Family("bert.", _BERT),
    "roberta": Family("roberta.", _ROBERTA, skips_positions=True),
    "xlm-roberta": Family("roberta.", _ROBERTA, skips_positions=True),
    "camembert": Family("roberta.", _ROBERTA, skips_positions=True),
    "mpnet": Family("mpnet.", _MPNET, skips_positions=True, relative_positions=True),
    "distilbert": Family(
        "distilbert.", _DISTILBERT, ("dim", "n_layers", "n_heads", "activation"), classifier_act="relu"
    ),
}


@dataclass(frozen=True)
class EncoderConfig:
    """The part of a `config.json` that decides the graph; `labels` counts a classifier's outputs."""

    family: Family
    hidden_size: int
    layers: int
    heads: int
    vocab_size: int
    max_length: int
    norm_eps: float
    act: str
    labels: int

    @classmethod
    def read(cls, config: Mapping[str, Any], origin: Path) -> EncoderConfig:
        """Check a parsed `config.json`; raises ModelUnsupported for other architectures, or ModelCorrupt."""
        kind = config.get("model_type")
        family = FAMILIES.get(str(kind))
        if family is None:
            raise ModelUnsupported(
                f"{origin}: model_type '{kind}' cannot be converted (only {', '.join(FAMILIES)} can); "
                "put the model's own ONNX export into the folder as model.onnx"
            )
        position = config.get("position_embedding_type") or "absolute"
        if position != "absolute":
            raise ModelUnsupported(f"{origin}: position_embedding_type '{position}' is not supported")
        hidden, layers, heads, act = family.settings
        labels = config.get("num_labels") or len(config.get("id2label") or ()) or 2
        try:
            return cls(
                family=family,
                hidden_size=int(config[hidden]),
                layers=int(config[layers]),
                heads=int(config[heads]),
                vocab_size=int(config["vocab_size"]),
                max_length=longest_text(config) or int(config["max_position_embeddings"]),
                norm_eps=float(config.get("layer_norm_eps", 1e-12)),
                act=str(config.get(act, "gelu")),
                labels=int(labels),
            )
        except KeyError as error:
            raise ModelCorrupt(f"{origin} lacks {error}") from error


def longest_text(config: Mapping[str, Any]) -> int | None:
    """Return how many tokens a text may have by a `config.json`, of any architecture; None if it does not say."""
    positions = config.get("max_position_embeddings")
    if not positions:
        return None
    family = FAMILIES.get(str(config.get("model_type")))
    skipped = 1 + int(config.get("pad_token_id", 1)) if family is not None and family.skips_positions else 0
    return int(positions) - skipped
