"""Qdrant: the folder of its local mode, or a server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from elanus.cli.elsewhere.source import Passage, Source, passage, the_one
from elanus.errors import InvalidArgument

BATCH = 1_000
METRICS = {"Cosine": "COSINE", "Dot": "IP", "Euclid": "L2"}


def open_collection(path: str, wanted: str | None) -> Source:
    """Open a collection with one dense vector a point, or the first of several."""
    from qdrant_client import QdrantClient

    client = QdrantClient(url=path) if "://" in path else QdrantClient(path=path)
    names = [collection.name for collection in client.get_collections().collections]
    name = the_one("Qdrant", names, wanted)
    vectors = client.get_collection(name).config.params.vectors
    field, params = next(iter(vectors.items())) if isinstance(vectors, Mapping) else (None, vectors)
    metric = METRICS.get(str(getattr(params.distance, "value", params.distance)))
    if metric is None:
        raise InvalidArgument(
            f"Qdrant: collection '{name}' measures by {params.distance}; there are {', '.join(METRICS)}"
        )
    return Source(name, client.count(name).count, metric, _batches(client, name, field))


def _batches(client: Any, name: str, field: str | None) -> Iterator[list[Passage]]:
    offset = None
    while True:
        points, offset = client.scroll(name, limit=BATCH, offset=offset, with_payload=True, with_vectors=True)
        yield [
            passage(point.id, point.vector if field is None else point.vector.get(field), point.payload or {})
            for point in points
        ]
        if offset is None:
            return
