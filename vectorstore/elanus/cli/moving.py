"""`elanus export` and `import`: rows out of a collection into a file, and back."""

from __future__ import annotations

import json as json_text
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

import elanus
from elanus.cli.looking import opened
from elanus.cli.running import messages, replacing_unprintable
from elanus.errors import InvalidArgument

BATCH = 2_000
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
    file: File,
    store: Annotated[str, typer.Argument(help="A folder, made if it does not exist, or a Milvus server's URL.")],
    collection: Annotated[
        str | None, typer.Argument(help="The collection; made as it was exported, if it does not exist.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Read rows from a file that `export` wrote, or one with a collection's fields; rows of equal keys are replaced.

    It can be run again after an interruption: what is there already is written once more.
    """
    from elanus.cli.files import read_layout, read_rows

    with replacing_unprintable(), messages(), elanus.connect(store) as client:
        layout = read_layout(file)
        name = collection or (layout or {}).get("collection")
        if name is None:
            raise InvalidArgument(f"'{file}' does not say which collection its rows are of; name it")
        if not client.has_collection(name):
            _make(client, name, layout, file)
        with _progress("rows", None) as report:
            rows = _counted((_upserted(client, name, batch) for batch in read_rows(file, layout, BATCH)), report)
        _say(json, collection=name, rows=rows)


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
    state = ("total_rows", "indexed_rows", "pending_index_rows", "state", "recall")
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
