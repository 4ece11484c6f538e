"""Milvus: a server's URL, or a file of Milvus Lite."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from elanus import TextFields, read_text_layout
from elanus.cli.elsewhere.source import Passage, Source, passage, the_one

BATCH = 1_000


def open_collection(path: str, wanted: str | None) -> Source:
    """Open a collection with a text field and a dense vector; langchain-milvus's and LlamaIndex's are such."""
    from pymilvus import MilvusClient

    client = MilvusClient(path)
    name = the_one("Milvus", client.list_collections(), wanted)
    client.load_collection(name)
    layout = read_text_layout(client, name, TextFields())
    counted = client.query(name, filter="", output_fields=["count(*)"])
    rows = int(counted[0]["count(*)"])
    return Source(name, rows, layout.metrics[layout.vector], _batches(client, name, layout))


def _batches(client: Any, name: str, layout: Any) -> Iterator[list[Passage]]:
    fields = [layout.key, *layout.output, layout.vector]
    found = client.query_iterator(name, batch_size=BATCH, output_fields=fields)
    try:
        while rows := found.next():
            yield [_passage(dict(row), layout) for row in rows]
    finally:
        found.close()


def _passage(row: dict[str, Any], layout: Any) -> Passage:
    row.pop("$meta", None)
    return passage(row.pop(layout.key), row.pop(layout.vector), row, row.pop(layout.text, None) or "")
