"""Text to the mean of its tokens' fixed vectors: model2vec and WordLlama, no neural network at all."""

from __future__ import annotations

import importlib.util
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from elanus_models.errors import InvalidInput, ModelCorrupt, ModelNotFound
from elanus_models.finding.folder import read_config
from elanus_models.finding.resolve import locate, sha256_of
from elanus_models.graphs.safetensors import read_tensors
from elanus_models.model import Embedder, Floats, Role, positive, progress
from elanus_models.pooling import normalize as unit
from elanus_models.session import open_tokenizer

_WINDOW = 1024
"""Texts whose token vectors are gathered at a time."""

_MODEL2VEC_LENGTH = 512
WORDLLAMA = ("wordllama", "wordllama-l2-supercat-256")


@dataclass(frozen=True)
class Table:
    """A vector for each token: row `rows[token]` of `vectors`, times `weights[token]`; None where that is plain."""

    name: str
    origin: str
    sha256: str
    vectors: npt.NDArray[np.floating[Any]]
    tokenizer: Any
    normalize: bool
    max_length: int | None = None
    rows: npt.NDArray[np.int64] | None = None
    weights: Floats | None = None
    skipped: int | None = None


class StaticEmbedding(Embedder[Floats]):
    """A model of fixed token vectors: a hundred times faster than an encoder, and less exact.

    `model` is a folder or a name on the hub in model2vec's layout, or "wordllama" for the vectors inside the installed
    package of that name. `dim` keeps so many of the first numbers, for models that were trained for it (Matryoshka).
    `normalize` is the model's own habit unless given. A text without a known token gives the zero vector.

    Raises ModelNotFound, ModelCorrupt, MissingDependency or InvalidInput.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] = "wordllama",
        *,
        dim: int | None = None,
        normalize: bool | None = None,
        show_progress: bool = False,
    ) -> None:
        name = os.fspath(model)
        self._table = _wordllama() if name in WORDLLAMA else _model2vec(_folder(name))
        most = self._table.vectors.shape[1]
        self._dim = most if dim is None else positive("dim", dim)
        if self._dim > most:
            raise InvalidInput(f"dim must be at most {most} for '{self._table.name}', not {dim}")
        self._vectors = np.ascontiguousarray(self._table.vectors[:, : self._dim], np.float32)
        if normalize not in (None, True, False):
            raise InvalidInput(f"normalize must be True, False or None, not {normalize!r}")
        self._normalize = self._table.normalize if normalize is None else normalize
        self.show_progress = show_progress

    def _identity(self) -> dict[str, Any]:
        return {
            "weights": f"sha256:{self._table.sha256}",
            "pooling": "static-mean",
            "normalize": self._normalize,
            "dim": self._dim,
        }

    def info(self) -> dict[str, Any]:
        """Return what was found and chosen, and why."""
        return {
            "name": self._table.name,
            "origin": self._table.origin,
            "dim": self._dim,
            "normalize": self._normalize,
            "tokens": len(self._table.vectors),
            "max_length": self._table.max_length,
            "weights_sha256": self._table.sha256,
            "fingerprint": self.fingerprint,
        }

    def __repr__(self) -> str:
        return f"StaticEmbedding('{self._table.name}', dim={self._dim})"

    def _embed(self, texts: list[str], role: Role) -> Floats:
        vectors = np.zeros((len(texts), self._dim), np.float32)
        with progress(len(texts), self.show_progress) as advance:
            for start in range(0, len(texts), _WINDOW):
                window = texts[start : start + _WINDOW]
                self._average(window, vectors[start : start + len(window)])
                advance(len(window))
        return unit(vectors) if self._normalize else vectors

    def _average(self, texts: list[str], out: Floats) -> None:
        table = self._table
        ids = [encoding.ids for encoding in table.tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
        if table.skipped is not None:
            ids = [[number for number in row if number != table.skipped] for row in ids]
        lengths = np.fromiter(map(len, ids), np.int64, len(ids))
        tokens = np.fromiter((number for row in ids for number in row), np.int64, int(lengths.sum()))
        found = self._vectors.take(tokens if table.rows is None else table.rows[tokens], axis=0)
        if table.weights is not None:
            found *= table.weights[tokens][:, None]
        stops = np.cumsum(lengths).tolist()
        for start, stop, mean in zip([0, *stops[:-1]], stops, out, strict=True):
            np.add.reduce(found[start:stop], axis=0, out=mean)
        out /= np.maximum(lengths, 1).astype(np.float32)[:, None]


def _folder(name: str) -> Path:
    """Return a local folder as it is, or that of a model found by name."""
    folder = Path(name).expanduser()
    return folder if folder.is_dir() else locate(name).files.folder


def _model2vec(folder: Path) -> Table:
    weights = folder / "model.safetensors"
    if not weights.is_file() or not (folder / "tokenizer.json").is_file():
        raise ModelNotFound(
            f"no static model at {folder.absolute()}: it has no model.safetensors and tokenizer.json; give a folder in "
            f"model2vec's layout, or '{WORDLLAMA[0]}'"
        )
    tensors = read_tensors(weights)
    if "embeddings" not in tensors:
        raise ModelCorrupt(f"{weights} has no tensor 'embeddings'; it is no model2vec model, or not whole")
    config = read_config(folder, "config.json")
    limit = config.get("max_length", _MODEL2VEC_LENGTH)
    tokenizer = open_tokenizer(folder / "tokenizer.json", limit)
    vectors, rows = tensors["embeddings"], tensors.get("mapping")
    if rows is None and tokenizer.get_vocab_size() != len(vectors):
        raise ModelCorrupt(f"{weights} has {len(vectors)} vectors for {tokenizer.get_vocab_size()} tokens")
    unknown = json.loads(tokenizer.to_str())["model"].get("unk_token")
    return Table(
        name=folder.name,
        origin="folder",
        sha256=sha256_of(weights),
        vectors=vectors,
        tokenizer=tokenizer,
        normalize=bool(config.get("normalize", False)),
        max_length=limit,
        rows=None if rows is None else rows.astype(np.int64),
        weights=None if "weights" not in tensors else np.asarray(tensors["weights"], np.float32),
        skipped=tokenizer.token_to_id(unknown) if unknown else None,
    )


def _wordllama() -> Table:
    """Read the vectors from the installed package without importing it."""
    spec = importlib.util.find_spec("wordllama")
    places = list(spec.submodule_search_locations or []) if spec else []
    if not places:
        raise ModelNotFound("the package wordllama is not installed; pip install --no-deps wordllama")
    weights = Path(places[0]) / "weights" / "l2_supercat_256.safetensors"
    tokens = Path(places[0]) / "tokenizers" / "l2_supercat_tokenizer_config.json"
    if not weights.is_file() or not tokens.is_file():
        raise ModelCorrupt(f"the package wordllama has no {weights.name} with {tokens.name}; install 0.4 or newer")
    vectors = read_tensors(weights)["embedding.weight"]
    return Table(WORDLLAMA[1], "package wordllama", sha256_of(weights), vectors, open_tokenizer(tokens, None), False)
