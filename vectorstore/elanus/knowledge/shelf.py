"""The passages of a knowledge base as rows of one collection."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from elanus import Expression, F
from elanus.analysis.portable import for_server
from elanus.client.text_layout import TextFields, make_text_collection
from elanus.errors import InvalidArgument
from elanus.knowledge.documents import RESERVED, Document
from elanus.knowledge.hits import Hit
from elanus.knowledge.splitting import Piece
from elanus.models import embed_documents, fingerprint

FIELDS = TextFields()
TENANT, LANGUAGE = "tenant", "language"
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
        analyzer: of the texts, as `make_text_collection` takes it; None: what the collection has, or English.
        tenant: whose passages these are, in a collection that is divided by tenants; None: nobody's in particular.
    """

    client: Any
    collection: str
    model: Any
    said: str
    analyzer: Mapping[str, Any] | None
    tenant: str | None = None

    @cached_property
    def speaks(self) -> bool:
        """Whether the passages are in several languages, each in its own."""
        return any(field["name"] == LANGUAGE for field in self.client.describe_collection(self.collection)["fields"])

    @property
    def own(self) -> Expression | None:
        """The filter that keeps to the tenant's passages."""
        return None if self.tenant is None else F[TENANT] == self.tenant

    def within(self, filter: str | Expression | None) -> str | Expression | None:
        """A filter on the tenant's passages only."""
        if self.own is None:
            return filter
        if filter is None or filter == "":
            return self.own
        return self.own & (Expression.of(filter) if isinstance(filter, str) else filter)

    def key(self, document: str, chunk: int) -> str:
        """The key of a passage; tenants have keys of their own."""
        owner = "" if self.tenant is None else f"{self.tenant}\0"
        return hashlib.sha256(f"{owner}{document}\0{chunk}".encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def open(self) -> None:
        """Make the collection if it is not there, and refuse another model or analyzer than it was made with."""
        if not self.client.has_collection(self.collection):
            dim = getattr(self.model, "dim", None) or embed_documents(self.model, ["a"], None, self.said).shape[1]
            make_text_collection(
                self.client,
                self.collection,
                {FIELDS.vector: int(dim)},
                FIELDS,
                analyzer=self.analyzer,
                partition_key=None if self.tenant is None else TENANT,
            )
        fields = self.client.describe_collection(self.collection)["fields"]
        divided = any(field.get("is_partition_key") for field in fields)
        if divided is not (self.tenant is not None):
            how = "is divided by tenants; say whose with tenant=" if divided else "has no tenants; leave tenant= out"
            raise InvalidArgument(f"KnowledgeBase: collection '{self.collection}' {how}")
        self._check_analyzer(next(field for field in fields if field["name"] == FIELDS.text)["params"])
        own = fingerprint(self.model)
        if own is not None and hasattr(self.client, "bind_fingerprint"):
            self.client.bind_fingerprint(self.collection, FIELDS.vector, own)

    def _check_analyzer(self, params: Mapping[str, Any]) -> None:
        if self.analyzer is None:
            return
        option = "multi_analyzer_params" if "by_field" in self.analyzer else "analyzer_params"
        made, wanted = params.get("multi_analyzer_params") or params.get("analyzer_params"), self.analyzer
        if isinstance(made, str):  # as a server tells it
            made, wanted = json.loads(made), for_server({option: wanted})[option]
        if made != wanted:
            raise InvalidArgument(
                f"KnowledgeBase: collection '{self.collection}' was made with the analyzer {made}; "
                "leave language= out, or fill another collection"
            )

    def known(self, ids: Sequence[str]) -> dict[str, Known]:
        """What is stored of these documents; those that are not there are left out."""
        rows = self._get([self.key(one, 0) for one in ids], _KNOWN)
        return _known(rows)

    def put(self, passages: Sequence[tuple[Document, Piece, int, int, str]]) -> None:
        """Embed passages and store them: (document, piece, its place, how many there are, root)."""
        for document, *_ in passages:
            if self.tenant is not None and TENANT in document.metadata:
                raise InvalidArgument(
                    f"document '{document.id}': '{TENANT}' is the knowledge base's own; rename the key"
                )
        vectors = embed_documents(self.model, [piece.text for _, piece, *_ in passages], None, self.said)
        rows = [self._row(*passage, vector) for passage, vector in zip(passages, vectors, strict=True)]
        self.client.upsert(self.collection, rows)

    def remove(self, places: Iterable[tuple[str, range]]) -> int:
        """Remove the passages of these documents at these places; returns how many there were."""
        keys = [self.key(document, chunk) for document, chunks in places for chunk in chunks]
        batches = (keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE))
        return sum(int(self.client.delete(self.collection, ids=batch)["delete_count"]) for batch in batches)

    def of_root(self, root: str) -> dict[str, Known]:
        """Every document that came from one source of `sync`."""
        condition = self.within((F.root == root) & (F.chunk == 0))
        return _known(self.client.query(self.collection, condition, output_fields=_KNOWN))

    def count(self) -> int:
        """How many passages there are."""
        if self.own is None:
            return int(self.client.get_collection_stats(self.collection)["row_count"])
        return int(self.client.query(self.collection, self.own, output_fields=["count(*)"])[0]["count(*)"])

    def neighbours(self, hits: Sequence[Hit], reach: int) -> dict[tuple[str, int], tuple[str, int]]:
        """Text and beginning of the passages around these, by document and place."""
        wanted = {(h.document, n) for h in hits for n in range(max(h.chunk - reach, 0), h.chunk + reach + 1)}
        rows = self._get([self.key(*place) for place in sorted(wanted)], ["document", "chunk", FIELDS.text, "start"])
        return {(row["document"], row["chunk"]): (row[FIELDS.text], row["start"]) for row in rows}

    def _get(self, keys: list[str], fields: list[str]) -> list[dict[str, Any]]:
        batches = (keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE))
        return [row for batch in batches for row in self.client.get(self.collection, batch, output_fields=fields)]

    def _row(self, document: Document, piece: Piece, chunk: int, chunks: int, root: str, vector: Any) -> dict[str, Any]:
        own = {
            FIELDS.key: self.key(document.id, chunk),
            FIELDS.text: piece.text,
            FIELDS.vector: vector,
            "document": document.id,
            "hash": document.hash,
            "chunk": chunk,
            "chunks": chunks,
            "start": piece.start,
            "source": document.source,
            "root": root,
            **({} if self.tenant is None else {TENANT: self.tenant}),
        }
        return {**document.metadata, **own}


def _known(rows: Iterable[Mapping[str, Any]]) -> dict[str, Known]:
    return {row["document"]: Known(row["hash"], row["chunks"], row["root"]) for row in rows}


def as_hit(
    entity: Mapping[str, Any],
    score: float,
    explanation: Mapping[str, Any] | None = None,
    highlights: tuple[str, ...] | None = None,
) -> Hit:
    """A row's fields as a hit."""
    return Hit(
        text=entity[FIELDS.text],
        score=score,
        document=entity["document"],
        chunk=entity["chunk"],
        source=entity["source"],
        start=entity["start"],
        metadata=_metadata(entity),
        explanation=explanation,
        highlights=highlights,
    )


def _metadata(entity: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in entity.items() if name not in RESERVED and name != TENANT}
    if kept.get(LANGUAGE, "") is None:
        del kept[LANGUAGE]
    return kept
