"""A BERT small enough to build in a test, and its slow twin in numpy."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

HIDDEN, HEADS, LAYERS, WIDE, POSITIONS = 32, 4, 2, 64, 32
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "kite", "hovers", "over", "the", "field", "wind", "##s", "mouse"]

Tensors = dict[str, np.ndarray[Any, np.dtype[np.float32]]]


def write_tiny(
    folder: Path,
    *,
    pooling: str = "pooling_mode_mean_tokens",
    normalize: bool = True,
    act: str = "gelu",
    prompts: dict[str, str] | None = None,
    dtype: str = "F32",
    tensor_prefix: str = "",
) -> Tensors:
    """Write a model folder with fixed random weights and return them."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = _weights()
    write_safetensors(folder / "model.safetensors", {tensor_prefix + k: v for k, v in tensors.items()}, dtype)
    kind = "sentence_transformers.models."
    modules = [(kind + "Transformer", ""), (kind + "Pooling", "1_Pooling")]
    modules += [(kind + "Normalize", "2_Normalize")] if normalize else []
    files: dict[str, Any] = {
        "config.json": {
            "model_type": "bert",
            "hidden_act": act,
            "hidden_size": HIDDEN,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": HEADS,
            "intermediate_size": WIDE,
            "layer_norm_eps": 1e-12,
            "max_position_embeddings": POSITIONS,
            "vocab_size": len(WORDS),
            "pad_token_id": 0,
        },
        "modules.json": [{"type": kind, "path": path} for kind, path in modules],
        "1_Pooling/config.json": {"word_embedding_dimension": HIDDEN, pooling: True},
        "sentence_bert_config.json": {"max_seq_length": 16, "do_lower_case": False},
        "config_sentence_transformers.json": {"prompts": prompts or {}},
        "tokenizer.json": tokenizer(),
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    return tensors


def write_safetensors(path: Path, tensors: Tensors, dtype: str = "F32") -> None:
    """Write tensors as F32, F16 or BF16 (cut, not rounded)."""
    header, blobs, offset = {}, [], 0
    for name, tensor in tensors.items():
        if dtype == "BF16":
            raw = (np.ascontiguousarray(tensor, np.float32).view(np.uint32) >> 16).astype(np.uint16).tobytes()
        else:
            raw = tensor.astype({"F32": np.float32, "F16": np.float16}[dtype]).tobytes()
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [offset, offset + len(raw)]}
        blobs.append(raw)
        offset += len(raw)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(blobs))


def token_ids(text: str) -> list[int]:
    """Tokenise words of WORDS between [CLS] and [SEP]."""
    return [2, *(WORDS.index(word) for word in text.split()), 3]


def forward(
    tensors: Tensors, ids: list[int], act: str = "gelu", attended: int | None = None
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return token vectors (tokens, hidden) in float64, by the published equations, one text at a time.

    Only the first `attended` tokens are attended to.
    """
    t = {name: tensor.astype(np.float64) for name, tensor in tensors.items()}

    def dense(name: str, x: Any) -> Any:
        return x @ t[f"{name}.weight"].T + t[f"{name}.bias"]

    def norm(name: str, x: Any) -> Any:
        centred = x - x.mean(axis=1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-12)
        return centred / deviation * t[f"{name}.weight"] + t[f"{name}.bias"]

    def activate(x: Any) -> Any:
        if act == "relu":
            return np.maximum(x, 0)
        if act == "gelu_new":
            return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
        return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))

    x = t["embeddings.word_embeddings.weight"][ids]
    x = x + t["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm("embeddings.LayerNorm", x + t["embeddings.token_type_embeddings.weight"][0])
    size = HIDDEN // HEADS
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        q, k, v = (dense(f"{name}.attention.self.{part}", x) for part in ("query", "key", "value"))
        mixed = np.zeros_like(x)
        for head in range(HEADS):
            part = slice(head * size, (head + 1) * size)
            weights = np.exp(q[:, part] @ k[:attended, part].T / math.sqrt(size))
            mixed[:, part] = weights / weights.sum(axis=1, keepdims=True) @ v[:attended, part]
        x = norm(f"{name}.attention.output.LayerNorm", x + dense(f"{name}.attention.output.dense", mixed))
        wide = activate(dense(f"{name}.intermediate.dense", x))
        x = norm(f"{name}.output.LayerNorm", x + dense(f"{name}.output.dense", wide))
    return x


def _weights() -> Tensors:
    rng = np.random.default_rng(7)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (len(WORDS), HIDDEN),
        "embeddings.position_embeddings.weight": (POSITIONS, HIDDEN),
        "embeddings.token_type_embeddings.weight": (2, HIDDEN),
        "embeddings.LayerNorm.weight": (HIDDEN,),
        "embeddings.LayerNorm.bias": (HIDDEN,),
    }
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        square = [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
        square.append(f"{name}.attention.output.dense")
        dense = dict.fromkeys(square, (HIDDEN, HIDDEN))
        dense |= {f"{name}.intermediate.dense": (WIDE, HIDDEN), f"{name}.output.dense": (HIDDEN, WIDE)}
        for part, shape in dense.items():
            shapes |= {f"{part}.weight": shape, f"{part}.bias": shape[:1]}
        for part in (f"{name}.attention.output.LayerNorm", f"{name}.output.LayerNorm"):
            shapes |= {f"{part}.weight": (HIDDEN,), f"{part}.bias": (HIDDEN,)}
    tensors = {n: rng.normal(0, 0.25, shape).astype(np.float32) for n, shape in shapes.items()}
    for tensor_name, tensor in tensors.items():
        if tensor_name.endswith("LayerNorm.weight"):
            tensor += 1
            tensor[5] *= 8
    return tensors


def tokenizer() -> dict[str, Any]:
    """Return a `tokenizer.json` of whole words, whose second text of a pair has type 1."""
    special = {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}}
    special["[SEP]"] = {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}
    single = [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    single.append({"SpecialToken": {"id": "[SEP]", "type_id": 0}})
    pair = [*single, {"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": {
            "strategy": {"Fixed": 8},
            "direction": "Right",
            "pad_to_multiple_of": None,
            "pad_id": 0,
            "pad_type_id": 0,
            "pad_token": "[PAD]",
        },
        "added_tokens": [],
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": special},
        "decoder": None,
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {word: number for number, word in enumerate(WORDS)},
        },
    }
