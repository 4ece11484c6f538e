"""A checkpoint converted into a folder of its own, and measured against what it was made from."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from elanus_models.cpu import Precision
from elanus_models.encoder import Batch, OnnxEncoder, Settings
from elanus_models.errors import InvalidInput, ModelUnsupported
from elanus_models.finding.folder import MANIFEST, read_config
from elanus_models.finding.resolve import Source, resolve
from elanus_models.graphs.heads import HEADS, Head
from elanus_models.model import Floats
from elanus_models.pooling import normalize, pool

_ENDINGS: Mapping[str, Head] = {
    "ForMaskedLM": "terms",
    "ForSequenceClassification": "classifier",
    "HF_ColBERT": "tokens",
}
_SETTINGS_FILES = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "artifact.metadata",
)
_CARD = ("dim", "pooling", "normalize", "max_length", "kind", "query_prefix", "document_prefix", "license")
_SAMPLE = (
    "A kite is a bird of prey with long wings.",
    "Which function compresses a file?",
    "The committee postponed its decision until the spring session, because the figures of two districts were missing.",
    "def read(path): return open(path).read()",
    "Jakarta adalah ibu kota Indonesia.",
    "Rainfall in the northern valleys exceeded the long-term mean by a fifth, while the coast stayed dry for the third "
    "year; farmers who had dug ponds in time watered their fields from them until the end of September.",
    "yes",
    "In 1687 Newton published three laws of motion and a law of gravitation that explained the orbits of planets.",
)


@dataclass(frozen=True)
class Side:
    """What one form of a model costs: bytes on disk, texts a second."""

    form: str
    size: int
    texts_per_second: float


@dataclass(frozen=True)
class Exported:
    """What `export` made: the folder, both forms of the model, and how like their results are over sample texts.

    `likeness` holds the least and the mean cosine of the outputs; of a classifier, the largest and the mean difference
    of the scores.
    """

    folder: Path
    head: Head
    before: Side
    after: Side
    measure: str
    likeness: tuple[float, float]


def export(
    model: str | os.PathLike[str],
    destination: str | os.PathLike[str],
    *,
    precision: Precision = "int8",
    head: Head | None = None,
) -> Exported:
    """Convert a model's safetensors to ONNX in a new folder that can be named wherever a model can.

    `precision` "int8" is row-wise: one scale per token, so that a text's vector does not depend on its batch. `head`
    is what the model gives ("hidden", "tokens", "classifier", "terms"), by default what its `config.json` says.
    The folder appears whole or not at all.

    Raises InvalidInput if the destination exists, ModelUnsupported for models that cannot be converted.
    """
    if precision not in ("int8", "float32"):
        raise InvalidInput(f"precision must be 'int8' or 'float32', not {precision!r}")
    if head is not None and head not in HEADS:
        raise InvalidInput(f"head must be one of {', '.join(HEADS)}, not {head!r}")
    target = Path(destination)
    if target.exists():
        raise InvalidInput(f"{target} exists; name a new folder")
    source = resolve(model)
    if source.files.weights is None:
        raise ModelUnsupported(f"{source.files.folder} has no model.safetensors; its ONNX graph can be used as it is")
    wanted = head or own_head(source.files.folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    made = target.with_name(f".{target.name}-{os.getpid()}.tmp")
    try:
        made.mkdir()
        settings = Settings(threads=1, cache_dir=made / "cache")
        before = OnnxEncoder(source, wanted, replace(settings, precision="float32"))
        after = OnnxEncoder(source, wanted, replace(settings, precision=precision))
        report = _compare(before, after, wanted, target)
        Path(after.graph_origin).rename(made / "model.onnx")
        _write_settings(source, made, precision, wanted, after.quantisation)
        shutil.rmtree(made / "cache")
        made.rename(target)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return report


def own_head(folder: Path) -> Head:
    """Return what a model gives by its own `config.json`, or by what `export` wrote beside it."""
    if made := read_config(folder, MANIFEST).get("head"):
        return cast(Head, made)
    names = read_config(folder, "config.json").get("architectures") or [""]
    return next((head for ending, head in _ENDINGS.items() if str(names[0]).endswith(ending)), "hidden")


def _write_settings(source: Source, folder: Path, precision: Precision, head: Head, quantisation: str) -> None:
    for path in (source.files.folder / name for name in _SETTINGS_FILES):
        if path.is_file():
            shutil.copyfile(path, folder / path.name)
    for path in source.files.folder.glob("*_Pooling/config.json"):
        (folder / path.parent.name).mkdir()
        shutil.copyfile(path, folder / path.parent.name / path.name)
    card = {name: getattr(source.card, name) for name in _CARD}
    manifest = {
        "card": card,
        "precision": precision,
        "quantisation": quantisation,
        "head": head,
        "weights_sha256": source.weights_sha256,
        "made_from": source.card.name,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _compare(before: OnnxEncoder, after: OnnxEncoder, head: Head, folder: Path) -> Exported:
    first, old = _run(before, head)
    second, new = _run(after, head)
    if head == "classifier":
        difference = np.abs(old - new)
        return Exported(folder, head, first, second, "difference", (float(difference.max()), float(difference.mean())))
    cosines = (normalize(old) * normalize(new)).sum(axis=1)
    return Exported(folder, head, first, second, "cosine", (float(cosines.min()), float(cosines.mean())))


def _run(encoder: OnnxEncoder, head: Head) -> tuple[Side, Floats]:
    """Run the sample texts several times; returns what it cost and each text's result as one row."""
    texts: Any = [(_SAMPLE[1], text) for text in _SAMPLE] if head == "classifier" else list(_SAMPLE)
    output = next(iter(encoder.session.outputs))

    def finish(batch: Batch) -> Floats:
        out = batch.outputs[0]
        return pool(out, batch.lengths, "mean") if out.ndim == 3 else out

    list(encoder.run(texts, [output], finish))
    start, rounds = time.perf_counter(), 0
    while time.perf_counter() - start < 0.5:
        found = dict(_by_text(encoder.run(texts, [output], finish)))
        rounds += 1
    speed = rounds * len(texts) / (time.perf_counter() - start)
    side = Side(encoder.choice.precision, Path(encoder.graph_origin).stat().st_size, speed)
    return side, np.stack([found[number] for number in range(len(texts))])


def _by_text(runs: Any) -> Any:
    for numbers, rows in runs:
        yield from zip(numbers.tolist(), rows, strict=True)
