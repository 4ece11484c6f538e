"""`elanus inspect` and `query`: what is in a store."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import Annotated, Any

import typer

import elanus
from elanus.cli.running import messages, replacing_unprintable
from elanus.errors import NotFound

Store = Annotated[str, typer.Argument(help="The folder of a store, or a Milvus server's URL.")]


def inspect(
    store: Store = "kb",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Show the collections of a store: rows, fields, indexes, functions, aliases, and its size."""
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


def query(
    store: Annotated[str, typer.Argument(help="The folder of a store, or a Milvus server's URL.")],
    collection: Annotated[str, typer.Argument(help="A collection or an alias.")],
    filter: Annotated[str, typer.Option(help="A Milvus expression.", show_default="all rows")] = "",
    fields: Annotated[str, typer.Option(help="Names of fields, separated by commas.")] = "*",
    limit: Annotated[int, typer.Option(min=1, max=16_384, help="Rows at most.")] = 10,
    offset: Annotated[int, typer.Option(min=0, max=16_383, help="Rows to skip.")] = 0,
    vectors: Annotated[bool, typer.Option(help="Print vectors too.")] = False,
) -> None:
    """Print rows as JSON, one a line."""
    with replacing_unprintable(), messages(), opened(store) as client:
        names = [name.strip() for name in fields.split(",") if name.strip()]
        rows = client.query(collection, filter, output_fields=names, limit=limit, offset=offset)
        dense = {f["name"] for f in client.describe_collection(collection)["fields"] if f["type"] >= 100}
        for row in rows:
            kept = row if vectors else {name: value for name, value in row.items() if name not in dense}
            print(json_text.dumps(kept, ensure_ascii=False, default=plain))


def opened(store: str) -> Any:
    """Return a client of a store that exists."""
    if "://" not in store and not (Path(store) / "catalog.sqlite").is_file():
        raise NotFound(f"there is no store at '{store}'")
    return elanus.connect(store)


def described(client: Any, name: str) -> dict[str, Any]:
    """What there is to know about a collection."""
    told = client.describe_collection(name)
    indexes = [client.describe_index(name, index) for index in client.list_indexes(name)]
    notes: dict[str, list[str]] = {field["name"]: [] for field in told["fields"]}
    for field in told["fields"]:
        flags = [flag for flag in ("is_primary", "auto_id", "nullable", "is_partition_key") if field.get(flag)]
        notes[field["name"]] += [flag.removeprefix("is_") for flag in flags]
        notes[field["name"]] += [f"{key}={value}" for key, value in (field.get("params") or {}).items() if key == "dim"]
        inner = [f"{one['name']} {elanus.DataType(one['type']).name}" for one in field.get("struct_fields") or ()]
        notes[field["name"]] += [f"of {', '.join(inner)}"] if inner else []
    for index in indexes:
        outer, _, inner_name = index["field_name"].partition("[")
        at = f"{inner_name.removesuffix(']')}: " if inner_name else ""
        notes.setdefault(outer, []).append(f"{at}{index['index_type']} {index['metric_type']}".strip())
    for function in told.get("functions") or []:
        for output in function["output_field_names"]:
            notes[output].append(f"{function['name']}({', '.join(function['input_field_names'])})")
    fields = [
        {"name": f["name"], "type": elanus.DataType(f["type"]).name, "note": ", ".join(notes[f["name"]])}
        for f in told["fields"]
    ]
    rows = client.get_collection_stats(name)["row_count"]
    return {"name": name, "rows": rows, "aliases": list(told.get("aliases") or []), "fields": fields}


def size_of(folder: Path) -> int:
    """The bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def plain(value: Any) -> Any:
    """What JSON has no word for: arrays as lists, bytes in hexadecimal, the rest as text."""
    if isinstance(value, bytes):
        return value.hex()
    return value.tolist() if hasattr(value, "tolist") else str(value)
