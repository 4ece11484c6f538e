"""Scores of (query, document) pairs by an ONNX cross-encoder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from elanus_models.encoder import Batch, OnnxEncoder, Settings, SettingsArguments
from elanus_models.errors import InvalidInput, ModelUnsupported
from elanus_models.finding.folder import read_config
from elanus_models.model import Floats, Reranker, progress

if TYPE_CHECKING:
    from typing_extensions import Unpack

_OUTPUTS = ("logits",)
Scale = Literal["sigmoid", "none"]


class OnnxReranker(Reranker):
    """A cross-encoder on ONNX Runtime, without torch: it reads query and document together.

    `model` is a folder or a name, as for `OnnxEmbedding`, of a classifier with one label. `scale` "sigmoid" gives
    scores in (0, 1), "none" the model's own numbers; by default what the model's `config.json` says, else "sigmoid", as
    sentence-transformers does. `settings` are those of `OnnxEmbedding`: `precision`, `max_length` (of query and
    document together), `batch_tokens`, `threads`, `cache_dir`, `revision`, `file`.

    Raises ModelNotFound, ModelCorrupt, ModelUnsupported, DownloadFailed, MissingDependency or InvalidInput.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] = "ms-marco-MiniLM-L6-v2",
        *,
        scale: Scale | None = None,
        show_progress: bool = False,
        **settings: Unpack[SettingsArguments],
    ) -> None:
        if scale not in (None, "sigmoid", "none"):
            raise InvalidInput(f"scale must be 'sigmoid', 'none' or None, not {scale!r}")
        self.show_progress = show_progress
        self._encoder = OnnxEncoder.find(model, "classifier", Settings(**settings))
        self._scale: Scale = scale or _own_scale(self._encoder)
        self._output = self._encoder.session.pick(_OUTPUTS)
        shape = self._encoder.session.outputs[self._output]
        if len(shape) == 2 and isinstance(shape[1], int) and shape[1] != 1:
            raise ModelUnsupported(
                f"{self._encoder.graph_origin} gives {shape[1]} labels; a reranker has one, how well a document answers"
            )

    def info(self) -> dict[str, Any]:
        """Return what was found and chosen, and why."""
        return {**self._encoder.info(), "scale": self._scale}

    def __repr__(self) -> str:
        encoder = self._encoder
        return f"OnnxReranker('{encoder.source.card.name}', precision='{encoder.choice.precision}')"

    def _score(self, query: str, documents: list[str]) -> Floats:
        scores = np.empty(len(documents), dtype=np.float32)
        pairs = [(query, document) for document in documents]
        with progress(len(pairs), self.show_progress, "reranking") as advance:
            for numbers, found in self._encoder.run(pairs, [self._output], _first, advance):
                scores[numbers] = found
        return _sigmoid(scores) if self._scale == "sigmoid" else scores


def _first(batch: Batch) -> Floats:
    return batch.outputs[0].reshape(len(batch.rows))


def _sigmoid(x: Floats) -> Floats:
    scores: Floats = np.float32(1) / (1 + np.exp(-np.clip(x, -60, 60)))
    return scores


def _own_scale(encoder: OnnxEncoder) -> Scale:
    own = read_config(encoder.source.files.folder, "config.json").get("sentence_transformers") or {}
    return "none" if str(own.get("activation_fn", "")).endswith("Identity") else "sigmoid"
