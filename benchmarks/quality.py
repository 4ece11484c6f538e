"""How good the answers are: nDCG@10 and recall@10 of each way to search, on a judged set.

    python -m benchmarks.quality FOLDER [--language english] [--queries 1000] [--rerank]

FOLDER holds corpus.jsonl.gz and queries.jsonl.gz (objects with id and text) and qrels.tsv (query, document,
relevance). Fusions take the best 50 of each route; weights are what `elanus.suggest_weights` learns from every other
question, and all is measured on the rest.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import elanus
import numpy as np
from elanus import AnnSearchRequest, DataType, DBSFRanker, Function, FunctionType, RRFRanker
from elanus.knowledge.evaluating import ndcg, recall
from elanus_models import LateInteraction, OnnxEmbedding, SpladeEmbedding
from rich.console import Console
from rich.table import Table

K = 10
DEPTH = 50
BATCH = 500

Ranked = list[list[str]]
Judged = Mapping[str, Mapping[str, float]]


def main() -> None:
    options = parse()
    documents, queries, judged = read(options.folder, options.queries)
    client = elanus.connect(":memory:")
    dense, sparse = OnnxEmbedding("all-MiniLM-L6-v2"), splade()
    fill(client, documents, options.language, dense, sparse)
    data = {"bm25": list(queries.values()), "dense": dense.embed_queries(queries.values())}
    if sparse is not None:
        data["splade"] = sparse.embed_queries(queries.values())
    rows = measure(client, data, list(queries), judged)
    if options.rerank:
        rows["rrf(bm25, dense), then late interaction on 20"] = reranked(client, data, documents, queries)
    show(rows, list(queries), judged, f"{options.folder.name}: {len(documents)} documents, {len(queries)} questions")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="quality", description=str(__doc__).partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--language", default="english", help="the analyzer of BM25")
    parser.add_argument("--queries", type=int, default=1000, help="questions, spread over the set")
    parser.add_argument("--rerank", action="store_true", help="also rerank, which takes 0.2 s a question")
    return parser.parse_args()


def read(folder: Path, most: int) -> tuple[dict[str, str], dict[str, str], Judged]:
    """Return documents, the questions that have a relevant one, and the judgements, by id."""
    documents, queries = ({row["id"]: row["text"] for row in lines(folder / f"{name}.jsonl.gz")} for name in FILES)
    judged: dict[str, dict[str, float]] = {}
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines():
        parts = line.split("\t")
        if parts[-1].isdigit() and int(parts[-1]) > 0:
            judged.setdefault(parts[0], {})[parts[-2]] = float(parts[-1])
    asked = [one for one in queries if one in judged]
    chosen = (
        [asked[place] for place in sorted({n * len(asked) // most for n in range(most)})]
        if most < len(asked)
        else asked
    )
    return documents, {one: queries[one] for one in chosen}, judged


FILES = ("corpus", "queries")


def lines(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def splade() -> SpladeEmbedding | None:
    """Return the small SPLADE, if it is installed and the store takes sparse vectors."""
    schema = elanus.CollectionSchema()
    schema.add_field("id", DataType.INT64, is_primary=True).add_field("splade", DataType.SPARSE_FLOAT_VECTOR)
    try:
        schema.verify()
        return SpladeEmbedding("splade-tiny")
    except Exception as error:  # whatever is missing, the table has one line less
        Console(stderr=True).print(f"without SPLADE: {error}", highlight=False)
        return None


def fill(client: Any, documents: Mapping[str, str], language: str, dense: Any, sparse: Any) -> None:
    schema = client.create_schema()
    schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=256)
    schema.add_field(
        "text", DataType.VARCHAR, max_length=65_535, enable_analyzer=True, analyzer_params={"type": language}
    )
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=dense.dim)
    schema.add_field("bm25", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(Function("bm25", FunctionType.BM25, "text", "bm25"))
    indexes = client.prepare_index_params()
    indexes.add_index("dense", index_type="AUTOINDEX", metric_type="COSINE")
    indexes.add_index("bm25", index_type="AUTOINDEX", metric_type="BM25")
    if sparse is not None:
        schema.add_field("splade", DataType.SPARSE_FLOAT_VECTOR)
        indexes.add_index("splade", index_type="AUTOINDEX", metric_type="IP")
    client.create_collection("judged", schema=schema, index_params=indexes)
    keys = list(documents)
    for start in range(0, len(keys), BATCH):
        some = keys[start : start + BATCH]
        texts = [documents[key] for key in some]
        columns = {"id": some, "text": texts, "dense": dense.embed_documents(texts)}
        if sparse is not None:
            columns["splade"] = sparse.embed_documents(texts)
        client.insert("judged", columns)
    client.flush("judged")


def measure(client: Any, data: Mapping[str, Any], asked: Sequence[str], judged: Judged) -> dict[str, Ranked]:
    """Every route alone, every pair and all of them fused."""
    rows = {field: single(client, field, queries) for field, queries in data.items()}
    others = [name for name in data if name != "bm25"]
    groups = [("bm25", name) for name in others] + ([tuple(data)] if len(others) > 1 else [])
    for group in groups:
        some = {field: data[field] for field in group}
        names = ", ".join(group)
        rows[f"rrf({names})"] = fused(client, some, RRFRanker())
        rows[f"dbsf({names})"] = fused(client, some, DBSFRanker())
        for kind in ("weighted", "dbsf"):
            learnt = suggested(client, some, asked, judged, kind)
            rows[f"learnt: {learnt!r} of ({names})"] = fused(client, some, learnt)
    return rows


def single(client: Any, field: str, queries: Any) -> Ranked:
    return [[hit["id"] for hit in hits] for hits in client.search("judged", queries, limit=K, anns_field=field)]


def fused(client: Any, data: Mapping[str, Any], ranker: Any, limit: int = K) -> Ranked:
    requests = [AnnSearchRequest(queries, field, {}, DEPTH) for field, queries in data.items()]
    return [[hit["id"] for hit in hits] for hits in client.hybrid_search("judged", requests, ranker, limit=limit)]


def suggested(client: Any, data: Mapping[str, Any], asked: Sequence[str], judged: Judged, kind: str) -> Any:
    """Return the ranker that every other question suggests."""
    place = {one: number for number, one in enumerate(asked)}

    def requests_of(one: str) -> list[AnnSearchRequest]:
        at = place[one]
        return [AnnSearchRequest(queries[at : at + 1], field, {}, DEPTH) for field, queries in data.items()]

    questions = {one: one for one in asked[::2]}
    return elanus.suggest_weights(client, "judged", requests_of, questions, judged, k=K, kinds=[kind]).ranker


def reranked(client: Any, data: Mapping[str, Any], documents: Mapping[str, str], queries: Mapping[str, str]) -> Ranked:
    model = LateInteraction("all-MiniLM-L6-v2")
    packed = dict(zip(documents, model.pack(list(documents.values())), strict=True))
    found = fused(client, {field: data[field] for field in ("bm25", "dense")}, RRFRanker(), 20)
    return [
        [keys[result.index] for result in model.rerank(query, [packed[key] for key in keys])] if keys else []
        for query, keys in zip(queries.values(), found, strict=True)
    ]


def mean(of: Any, ranked: Ranked, asked: Sequence[str], judged: Judged) -> float:
    return float(np.mean([of(found, judged[one], K) for found, one in zip(ranked, asked, strict=True)]))


def show(rows: Mapping[str, Ranked], asked: Sequence[str], judged: Judged, title: str) -> None:
    table = Table(
        "", "nDCG@10", "recall@10", title=f"{title} (weights learnt on the even questions, all measured on the odd)"
    )
    for name, ranked in rows.items():
        odd, questions = ranked[1::2], asked[1::2]
        table.add_row(name, f"{mean(ndcg, odd, questions, judged):.3f}", f"{mean(recall, odd, questions, judged):.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
