"""What an adapter costs above the client, beside other LangChain stores, in one run over the same rows.

`python -m benchmarks.adapters --rows 10000`; langchain-chroma and langchain-milvus (with milvus-lite) take part where
they are installed. Every store answers the same query vectors in turn, so that a busy machine is busy for all.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from langchain_core.embeddings import Embeddings
from rich.console import Console
from rich.table import Table

from benchmarks.cases import K
from benchmarks.data import Dataset, make_dataset
from benchmarks.measure import settle
from benchmarks.writing import BATCH

METADATA = ("category", "year", "price", "in_stock")
FILTER = {"price": {"$lt": 100.0}}
QUERIES = 100
ROUNDS = 5

Ask = Callable[[Any, bool], object]
"""Takes a query vector, and whether to filter to a tenth of the rows."""


class Given(Embeddings):
    """The vectors that the dataset has for its texts."""

    def __init__(self, data: Dataset) -> None:
        self._vector_of = dict(zip(data.texts, data.vectors, strict=True))

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self._vector_of[text].tolist() for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self._vector_of[text].tolist()  # type: ignore[no-any-return]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000)
    options = parser.parse_args()
    data = make_dataset(options.rows, QUERIES, real=False)
    with tempfile.TemporaryDirectory() as folder:
        asks = contenders(data, Path(folder))
        settle()
        report(data, race(asks, data))


def contenders(data: Dataset, folder: Path) -> dict[str, Ask]:
    """Fill every store; the plain client reads the rows that the LangChain adapter wrote."""
    from langchain_elanus import ElanusVectorStore

    asks: dict[str, Ask] = {}
    store = fill(ElanusVectorStore(Given(data), "docs", path=str(folder / "elanus")), data)
    client = store.client
    fields = ["text", *METADATA]

    def plain(vector: Any, filtered: bool) -> object:
        wanted = "price < 100.0" if filtered else ""
        return client.search("docs", [vector], wanted, K, fields, anns_field="vector")

    asks["elanus, plain client"] = plain
    asks["langchain-elanus"] = lambda v, filtered: store.similarity_search_by_vector(
        v, K, filter=FILTER if filtered else None
    )
    if find_spec("llama_index"):
        asks["llama-index, elanus"] = llamaindex(client)
    if find_spec("langchain_chroma"):
        from langchain_chroma import Chroma

        chroma = fill(
            Chroma("docs", Given(data), str(folder / "chroma"), collection_metadata={"hnsw:space": "cosine"}), data
        )
        asks["langchain-chroma"] = lambda v, filtered: chroma.similarity_search_by_vector(
            v.tolist(), K, filter=FILTER if filtered else None
        )
    if find_spec("langchain_milvus") and find_spec("milvus_lite"):
        from langchain_milvus import Milvus

        milvus = fill(
            Milvus(
                Given(data),
                collection_name="docs",
                connection_args={"uri": str(folder / "milvus.db")},
                index_params={"index_type": "FLAT", "metric_type": "COSINE"},
            ),
            data,
        )
        asks["langchain-milvus, lite"] = lambda v, filtered: milvus.similarity_search_by_vector(
            v.tolist(), K, expr="price < 100.0" if filtered else None
        )
    return asks


def llamaindex(client: Any) -> Ask:
    """LlamaIndex's adapter over the same collection."""
    from llama_index.core.vector_stores.types import FilterOperator, MetadataFilter, MetadataFilters, VectorStoreQuery
    from llama_index.vector_stores.elanus import ElanusVectorStore

    store = ElanusVectorStore(client=client, collection_name="docs")
    cheap = MetadataFilters(filters=[MetadataFilter(key="price", value=100.0, operator=FilterOperator.LT)])

    def ask(vector: Any, filtered: bool) -> object:
        query = VectorStoreQuery(
            query_embedding=vector.tolist(), similarity_top_k=K, filters=cheap if filtered else None
        )
        return store.query(query)

    return ask


def fill(store: Any, data: Dataset) -> Any:
    """Add all rows through LangChain's interface."""
    columns = [data.category, data.year.tolist(), data.price.tolist(), data.in_stock.tolist()]
    metadatas = [dict(zip(METADATA, values, strict=True)) for values in zip(*columns, strict=True)]
    for start in range(0, len(data), BATCH):
        stop = start + BATCH
        store.add_texts(data.texts[start:stop], metadatas[start:stop], ids=data.keys[start:stop])
    return store


def race(asks: dict[str, Ask], data: Dataset) -> dict[str, dict[bool, float]]:
    """CPU milliseconds of each store per query, median over rounds in which all take turns."""
    taken: dict[str, dict[bool, list[float]]] = {name: {False: [], True: []} for name in asks}
    for _ in range(ROUNDS):
        for name, ask in asks.items():
            for filtered in (False, True):
                taken[name][filtered].append(once(ask, data, filtered))
    return {name: {kind: statistics.median(runs) for kind, runs in kinds.items()} for name, kinds in taken.items()}


def once(ask: Ask, data: Dataset, filtered: bool) -> float:
    ask(data.query_vectors[0], filtered)
    started = time.process_time()
    for vector in data.query_vectors:
        ask(vector, filtered)
    return 1e3 * (time.process_time() - started) / len(data.query_vectors)


def report(data: Dataset, figures: dict[str, dict[bool, float]]) -> None:
    table = Table("store", "dense", "filter 10 %", "above the client", title=f"{len(data):,} rows, CPU ms a query")
    plain = figures["elanus, plain client"]
    for name, times in figures.items():
        above = " / ".join(f"{times[kind] - plain[kind]:+.3f}" for kind in (False, True))
        table.add_row(name, f"{times[False]:.3f}", f"{times[True]:.3f}", above)
    Console().print(table)


if __name__ == "__main__":
    main()
