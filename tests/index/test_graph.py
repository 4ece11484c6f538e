from __future__ import annotations

import threading

import numpy as np
import pytest
from elanus.errors import StoreFormatError
from elanus.index.graph import GraphIndex
from elanus.index.metric import Metric, norms
from elanus.index.planning import candidates

from tests.index.dense_data import METRICS, best, clustered, oracle, stretched


def recall(graph, vectors, queries, mask=None, ef=200):
    hits = 0
    for query in queries:
        expected = best(oracle(query, vectors, graph.metric), 10, mask)
        hits += len(np.intersect1d(expected, graph.search(query, candidates(10, graph.metric), ef, mask)))
    return hits / (10 * len(queries))


def built(vectors, metric, **options):
    graph = GraphIndex.build(vectors, norms(vectors), metric, **options)
    assert graph is not None
    return graph


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dim", [5, 33])
def test_candidates_hold_the_exact_best(metric, dim):
    vectors, queries = clustered(3000, dim), clustered(30, dim, seed=1)
    graph = built(vectors, metric)
    assert len(graph) == 3000
    assert graph.nbytes > 3000 * dim
    assert recall(graph, vectors, queries) >= 0.97


def test_l2_finds_the_nearest_where_lengths_span_six_decades():
    vectors, queries = stretched(3000, 16, 6), stretched(30, 16, 6, seed=1)
    assert recall(built(vectors, Metric.L2), vectors, queries) >= 0.95


@pytest.mark.parametrize("share", [0.05, 0.5])
def test_a_mask_lets_through_only_its_rows(share):
    vectors = clustered(3000, 24)
    graph = built(vectors, Metric.COSINE)
    mask = np.random.default_rng(0).random(3000) < share
    for query in clustered(10, 24, seed=2):
        assert mask[graph.search(query, 20, 100, mask)].all()
    assert recall(graph, vectors, clustered(30, 24, seed=3), mask) >= 0.95
    assert len(graph.search(vectors[0], 20, 100, np.zeros(3000, np.bool_))) == 0


def test_tiny_graphs_give_all_their_rows():
    for n in (1, 2, 10):
        graph = built(clustered(n, 6), Metric.IP)
        assert sorted(graph.search(np.ones(6, np.float32), 50, 1)) == list(range(n))


def test_building_stops_between_steps_when_told_to():
    asked = []
    vectors = clustered(3000, 8)
    stopped = GraphIndex.build(
        vectors, norms(vectors), Metric.L2, stop=lambda: asked.append(1) is None and len(asked) > 2
    )
    assert stopped is None
    assert len(asked) == 3


@pytest.mark.parametrize("metric", METRICS)
def test_a_file_brings_the_graph_back(metric, tmp_path):
    vectors = clustered(2000, 24)
    graph = built(vectors, metric)
    graph.save(tmp_path / "graph.bin")
    back = GraphIndex.load(tmp_path / "graph.bin", metric)
    for query in vectors[:10]:
        np.testing.assert_array_equal(back.search(query, 20, 50), graph.search(query, 20, 50))


def test_a_damaged_file_is_refused_by_name(tmp_path):
    (tmp_path / "graph.bin").write_bytes(b"no graph at all")
    with pytest.raises(StoreFormatError, match=r"graph\.bin"):
        GraphIndex.load(tmp_path / "graph.bin", Metric.IP)


def test_threads_searching_at_once_get_the_answers_of_one():
    vectors = clustered(2000, 16)
    graph, queries = built(vectors, Metric.COSINE), clustered(50, 16, seed=1)
    masks = [None, np.arange(2000) % 2 == 0]
    expected = [[graph.search(q, 10, 50, mask).tolist() for q in queries] for mask in masks]
    wrong = []

    def search(number):
        for _ in range(5):
            found = [graph.search(q, 10, 50, masks[number]).tolist() for q in queries]
            if found != expected[number]:
                wrong.append(number)

    threads = [threading.Thread(target=search, args=(number % 2,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
