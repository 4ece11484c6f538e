"""Twenty thousand rows, many commits and flushes: searches find what the exact search finds, with exact scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import elanus
import numpy as np
import pytest
from elanus import DataType

ROWS, DIM, QUERIES, LIMIT = 20_000, 32, 40, 10
COMMITS = 40
SHARES = {"share < 0.5": 0.5, "share < 0.1": 0.1, "share < 0.01": 0.01, "share < 0.001": 0.001}
INDEXES = [("AUTOINDEX", "COSINE"), ("AUTOINDEX", "IP"), ("AUTOINDEX", "L2"), ("FLAT", "L2"), ("HNSW", "COSINE")]


@dataclass
class Known:
    """What the store holds, by key, and queries of the same making."""

    client: elanus.Client
    metric: str
    vectors: dict[int, np.ndarray]
    shares: dict[int, float]
    queries: np.ndarray

    def exact(self, query: np.ndarray, below: float = 2.0) -> list[tuple[float, int]]:
        """Every row with a share below the bound, best first: (score that grows with likeness, key)."""
        keys = np.array([key for key, share in self.shares.items() if share < below])
        matrix = np.stack([self.vectors[int(key)] for key in keys]).astype(np.float64)
        if self.metric == "L2":
            scores = -((matrix - query) ** 2).sum(1)
        else:
            scores = matrix @ query
            if self.metric == "COSINE":
                scores /= np.linalg.norm(matrix, axis=1) * np.linalg.norm(query)
        order = np.argsort(-scores, kind="stable")
        return [(float(scores[i]), int(keys[i])) for i in order]


def clustered(rng: np.random.Generator, count: int, centres: np.ndarray) -> np.ndarray:
    """Vectors around centres, of lengths from 0.2 to 5."""
    around = centres[rng.integers(len(centres), size=count)] + rng.normal(0, 0.8, (count, DIM))
    return (around * rng.uniform(0.2, 5.0, (count, 1)) / np.sqrt(DIM)).astype(np.float32)


@pytest.fixture(scope="module", params=INDEXES, ids=[f"{kind}-{metric}" for kind, metric in INDEXES])
def known(request: pytest.FixtureRequest) -> Iterator[Known]:
    """A collection written in many commits with flushes, replacements and deletes in between."""
    index_type, metric = request.param
    rng = np.random.default_rng(7)
    centres = rng.normal(0, 1, (50, DIM))
    with elanus.connect(":memory:") as client:
        schema = client.create_schema().add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("share", DataType.DOUBLE).add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
        params = client.prepare_index_params("vector", index_type=index_type, metric_type=metric)
        client.create_collection("c", schema=schema, index_params=params)
        known = Known(client, metric, {}, {}, clustered(rng, QUERIES, centres))
        size = ROWS // COMMITS
        for commit in range(COMMITS):
            fresh = np.arange(commit * size, (commit + 1) * size)
            again = rng.choice(fresh[0], size // 10, replace=False) if commit else fresh[:0]
            keys = np.concatenate([fresh, again])
            vectors, shares = clustered(rng, len(keys), centres), rng.random(len(keys))
            client.insert("c", {"id": keys, "share": shares, "vector": vectors})
            known.vectors.update(zip(keys.tolist(), vectors, strict=True))
            known.shares.update(zip(keys.tolist(), shares.tolist(), strict=True))
            gone = rng.choice(sorted(known.vectors), 20, replace=False).tolist()
            client.delete("c", ids=gone)
            for key in gone:
                del known.vectors[key], known.shares[key]
            if commit % 8 == 5:
                client.flush("c")
        yield known


def search(known: Known, **options: Any) -> list[list[dict[str, Any]]]:
    return known.client.search("c", known.queries, **options)


def check(known: Known, found: list[list[dict[str, Any]]], limit: int, below: float = 2.0) -> float:
    """Every hit lives, matches, is exactly scored and in order; return the mean recall."""
    recalls = []
    for query, hits in zip(known.queries.astype(np.float64), found, strict=True):
        exact = known.exact(query, below)
        score_of = {key: score for score, key in exact}
        assert len(hits) == min(limit, len(exact))
        assert {hit["id"] for hit in hits} <= set(score_of)
        assert len({hit["id"] for hit in hits}) == len(hits)
        sign = -1 if known.metric == "L2" else 1
        scores = [sign * hit["distance"] for hit in hits]
        assert scores == sorted(scores, reverse=True)
        assert scores == pytest.approx([score_of[hit["id"]] for hit in hits], rel=1e-4, abs=1e-4)
        least = exact[len(hits) - 1][0] - 1e-6 if hits else 0.0
        recalls.append(sum(score_of[hit["id"]] >= least for hit in hits) / max(1, len(hits)))
    return float(np.mean(recalls))


def test_the_best_rows_are_found(known: Known) -> None:
    assert check(known, search(known, limit=LIMIT), LIMIT) >= 0.99


@pytest.mark.parametrize("text", SHARES)
def test_a_filter_at_any_selectivity_keeps_recall_and_number(known: Known, text: str) -> None:
    assert check(known, search(known, limit=LIMIT, filter=text), LIMIT, SHARES[text]) >= 0.98


def test_as_many_rows_as_match_come_back_however_many_are_asked_for(known: Known) -> None:
    found = search(known, limit=5_000, filter="share < 0.1")
    assert check(known, found, 5_000, 0.1) == 1.0
    assert [len(hits) for hits in search(known, limit=10, filter="share < 0")] == [0] * QUERIES


def test_pages_continue_each_other(known: Known) -> None:
    whole = search(known, limit=30)
    pages = [search(known, limit=10, offset=offset) for offset in (0, 10, 20)]
    for place, hits in enumerate(whole):
        joined = [hit["id"] for page in pages for hit in page[place]]
        assert len(set(joined) & {hit["id"] for hit in hits}) >= 26


def test_the_same_search_gives_the_same_answer(known: Known) -> None:
    first = search(known, limit=LIMIT, filter="share < 0.5")
    assert search(known, limit=LIMIT, filter="share < 0.5") == first
    one_by_one = [known.client.search("c", [q], limit=LIMIT, filter="share < 0.5")[0] for q in known.queries]
    for alone, together in zip(one_by_one, first, strict=True):
        assert [hit["distance"] for hit in alone] == pytest.approx([hit["distance"] for hit in together], rel=1e-5)
