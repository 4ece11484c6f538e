"""Converted graphs against the slow numpy twin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from elanus_models import ModelCorrupt, ModelUnsupported, OnnxEmbedding

from tests.models.tiny import forward, token_ids, write_safetensors, write_tiny

TEXTS = ["a kite hovers over the field", "the wind", "mouse", "a a a a a a the kite over a mouse", ""]


@pytest.mark.parametrize("act", ["gelu", "gelu_new", "relu"])
@pytest.mark.parametrize(("precision", "least"), [("float32", 0.999999), ("int8", 0.998)])
def test_graph_equals_the_numpy_twin(tmp_path: Path, act: str, precision: str, least: float) -> None:
    tensors = write_tiny(tmp_path / "tiny", act=act)
    model = OnnxEmbedding(tmp_path / "tiny", precision=precision, cache_dir=tmp_path)  # type: ignore[arg-type]
    for text, vector in zip(TEXTS, model.embed_documents(TEXTS), strict=True):
        expected = forward(tensors, token_ids(text), act).mean(axis=0)
        assert vector @ expected / np.linalg.norm(expected) > least


@pytest.mark.parametrize(
    ("flag", "pool"),
    [
        ("pooling_mode_mean_tokens", lambda tokens: tokens.mean(axis=0)),
        ("pooling_mode_cls_token", lambda tokens: tokens[0]),
        ("pooling_mode_max_tokens", lambda tokens: tokens.max(axis=0)),
        ("pooling_mode_lasttoken", lambda tokens: tokens[-1]),
    ],
)
def test_pooling_is_read_from_the_folder(tmp_path: Path, flag: str, pool: object) -> None:
    tensors = write_tiny(tmp_path / "tiny", pooling=flag, normalize=False)
    model = OnnxEmbedding(tmp_path / "tiny", precision="float32", cache_dir=tmp_path)
    expected = [pool(forward(tensors, token_ids(text))) for text in TEXTS]  # type: ignore[operator]
    np.testing.assert_allclose(model.embed_documents(TEXTS), expected, atol=1e-4)


@pytest.mark.parametrize("dtype", ["F16", "BF16"])
def test_half_precision_weights_are_read(tmp_path: Path, dtype: str) -> None:
    tensors = write_tiny(tmp_path / "tiny", tensor_prefix="bert.")
    write_safetensors(tmp_path / "tiny" / "model.safetensors", tensors, dtype)
    vector = OnnxEmbedding(tmp_path / "tiny", precision="float32", cache_dir=tmp_path).embed_queries(["a kite"])[0]
    expected = forward(tensors, token_ids("a kite")).mean(axis=0)
    assert vector @ expected / np.linalg.norm(expected) > 0.9995


def test_prefixes_come_from_the_folder(tmp_path: Path) -> None:
    write_tiny(tmp_path / "tiny", prompts={"query": "the kite ", "passage": "a mouse "})
    model = OnnxEmbedding(tmp_path / "tiny", precision="float32", cache_dir=tmp_path)
    write_tiny(tmp_path / "plain")
    plain = OnnxEmbedding(tmp_path / "plain", precision="float32", cache_dir=tmp_path)
    np.testing.assert_array_equal(model.embed_queries(["wind"]), plain.embed_queries(["the kite wind"]))
    np.testing.assert_array_equal(model.embed_documents(["wind"]), plain.embed_queries(["a mouse wind"]))
    assert model.fingerprint != plain.fingerprint


def test_a_ready_graph_of_another_architecture_is_run_as_it_is(tmp_path: Path) -> None:
    tensors = write_tiny(tmp_path / "tiny")
    made = OnnxEmbedding(tmp_path / "tiny", precision="float32", cache_dir=tmp_path).info()["graph"]
    config = tmp_path / "tiny" / "config.json"
    config.write_text(config.read_text().replace('"bert"', '"other"'))
    with pytest.raises(ModelUnsupported, match="model_type 'other' cannot be converted"):
        OnnxEmbedding(tmp_path / "tiny", cache_dir=tmp_path)
    (tmp_path / "tiny" / "onnx").mkdir()
    Path(made).rename(tmp_path / "tiny" / "onnx" / "model.onnx")
    model = OnnxEmbedding(tmp_path / "tiny", cache_dir=tmp_path)
    assert model.info()["precision_reason"] == "the float32 graph"
    expected = forward(tensors, token_ids("the wind")).mean(axis=0)
    assert model.embed_queries(["the wind"])[0] @ expected / np.linalg.norm(expected) > 0.999999
    with pytest.raises(ModelUnsupported, match="is float32; precision='int8' needs"):
        OnnxEmbedding(tmp_path / "tiny", precision="int8", cache_dir=tmp_path)


def test_a_checkpoint_without_a_tensor_is_refused(tmp_path: Path) -> None:
    tensors = write_tiny(tmp_path / "tiny")
    del tensors["encoder.layer.1.output.dense.bias"]
    write_safetensors(tmp_path / "tiny" / "model.safetensors", tensors)
    with pytest.raises(ModelCorrupt, match=r"no tensor 'encoder.layer.1.output.dense.bias'"):
        OnnxEmbedding(tmp_path / "tiny", cache_dir=tmp_path)


@pytest.mark.parametrize("size", [0, 5, 400, 20_000])
def test_a_cut_off_weights_file_is_refused(tmp_path: Path, size: int) -> None:
    write_tiny(tmp_path / "tiny")
    weights = tmp_path / "tiny" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:size])
    with pytest.raises(ModelCorrupt, match="safetensors"):
        OnnxEmbedding(tmp_path / "tiny", cache_dir=tmp_path)


def test_a_module_that_cannot_be_run_is_refused(tmp_path: Path) -> None:
    write_tiny(tmp_path / "tiny")
    modules = tmp_path / "tiny" / "modules.json"
    modules.write_text(modules.read_text().replace("Normalize", "Dense"))
    with pytest.raises(ModelUnsupported, match="'Dense' is not supported"):
        OnnxEmbedding(tmp_path / "tiny", cache_dir=tmp_path)


def test_an_unknown_pooling_is_refused(tmp_path: Path) -> None:
    write_tiny(tmp_path / "tiny", pooling="pooling_mode_weightedmean_tokens")
    with pytest.raises(ModelUnsupported, match="weightedmean"):
        OnnxEmbedding(tmp_path / "tiny", cache_dir=tmp_path)
