"""The stations of a collection's life: what is asked at each must be answered alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import elanus

from tests.oracle import Key, Row, Table

Create = Callable[[elanus.Client, str], Table]


def life(
    folder: Path,
    create: Create,
    batches: Sequence[Sequence[Row]],
    doomed: Sequence[Key],
    encode: Callable[[Row], Row] = lambda row: row,
) -> Iterator[tuple[str, elanus.Client, Table]]:
    """Yield where the rows of collection "c" are, a client that reads them there, and what the oracle has.

    Four batches of rows go from the tail into segments, which merge; some keys are deleted on the way. The client gets
    rows as `encode` makes them.
    """
    with elanus.connect(folder, durability="os") as client:
        table = create(client, "c")
        yield "empty", client, table

        def write(rows: Sequence[Row], gone: Sequence[Key] = ()) -> None:
            client.insert("c", [encode(row) for row in rows])
            table.write(rows)
            if gone:
                client.delete("c", ids=list(gone))
                table.delete(gone)

        write(batches[0])
        yield "tail", client, table
        write(batches[1], doomed[:1])
        yield "joined tail", client, table
        client.flush("c")
        yield "segment", client, table
        write(batches[2], doomed[1:2])
        yield "segment and tail", client, table
        with elanus.connect(folder, durability="os") as other:
            yield "another client's tail", other, table
        client.flush("c")
        write(batches[3], doomed[2:])
        for _ in range(3):
            client.insert("c", [encode(batches[3][0])])
            table.write([batches[3][0]])
            client.flush("c")
        yield "merged", client, table
    with elanus.connect(folder, durability="os") as client:
        yield "reopened", client, table


def collection(client: elanus.Client, name: str, *, key: str = "id", **fields: dict[str, Any]) -> None:
    """Create a collection with an INT64 key and fields, each {"type": DataType, "metric": ..., "index": ..., ...}."""
    schema = client.create_schema()
    schema.add_field(key, elanus.DataType.INT64, is_primary=True)
    params = client.prepare_index_params()
    for field, options in fields.items():
        known = {"type", "metric", "index"}
        schema.add_field(field, options["type"], **{k: v for k, v in options.items() if k not in known})
        if options["type"] >= elanus.DataType.BINARY_VECTOR:
            params.add_index(field, options.get("index", ""), metric_type=options.get("metric", ""))
    client.create_collection(name, schema=schema, index_params=params)
