"""Documents into rows, and rows into documents."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from elanus import InvalidArgument, TextLayout
from langchain_core.documents import Document

HIDDEN = ("_node_content", "_node_type")
"""Fields in which LlamaIndex keeps what a document has no place for."""


def ids_for(texts: Sequence[str], ids: Iterable[str | None] | None) -> list[str]:
    """One id for each text; where none is given, a random one."""
    given = [None] * len(texts) if ids is None else list(ids)
    if len(given) != len(texts):
        raise InvalidArgument(f"ids: {len(given)} are given for {len(texts)} texts")
    return [str(uuid.uuid4()) if each is None else each for each in given]


def metadatas_for(texts: Sequence[str], metadatas: Iterable[Mapping[str, Any]] | None) -> list[Mapping[str, Any]]:
    """One dict of metadata for each text."""
    given: list[Mapping[str, Any]] = [{} for _ in texts] if metadatas is None else [each or {} for each in metadatas]
    if len(given) != len(texts):
        raise InvalidArgument(f"metadatas: {len(given)} are given for {len(texts)} texts")
    return given


def to_rows(
    ids: Sequence[str],
    texts: Sequence[str],
    metadatas: Sequence[Mapping[str, Any]],
    vectors: Mapping[str, Sequence[Any]],
    layout: TextLayout,
) -> list[dict[str, Any]]:
    """The rows of documents: key, text, a vector per field, and the metadata as fields of their own.

    Raises:
        InvalidArgument: a metadata key is the name of one of the collection's fields; names document and key.
    """
    rows = []
    for place, (key, text, metadata) in enumerate(zip(ids, texts, metadatas, strict=True)):
        clash = layout.reserved.intersection(metadata)
        if clash:
            raise InvalidArgument(
                f"document {key!r}: the metadata key '{min(clash)}' is the name of a field of the collection; rename "
                "the key, or make the collection with another name for that field (text_field=, vector_field=, ...)"
            )
        row = {**metadata, layout.key: key, layout.text: text}
        rows.append(row | {field: column[place] for field, column in vectors.items()})
    return rows


def to_document(key: Any, row: Mapping[str, Any], layout: TextLayout) -> Document:
    """The document of a row; fields that are null because nobody set them are no metadata."""
    metadata = {
        name: value
        for name, value in row.items()
        if name not in layout.reserved and name not in HIDDEN and (value is not None or name not in layout.others)
    }
    return Document(id=str(key), page_content=row.get(layout.text) or "", metadata=metadata)
