"""The passages of a knowledge base as rows of one collection."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from elanus.client.text_layout import TextFields, make_text_collection
from elanus.knowledge.documents import RESERVED, Document
from elanus.knowledge.hits import Hit
from elanus.knowledge.splitting import Piece
from elanus.models import embed_documents, fingerprint

FIELDS = TextFields()
_AT_ONCE = 1000
_KNOWN = ["document", "hash", "chunks", "root"]


@dataclass(frozen=True)
class Known:
    """What is stored of a document."""

    hash: str
    chunks: int
    root: str


@dataclass(frozen=True)
class Shelf:
    """A collection of passages: one row each, its key made from the document's id and the passage's place.

    Attributes:
        client: any client, a Milvus server's too.
        model: what embeds the texts; `said` is how errors call it.
    """

    client: Any
    collection: str
    model: Any
    said: str
    analyzer: Mapping[str, Any]

    def open(self) -> None:
        """Make the collection if it is not there, and refuse a model whose vectors are not those it holds."""
        if not self.client.has_collection(self.collection):
            dim = getattr(self.model, "dim", None) or embed_documents(self.model, ["a"], None, self.said).shape[1]
            make_text_collection(
                self.client, self.collection, {FIELDS.vector: int(dim)}, FIELDS, analyzer=dict(self.analyzer)
            )
        own = fingerprint(self.model)
        if own is not None and hasattr(self.client, "bind_fingerprint"):
            self.client.bind_fingerprint(self.collection, FIELDS.vector, own)

    def known(self, ids: Sequence[str]) -> dict[str, Known]:
        """What is stored of these documents; those that are not there are left out."""
        rows = self._get([key(one, 0) for one in ids], _KNOWN)
        return _known(rows)

    def put(self, passages: Sequence[tuple[Document, Piece, int, int, str]]) -> None:
        """Embed passages and store them: (document, piece, its place, how many there are, root)."""
        vectors = embed_documents(self.model, [piece.text for _, piece, *_ in passages], None, self.said)
        rows = [_row(*passage, vector) for passage, vector in zip(passages, vectors, strict=True)]
        self.client.upsert(self.collection, rows)

    def remove(self, places: Iterable[tuple[str, range]]) -> int:
        """Remove the passages of these documents at these places; returns how many there were."""
        keys = [key(document, chunk) for document, chunks in places for chunk in chunks]
        batches = (keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE))
        return sum(int(self.client.delete(self.collection, ids=batch)["delete_count"]) for batch in batches)

    def of_root(self, root: str) -> dict[str, Known]:
        """Every document that came from one source of `sync`."""
        rows = self.client.query(
            self.collection,
            "root == {root} and chunk == 0",
            filter_params={"root": root},
            output_fields=_KNOWN,
        )
        return _known(rows)

    def neighbours(self, hits: Sequence[Hit], reach: int) -> dict[tuple[str, int], tuple[str, int]]:
        """Text and beginning of the passages around these, by document and place."""
        wanted = {(h.document, n) for h in hits for n in range(max(h.chunk - reach, 0), h.chunk + reach + 1)}
        rows = self._get([key(*place) for place in sorted(wanted)], ["document", "chunk", FIELDS.text, "start"])
        return {(row["document"], row["chunk"]): (row[FIELDS.text], row["start"]) for row in rows}

    def _get(self, keys: list[str], fields: list[str]) -> list[dict[str, Any]]:
        batches = (keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE))
        return [row for batch in batches for row in self.client.get(self.collection, batch, output_fields=fields)]


def _known(rows: Iterable[Mapping[str, Any]]) -> dict[str, Known]:
    return {row["document"]: Known(row["hash"], row["chunks"], row["root"]) for row in rows}


def key(document: str, chunk: int) -> str:
    """The key of a passage."""
    return hashlib.sha256(f"{document}\0{chunk}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _row(document: Document, piece: Piece, chunk: int, chunks: int, root: str, vector: Any) -> dict[str, Any]:
    own = {
        FIELDS.key: key(document.id, chunk),
        FIELDS.text: piece.text,
        FIELDS.vector: vector,
        "document": document.id,
        "hash": document.hash,
        "chunk": chunk,
        "chunks": chunks,
        "start": piece.start,
        "source": document.source,
        "root": root,
    }
    return {**document.metadata, **own}


def as_hit(entity: Mapping[str, Any], score: float, explanation: Mapping[str, Any] | None = None) -> Hit:
    """A row's fields as a hit."""
    return Hit(
        text=entity[FIELDS.text],
        score=score,
        document=entity["document"],
        chunk=entity["chunk"],
        source=entity["source"],
        start=entity["start"],
        metadata={name: value for name, value in entity.items() if name not in RESERVED},
        explanation=explanation,
    )
