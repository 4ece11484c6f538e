"""The same questions put to other stores, each only if it is installed; all return texts and metadata."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import K
from benchmarks.data import Dataset
from benchmarks.measure import latency, settle, span
from benchmarks.truth import Truth, cosine
from benchmarks.writing import BATCH, row_batches

JUDGED = 100
METADATA = ("category", "year", "price", "in_stock")

Search = Callable[[Any, float | None], list[str]]
"""Takes a query vector and an upper bound on the price, or None; returns keys, best first."""


@dataclass(frozen=True)
class Peer:
    """`fill(data, folder)` stores everything and returns what searches it."""

    name: str
    package: str
    fill: Callable[[Dataset, Path], Search]


def measure_peers(data: Dataset, report: Any, folder: Path) -> None:
    """Fill and ask every installed peer."""
    truth = cosine(data, min(JUDGED, len(data.query_vectors)))
    for peer in PEERS:
        if find_spec(peer.package) is None:
            continue
        with span() as filling:
            search = peer.fill(data, folder / peer.name)
            settle()
        figures = {"rows_per_s": len(data) / filling.wall, "cpu_s": filling.cpu}
        report.add(len(data), peer.name, "insert", figures)
        for case, bound in (("dense", None), ("filter 50 %", 500.0), ("filter 10 %", 100.0), ("filter 1 %", 10.0)):
            report.add(len(data), peer.name, case, ask(data, search, bound, truth))


def ask(data: Dataset, search: Search, bound: float | None, truth: Truth) -> dict[str, float | None]:
    found = [[int(key.removeprefix("doc-")) for key in search(v, bound)] for v in data.query_vectors[:JUDGED]]
    mask = None if bound is None else data.price < np.float32(bound)
    took = latency(lambda vector: search(vector, bound), list(data.query_vectors))
    recall = truth.recall(found, K, mask)
    return {"recall@10": recall, "cpu_ms": took.cpu, "p50_ms": took.p50, "p99_ms": took.p99}


def numpy_scan(data: Dataset, folder: Path) -> Search:
    """Keep all vectors in memory and multiply: what exactness costs without an index."""
    keys, rows = data.keys, data.rows()

    def search(vector: Any, bound: float | None) -> list[str]:
        scores = data.vectors @ vector
        if bound is not None:
            scores = np.where(data.price < np.float32(bound), scores, -np.inf)
        best = np.argpartition(scores, -K)[-K:]
        ranked = best[np.argsort(-scores[best])]
        assert [rows[row] for row in ranked]
        return [keys[row] for row in ranked]

    return search


def chroma(data: Dataset, folder: Path) -> Search:
    import chromadb

    client = chromadb.PersistentClient(str(folder))
    collection = client.create_collection("docs", metadata={"hnsw:space": "cosine"}, embedding_function=None)
    for rows in row_batches(data):
        collection.add(
            ids=[row["id"] for row in rows],
            embeddings=[row["vector"] for row in rows],
            documents=[row["text"] for row in rows],
            metadatas=[{name: row[name] for name in METADATA} for row in rows],
        )

    def search(vector: Any, bound: float | None) -> list[str]:
        where: Any = None if bound is None else {"price": {"$lt": bound}}
        found = collection.query(query_embeddings=vector[None], n_results=K, where=where)
        return list(found["ids"][0])

    return search


def lancedb(data: Dataset, folder: Path) -> Search:
    import lancedb as lance

    arrow = data.table()
    table = lance.connect(str(folder)).create_table("docs", arrow.slice(0, BATCH))
    for start in range(BATCH, len(data), BATCH):
        table.add(arrow.slice(start, BATCH))
    table.create_index(metric="cosine", num_partitions=64, num_sub_vectors=96)
    columns = [name for name in arrow.column_names if name != "vector"] + ["_distance"]

    def search(vector: Any, bound: float | None) -> list[str]:
        query = table.search(vector).metric("cosine").nprobes(20).refine_factor(5).limit(K).select(columns)
        if bound is not None:
            query = query.where(f"price < {bound}", prefilter=True)
        return [row["id"] for row in query.to_list()]

    return search


PEERS = (
    Peer("numpy", "numpy", numpy_scan),
    Peer("chroma", "chromadb", chroma),
    Peer("lancedb", "lancedb", lancedb),
)
