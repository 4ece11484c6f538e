"""Every family of encoders and every head against what transformers computes from the same weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elanus_models import ModelUnsupported, OnnxEmbedding, OnnxReranker, SpladeEmbedding

from tests.models.families import NAMES, write_family

TEXTS = ["a kite hovers over the field", "the mouse", "a winds a winds the kite over the field winds a kite hovers"]
PAIRS = [("a kite", "hovers over the field"), ("the mouse", "a kite"), ("a", "the winds over the mouse over a field")]
RECORD = json.loads(Path(__file__).with_name("families.json").read_text(encoding="ascii"))
PRECISIONS = {"float32": 2e-5, "int8": 0.12}


def _close(found: Any, expected: Any, precision: str) -> None:
    expected = np.asarray(expected)
    np.testing.assert_allclose(found, expected, atol=PRECISIONS[precision] * max(1.0, np.abs(expected).max()))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("family", NAMES)
def test_mean_vectors(family: str, precision: Any, tmp_path: Path) -> None:
    model = OnnxEmbedding(write_family(tmp_path / "m", family, "hidden"), precision=precision, cache_dir=tmp_path)
    _close(model.embed_documents(TEXTS), RECORD[family]["hidden"], precision)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("family", NAMES)
def test_scores_of_pairs(family: str, precision: Any, tmp_path: Path) -> None:
    folder = write_family(tmp_path / "m", family, "classifier")
    model = OnnxReranker(folder, scale="none", precision=precision, cache_dir=tmp_path)
    scores = [float(model.scores(query, [document])[0]) for query, document in PAIRS]
    _close(scores, RECORD[family]["classifier"], precision)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("family", NAMES)
def test_weights_of_terms(family: str, precision: Any, tmp_path: Path) -> None:
    model = SpladeEmbedding(write_family(tmp_path / "m", family, "terms"), precision=precision, cache_dir=tmp_path)
    found = np.zeros((len(TEXTS), model.dim))
    for row, vector in zip(found, model.embed_documents(TEXTS), strict=True):
        row[list(vector)] = list(vector.values())
    _close(found, RECORD[family]["terms"], precision)


def test_a_family_that_is_not_converted_is_named(tmp_path: Path) -> None:
    folder = write_family(tmp_path / "m", "bert", "hidden", model_type="t5")
    with pytest.raises(ModelUnsupported, match="'t5' cannot be converted"):
        OnnxEmbedding(folder, cache_dir=tmp_path)


def test_a_classifier_of_several_labels_is_no_reranker(tmp_path: Path) -> None:
    folder = write_family(tmp_path / "m", "bert", "classifier", num_labels=3)
    with pytest.raises(ModelUnsupported, match="gives 3 labels; a reranker has one"):
        OnnxReranker(folder, cache_dir=tmp_path)
