"""Tiny checkpoints of every family of encoders that is converted, with every head, in each family's own names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.models.tiny import HEADS, HIDDEN, LAYERS, POSITIONS, WIDE, WORDS, Tensors, tokenizer, write_safetensors

PROJECTED = 8
COLBERT_TOKENS = {"[UNK]": "[MASK]", "field": "[unused0]", "wind": "[unused1]", "##s": "."}
Shapes = dict[str, tuple[int, ...]]

_BERT_LAYER = {
    "attention.self.query": (HIDDEN, HIDDEN),
    "attention.self.key": (HIDDEN, HIDDEN),
    "attention.self.value": (HIDDEN, HIDDEN),
    "attention.output.dense": (HIDDEN, HIDDEN),
    "attention.output.LayerNorm": (HIDDEN,),
    "intermediate.dense": (WIDE, HIDDEN),
    "output.dense": (HIDDEN, WIDE),
    "output.LayerNorm": (HIDDEN,),
}
_MPNET_LAYER = {
    "attention.attn.q": (HIDDEN, HIDDEN),
    "attention.attn.k": (HIDDEN, HIDDEN),
    "attention.attn.v": (HIDDEN, HIDDEN),
    "attention.attn.o": (HIDDEN, HIDDEN),
    "attention.LayerNorm": (HIDDEN,),
    "intermediate.dense": (WIDE, HIDDEN),
    "output.dense": (HIDDEN, WIDE),
    "output.LayerNorm": (HIDDEN,),
}
_DISTILBERT_LAYER = {
    "attention.q_lin": (HIDDEN, HIDDEN),
    "attention.k_lin": (HIDDEN, HIDDEN),
    "attention.v_lin": (HIDDEN, HIDDEN),
    "attention.out_lin": (HIDDEN, HIDDEN),
    "sa_layer_norm": (HIDDEN,),
    "ffn.lin1": (WIDE, HIDDEN),
    "ffn.lin2": (HIDDEN, WIDE),
    "output_layer_norm": (HIDDEN,),
}
_BERT_HEADS = {
    "hidden": {},
    "classifier": {"bert.pooler.dense": (HIDDEN, HIDDEN), "classifier": (1, HIDDEN)},
    "terms": {
        "cls.predictions.transform.dense": (HIDDEN, HIDDEN),
        "cls.predictions.transform.LayerNorm": (HIDDEN,),
        "cls.predictions.bias": (len(WORDS),),
    },
}
_ROBERTA_HEADS = {
    "hidden": {},
    "classifier": {"classifier.dense": (HIDDEN, HIDDEN), "classifier.out_proj": (1, HIDDEN)},
    "terms": {"lm_head.dense": (HIDDEN, HIDDEN), "lm_head.layer_norm": (HIDDEN,), "lm_head.bias": (len(WORDS),)},
}
_DISTILBERT_HEADS = {
    "hidden": {},
    "classifier": {"pre_classifier": (HIDDEN, HIDDEN), "classifier": (1, HIDDEN)},
    "terms": {
        "vocab_transform": (HIDDEN, HIDDEN),
        "vocab_layer_norm": (HIDDEN,),
        "vocab_projector.bias": (len(WORDS),),
    },
}
_FAMILIES: Mapping[str, tuple[str, str, Mapping[str, tuple[int, ...]], Mapping[str, Shapes]]] = {
    "bert": ("bert.", "encoder.layer", _BERT_LAYER, _BERT_HEADS),
    "roberta": ("roberta.", "encoder.layer", _BERT_LAYER, _ROBERTA_HEADS),
    "xlm-roberta": ("roberta.", "encoder.layer", _BERT_LAYER, _ROBERTA_HEADS),
    "camembert": ("roberta.", "encoder.layer", _BERT_LAYER, _ROBERTA_HEADS),
    "mpnet": ("mpnet.", "encoder.layer", _MPNET_LAYER, _ROBERTA_HEADS),
    "distilbert": ("distilbert.", "transformer.layer", _DISTILBERT_LAYER, _DISTILBERT_HEADS),
}
NAMES = list(_FAMILIES)
_ARCHITECTURES = {
    "bert": "Bert",
    "roberta": "Roberta",
    "xlm-roberta": "XLMRoberta",
    "camembert": "Camembert",
    "mpnet": "MPNet",
    "distilbert": "DistilBert",
}
_ENDINGS = {"hidden": "Model", "classifier": "ForSequenceClassification", "terms": "ForMaskedLM"}


def write_family(folder: Path, family: str, head: str, **config: Any) -> Path:
    """Write a model folder with fixed random weights."""
    folder.mkdir(parents=True, exist_ok=True)
    write_safetensors(folder / "model.safetensors", family_tensors(family, head, config.get("num_labels", 1)))
    (folder / "config.json").write_text(json.dumps(_config(family, head) | config), encoding="utf-8")
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer()), encoding="utf-8")
    kind = "sentence_transformers.models."
    modules = [{"type": kind + "Transformer", "path": ""}, {"type": kind + "Pooling", "path": "1_Pooling"}]
    if head == "hidden":
        (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    return folder


def write_colbert(folder: Path) -> Tensors:
    """Write a BERT with ColBERT's projection and its settings; return its tensors."""
    write_family(folder, "bert", "hidden")
    (folder / "modules.json").unlink()
    projection = np.random.default_rng(11).normal(0, 0.3, (PROJECTED, HIDDEN)).astype(np.float32)
    tensors = family_tensors("bert", "hidden") | {"linear.weight": projection}
    write_safetensors(folder / "model.safetensors", tensors)
    settings = {"query_maxlen": 8, "query_token_id": "[unused0]", "doc_token_id": "[unused1]"}
    (folder / "artifact.metadata").write_text(json.dumps(settings), encoding="utf-8")
    text = json.dumps(tokenizer())
    for word, renamed in COLBERT_TOKENS.items():
        text = text.replace(f'"{word}"', f'"{renamed}"')
    (folder / "tokenizer.json").write_text(text, encoding="utf-8")
    return tensors


