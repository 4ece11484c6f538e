"""Folders that bring an ONNX graph of their own: BGE-M3's three outputs, SPLADE's logits, cross-encoders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elanus_models import BgeM3Embedding, ModelUnsupported, OnnxEmbedding, OnnxReranker, SpladeEmbedding, TokenEmbedding

from tests.models.tiny import WORDS, token_ids, tokenizer

TEXTS = ["a kite hovers over the field", "the mouse", "", "mouse mouse a"]
WIDTH = 4
TABLE = np.random.default_rng(4).normal(size=(len(WORDS), WIDTH)).astype(np.float32)
LOGITS = np.random.default_rng(5).normal(size=(len(WORDS), len(WORDS))).astype(np.float32)


def write_graph(folder: Path, outputs: dict[str, tuple[str, dict[str, Any]]], kind: str = "int64") -> Path:
    """Write a graph that looks each token up in TABLE ("tokens") or LOGITS ("logits") and gives `outputs` of it."""
    onnx = pytest.importorskip("onnx")
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    element = getattr(onnx.TensorProto, kind.upper())
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["tokens"]),
        helper.make_node("Gather", ["lookup", "input_ids"], ["logits_of_tokens"]),
        helper.make_node("Cast", ["token_type_ids"], ["types"], to=1),
        helper.make_node("Slice", ["tokens", "zero", "one", "two"], ["narrow"]),
    ]
    values = {"table": TABLE, "lookup": LOGITS, "first": np.int64(0)}
    values |= {name: np.int64([number]) for name, number in (("zero", 0), ("one", 1), ("two", 2), ("end", 99))}
    for name, (operator, attributes) in outputs.items():
        inputs = attributes.pop("inputs")
        nodes.append(helper.make_node(operator, inputs, [name], **attributes))
    shapes = {"input_ids": ["b", "w"], "attention_mask": ["b", "w"], "token_type_ids": ["b", "w"]}
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, element, shape) for name, shape in shapes.items()],
        [helper.make_tensor_value_info(name, 1, None) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    folder.mkdir()
    onnx.save(onnx.shape_inference.infer_shapes(model), folder / "model.onnx")
    config = {"model_type": "other", "hidden_size": WIDTH, "vocab_size": len(WORDS), "pad_token_id": 0}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer()))
    return folder


def unit(vectors: Any) -> Any:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_bge_m3_gives_dense_sparse_and_token_vectors_in_one_pass(tmp_path: Path) -> None:
    outputs = {
        "dense_vecs": ("Gather", {"inputs": ["tokens", "first"], "axis": 1}),
        "sparse_vecs": ("Relu", {"inputs": ["narrow"]}),
        "colbert_vecs": ("Slice", {"inputs": ["tokens", "one", "end", "one"]}),
    }
    model = BgeM3Embedding(write_graph(tmp_path / "m", outputs), batch_tokens=8)
    found = model.embed_documents(TEXTS)
    for text, dense, sparse, tokens in zip(TEXTS, found["dense"], found["sparse"], found["tokens"], strict=True):
        ids = token_ids(text)
        np.testing.assert_allclose(dense, unit(TABLE[ids[0]]), atol=1e-6)
        np.testing.assert_allclose(tokens, unit(TABLE[ids[1:]]), atol=1e-6)
        assert sparse == pytest.approx({i: TABLE[i, 0] for i in ids[1:-1] if TABLE[i, 0] > 0})
    assert (model.dim, model.gives) == (WIDTH, "multi")


def test_a_graph_without_the_three_outputs_is_refused(tmp_path: Path) -> None:
    folder = write_graph(tmp_path / "m", {"last_hidden_state": ("Identity", {"inputs": ["tokens"]})})
    with pytest.raises(ModelUnsupported, match="does not give dense_vecs, sparse_vecs, colbert_vecs"):
        BgeM3Embedding(folder)


@pytest.mark.parametrize("kind", ["int64", "int32"])
def test_logits_are_pooled_over_the_texts_own_tokens(kind: str, tmp_path: Path) -> None:
    folder = write_graph(tmp_path / "m", {"logits": ("Identity", {"inputs": ["logits_of_tokens"]})}, kind)
    for text, vector in zip(TEXTS, SpladeEmbedding(folder).embed_documents(TEXTS), strict=True):
        expected = np.log1p(np.maximum(LOGITS[token_ids(text)].max(axis=0), 0))
        assert vector == pytest.approx({i: w for i, w in enumerate(expected.tolist()) if w > 0}, rel=1e-5)


def test_only_the_heaviest_terms_are_kept(tmp_path: Path) -> None:
    folder = write_graph(tmp_path / "m", {"logits": ("Identity", {"inputs": ["logits_of_tokens"]})})
    (whole,), (cut,) = (SpladeEmbedding(folder, max_terms=n).embed_queries(TEXTS[:1]) for n in (None, 3))
    assert cut == dict(sorted(sorted(whole.items(), key=lambda item: -item[1])[:3]))
    named = SpladeEmbedding(folder).terms(cut)
    assert list(named) == [WORDS[i] for i in sorted(cut, key=lambda i: -cut[i])]


def test_other_graphs_are_no_splade_models(tmp_path: Path) -> None:
    folder = write_graph(tmp_path / "m", {"last_hidden_state": ("Identity", {"inputs": ["tokens"]})})
    with pytest.raises(ModelUnsupported, match="it is no SPLADE model"):
        SpladeEmbedding(folder)


@pytest.mark.parametrize("scale", ["none", "sigmoid"])
def test_a_cross_encoder_sees_which_text_a_token_is_of(scale: Any, tmp_path: Path) -> None:
    total = {"inputs": ["types", "one"], "keepdims": 1}
    model = OnnxReranker(write_graph(tmp_path / "m", {"logits": ("ReduceSum", total)}), scale=scale)
    found = model.rerank("a kite", ["the mouse", "hovers", "over the field"], top_k=2)
    raw = [4, 3]
    expected = raw if scale == "none" else [1 / (1 + np.exp(-x)) for x in raw]
    assert [result.index for result in found] == [2, 0]
    np.testing.assert_allclose([result.score for result in found], expected, rtol=1e-5)


def test_dense_and_token_vectors_of_a_ready_graph(tmp_path: Path) -> None:
    folder = write_graph(tmp_path / "m", {"last_hidden_state": ("Identity", {"inputs": ["tokens"]})})
    mean = OnnxEmbedding(folder, normalize=True).embed_queries(TEXTS)
    last = OnnxEmbedding(folder, pooling="last", dim=2).embed_queries(TEXTS)
    tokens = TokenEmbedding(folder).embed_queries(TEXTS)
    for row, text in enumerate(TEXTS):
        ids = token_ids(text)
        np.testing.assert_allclose(mean[row], unit(TABLE[ids].mean(axis=0)), atol=1e-6)
        np.testing.assert_allclose(last[row], TABLE[ids[-1], :2], atol=1e-6)
        np.testing.assert_allclose(tokens[row], unit(TABLE[ids[1:-1]]), atol=1e-6)
