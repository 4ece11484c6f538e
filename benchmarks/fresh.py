"""A new process that opens a store: how soon it answers, and what memory it holds once it serves.

`python -m benchmarks.fresh first|serve STORE QUERIES.npz` prints one JSON object.
"""

import time

STARTED = time.perf_counter()

import json  # noqa: E402
import sys  # noqa: E402

import elanus  # noqa: E402
import numpy as np  # noqa: E402

IMPORTED = time.perf_counter()
FIELDS = ["text", "category", "year", "price", "in_stock", "tags"]


def main() -> None:
    mode, store, queries = sys.argv[1:]
    with np.load(queries) as held:
        vectors, texts = held["vectors"], held["texts"].tolist()
    client = elanus.connect(store)
    opened = time.perf_counter()
    client.search("docs", vectors[:1], anns_field="vector", limit=10, output_fields=FIELDS)
    report = {
        "import": IMPORTED - STARTED,
        "open": opened - IMPORTED,
        "query": time.perf_counter() - opened,
        "wall": time.perf_counter() - STARTED,
        "cpu": time.process_time(),
    }
    if mode == "serve":
        report = serve(client, vectors, texts)
    client.close()
    print(json.dumps(report))


def serve(client: elanus.Client, vectors: np.ndarray, texts: list[str]) -> dict[str, float]:
    """Ask every kind of question, then weigh the process."""
    from benchmarks.measure import memory_mb

    for vector, text in zip(vectors, texts, strict=True):
        for filter in ("", "price < 100", "price < 10", 'array_contains(tags, "t07")'):
            client.search("docs", vector[None], filter=filter, anns_field="vector", limit=10, output_fields=FIELDS)
        client.search("docs", [text], anns_field="sparse", limit=10, output_fields=FIELDS)
    return memory_mb()


main()
