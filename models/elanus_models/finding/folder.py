"""Reads a model folder as sentence-transformers and the Hugging Face hub lay it out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elanus_models.errors import ModelCorrupt, ModelUnsupported
from elanus_models.finding.card import ModelCard
from elanus_models.finding.onnx_choice import choose_onnx
from elanus_models.graphs.architecture import FAMILIES
from elanus_models.pooling import Pooling

_POOLING_FLAGS: dict[str, Pooling] = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_lasttoken": "last",
}
_POOLING_NAMES: dict[str, Pooling] = {"mean": "mean", "cls": "cls", "max": "max", "lasttoken": "last"}
CONVERTIBLE = tuple(FAMILIES)
"""The `model_type`s whose weights are converted."""

MANIFEST = "elanus.json"
"""In a folder that `export` made: its card, the precision of its graph and the weights it was made from."""

_KNOWN_MODULES = ("Transformer", "Pooling", "Normalize")


@dataclass(frozen=True)
class ModelFiles:
    """What of a folder is run, and why: its weights, converted, or else its ready ONNX graph."""

    folder: Path
    weights: Path | None
    onnx: Path | None
    reason: str = ""
    int8: bool = False

    @property
    def tokenizer(self) -> Path:
        return self.folder / "tokenizer.json"


def find_files(folder: Path, file: str | None = None, *, int8: bool = False) -> ModelFiles | None:
    """Return the folder's model files, or None if it holds no model.

    Weights go before a graph, except where only the graph's architecture can be run, or a `file` is asked for.

    Raises ModelNotFound if there is no such file.
    """
    weights = folder / "model.safetensors"
    config = read_config(folder, "config.json")
    if file is None and weights.is_file() and is_convertible(config):
        return ModelFiles(folder, weights, None, f"{config['model_type']} weights, converted here")
    names = [path.relative_to(folder).as_posix() for path in (*folder.glob("*.onnx"), *folder.glob("onnx/*.onnx"))]
    chosen = choose_onnx(names, file, int8=int8 and not (folder / MANIFEST).is_file())
    if chosen is not None:
        return ModelFiles(folder, None, folder / chosen.name, chosen.reason, chosen.int8)
    if weights.is_file() and (folder / "config.json").is_file():
        return ModelFiles(folder, weights, None, "its weights")
    return None


def is_convertible(config: dict[str, Any]) -> bool:
    """Whether weights with this `config.json` are converted: JinaBERT says "bert", but has other positions."""
    absolute = config.get("position_embedding_type") in (None, "absolute")
    return config.get("model_type") in CONVERTIBLE and absolute


def read_config(folder: Path, name: str) -> dict[str, Any]:
    """Return a parsed JSON file of the folder, empty if it is absent; raises ModelCorrupt."""
    value = _read_json(folder / name)
    if not isinstance(value, dict | None):
        raise ModelCorrupt(f"{folder / name} holds no JSON object")
    return value or {}


def read_card(folder: Path, name: str) -> ModelCard:
    """Describe a folder's model from its own configuration files.

    Without `modules.json` the tokens' mean is taken and not normalised, as sentence-transformers does. A folder that
    `export` made has its card written down.
    Raises ModelUnsupported if a module, pooling or option cannot be run here.
    """
    if written := read_config(folder, MANIFEST).get("card"):
        return ModelCard(name=name, **written)
    config = read_config(folder, "config.json")
    modules = _modules(folder)
    for kind in modules:
        if kind not in _KNOWN_MODULES:
            raise ModelUnsupported(f"{folder / 'modules.json'}: the module '{kind}' is not supported")
    encoder = read_config(folder, "sentence_bert_config.json")
    if encoder.get("do_lower_case"):
        raise ModelUnsupported(f"{folder / 'sentence_bert_config.json'}: do_lower_case is not supported")
    prompts = read_config(folder, "config_sentence_transformers.json").get("prompts") or {}
    return ModelCard(
        name=name,
        dim=_whole(config.get("hidden_size", config.get("dim")), folder / "config.json"),
        pooling=_pooling(folder, modules.get("Pooling", "1_Pooling")),
        normalize="Normalize" in modules,
        max_length=_max_length(folder, encoder, config),
        query_prefix=str(prompts.get("query") or ""),
        document_prefix=str(prompts.get("document") or prompts.get("passage") or ""),
    )


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ModelCorrupt(f"{path} is not valid JSON: {error}") from error


def _modules(folder: Path) -> dict[str, str]:
    """Return each module's kind with its sub-folder, in order."""
    entries = _read_json(folder / "modules.json") or []
    try:
        return {str(entry["type"]).rpartition(".")[2]: str(entry["path"]) for entry in entries}
    except (TypeError, KeyError) as error:
        raise ModelCorrupt(f"{folder / 'modules.json'} is not a list of modules") from error


def _pooling(folder: Path, where: str) -> Pooling:
    path = f"{where}/config.json"
    config = read_config(folder, path)
    if not config:
        return "mean"
    if config.get("include_prompt") is False:
        raise ModelUnsupported(f"{folder / path}: include_prompt=false is not supported")
    named = config.get("pooling_mode")
    if isinstance(named, str) and named in _POOLING_NAMES:
        return _POOLING_NAMES[named]
    chosen = [key for key, value in config.items() if key.startswith("pooling_mode") and value]
    if len(chosen) == 1 and chosen[0] in _POOLING_FLAGS:
        return _POOLING_FLAGS[chosen[0]]
    raise ModelUnsupported(f"{folder / path}: pooling {named or chosen} is not supported; known: mean, cls, max, last")


def _max_length(folder: Path, encoder: dict[str, Any], config: dict[str, Any]) -> int:
    tokenizer = read_config(folder, "tokenizer_config.json")
    limits = [
        encoder.get("max_seq_length") or tokenizer.get("model_max_length"),
        config.get("max_position_embeddings"),
    ]
    return min((int(limit) for limit in limits if limit), default=512)


def _whole(value: object, path: Path) -> int:
    if not isinstance(value, int) or value < 1:
        raise ModelCorrupt(f"{path} does not give hidden_size as a whole number")
    return value
