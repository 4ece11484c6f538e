"""The table of what is asked: each case is a client call, the rows it may find, and the CPU time aimed at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import elanus
import numpy as np

from benchmarks.data import Dataset
from benchmarks.truth import Mask, Truth

K = 10
FIELDS = ["text", "category", "year", "price", "in_stock", "tags"]
DOCS, LOOSE = "docs", "loose"

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """`ask(client, data, query number)` returns hits; `truth` names their judge, `goal` is in ms."""

    name: str
    ask: Callable[[elanus.Client, Dataset, int], Rows]
    truth: str | None = "cosine"
    mask: Callable[[Dataset], Mask] | None = None
    goal: float | None = None
    collection: str = DOCS


def dense(client: elanus.Client, data: Dataset, query: int) -> Rows:
    return search(client, data, query, "")


def search(client: elanus.Client, data: Dataset, query: int, filter: str, collection: str = DOCS) -> Rows:
    vector = data.query_vectors[query : query + 1]
    fields = FIELDS if collection == DOCS else ["*"]
    found = client.search(collection, vector, filter=filter, limit=K, anns_field="vector", output_fields=fields)
    return list(found[0])


def filtered(filter: str, collection: str = DOCS) -> Callable[[elanus.Client, Dataset, int], Rows]:
    return lambda client, data, query: search(client, data, query, filter, collection)


def words(client: elanus.Client, data: Dataset, query: int) -> Rows:
    text = [data.query_texts[query]]
    return list(client.search(DOCS, text, limit=K, anns_field="sparse", output_fields=FIELDS)[0])


def hybrid(client: elanus.Client, data: Dataset, query: int) -> Rows:
    requests = [
        elanus.AnnSearchRequest(data.query_vectors[query : query + 1], "vector", {}, K),
        elanus.AnnSearchRequest([data.query_texts[query]], "sparse", {}, K),
    ]
    found = client.hybrid_search(DOCS, requests, elanus.RRFRanker(60), limit=K, output_fields=FIELDS)
    return list(found[0])


def get(client: elanus.Client, data: Dataset, query: int) -> Rows:
    return list(client.get(DOCS, [some_key(data, query)], output_fields=FIELDS))


def query_by_filter(client: elanus.Client, data: Dataset, query: int) -> Rows:
    return list(client.query(DOCS, filter="price < 1", limit=K, output_fields=FIELDS))


def some_key(data: Dataset, query: int) -> str:
    return data.keys[query * 7919 % len(data)]


def below(price: float) -> Callable[[Dataset], Mask]:
    return lambda data: np.less(data.price, np.float32(price))


def tagged(tag: str) -> Callable[[Dataset], Mask]:
    return lambda data: np.array([tag in tags for tags in data.tags])


def in_category(name: str) -> Callable[[Dataset], Mask]:
    return lambda data: np.array([category == name for category in data.category])


def of_three(data: Dataset) -> Mask:
    return (data.year >= 2000) & data.in_stock & (data.price < np.float32(600))


CASES: Sequence[Case] = (
    Case("dense", dense, goal=0.30),
    Case("filter 50 %", filtered("price < 500"), mask=below(500), goal=0.40),
    Case("filter 10 %", filtered("price < 100"), mask=below(100), goal=0.45),
    Case("filter 1 %", filtered("price < 10"), mask=below(10), goal=0.20),
    Case("filter 0.1 %", filtered("price < 1"), mask=below(1), goal=0.15),
    Case("filter category 5 %", filtered('category == "c03"'), mask=in_category("c03"), goal=0.45),
    Case("filter of three 10 %", filtered("year >= 2000 and in_stock == true and price < 600"), mask=of_three),
    Case("filter array 10 %", filtered('array_contains(tags, "t07")'), mask=tagged("t07"), goal=0.50),
    Case("BM25", words, truth="bm25", goal=0.20),
    Case("hybrid RRF", hybrid, truth="fused", goal=0.50),
    Case("get by key", get, truth=None),
    Case("query by filter 0.1 %", query_by_filter, truth=None),
    Case("dynamic dense", filtered("", LOOSE), collection=LOOSE),
    Case("dynamic filter 50 %", filtered("price < 500", LOOSE), mask=below(500), goal=0.40, collection=LOOSE),
    Case("dynamic filter 10 %", filtered("price < 100", LOOSE), mask=below(100), goal=0.45, collection=LOOSE),
    Case("dynamic filter 1 %", filtered("price < 10", LOOSE), mask=below(10), goal=0.20, collection=LOOSE),
    Case("dynamic category 5 %", filtered('category == "c03"', LOOSE), mask=in_category("c03"), goal=0.45,
         collection=LOOSE),
    Case("dynamic array 10 %", filtered('array_contains(tags, "t07")', LOOSE), mask=tagged("t07"), goal=0.50,
         collection=LOOSE),
)  # fmt: skip


def recall(case: Case, data: Dataset, truths: dict[str, Truth], answers: Sequence[Rows]) -> float | None:
    """Judge a case's answers; None where there is nothing to judge."""
    if case.truth is None:
        return None
    found = [[int(hit["id"].removeprefix("doc-")) for hit in hits] for hits in answers]
    return truths[case.truth].recall(found, K, case.mask(data) if case.mask else None)
