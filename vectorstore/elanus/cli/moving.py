"""`elanus export` and `import`: rows out of a collection into a file, and back."""

from __future__ import annotations

import json as json_text
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

import elanus
from elanus.cli.looking import opened
from elanus.cli.running import messages, replacing_unprintable
from elanus.errors import InvalidArgument, StoreError

BATCH = 2_000
Kind = Literal["chroma", "lancedb", "qdrant", "milvus", "faiss"]
File = Annotated[Path, typer.Argument(help="A file that ends in .parquet or .jsonl.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def export(
    store: Annotated[str, typer.Argument(help="The folder of a store, or a Milvus server's URL.")],
    collection: Annotated[str, typer.Argument(help="A collection or an alias.")],
    file: File,
    filter: Annotated[str, typer.Option(help="A Milvus expression.", show_default="all rows")] = "",
    json: AsJson = False,
) -> None:
    """Write a collection's rows, as they are at this moment, with its schema and indexes, to Parquet or JSON lines."""
    from elanus.cli.files import layout_of, write_rows

    with replacing_unprintable(), messages(), opened(store) as client:
        layout = layout_of(client, collection)
        total = client.get_collection_stats(collection)["row_count"]
        with _progress("rows", total) as report:
            rows = _counted(write_rows(file, layout, _batches(client, collection, filter)), report)
        _say(json, file=str(file), rows=rows)


def import_(
    file: Annotated[str, typer.Argument(help="A file that ends in .parquet or .jsonl; with --from another store.")],
    store: Annotated[str, typer.Argument(help="A folder, made if it does not exist, or a Milvus server's URL.")],
    collection: Annotated[
        str | None, typer.Argument(help="The collection; made as it was exported, if it does not exist.")
    ] = None,
    source: Annotated[
        Kind | None, typer.Option("--from", help="The store to read from, by its folder or URL.", show_default=False)
    ] = None,
    source_collection: Annotated[
        str | None, typer.Option(help="Which of its collections; needed if there are several.", show_default=False)
    ] = None,
    json: AsJson = False,
) -> None:
    """Read rows from a file that `export` wrote, or one with a collection's fields; or from another store.

    Rows of equal keys are replaced, so that it can be run again after an interruption. From another store come texts,
    vectors, metadata and ids, into a collection that LangChain's and LlamaIndex's adapters read; a metadata key with
    the name of a field (pk, text, vector, sparse) gets a _ behind it.
    """
    with replacing_unprintable(), messages(), elanus.connect(store) as client:
        if source is None:
            name, rows = _from_file(client, Path(file), collection)
        else:
            name, rows = _from_elsewhere(client, source, file, source_collection, collection)
        _say(json, collection=name, rows=rows)


def _from_file(client: Any, file: Path, collection: str | None) -> tuple[str, int]:
    from elanus.cli.files import read_layout, read_rows

    layout = read_layout(file)
    name = collection or (layout or {}).get("collection")
    if name is None:
        raise InvalidArgument(f"'{file}' does not say which collection its rows are of; name it")
    if not client.has_collection(name):
        _make(client, name, layout, file)
    with _progress("rows", None) as report:
        return name, _counted((_upserted(client, name, batch) for batch in read_rows(file, layout, BATCH)), report)


def _from_elsewhere(client: Any, kind: str, path: str, wanted: str | None, collection: str | None) -> tuple[str, int]:
    """Move a collection of another store; its rows are counted on both sides."""
    from elanus.cli.elsewhere import open_source

    found = open_source(kind, path, wanted)
    name, fields = collection or found.name, elanus.TextFields()
    new = not client.has_collection(name)

    def move(passages: list[Any]) -> int:
        if not client.has_collection(name):
            elanus.make_text_collection(
                client, name, {fields.vector: len(passages[0].vector)}, fields, metric=found.metric
            )
        rows = [
            {**_renamed(one.metadata, fields), fields.key: one.key, fields.text: one.text, fields.vector: one.vector}
            for one in passages
        ]
        return _upserted(client, name, rows)

    with _progress("rows", found.rows) as report:
        rows = _counted((move(passages) for passages in found.batches if passages), report)
    there = client.get_collection_stats(name)["row_count"] if rows else 0
    if rows != found.rows or (new and there != rows):
        raise StoreError(f"{kind} tells {found.rows} rows, {rows} were read and '{name}' has {there}; run it again")
    return name, rows


def _renamed(metadata: Mapping[str, Any], fields: elanus.TextFields) -> dict[str, Any]:
    """Metadata with a `_` behind the names that fields of the collection have."""
    own = (fields.key, fields.text, fields.vector, fields.sparse)
    return {f"{name}_" if name in own else name: value for name, value in metadata.items()}


def _batches(client: Any, collection: str, filter: str) -> Iterator[list[dict[str, Any]]]:
    found = client.query_iterator(collection, batch_size=BATCH, filter=filter, output_fields=["*"])
    try:
        while batch := found.next():
            yield list(batch)
    finally:
        found.close()


def _upserted(client: Any, name: str, rows: list[dict[str, Any]]) -> int:
    client.upsert(name, rows)
    return len(rows)


def _counted(steps: Iterator[int], report: Any) -> int:
    rows = 0
    for step in steps:
        rows += step
        report(step)
    return rows


def _make(client: Any, name: str, layout: dict[str, Any] | None, file: Path) -> None:
    """Make a collection as it was when it was exported."""
    if layout is None:
        raise InvalidArgument(f"'{file}' has no schema with it; create the collection '{name}' first")
    schema = elanus.CollectionSchema.from_dict(layout["schema"])
    indexes = client.prepare_index_params()
    told = ("field_name", "index_name", "index_type", "metric_type")
    state = ("total_rows", "indexed_rows", "pending_index_rows", "state", "recall", "measured_recall")
    for index in layout["indexes"]:
        params = {key: value for key, value in index.items() if key not in (*told, *state)}
        indexes.add_index(**{key: index[key] for key in told if key in index}, params=params)
    options = {} if schema.partition_key is None else {"num_partitions": layout["partitions"]}
    client.create_collection(name, schema=schema, index_params=indexes, properties=layout["properties"], **options)


@contextmanager
def _progress(unit: str, total: int | None) -> Iterator[Any]:
    """A bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda step: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=total, unit=unit) as bar:
        yield bar.update


def _say(json: bool, **told: Any) -> None:
    if json:
        print(json_text.dumps(told))
    else:
        print(", ".join(f"{value:,} {key}" if key == "rows" else f"{value}" for key, value in told.items()))
