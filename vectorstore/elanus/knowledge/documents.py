"""What can be put into a knowledge base, in one shape."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from elanus.errors import InvalidArgument
from elanus.knowledge.reading import read_path

RESERVED = frozenset(
    {"pk", "text", "vector", "sparse", "document", "hash", "chunk", "chunks", "start", "source", "root"}
)
"""Names of fields that every passage has, which no metadata key can take."""


@dataclass(frozen=True)
class Document:
    """A text with what is known of it.

    `id` names it in the knowledge base: adding another text under the same id replaces it. It is the source, if there
    is one, else a hash of the text. `metadata` can be filtered by and comes back with each hit.
    """

    text: str
    id: str = ""
    source: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise InvalidArgument(f"Document: text must be a str, not {type(self.text).__name__}")
        if taken := RESERVED & self.metadata.keys():
            raise InvalidArgument(f"Document: metadata cannot have the keys {sorted(taken)}; rename them")
        object.__setattr__(self, "id", self.id or self.source or self.hash)

    @property
    def hash(self) -> str:
        """A digest of the text and the metadata."""
        said = repr((self.text, sorted(self.metadata.items(), key=lambda item: item[0])))
        return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def as_documents(items: Any) -> Iterator[Document]:
    """Yield documents from texts, `Document`s, dicts, LangChain's documents, paths of files and folders, or of lists.

    Raises:
        InvalidArgument: anything else, by its place.
    """
    single = isinstance(items, (str, Path, Document, Mapping)) or hasattr(items, "page_content")
    if not single and not isinstance(items, Iterable):
        raise InvalidArgument(f"a knowledge base takes texts, documents or paths, not {type(items).__name__}")
    for place, item in enumerate([items] if single else items):
        if isinstance(item, Path):
            yield from (Document(text, source=source) for source, text in read_path(item))
        else:
            yield _as_document(item, place)


def _as_document(item: Any, place: int) -> Document:
    if isinstance(item, Document):
        return item
    if isinstance(item, str):
        return Document(item)
    if hasattr(item, "page_content"):
        metadata = dict(item.metadata or {})
        source = str(metadata.pop("source", ""))
        return Document(item.page_content, str(getattr(item, "id", None) or ""), source, metadata)
    if isinstance(item, Mapping) and "text" in item:
        rest = {key: value for key, value in item.items() if key not in ("text", "id", "source", "metadata")}
        metadata = {**rest, **(item.get("metadata") or {})}
        return Document(item["text"], str(item.get("id") or ""), str(item.get("source") or ""), metadata)
    raise InvalidArgument(
        f"item {place} is a {type(item).__name__}; give a str, a Path, a Document, or a dict with 'text'"
    )