def family_tensors(family: str, head: str, labels: int = 1) -> Tensors:
    """Return a checkpoint's tensors under the family's names."""
    rng = np.random.default_rng(7)
    tensors = {
        name: rng.normal(0, 0.3, shape).astype(np.float32) for name, shape in _shapes(family, head, labels).items()
    }
    for name in tensors:
        if name.lower().endswith(("layernorm.weight", "layer_norm.weight")):
            tensors[name] += 1
    return tensors


def _shapes(family: str, head: str, labels: int) -> Shapes:
    prefix, layers, layer, heads = _FAMILIES[family]
    extra = {name: (labels, *shape[1:]) if shape[0] == 1 else shape for name, shape in heads[head].items()}
    positions = POSITIONS if family in ("bert", "distilbert") else POSITIONS + 2
    shapes: Shapes = {
        f"{prefix}embeddings.word_embeddings.weight": (len(WORDS), HIDDEN),
        f"{prefix}embeddings.position_embeddings.weight": (positions, HIDDEN),
    }
    if family not in ("mpnet", "distilbert"):
        types = 2 if family == "bert" else 1
        shapes[f"{prefix}embeddings.token_type_embeddings.weight"] = (types, HIDDEN)
    if family == "mpnet":
        shapes[f"{prefix}encoder.relative_attention_bias.weight"] = (32, HEADS)
    named = {f"{prefix}embeddings.LayerNorm": (HIDDEN,)}
    named |= {f"{prefix}{layers}.{n}.{part}": shape for n in range(LAYERS) for part, shape in layer.items()}
    for name, shape in (named | extra).items():
        if name.endswith(".bias"):
            shapes[name] = shape
        else:
            shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return shapes


def _config(family: str, head: str) -> dict[str, Any]:
    common = {
        "model_type": family,
        "architectures": [_ARCHITECTURES[family] + _ENDINGS[head]],
        "vocab_size": len(WORDS),
        "pad_token_id": 0 if family in ("bert", "distilbert") else 1,
        "num_labels": 1,
        "max_position_embeddings": POSITIONS if family in ("bert", "distilbert") else POSITIONS + 2,
        "layer_norm_eps": 1e-12,
    }
    if family == "distilbert":
        sizes = {"dim": HIDDEN, "hidden_dim": WIDE, "n_layers": LAYERS, "n_heads": HEADS, "activation": "gelu"}
        return common | sizes | {"seq_classif_dropout": 0.0}
    sizes = {"hidden_size": HIDDEN, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS}
    more = {"intermediate_size": WIDE, "hidden_act": "gelu", "type_vocab_size": 2 if family == "bert" else 1}
    return common | sizes | more
