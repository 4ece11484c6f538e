"""`target_recall`: rows that were never stored, asked for with less and less effort, still find the share asked for."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import elanus
import numpy as np
import pytest
from elanus import DataType, NotSupported
from elanus.search import calibrating, files, vectors

ROWS, DIM, QUERIES = 33_500, 16, 150
TARGETS = (0.8, 0.9, 0.95, 0.99)
LARGE = 5_000


def normal(rng: np.random.Generator, count: int) -> np.ndarray:
    """Vectors without any structure."""
    return rng.normal(size=(count, DIM))


def clusters(rng: np.random.Generator, count: int) -> np.ndarray:
    """Vectors close around fifty centres."""
    return rng.normal(size=(50, DIM))[rng.integers(50, size=count)] + 0.4 * rng.normal(size=(count, DIM))


def duplicates(rng: np.random.Generator, count: int) -> np.ndarray:
    """Vectors of which about ten at a time are almost the same."""
    return rng.normal(size=(count // 10, DIM))[rng.integers(count // 10, size=count)] + 1e-3 * rng.normal(
        size=(count, DIM)
    )


@dataclass
class Known:
    """A collection of rows numbered from 0, what they hold, and queries of the same making."""

    client: elanus.Client
    stored: np.ndarray
    queries: np.ndarray
    metric: str

    def true(self, limit: int, rows: np.ndarray) -> np.ndarray:
        """The keys of the best of these rows for each query, by plain numpy."""
        stored, asked = self.stored[rows].astype(np.float64), self.queries.astype(np.float64)
        if self.metric == "COSINE":
            stored /= np.linalg.norm(stored, axis=1, keepdims=True)
        scores = asked @ stored.T
        if self.metric == "L2":
            scores = 2 * scores - (stored**2).sum(1)
        return rows[np.argpartition(-scores, limit, axis=1)[:, :limit]]

    def recall(self, limit: int, rows: np.ndarray | None = None, **options: Any) -> float:
        """The mean share of the true best that a search finds."""
        found = self.client.search("c", self.queries, limit=limit, **options)
        true = self.true(limit, np.arange(len(self.stored)) if rows is None else rows)
        shares = [
            len({hit["id"] for hit in hits} & set(best)) / limit
            for hits, best in zip(found, true.tolist(), strict=True)
        ]
        return float(np.mean(shares))

    def way(self, **options: Any) -> dict[str, Any]:
        """How a search for ten rows goes about it."""
        asked = self.client.search("c", self.queries[:1], limit=10, explain=True, **options)
        way: dict[str, Any] = asked.plan["routes"][0]["ways"][0]
        return way


def fill(client: elanus.Client, data: np.ndarray, metric: str, **index: Any) -> Known:
    schema = client.create_schema().add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
    params = client.prepare_index_params("vector", metric_type=metric, **index)
    client.create_collection("c", schema=schema, index_params=params)
    stored, queries = data[QUERIES:].astype(np.float32), data[:QUERIES].astype(np.float32)
    client.insert("c", {"id": np.arange(len(stored)), "vector": stored})
    client.flush("c")
    return Known(client, stored, queries, metric)


def target(recall: float) -> dict[str, Any]:
    return {"search_params": {"target_recall": recall}}


@pytest.fixture(scope="module", params=[(normal, "IP"), (clusters, "COSINE"), (duplicates, "L2")])
def known(request: pytest.FixtureRequest) -> Iterator[Known]:
    """A segment large enough to be scanned in stages, where candidates get lost most easily."""
    make, metric = request.param
    with elanus.connect(":memory:") as client:
        yield fill(client, make(np.random.default_rng(3), ROWS + QUERIES), metric)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Known]:
    """A store on disk where 5,000 rows are a large segment already."""
    for module in (calibrating, files, vectors):
        monkeypatch.setattr(module, "OWN_CODES_ROWS", LARGE)
    with elanus.connect(folder, durability="os") as client:
        yield fill(client, clusters(np.random.default_rng(5), LARGE + 500 + QUERIES), "COSINE")


@pytest.mark.parametrize("limit", [10, 100])
@pytest.mark.parametrize("wanted", TARGETS)
def test_held_out_queries_find_the_share_that_was_asked_for(known: Known, wanted: float, limit: int) -> None:
    assert known.recall(limit, **target(wanted)) >= wanted


def test_without_a_target_nearly_all_is_found(known: Known) -> None:
    assert known.recall(10) >= 0.985
    assert known.recall(100) >= 0.985


def test_all_is_found_where_all_is_asked_for(known: Known) -> None:
    assert known.recall(10, **target(1.0)) == 1
    assert known.way(**target(1.0))["way"] == "exact"


def test_a_lower_target_scores_fewer_rows(known: Known) -> None:
    scored = [known.way(**target(wanted))["scored"] for wanted in (*TARGETS, 1)]
    assert scored == sorted(scored)
    assert scored[0] < scored[-2] < scored[-1]


@pytest.mark.parametrize("share", [2, 5])
def test_a_filter_leaves_the_share_found(known: Known, share: int) -> None:
    rows = np.arange(0, len(known.stored), share)
    assert known.recall(10, rows, filter=f"id % {share} == 0", **target(0.9)) >= 0.9


def test_what_was_measured_is_told_by_describe_index(known: Known) -> None:
    [told] = known.client.describe_index("c", "vector")["measured_recall"]
    assert (told["way"], told["rows"]) == ("scan", ROWS)
    for steps in (told["recall@10"], told["recall@100"]):
        assert list(steps) == sorted(steps)
        assert all(0 < recall <= 1 for recall in steps.values())
    scored = known.way(**target(0.9))["scored"]
    assert told["recall@10"][scored] >= 0.9
    assert all(recall < 0.93 for effort, recall in told["recall@10"].items() if effort < scored)


def test_what_was_measured_lies_beside_the_segment_and_is_read_again(small: Known, folder: Path) -> None:
    [file] = folder.glob("segments/*/*.recall.json")
    told = small.client.describe_index("c", "vector")["measured_recall"]
    changed = json.loads(file.read_text("utf-8"))
    changed["ladders"]["10"] = [[123, 0.97, 0.0]]
    file.write_text(json.dumps(changed), "utf-8")
    with elanus.connect(folder) as again:
        assert again.describe_index("c", "vector")["measured_recall"] != told
        assert Known(again, small.stored, small.queries, "COSINE").way(**target(0.95))["scored"] == 123


@pytest.mark.parametrize("text", ["", "{", "[]", '{"rows": 5500}', '{"rows": 5500, "ladders": {"10": [[1]]}}', None])
def test_a_damaged_or_missing_file_is_measured_anew(small: Known, folder: Path, text: str | None) -> None:
    [file] = folder.glob("segments/*/*.recall.json")
    before = json.loads(file.read_text("utf-8"))
    file.unlink() if text is None else file.write_text(text, "utf-8")
    with elanus.connect(folder) as again:
        assert "measured_recall" not in again.describe_index("c", "vector")
        assert Known(again, small.stored, small.queries, "COSINE").recall(10, **target(0.9)) >= 0.9
        assert again.describe_index("c", "vector")["measured_recall"][0]["rows"] == len(small.stored)
    assert json.loads(file.read_text("utf-8")) == before


def test_rows_that_are_no_large_segment_are_measured_when_a_search_needs_it(client: elanus.Client) -> None:
    data = clusters(np.random.default_rng(1), 6_000 + QUERIES)
    known = fill(client, data, "COSINE")
    assert "measured_recall" not in client.describe_index("c", "vector")
    assert known.recall(10, **target(0.9)) >= 0.9
    [told] = client.describe_index("c", "vector")["measured_recall"]
    assert told["rows"] == 6_000
    more = clusters(np.random.default_rng(2), 6_000).astype(np.float32)
    client.insert("c", {"id": np.arange(6_000, 12_000), "vector": more})
    known.stored = np.concatenate([known.stored, more])
    assert known.recall(10, **target(0.9)) >= 0.9
    assert client.describe_index("c", "vector")["measured_recall"][0]["rows"] == 12_000


def test_a_few_rows_and_rows_without_vectors_need_no_measuring(client: elanus.Client) -> None:
    schema = client.create_schema().add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM, nullable=True)
    client.create_collection("c", schema=schema, index_params=client.prepare_index_params("vector"))
    client.insert("c", [{"id": i, "vector": None} for i in range(2_000)])
    assert client.search("c", [[1.0] * DIM], limit=5, **target(0.9)) == [[]]
    client.insert("c", [{"id": 2_000 + i, "vector": [1.0] * DIM} for i in range(2_000)])
    assert len(client.search("c", [[1.0] * DIM], limit=5, **target(0.9))[0]) == 5


@pytest.mark.parametrize("there", [0, 1, 40])
def test_a_large_segment_of_rows_without_vectors_is_written(client: elanus.Client, there: int) -> None:
    schema = client.create_schema().add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2, nullable=True)
    params = client.prepare_index_params("vector", metric_type="COSINE")
    client.create_collection("c", schema=schema, index_params=params)
    rows = [{"id": n, "vector": [1.0, float(n)] if n < there else None} for n in range(ROWS)]
    client.insert("c", rows)
    client.flush("c")
    for params in ({}, {"target_recall": 0.9}):
        assert len(client.search("c", [[1.0, 1.0]], limit=5, search_params=params)[0]) == min(5, there)


def built(known: Known, before: float = 60.0) -> dict[str, Any]:
    """The way of a search once there is a graph."""
    end = time.monotonic() + before
    while (way := known.way())["way"] != "graph":
        assert time.monotonic() < end, "no graph was built"
        time.sleep(0.02)
    return way


def test_a_graph_is_measured_when_it_is_built(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    for module in (calibrating, files, vectors):
        monkeypatch.setattr(module, "OWN_CODES_ROWS", LARGE)
    with elanus.connect(folder, durability="os") as client:
        poor = {"index_type": "HNSW", "params": {"M": 8, "efConstruction": 10}}
        known = fill(client, normal(np.random.default_rng(5), LARGE + 500 + QUERIES), "COSINE", **poor)
        built(known)
        for wanted in TARGETS:
            assert known.recall(10, **target(wanted)) >= wanted
        efforts = [known.way(**target(wanted))["ef"] for wanted in TARGETS]
        assert efforts == sorted(efforts)
        assert efforts[0] < efforts[-1]
        told = {one["way"]: one for one in client.describe_index("c", "vector")["measured_recall"]}
        assert told["graph"]["recall@10"][efforts[1]] >= 0.9
        assert known.way(search_params={"ef": 77})["ef"] == 77
        with pytest.raises(elanus.InvalidArgument, match="ef and target_recall both say how hard to search"):
            known.way(search_params={"ef": 77, "target_recall": 0.9})


def test_a_graph_is_built_anew_for_an_index_with_other_parameters(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    for module in (calibrating, files, vectors):
        monkeypatch.setattr(module, "OWN_CODES_ROWS", LARGE)
    with elanus.connect(folder, durability="os") as client:
        poor = {"index_type": "HNSW", "params": {"M": 8, "efConstruction": 10}}
        known = fill(client, normal(np.random.default_rng(5), LARGE + 500 + QUERIES), "COSINE", **poor)
        before = built(known)["ef"]
        client.release_collection("c")
        client.drop_index("c", "vector")
        params = client.prepare_index_params("vector", index_type="HNSW", metric_type="COSINE", M=32)
        client.create_index("c", params)
        client.load_collection("c")
        end = time.monotonic() + 60
        while built(known)["ef"] >= before:
            assert time.monotonic() < end, "the old graph is still in use"
            time.sleep(0.05)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan"), True, "0.9", [0.9]])
def test_a_target_is_a_share(client: elanus.Client, wrong: Any) -> None:
    client.create_collection("c", dimension=2)
    with pytest.raises(elanus.InvalidArgument, match=r"target_recall must be a number in \[0, 1\], not"):
        client.search("c", [[1.0, 0.0]], search_params={"target_recall": wrong})


def test_exact_indexes_meet_any_target(client: elanus.Client) -> None:
    known = fill(client, normal(np.random.default_rng(5), 3_000 + QUERIES), "L2", index_type="FLAT")
    assert known.recall(10, **target(0.5)) == 1
    assert "measured_recall" not in client.describe_index("c", "vector")


def test_a_server_is_not_asked_for_a_recall() -> None:
    pytest.importorskip("pymilvus")
    from elanus.client.remote import MilvusServer

    server = MilvusServer.__new__(MilvusServer)
    params = {"params": {"target_recall": 0.9}}
    request = elanus.AnnSearchRequest([[1.0]], "vector", {"target_recall": 0.9}, 10)
    for ask in (
        lambda: server.search("c", [[1.0]], "", 10, None, params),
        lambda: server.search("c", [[1.0]], search_params=params),
        lambda: server.search_iterator("c", [[1.0]], search_params={"target_recall": 0.9}),
        lambda: server.hybrid_search("c", [request], elanus.RRFRanker()),
    ):
        with pytest.raises(NotSupported, match="target_recall"):
            ask()
    for explain in (
        lambda: server.search("c", [[1.0]], explain=True),
        lambda: server.hybrid_search("c", [], elanus.RRFRanker(), explain=True),
    ):
        with pytest.raises(NotSupported, match="explain"):
            explain()
