"""The demo's knowledge base: built through the public client, asked through the public client.

The collection gets its name only once it is whole; until then it is called `..._building`, and each run adds
the passages that are missing. Keys are hashes of content, so nothing is stored twice.
"""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import elanus
from elanus.cli.answer import Answer, Hit, Rank
from elanus.cli.corpus import Passage, passages
from elanus.cli.embedder import Embedder, make_embedder

MODEL = "all-MiniLM-L6-v2"
ANALYZER = {"type": "english"}
EDITION = 1  # grows when the corpus or the schema changes, so that older knowledge bases are built anew
BATCH = 256  # passages embedded and committed at a time: what an interruption can cost
DEPTH = 100  # hits that each route brings
FIELDS = ["title", "module", "kind", "text"]


class Report(Protocol):
    """Where the building reports to."""

    def say(self, text: str) -> None: ...

    def step(self, done: int, total: int) -> None: ...


@dataclass(frozen=True)
class Library:
    """An open knowledge base. `embedded` counts the passages this run added, in `seconds`."""

    client: elanus.Client
    collection: str
    embedder: Embedder
    passages: int
    embedded: int
    seconds: float = 0.0

    def ask(self, question: str, limit: int) -> Answer:
        """Search by meaning and by words; each hit tells its rank on either, and the terms it matched."""
        started = time.perf_counter()
        vector = self.embedder.embed_queries([question])
        embedded = time.perf_counter()
        requests = [
            elanus.AnnSearchRequest(data, field, {}, DEPTH)
            for field, data in (("vector", vector), ("sparse", [question]))
        ]
        (found,) = self.client.hybrid_search(
            self.collection, requests, elanus.RRFRanker(60), limit=limit, output_fields=FIELDS, explain=True
        )
        searched = time.perf_counter()
        hits = [as_hit(hit, rank) for rank, hit in enumerate(found, 1)]
        return Answer(question, hits, 1e3 * (embedded - started), 1e3 * (searched - embedded))


def as_hit(found: Any, rank: int) -> Hit:
    """A hit with what its explanation tells."""
    dense, words = found["explanation"]["routes"]
    return Hit(
        id=found["id"],
        **{name: found["entity"][name] for name in FIELDS},
        fused=Rank(rank, found["distance"]),
        dense=as_rank(dense),
        bm25=as_rank(words),
        matched=words.get("terms", {}),
    )


def as_rank(route: dict[str, Any]) -> Rank | None:
    """A route's part of an explanation as a rank; None if it did not find the hit."""
    return None if route["rank"] is None else Rank(route["rank"], route["distance"])


@contextmanager
def open_library(path: Path, limit: int | None, report: Report) -> Iterator[Library]:
    """Open the knowledge base in the folder `path`, building what is missing of it first.

    `limit` asks for one of that many passages only. Raises ElanusError.
    """
    started = time.perf_counter()
    embedder = make_embedder(MODEL)
    collection = collection_name(embedder, limit)
    with elanus.connect(path) as client:
        embedded = 0
        if not client.has_collection(collection):
            embedded = build(client, collection, embedder, limit, report)
        count = client.get_collection_stats(collection)["row_count"]
        library = Library(client, collection, embedder, count, embedded)
        library.ask("ready?", 1)  # the first search maps the indexes: part of opening
        yield replace(library, seconds=time.perf_counter() - started)


def collection_name(embedder: Embedder, limit: int | None) -> str:
    """Name a collection after everything that decides its content, so that vector spaces never mix."""
    decides = json.dumps([embedder.fingerprint, platform.python_version(), EDITION, limit])
    version = "_".join(platform.python_version_tuple()[:2])
    return f"python_{version}_{hashlib.sha256(decides.encode()).hexdigest()[:8]}"


def build(client: elanus.Client, name: str, embedder: Embedder, limit: int | None, report: Report) -> int:
    """Bring the collection to its full content and name it; returns how many passages were embedded."""
    report.say("reading Python's documentation")
    corpus = passages(limit)
    unfinished = f"{name}_building"
    if not client.has_collection(unfinished):
        create(client, unfinished, embedder.dim)
    embedded = 0
    rest = iter(corpus)
    for done in range(0, len(corpus), BATCH):
        report.step(done, len(corpus))
        missing = absent(client, unfinished, list(islice(rest, BATCH)))
        if missing:
            client.upsert(unfinished, rows(missing, embedder))
            embedded += len(missing)
    report.step(len(corpus), len(corpus))
    client.flush(unfinished)
    client.rename_collection(unfinished, name)
    return embedded


def create(client: elanus.Client, name: str, dim: int) -> None:
    schema = client.create_schema(description=f"Python {platform.python_version()}: documentation")
    schema.add_field("id", elanus.DataType.VARCHAR, is_primary=True, max_length=32)
    schema.add_field("title", elanus.DataType.VARCHAR, max_length=1024)
    schema.add_field("module", elanus.DataType.VARCHAR, max_length=256)
    schema.add_field("kind", elanus.DataType.VARCHAR, max_length=16)
    schema.add_field("text", elanus.DataType.VARCHAR, max_length=65_535, enable_analyzer=True, analyzer_params=ANALYZER)
    schema.add_field("vector", elanus.DataType.FLOAT_VECTOR, dim=dim)
    schema.add_field("sparse", elanus.DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(elanus.Function("bm25", elanus.FunctionType.BM25, ["text"], ["sparse"]))
    index = client.prepare_index_params()
    index.add_index("vector", index_type="AUTOINDEX", metric_type="COSINE")
    index.add_index("sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    client.create_collection(name, schema=schema, index_params=index)


def absent(client: elanus.Client, name: str, batch: list[Passage]) -> list[Passage]:
    """Return the passages of a batch that the collection does not hold."""
    present = {row["id"] for row in client.get(name, [p.id for p in batch], output_fields=["id"])}
    return [passage for passage in batch if passage.id not in present]


def rows(batch: list[Passage], embedder: Embedder) -> list[dict[str, Any]]:
    vectors = embedder.embed_documents([passage.text for passage in batch])
    return [
        {"id": p.id, "title": p.title, "module": p.module, "kind": p.kind, "text": p.text, "vector": vector}
        for p, vector in zip(batch, vectors, strict=True)
    ]
