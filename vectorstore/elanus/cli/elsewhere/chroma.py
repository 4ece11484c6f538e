"""Chroma's persistent stores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from elanus.cli.elsewhere.source import Passage, Source, passage, the_one

BATCH = 1_000
METRICS = {"l2": "L2", "cosine": "COSINE", "ip": "IP"}


def open_collection(path: str, wanted: str | None) -> Source:
    """Open a collection in the folder of a PersistentClient."""
    import chromadb

    client = chromadb.PersistentClient(path, settings=chromadb.Settings(anonymized_telemetry=False))
    collection = client.get_collection(the_one("Chroma", [c.name for c in client.list_collections()], wanted))
    return Source(collection.name, collection.count(), _metric(collection), _batches(collection))


def _metric(collection: Any) -> str:
    space = (collection.metadata or {}).get("hnsw:space")
    index = (getattr(collection, "configuration", None) or {}).get("hnsw") or {}
    return METRICS[space or index.get("space") or "l2"]


def _batches(collection: Any) -> Iterator[list[Passage]]:
    for start in range(0, collection.count(), BATCH):
        found = collection.get(limit=BATCH, offset=start, include=["documents", "embeddings", "metadatas"])
        columns = (found["ids"], found["embeddings"], found["metadatas"], found["documents"])
        yield [
            passage(key, vector, fields or {}, text or "") for key, vector, fields, text in zip(*columns, strict=True)
        ]
