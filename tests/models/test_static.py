"""Static models: WordLlama's real vectors, and model2vec's layout against a plain loop."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from elanus_models import InvalidInput, ModelCorrupt, ModelNotFound, StaticEmbedding

from tests.models.tiny import WORDS, tokenizer, write_safetensors

TEXTS = ["a kite hovers over the field", "", "mouse", "unheard words", "the mouse unheard the"]
VECTORS = np.random.default_rng(1).normal(size=(len(WORDS), 6)).astype(np.float32)

WORDLLAMA = {
    "A kite hovers over the field.": [-0.136258, 0.130597, -0.15903, 0.009464, -0.036825],
    "How do I compress a file with gzip?": [0.072693, 0.379754, -0.213577, -0.541858, -0.084029],
    "naïve café 黑翅鸢 🪁": [-0.050697, 0.114833, 0.100735, -0.220923, 0.047704],
}
"""The first numbers that wordllama 0.4.0's own class gives."""


def write_model2vec(folder: Path, *, normalize: bool = False, quantised: bool = False) -> Path:
    folder.mkdir()
    tensors = {"embeddings": VECTORS}
    if quantised:
        tensors = {
            "embeddings": VECTORS[:4],
            "mapping": np.arange(len(WORDS)) % 4,
            "weights": np.arange(len(WORDS)) / 9,
        }
    write_safetensors(folder / "model.safetensors", {k: np.asarray(v, np.float32) for k, v in tensors.items()})
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer()))
    (folder / "config.json").write_text(json.dumps({"model_type": "model2vec", "normalize": normalize}))
    return folder


def mean(text: str, quantised: bool = False) -> np.ndarray:
    rows = []
    for word in text.split():
        number = WORDS.index(word) if word in WORDS else 1
        if number != 1:
            rows.append(VECTORS[number % 4] * (number / 9) if quantised else VECTORS[number])
    return np.mean(rows, axis=0) if rows else np.zeros(6)


@pytest.mark.parametrize("quantised", [False, True])
def test_a_text_is_the_mean_of_its_known_tokens(quantised: bool, tmp_path: Path) -> None:
    model = StaticEmbedding(write_model2vec(tmp_path / "m", quantised=quantised))
    found = model.embed_documents(TEXTS)
    np.testing.assert_allclose(found, [mean(text, quantised) for text in TEXTS], atol=1e-6)
    assert (found.dtype, model.dim, model.embed_queries([]).shape) == (np.float32, 6, (0, 6))


def test_vectors_are_cut_before_they_are_normalised(tmp_path: Path) -> None:
    folder = write_model2vec(tmp_path / "m", normalize=True)
    (cut,) = StaticEmbedding(folder, dim=3).embed_documents(TEXTS[:1])
    expected = mean(TEXTS[0])[:3]
    np.testing.assert_allclose(cut, expected / np.linalg.norm(expected), atol=1e-6)
    (raw,) = StaticEmbedding(folder, normalize=False).embed_documents(TEXTS[:1])
    np.testing.assert_allclose(raw, mean(TEXTS[0]), atol=1e-6)
    assert StaticEmbedding(folder).fingerprint != StaticEmbedding(folder, dim=3).fingerprint


def test_what_is_no_static_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="no static model at"):
        StaticEmbedding(tmp_path)
    folder = write_model2vec(tmp_path / "m")
    with pytest.raises(InvalidInput, match="dim must be at most 6"):
        StaticEmbedding(folder, dim=7)
    write_safetensors(folder / "model.safetensors", {"embeddings": VECTORS[:5]})
    with pytest.raises(ModelCorrupt, match="5 vectors for 13 tokens"):
        StaticEmbedding(folder)
    write_safetensors(folder / "model.safetensors", {"other": VECTORS})
    with pytest.raises(ModelCorrupt, match="no tensor 'embeddings'"):
        StaticEmbedding(folder)


def test_wordllama_gives_its_own_vectors() -> None:
    if importlib.util.find_spec("wordllama") is None:
        pytest.skip("the vectors are not installed: pip install --no-deps wordllama")
    model = StaticEmbedding("wordllama")
    found = model.embed_documents(list(WORDLLAMA))
    np.testing.assert_allclose(found[:, :5], list(WORDLLAMA.values()), atol=2e-6)
    np.testing.assert_array_equal(StaticEmbedding(dim=64).embed_documents(list(WORDLLAMA)), found[:, :64])
    assert (model.dim, model.info()["origin"]) == (256, "package wordllama")
