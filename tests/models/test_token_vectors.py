"""Token vectors of plain encoders and of ColBERT, MaxSim, and token vectors kept as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elanus_models import InvalidInput, LateInteraction, TokenEmbedding
from elanus_models.late_interaction import maxsim
from elanus_models.packing import MAX_BYTES, is_packed, pack, unpack

from tests.models.families import family_tensors, write_colbert, write_family
from tests.models.tiny import WORDS, forward, token_ids

DOCUMENTS = ["a kite hovers over the field", "the mouse", "wind over a mouse", ""]
MASK, QUERY, DOCUMENT, DOT = (WORDS.index(word) for word in ("[UNK]", "field", "wind", "##s"))


def _unit(vectors: Any) -> Any:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _bert(tensors: Any) -> Any:
    return {name.removeprefix("bert."): tensor for name, tensor in tensors.items()}


@pytest.fixture
def plain(tmp_path: Path) -> TokenEmbedding:
    folder = write_family(tmp_path / "m", "bert", "hidden")
    return TokenEmbedding(folder, precision="float32", cache_dir=tmp_path, threads=1)


@pytest.fixture(scope="module")
def minilm(cache: Path, wheel_folder: Path) -> LateInteraction:
    return LateInteraction(wheel_folder, precision="int8", cache_dir=cache)


def test_a_plain_encoder_gives_its_tokens_without_the_special_ones(plain: TokenEmbedding) -> None:
    tensors = _bert(family_tensors("bert", "hidden"))
    found = plain.embed_documents(DOCUMENTS)
    for text, vectors in zip(DOCUMENTS, found, strict=True):
        np.testing.assert_allclose(vectors, _unit(forward(tensors, token_ids(text)))[1:-1], atol=1e-5)
    assert (plain.dim, found[-1].shape, found[0].dtype) == (32, (0, 32), np.float32)


def test_colbert_marks_fills_and_projects_its_texts(tmp_path: Path) -> None:
    tensors = _bert(write_colbert(tmp_path / "m"))
    model = TokenEmbedding(tmp_path / "m", precision="float32", cache_dir=tmp_path)
    (document,) = model.embed_documents(["a kite . over"])
    ids = [2, DOCUMENT, WORDS.index("a"), WORDS.index("kite"), DOT, WORDS.index("over"), 3]
    expected = _unit(forward(tensors, ids) @ tensors["linear.weight"].T)
    np.testing.assert_allclose(document, np.delete(expected, 4, axis=0), atol=1e-5)
    for words in (["a", "kite"], ["a", "kite", "over", "the", "mouse", "kite", "a", "a"]):
        (query,) = model.embed_queries([" ".join(words)])
        ids = [*[2, QUERY, *map(WORDS.index, words)][:7], 3]
        filled = forward(tensors, ids + [MASK] * (8 - len(ids)), attended=len(ids))
        np.testing.assert_allclose(query, _unit(filled @ tensors["linear.weight"].T), atol=1e-5)
    assert model.dim == 8


def test_maxsim_is_the_mean_over_the_query_of_the_best_token() -> None:
    rng = np.random.default_rng(3)
    query, documents = rng.normal(size=(4, 6)), [rng.normal(size=(n, 6)) for n in (3, 0, 1, 7)]
    expected = [np.mean([max(q @ t for t in d) for q in query]) if len(d) else 0 for d in documents]
    found = maxsim(query.astype(np.float32), [d.astype(np.float32) for d in documents])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert maxsim(np.empty((0, 6), np.float32), [np.ones((1, 6), np.float32)]).tolist() == [0]


@pytest.mark.parametrize("dim", [8, 7])
def test_packed_vectors_come_back_within_half_a_step(dim: int) -> None:
    vectors = np.random.default_rng(5).normal(size=(9, dim)).astype(np.float32)
    vectors[3] = 0
    text = pack(vectors)
    assert is_packed(text)
    assert np.abs(unpack(text, dim) - vectors).max() <= np.abs(vectors).max() / 14 * 1.01
    assert unpack(pack(vectors[:0]), dim).shape == (0, dim)


def test_packed_vectors_fit_the_largest_varchar() -> None:
    vectors = np.ones((600, 384), np.float32)
    text = pack(vectors)
    assert MAX_BYTES - 300 < len(text.encode()) <= MAX_BYTES
    assert unpack(text, 384).shape == (253, 384)


def test_damaged_packed_vectors_are_refused() -> None:
    text = pack(np.ones((2, 8), np.float32))
    for damaged, dim in ((text[:-3] + "=", 8), (text, 10)):
        with pytest.raises(InvalidInput, match="packed token vectors"):
            unpack(damaged, dim)


def test_documents_are_ordered_by_their_tokens(minilm: LateInteraction) -> None:
    documents = ["The stock market fell.", "A kestrel hovers above the meadow.", "", "Falcons are birds of prey."]
    results = minilm.rerank("which birds hover?", documents, top_k=3)
    assert [result.index for result in results] == [1, 3, 0]
    assert results[0].text == documents[1]
    assert minilm.scores("which birds hover?", [""])[0] == 0


def test_packed_documents_score_as_their_texts_do(minilm: LateInteraction) -> None:
    documents = ["A kestrel hovers above the meadow.", "The stock market fell.", "Falcons are birds of prey."]
    packed = minilm.pack(documents)
    fresh = minilm.scores("which birds hover?", documents)
    np.testing.assert_allclose(minilm.scores("which birds hover?", packed), fresh, atol=0.01)
    np.testing.assert_allclose(minilm.scores("which birds hover?", [documents[0], *packed[1:]]), fresh, atol=0.01)


def test_settings_belong_to_the_token_embedding(plain: TokenEmbedding) -> None:
    with pytest.raises(InvalidInput, match="threads: give settings to the TokenEmbedding"):
        LateInteraction(plain, threads=2)
