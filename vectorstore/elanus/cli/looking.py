"""`elanus inspect` and `query`: what is in a store."""

from __future__ import annotations

import json as json_text
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

import elanus
from elanus.cli.running import messages, replacing_unprintable
from elanus.errors import NotFound

CELL = 60  # characters
Store = Annotated[str, typer.Argument(help="The folder of a store, or a Milvus server's URL.")]


def inspect(
    store: Store = "kb",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Show the collections of a store: rows, fields, indexes, functions, partitions, segments, and its size."""
    with replacing_unprintable(), messages(), opened(store) as client:
        found = [described(client, name) for name in client.list_collections()]
        size = size_of(Path(store)) if Path(store).is_dir() else None
        if json:
            print(json_text.dumps({"store": store, "bytes": size, "collections": found}, indent=1))
            return
        print(f"{store}: {len(found)} collections" + ("" if size is None else f", {size / 1e6:.1f} MB"))
        for collection in found:
            aliases = f", also {', '.join(collection['aliases'])}" if collection["aliases"] else ""
            print(f"\n{collection['name']}: {collection['rows']:,} rows{aliases}")
            for field in collection["fields"]:
                print(f"  {field['name']:<16} {field['type']:<20} {field['note']}".rstrip())
            for what in ("partitions", "properties"):
                if collection[what]:
                    print(f"  {what}: " + ", ".join(f"{key} {value}" for key, value in collection[what].items()))
            if collection["segments"]:
                held = sum(one["bytes"] for one in collection["segments"])
                print(f"  segments: {len(collection['segments'])}, {held / 1e6:.1f} MB; the rest is in the log")


def query(
    store: Annotated[str, typer.Argument(help="The folder of a store, or a Milvus server's URL.")],
    collection: Annotated[str, typer.Argument(help="A collection or an alias.")],
    filter: Annotated[str, typer.Option(help="A Milvus expression.", show_default="all rows")] = "",
    fields: Annotated[str, typer.Option(help="Names of fields, separated by commas.")] = "*",
    limit: Annotated[int, typer.Option(min=1, max=16_384, help="Rows at most.")] = 10,
    offset: Annotated[int, typer.Option(min=0, max=16_383, help="Rows to skip.")] = 0,
    vectors: Annotated[bool, typer.Option(help="Print vectors too.")] = False,
    table: Annotated[bool, typer.Option("--table/--json", help="Print a table instead of JSON.")] = False,
) -> None:
    """Print rows as JSON, one a line, or as a table."""
    with replacing_unprintable(), messages(), opened(store) as client:
        names = [name.strip() for name in fields.split(",") if name.strip()]
        rows = client.query(collection, filter, output_fields=names, limit=limit, offset=offset)
        dense = {f["name"] for f in client.describe_collection(collection)["fields"] if f["type"] >= 100}
        kept = [row if vectors else {name: value for name, value in row.items() if name not in dense} for row in rows]
        if table:
            show_rows(kept)
            return
        for row in kept:
            print(json_text.dumps(row, ensure_ascii=False, default=plain))


def show_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows as a table, a value a cell, long ones cut."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    names = list(dict.fromkeys(name for row in rows for name in row))
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        shown.add_column(name, no_wrap=True, overflow="ellipsis", max_width=CELL)
    for row in rows:
        cells = [row.get(name, "") for name in names]
        texts = [c if isinstance(c, str) else json_text.dumps(c, ensure_ascii=False, default=plain) for c in cells]
        shown.add_row(*(Text(" ".join(text.split())) for text in texts))
    Console(highlight=False).print(shown if rows else "no rows")


def opened(store: str) -> Any:
    """Return a client of a store that exists."""
    if "://" not in store and not (Path(store) / "catalog.sqlite").is_file():
        raise NotFound(f"there is no store at '{store}'")
    return elanus.connect(store)


def described(client: Any, name: str) -> dict[str, Any]:
    """What there is to know about a collection."""
    told = client.describe_collection(name)
    notes = {field["name"]: field_notes(field) for field in told["fields"]}
    for index in [client.describe_index(name, index) for index in client.list_indexes(name)]:
        outer, _, inner = index["field_name"].partition("[")
        at = index.get("json_path", inner.removesuffix("]"))
        said = " ".join(filter(None, (index["index_type"], index.get("metric_type"))))
        notes.setdefault(outer, []).append(f"{at}: {said}" if at not in ("", outer) else said)
    for function in told.get("functions") or []:
        for output in function["output_field_names"]:
            notes[output].append(f"{function['name']}({', '.join(function['input_field_names'])})")
    types = {field["name"]: elanus.DataType(field["type"]).name for field in told["fields"]}
    fields = [
        {"name": field, "type": types.get(field, "(dynamic)"), "note": ", ".join(said)} for field, said in notes.items()
    ]
    segments = client.list_persistent_segments(name) if isinstance(client, elanus.Client) else []
    return {
        "name": name,
        "rows": client.get_collection_stats(name)["row_count"],
        "aliases": list(told.get("aliases") or []),
        "fields": fields,
        "partitions": partitions(client, name),
        "properties": dict(told.get("properties") or {}),
        "segments": [{"rows": one.num_rows, "bytes": one.bytes} for one in segments],
    }


def field_notes(field: dict[str, Any]) -> list[str]:
    """A field's flags, its dim, and the fields inside it."""
    flags = [flag for flag in ("is_primary", "auto_id", "nullable", "is_partition_key") if field.get(flag)]
    dim = (field.get("params") or {}).get("dim")
    inner = [f"{one['name']} {elanus.DataType(one['type']).name}" for one in field.get("struct_fields") or ()]
    return [
        *(flag.removeprefix("is_") for flag in flags),
        *([f"dim={dim}"] if dim else []),
        *([f"of {', '.join(inner)}"] if inner else []),
    ]


def partitions(client: Any, name: str) -> dict[str, int]:
    """The rows of each partition, if there are several."""
    names = client.list_partitions(name)
    if len(names) < 2:
        return {}
    return {one: int(client.get_partition_stats(name, one)["row_count"]) for one in names}


def size_of(folder: Path) -> int:
    """The bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def plain(value: Any) -> Any:
    """What JSON has no word for: arrays as lists, bytes in hexadecimal, the rest as text."""
    if isinstance(value, bytes):
        return value.hex()
    return value.tolist() if hasattr(value, "tolist") else str(value)
