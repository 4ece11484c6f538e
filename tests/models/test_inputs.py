"""What the embedder accepts, and the words with which it refuses the rest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elanus_models import InvalidInput, ModelError, OnnxEmbedding
from elanus_models.batching import pad, plan_batches
from elanus_models.cpu import choose_precision, signed_weights_saturate

from tests.models.tiny import write_tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "tiny"
    write_tiny(path)
    return path


@pytest.fixture(scope="module")
def model(folder: Path, cache: Path) -> OnnxEmbedding:
    return OnnxEmbedding(folder, cache_dir=cache)


@pytest.mark.parametrize("texts", [[], (), iter([])])
def test_no_texts_give_no_rows(model: OnnxEmbedding, texts: Any) -> None:
    vectors = model.embed_documents(texts)
    assert vectors.shape == (0, 32)
    assert vectors.dtype == np.float32


@pytest.mark.parametrize("texts", ["a kite", b"a kite", None, 3])
def test_one_text_instead_of_a_list_is_refused(model: OnnxEmbedding, texts: Any) -> None:
    with pytest.raises(InvalidInput, match=r"texts must be a list of str, not one .*write \[text\]"):
        model.embed_queries(texts)


@pytest.mark.parametrize("wrong", [None, 3, b"kite", ["kite"]])
def test_an_element_that_is_no_text_is_named(model: OnnxEmbedding, wrong: Any) -> None:
    with pytest.raises(InvalidInput, match=r"texts\[2\] must be a str, not"):
        model.embed_documents(["a", "kite", wrong])


def test_a_lone_surrogate_is_named(model: OnnxEmbedding) -> None:
    with pytest.raises(InvalidInput, match=r"texts\[1\] holds a lone surrogate at position 2"):
        model.embed_documents(["kite", "a \ud800"])


def test_any_iterable_of_texts_is_taken(model: OnnxEmbedding) -> None:
    expected = model.embed_documents(["a kite", "the wind"])
    for texts in (("a kite", "the wind"), np.array(["a kite", "the wind"]), (t for t in ["a kite", "the wind"])):
        np.testing.assert_array_equal(model.embed_documents(texts), expected)


@pytest.mark.parametrize(
    "options",
    [
        {"precision": "int4"},
        {"threads": 0},
        {"threads": True},
        {"batch_tokens": -1},
        {"max_length": 2},
        {"max_length": 33},
        {"max_length": 8.0},
    ],
)
def test_an_option_out_of_range_is_refused(folder: Path, cache: Path, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(options))):
        OnnxEmbedding(folder, cache_dir=cache, **options)


def test_max_length_cuts_texts(folder: Path, cache: Path) -> None:
    short = OnnxEmbedding(folder, cache_dir=cache, max_length=4)
    a, b = short.embed_documents(["a kite", "a kite hovers over the field"])
    np.testing.assert_array_equal(a, b)
    assert short.info()["max_length"] == 4


def test_progress_is_shown_only_on_request(folder: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    OnnxEmbedding(folder, cache_dir=cache).embed_documents(["a kite"])
    assert capsys.readouterr() == ("", "")
    OnnxEmbedding(folder, cache_dir=cache, show_progress=True).embed_documents(["a kite", "the wind"])
    assert "2/2" in capsys.readouterr().err


def test_errors_have_one_base() -> None:
    assert issubclass(InvalidInput, ModelError)
    assert issubclass(InvalidInput, ValueError)


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = """
import sys, elanus_models
assert "numpy" not in sys.modules
from elanus_models import *
heavy = {"onnxruntime", "onnx", "tokenizers", "tqdm", "torch"} & set(sys.modules)
assert not heavy, heavy
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=60)


def test_batches_hold_every_text_once_within_the_budget() -> None:
    lengths = np.array([5, 300, 2, 2, 9, 64, 64, 1, 0])
    batches = plan_batches(lengths, 128)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    assert batches[0].tolist() == [1]
    assert all(len(batch) * lengths[batch].max() <= 128 for batch in batches[1:])


def test_padding_is_masked() -> None:
    ids, mask = pad([[7, 8, 9], [5]], pad_id=1)
    assert ids.tolist() == [[7, 8, 9], [5, 1, 1]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]


@pytest.mark.parametrize(
    ("machine", "flags", "precision"),
    [
        ("x86_64", {"avx2", "avx512_vnni"}, "int8"),
        ("AMD64", {"avx_vnni"}, "int8"),
        ("x86_64", {"avx2"}, "float32"),
        ("aarch64", {"asimddp"}, "int8"),
        ("arm64", set(), "float32"),
        ("riscv64", set(), "float32"),
    ],
)
def test_precision_follows_the_cpu(machine: str, flags: set[str], precision: str) -> None:
    choice = choose_precision(frozenset(flags), machine)
    assert choice.precision == precision
    assert machine.lower() in choice.reason


def test_only_x86_without_vnni_overflows() -> None:
    assert signed_weights_saturate(frozenset({"avx2"}), "x86_64")
    assert not signed_weights_saturate(frozenset({"avx512_vnni"}), "x86_64")
    assert not signed_weights_saturate(frozenset(), "arm64")
