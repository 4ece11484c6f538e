"""All types in one collection, through what works on whole rows: other processes, partial upserts, re-embedding."""

from __future__ import annotations

import random
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import elanus
import pytest
from elanus import DataType

from tests.behaviour.fleet import Child
from tests.fakes import Words
from tests.oracle import Row
from tests.types.life import collection
from tests.types.test_dense import DIM, TYPES, numbers, pack

NARROW = {dtype.name.lower(): dtype for dtype in TYPES}
NAMES = [*NARROW, "sparse", "whole", "at", "place", "text"]


def create(client: elanus.Client, *, nullable: bool = True, default: str | None = None) -> None:
    fields: dict[str, dict[str, Any]] = {
        name: {"type": dtype, "dim": DIM, "nullable": nullable} for name, dtype in NARROW.items()
    }
    fields["sparse"] = {"type": DataType.SPARSE_FLOAT_VECTOR, "nullable": nullable}
    fields["whole"] = {"type": DataType.FLOAT_VECTOR, "dim": 8}
    fields["at"] = {"type": DataType.TIMESTAMPTZ, "nullable": nullable, "default_value": default}
    fields["place"] = {"type": DataType.GEOMETRY, "nullable": nullable}
    fields["text"] = {"type": DataType.VARCHAR, "max_length": 99}
    collection(client, "c", **fields)


def row(key: int, rng: random.Random) -> Row:
    """A row of every type, as a query gives it; some values are null."""
    made: dict[str, Any] = {name: [pack(dtype, numbers(dtype, rng))] for name, dtype in NARROW.items()}
    made["sparse"] = {n: 0.5 * n for n in sorted(rng.sample(range(1, 20), 3))}
    made["at"] = f"2025-01-{rng.randrange(10, 30)}T00:00:00.5Z"
    made["place"] = f"POINT ({rng.randrange(90)} 2.5)"
    made = {name: None if rng.random() < 0.3 else value for name, value in made.items()}
    return {"id": key, **made, "text": f"word{key}", "whole": [float(rng.randrange(9)) for _ in range(8)]}


def rows(count: int) -> list[Row]:
    rng = random.Random(7)
    return [row(key, rng) for key in range(count)]


def contents(client: elanus.Client) -> dict[int, Row]:
    return {found["id"]: found for found in client.query("c", filter="id >= 0", output_fields=["*"])}


def write_and_search(pipe: Connection, folder: Path, wanted: list[Row]) -> None:
    """In another process: add rows, and tell what searches find there."""
    with elanus.connect(folder, durability="os") as client:
        client.insert("c", wanted)
        pipe.send(answers(client))


def answers(client: elanus.Client) -> list[Any]:
    """What searches of every vector field find."""
    rng = random.Random(3)
    found = []
    for name, dtype in NARROW.items():
        query = pack(dtype, numbers(dtype, rng))
        found.append([(h.id, h.distance) for h in client.search("c", [query], anns_field=name, limit=20)[0]])
    found.append([(h.id, h.distance) for h in client.search("c", {5: 1.0, 7: 2.0}, anns_field="sparse", limit=20)[0]])
    return found


def test_another_process_reads_and_writes_them(client: elanus.Client, folder: Path) -> None:
    create(client)
    wanted = rows(60)
    client.insert("c", wanted[:20])
    client.flush("c")
    client.insert("c", wanted[20:40])
    child = Child(write_and_search, folder, wanted[40:])
    there = child.receive()
    assert child.join() == 0
    assert contents(client) == {row["id"]: row for row in wanted}
    assert answers(client) == there
    client.flush("c")
    assert contents(client) == {row["id"]: row for row in wanted}
    assert answers(client) == there


def test_rows_that_a_query_gave_can_be_written_again(client: elanus.Client) -> None:
    create(client)
    wanted = {row["id"]: row for row in rows(20)}
    client.insert("c", list(wanted.values()))
    given = client.query("c", filter="id >= 0", output_fields=["*"])
    client.truncate_collection("c")
    client.upsert("c", given)
    assert contents(client) == wanted


@pytest.mark.parametrize("name", NAMES)
def test_a_partial_upsert_keeps_what_it_leaves_out(client: elanus.Client, name: str) -> None:
    create(client)
    old, new = rows(12), [row(key, random.Random(99)) for key in range(12)]
    client.insert("c", old[:6])
    client.flush("c")
    client.insert("c", old[6:])
    client.upsert("c", [{"id": row["id"], name: row[name]} for row in new], partial_update=True)
    expected = {was["id"]: {**was, name: now[name]} for was, now in zip(old, new, strict=True)}
    assert contents(client) == expected
    client.flush("c")
    assert contents(client) == expected


def test_a_partial_upsert_of_a_new_row_has_nulls_and_defaults(client: elanus.Client) -> None:
    create(client, default="2025-01-01T00:00:00+01:00")
    client.upsert("c", [{"id": 1, "text": "a", "whole": [1.0] * 8}], partial_update=True)
    found = contents(client)[1]
    assert found["at"] == "2024-12-31T23:00:00Z"
    assert [found[name] for name in (*NARROW, "sparse", "place")] == [None] * 6


def test_re_embedding_one_field_keeps_the_others(client: elanus.Client) -> None:
    create(client)
    wanted = rows(30)
    client.insert("c", wanted[:20])
    client.flush("c")
    client.insert("c", wanted[20:])
    client.delete("c", ids=[3, 25])
    model = Words(dim=8)
    client.reembed("c", field="whole", embedder=model, text_field="text")
    expected = {row["id"]: row for row in wanted if row["id"] not in (3, 25)}
    found = contents(client)
    assert found.keys() == expected.keys()
    for key, held in found.items():
        assert held.pop("whole") == model.vectors([expected[key]["text"]])[0].tolist()
        assert held == {name: value for name, value in expected[key].items() if name != "whole"}


def test_what_is_not_implemented_yet_is_refused_by_name(client: elanus.Client) -> None:
    schema = client.create_schema()
    with pytest.raises(elanus.NotSupported, match="type TEXT is not supported yet"):
        schema.add_field("a", DataType.TEXT)
