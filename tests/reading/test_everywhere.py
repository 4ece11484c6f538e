"""One answer to every way of reading: in each layout, and in another process."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import elanus
import pytest

from tests.reading.shelf import LAYOUTS, make_shelf


def answers(client: elanus.Client, query: list[float]) -> dict[str, Any]:
    """What each way of reading answers, as plain data."""

    def search(**options: Any) -> Any:
        return [dict(hit) for hit in client.search("shelf", [query], anns_field="l2", limit=20, **options)[0]]

    iterator = client.search_iterator("shelf", [query], anns_field="ip", batch_size=50)
    requests = [
        elanus.AnnSearchRequest([query], "cosine", {}, 30),
        elanus.AnnSearchRequest(["owl wren"], "sparse", {}, 30),
    ]
    fused = client.hybrid_search("shelf", requests, elanus.RRFRanker(), limit=8, group_by_field="n", group_size=2)
    calls = ["count(*)", "sum(price)", "avg(price)", "max(text)", "min(n)"]
    return {
        "range": search(search_params={"radius": 40.0, "range_filter": 8.0}),
        "groups": search(group_by_field="place", group_size=3),
        "strict groups": search(group_by_field='meta["kind"]', group_size=3, strict_group_size=True),
        "ordered hits": search(order_by_fields="price:desc,n", output_fields=["price", "n"]),
        "fused groups": [dict(hit) for hit in fused[0]],
        "ids": client.search("shelf", ids=[1500, 1501, 1502], anns_field="l2", limit=5, round_decimal=3)[1].ids,
        "ordered rows": list(client.query("shelf", limit=50, order_by=["colour", "price:desc"], output_fields=["id"])),
        "aggregates": list(client.query("shelf", output_fields=calls)),
        "by group": list(client.query("shelf", group_by_fields=["place", "flag"], output_fields=["place", *calls])),
        "iterator": [(hit["id"], hit["distance"]) for _ in range(4) for hit in iterator.next()],
        "rows": [row["id"] for row in client.query_iterator("shelf", batch_size=2000, filter="n < 0").next()],
    }


def ask(folder: str, query: list[float], out: Any) -> None:
    """In another process."""
    with elanus.connect(folder) as client:
        out.put(answers(client, query))


def test_every_layout_and_every_process_gives_the_same_answers(tmp_path: Path) -> None:
    found = {}
    for layout in LAYOUTS:
        made = make_shelf(tmp_path / layout, layout)
        query = made.queries[3].tolist()
        with made.client:
            found[layout] = answers(made.client, query)
            if layout == "mixed":
                context = multiprocessing.get_context("spawn")
                out = context.Queue()
                process = context.Process(target=ask, args=(str(tmp_path / layout), query, out))
                process.start()
                found["another process"] = out.get(timeout=60)
                process.join(60)
                made.client.flush("shelf")
                found["flushed after all"] = answers(made.client, query)
    first = found.pop("tail")
    assert all(first.values())
    for where, same in found.items():
        for name, answer in first.items():
            assert same[name] == answer, (where, name)


@pytest.mark.parametrize("where", ["limit", "offset"])
def test_limit_and_offset_together_reach_16384_and_no_further(client: elanus.Client, where: str) -> None:
    client.create_collection("c", 2)
    client.insert("c", [{"id": key, "vector": [1.0, float(key)], "g": key} for key in range(3)])
    fits, beyond = {"limit": 16_383, "offset": 1}, {"limit": 16_383, "offset": 1, where: 16_384}
    reads = [
        lambda **window: client.search("c", [[1.0, 0.0]], **window)[0],
        lambda **window: client.search("c", [[1.0, 0.0]], group_by_field="g", **window)[0],
        lambda **window: client.query("c", order_by=["id"], **window),
        lambda **window: client.query("c", group_by_fields=["g"], **window),
    ]
    for read in reads:
        assert len(read(**fits)) == 2
        with pytest.raises(elanus.InvalidArgument, match="must not exceed 16384"):
            read(**beyond)
