"""sentence-transformers behind our interface, and as the oracle of our own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from elanus_models import (
    MissingDependency,
    ModelUnsupported,
    OnnxEmbedding,
    OnnxReranker,
    SentenceTransformerEmbedding,
    SentenceTransformerReranker,
)

from tests.models.families import write_family
from tests.models.tiny import WORDS

TEXTS = ["A kite hovers over the field.", "How do I compress a file?", ""]
PAIRS = ("a kite", ["hovers over the field", "the mouse", "a mouse over a kite"])


@pytest.fixture
def torch_stack() -> None:
    pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed")


@pytest.mark.usefixtures("torch_stack")
@pytest.mark.filterwarnings("default")
def test_vectors_equal_our_own(wheel_folder: Path, cache: Path) -> None:
    theirs = SentenceTransformerEmbedding(wheel_folder)
    ours = OnnxEmbedding(wheel_folder, precision="float32", cache_dir=cache)
    a, b = theirs.embed_documents(TEXTS), ours.embed_documents(TEXTS)
    assert (a * b).sum(axis=1).min() > 0.99999
    assert (theirs.dim, a.dtype, theirs.embed_queries([]).shape) == (384, np.float32, (0, 384))
    cut = SentenceTransformerEmbedding(wheel_folder, dim=64, normalize=True)
    np.testing.assert_allclose(np.linalg.norm(cut.embed_queries(TEXTS), axis=1), 1, atol=1e-5)
    assert (cut.dim, cut.info()["dim"]) == (64, 64)
    assert cut.fingerprint != theirs.fingerprint


@pytest.mark.usefixtures("torch_stack")
@pytest.mark.filterwarnings("default")
def test_cross_encoders_score_as_our_own(tmp_path: Path) -> None:
    folder = write_classifier(tmp_path / "m")
    ours = OnnxReranker(folder, precision="float32", cache_dir=tmp_path)
    theirs = SentenceTransformerReranker(folder)
    np.testing.assert_allclose(theirs.scores(*PAIRS), ours.scores(*PAIRS), atol=1e-5)
    assert [r.index for r in theirs.rerank(*PAIRS)] == [r.index for r in ours.rerank(*PAIRS)]
    with pytest.raises(ModelUnsupported, match="3 labels"):
        SentenceTransformerReranker(write_classifier(tmp_path / "three", num_labels=3))


def write_classifier(folder: Path, num_labels: int = 1) -> Path:
    labels = {str(n): f"LABEL_{n}" for n in range(num_labels)}
    write_family(folder, "bert", "classifier", num_labels=num_labels, id2label=labels)
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]", "unk_token": "[UNK]"}
    settings |= {"cls_token": "[CLS]", "sep_token": "[SEP]"}
    names = ["input_ids", "token_type_ids", "attention_mask"]
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"model_input_names": names}))
    return folder


def test_its_absence_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sentence_transformers", None)
    with pytest.raises(MissingDependency, match=r"pip install 'elanus\[sentence-transformers\]'"):
        SentenceTransformerEmbedding("all-MiniLM-L6-v2")
