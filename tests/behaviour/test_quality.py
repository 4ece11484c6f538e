"""Retrieval quality on a judged set: BM25, dense and their fusion find what people marked as the answer."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import elanus
import numpy as np
import pytest
from elanus import AnnSearchRequest, DataType, FunctionType, RRFRanker, WeightedRanker

QUERIES = 1_000
CUT = 10
# Each question has one right passage, so the first ranks must weigh much: k = 60, made for many right documents,
# gives less (.860) than the better route alone (.868).
RANKERS = {"rrf": RRFRanker(2), "weighted": WeightedRanker(0.3, 0.7)}


@dataclass
class Judged:
    """Passages and questions, and the passage that answers each question."""

    passages: dict[str, str]
    questions: dict[str, str]
    answers: dict[str, set[str]]


def read_judged(folder: Path) -> Judged:
    """Read the set, keeping evenly spaced questions."""

    def lines(name: str) -> list[dict[str, Any]]:
        with gzip.open(folder / name, "rt", encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    questions = lines("queries.jsonl.gz")
    questions = questions[:: max(1, len(questions) // QUERIES)]
    answers: dict[str, set[str]] = {}
    for line in (folder / "qrels.tsv").read_text().splitlines()[1:]:
        question, passage, grade = line.split("\t")
        if int(grade) > 0:
            answers.setdefault(question, set()).add(passage)
    passages = {p["id"]: p["text"] for p in lines("corpus.jsonl.gz")}
    return Judged(passages, {q["id"]: q["text"] for q in questions}, answers)


def ndcg(found: list[str], wanted: set[str]) -> float:
    """nDCG@10 with binary grades (Järvelin and Kekäläinen 2002)."""
    gain = sum(1 / math.log2(rank + 1) for rank, key in enumerate(found[:CUT], 1) if key in wanted)
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(len(wanted), CUT) + 1))
    return gain / ideal


def mean_ndcg(judged: Judged, results: list[list[dict[str, Any]]]) -> float:
    """The mean over all questions, in their order."""
    pairs = zip(judged.questions, results, strict=True)
    return float(np.mean([ndcg([hit["id"] for hit in hits], judged.answers[q]) for q, hits in pairs]))


@pytest.fixture(scope="module")
def judged(judged_english: Path) -> Judged:
    return read_judged(judged_english)


def make_store(client: elanus.Client, dim: int, language: str = "english") -> None:
    schema = client.create_schema()
    schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=20)
    schema.add_field(
        "text", DataType.VARCHAR, max_length=10_000, enable_analyzer=True, analyzer_params={"type": language}
    )
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=dim)
    schema.add_function(elanus.Function("bm25", FunctionType.BM25, "text", "sparse"))
    params = client.prepare_index_params()
    params.add_index("sparse", metric_type="BM25")
    params.add_index("dense", metric_type="COSINE")
    client.create_collection("squad", schema=schema, index_params=params)


@pytest.fixture(scope="module")
def text_store(judged: Judged) -> Iterator[elanus.Client]:
    """The passages with vectors that say nothing."""
    with elanus.connect(":memory:") as client:
        fill(client, judged, "english")
        yield client


def fill(client: elanus.Client, judged: Judged, language: str) -> None:
    make_store(client, 2, language)
    rows = [{"id": key, "text": text, "dense": [1.0, 0.0]} for key, text in judged.passages.items()]
    client.insert("squad", rows)


def test_bm25_finds_the_answers(judged: Judged, text_store: elanus.Client) -> None:
    found = text_store.search("squad", list(judged.questions.values()), limit=CUT, anns_field="sparse")
    assert mean_ndcg(judged, found) >= 0.85


def test_indonesian_is_found_better_by_its_own_analyzer(judged_indonesian: Path) -> None:
    judged, found = read_judged(judged_indonesian), {}
    for language in ("standard", "indonesian"):
        with elanus.connect(":memory:") as client:
            fill(client, judged, language)
            hits = client.search("squad", list(judged.questions.values()), limit=CUT, anns_field="sparse")
            found[language] = mean_ndcg(judged, hits)
    assert found["indonesian"] >= 0.85
    assert found["indonesian"] >= found["standard"] + 0.005


def test_dense_finds_the_answers_and_fusion_finds_more(judged: Judged) -> None:
    pytest.importorskip("onnxruntime")
    models = pytest.importorskip("elanus_models")
    try:
        model = models.OnnxEmbedding("all-MiniLM-L6-v2")
    except models.ModelNotFound as missing:
        pytest.skip(str(missing))
    vectors = model.embed_documents(list(judged.passages.values()))
    queries = model.embed_queries(list(judged.questions.values()))
    texts = list(judged.questions.values())
    with elanus.connect(":memory:") as client:
        make_store(client, model.dim)
        client.insert(
            "squad",
            [
                {"id": key, "text": text, "dense": vector}
                for (key, text), vector in zip(judged.passages.items(), vectors, strict=True)
            ],
        )
        dense = mean_ndcg(judged, client.search("squad", queries, limit=CUT, anns_field="dense"))
        text = mean_ndcg(judged, client.search("squad", texts, limit=CUT, anns_field="sparse"))
        requests = [AnnSearchRequest(queries, "dense", {}, 50), AnnSearchRequest(texts, "sparse", {}, 50)]
        fused = {
            name: mean_ndcg(judged, client.hybrid_search("squad", requests, ranker, limit=CUT))
            for name, ranker in RANKERS.items()
        }
    assert dense >= 0.76
    assert text >= 0.85
    assert min(fused.values()) > max(dense, text), fused
