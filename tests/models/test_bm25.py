"""BM25 on the client's side against the published formula, written out as loops."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from elanus_models import Bm25Embedding, InvalidInput, ModelCorrupt

CORPUS = [
    "the kite hovers over the field",
    "a kite a kite a paper kite",
    "mice run in the field",
    "",
    "the wind carries the seeds of a dandelion far over the river",
]
QUERIES = ["kite field", "river wind unknown", "kite kite", ""]


def words(text: str) -> list[str]:
    return text.split()


def score(query: str, document: str, k1: float, b: float) -> float:
    mean = sum(len(words(text)) for text in CORPUS) / len(CORPUS)
    total = 0.0
    for term in words(query):
        n = sum(term in words(text) for text in CORPUS)
        frequency = words(document).count(term)
        if frequency:
            idf = math.log(1 + (len(CORPUS) - n + 0.5) / (n + 0.5))
            total += idf * frequency * (k1 + 1) / (frequency + k1 * (1 - b + b * len(words(document)) / mean))
    return total


@pytest.mark.parametrize(("k1", "b"), [(1.2, 0.75), (2.0, 0.0), (0.0, 1.0)])
def test_inner_products_are_the_formulas_scores(k1: float, b: float) -> None:
    model = Bm25Embedding(analyzer=words, k1=k1, b=b).fit(CORPUS)
    documents, queries = model.embed_documents(CORPUS), model.embed_queries(QUERIES)
    for query, asked in zip(QUERIES, queries, strict=True):
        for text, vector in zip(CORPUS, documents, strict=True):
            product = sum(weight * vector.get(term, 0.0) for term, weight in asked.items())
            assert product == pytest.approx(score(query, text, k1, b))


def test_a_language_stems_and_drops_stop_words() -> None:
    model = Bm25Embedding("english").fit(CORPUS)
    assert model.embed_queries(["hovering KITES"]) == model.embed_queries(["the kite is hovered"])
    assert model.embed_queries(["the of in"]) == [{}]
    with pytest.raises(InvalidInput, match="language 'klingon'"):
        Bm25Embedding("klingon")


def test_counts_are_saved_and_loaded(tmp_path: Path) -> None:
    model = Bm25Embedding("german", k1=1.5, b=0.4).fit(["Der Gleitaar rüttelt über dem Feld.", "Mäuse"])
    model.save(tmp_path / "counts.json")
    again = Bm25Embedding.load(tmp_path / "counts.json")
    assert again.embed_documents(["über dem Feld"]) == model.embed_documents(["über dem Feld"])
    assert (again.fingerprint, again.info()) == (model.fingerprint, model.info())
    assert [path.name for path in tmp_path.iterdir()] == ["counts.json"]


def test_fingerprints_tell_counts_apart() -> None:
    model = Bm25Embedding("english").fit(CORPUS)
    assert model.fingerprint == Bm25Embedding("english").fit(iter(CORPUS)).fingerprint
    assert model.fingerprint != Bm25Embedding("english").fit(CORPUS[:3]).fingerprint
    assert model.fingerprint != Bm25Embedding("english", b=0.5).fit(CORPUS).fingerprint


def test_bad_use_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="counted no corpus yet; call fit"):
        Bm25Embedding().embed_queries(["kite"])
    with pytest.raises(InvalidInput, match="b must be a number of at least 0 and at most 1"):
        Bm25Embedding(b=2)
    with pytest.raises(InvalidInput, match=r"corpus\[1\] must be a str"):
        Bm25Embedding().fit(["a", None])  # type: ignore[list-item]
    with pytest.raises(InvalidInput, match="an analyzer function cannot be saved"):
        Bm25Embedding(analyzer=words).fit(CORPUS).save(tmp_path / "x")
    for content in ("nothing", "{}", json.dumps({"format": 99}), json.dumps([1])):
        (tmp_path / "counts.json").write_text(content)
        with pytest.raises(ModelCorrupt, match=r"counts\.json"):
            Bm25Embedding.load(tmp_path / "counts.json")
