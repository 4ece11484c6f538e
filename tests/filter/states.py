"""One collection in every state that its rows can be in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import elanus

NAME = "c"


def states(
    folder: Path, create: Callable[[elanus.Client], None], rows: Sequence[dict[str, Any]]
) -> Iterator[tuple[str, elanus.Client]]:
    """Yield the state's name and a client, the collection `c` with these rows each time; `id` is their key."""
    later = rows[len(rows) * 3 // 4 :]
    with elanus.connect(folder, durability="os") as client:
        create(client)
        client.insert(NAME, list(rows[: len(rows) // 2]))
        client.insert(NAME, list(rows[len(rows) // 2 :]))
        yield "tail", client
        client.flush(NAME)
        yield "flushed", client
        client.delete(NAME, ids=[row["id"] for row in later])
        client.insert(NAME, list(later))
        yield "segment with deaths, and tail", client
        client.flush(NAME)
        yield "two segments", client
    with elanus.connect(folder, durability="os") as client:
        yield "reopened", client
        client.upsert(NAME, list(rows))
        client.flush(NAME)
        yield "merged", client
    with elanus.connect(folder, durability="os") as client:
        yield "merged and reopened", client
