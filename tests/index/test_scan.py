from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest
from elanus.errors import StoreFormatError
from elanus.index import codes as codes_module
from elanus.index import exact, scan
from elanus.index.metric import Metric, norms
from elanus.index.planning import (
    EXACT_ROWS,
    Strategy,
    candidates,
    oversampled,
    plan_filtered,
)
from elanus.index.scan import FIT_ROWS, WAITING_ROWS, ScanIndex

from tests.index.dense_data import METRICS, best, clustered, oracle, stretched


def made(vectors, metric, batches=None):
    index = ScanIndex(vectors.shape[1], metric)
    lengths, start = norms(vectors), 0
    for size in batches or [len(vectors)]:
        index.add(vectors[start : start + size], lengths[start : start + size])
        start += size
    assert len(index) == len(vectors)
    return index


def recall(index, vectors, queries, k=10, mask=None):
    """The share of the exact k best found among the candidates."""
    hits = total = 0
    for query in queries:
        expected = best(oracle(query, vectors, index.metric), k, mask)
        found = index.search(query, candidates(k, index.metric), mask)
        hits += len(np.intersect1d(expected, found))
        total += len(expected)
    return hits / total


@pytest.fixture
def no_turbovec(monkeypatch):
    monkeypatch.setattr(codes_module, "has_four_bit", lambda: False)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dim", [5, 33, 64])
def test_candidates_hold_the_exact_best(metric, dim):
    vectors, queries = clustered(6000, dim), clustered(40, dim, seed=1)
    index = made(vectors, metric)
    assert index.kind == "turbovec4"
    assert recall(index, vectors, queries) >= (0.9 if dim == 5 else 0.98)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dim", [5, 33])
def test_candidates_hold_the_exact_best_without_turbovec(no_turbovec, metric, dim):
    vectors, queries = clustered(6000, dim), clustered(40, dim, seed=1)
    index = made(vectors, metric)
    assert index.kind == "faiss-bf16"
    assert recall(index, vectors, queries) >= 0.99


@pytest.mark.parametrize(("decades", "kind"), [(0, "turbovec4"), (2, "turbovec4"), (6, "faiss-bf16")])
def test_l2_finds_the_nearest_whatever_the_lengths(decades, kind):
    vectors, queries = stretched(6000, 33, decades), stretched(40, 33, decades, seed=1)
    index = made(vectors, Metric.L2)
    assert index.kind == kind
    assert recall(index, vectors, queries) >= 0.98


@pytest.mark.parametrize("metric", [Metric.IP, Metric.COSINE])
def test_six_decades_of_lengths_do_not_hurt_ip_and_cosine(metric):
    vectors, queries = stretched(6000, 40, 6), clustered(40, 40, seed=1)
    assert recall(made(vectors, metric), vectors, queries) >= 0.98


def test_l2_far_from_the_origin_is_centred():
    offset = np.float32(100)
    vectors, queries = clustered(6000, 33) + offset, clustered(40, 33, seed=1) + offset
    assert recall(made(vectors, Metric.L2), vectors, queries) >= 0.98


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n", [0, 1, 9, 1023, 5000])
@pytest.mark.parametrize("k", [0, 1, 50, 7000])
def test_as_many_candidates_come_back_as_there_are(metric, n, k):
    vectors = clustered(n, 12)
    index = made(vectors, metric)
    found = index.search(clustered(1, 12, seed=3)[0], k)
    assert found.dtype == np.int64
    assert len(found) == len(set(found.tolist())) == min(n, k)


@pytest.mark.parametrize("kind", ["turbovec4", "faiss-bf16"])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("matches", [0, 1, 7, 300, 3000, 5999, 6000])
def test_a_mask_lets_through_only_its_rows_and_as_many_as_asked(kind, metric, matches, monkeypatch):
    monkeypatch.setattr(codes_module, "has_four_bit", lambda: kind == "turbovec4")
    vectors, queries = clustered(6000, 24), clustered(10, 24, seed=2)
    index = made(vectors, metric, [5000, 1000])
    mask = np.zeros(6000, np.bool_)
    mask[np.random.default_rng(matches).permutation(6000)[:matches]] = True
    for query in queries:
        found = index.search(query, 20, mask)
        assert mask[found].all()
        assert len(set(found.tolist())) == min(20, matches)
    assert matches == 0 or recall(index, vectors, queries, mask=mask) >= 0.97


def test_a_mask_that_shuns_the_query_still_gives_as_many_as_asked():
    vectors = clustered(6000, 24)
    index, query = made(vectors, Metric.COSINE), vectors[0]
    mask = np.ones(6000, np.bool_)
    mask[best(oracle(query, vectors, Metric.COSINE), 500)] = False
    found = index.search(query, 20, mask)
    assert len(found) == 20
    assert mask[found].all()


@pytest.mark.parametrize("limit", [0, 1, 500, 4999, 5000, 5200, 6000])
@pytest.mark.parametrize("masked", [False, True])
def test_rows_beyond_the_limit_stay_unseen(limit, masked):
    vectors = clustered(6000, 24)
    vectors[limit:] = clustered(1, 24, seed=4)[0]
    index = made(vectors, Metric.COSINE, [5000, 1000])
    query = clustered(1, 24, seed=4)[0]
    mask = np.arange(limit) % 3 == 0 if masked else None
    found = index.search(query, 20, mask, limit)
    assert len(found) == min(20, limit if mask is None else int(mask.sum()))
    assert (found < limit).all()


def test_a_mask_of_another_length_is_refused():
    index = made(clustered(10, 4), Metric.IP)
    with pytest.raises(ValueError, match="mask of 9"):
        index.search(np.ones(4, np.float32), 1, np.ones(9, np.bool_), 10)
    with pytest.raises(ValueError, match="11 slots of 10"):
        index.search(np.ones(4, np.float32), 1, limit=11)


@pytest.mark.parametrize("metric", METRICS)
def test_batches_of_any_size_give_the_slots_of_one(metric):
    vectors = clustered(9000, 16)
    sizes = [1, 2, 3, 500, 517, 1, 4095, 2, 0, 3000]
    sizes.append(9000 - sum(sizes))
    index = made(vectors, metric, sizes)
    for row in range(0, 9000, 301):
        expected = best(oracle(vectors[row], vectors, metric), 1)[0]
        assert expected in index.search(vectors[row], candidates(1, metric))
    assert recall(index, vectors, clustered(30, 16, seed=1)) >= 0.97


def test_equal_vectors_are_all_found():
    vectors = clustered(5000, 16)
    vectors[100:130] = vectors[100]
    found = made(vectors, Metric.COSINE, [4500, 500]).search(vectors[100], 40)
    assert set(range(100, 130)) <= set(found.tolist())


def test_vectors_that_are_all_equal_or_zero_can_be_searched():
    for metric in METRICS:
        for value in (0, 1):
            index = made(np.full((5000, 9), value, np.float32), metric)
            assert len(index.search(np.ones(9, np.float32), 10)) == 10


def test_values_beyond_the_codes_range_are_taken():
    vectors = clustered(5000, 8) * np.float32(1e17)
    for metric in METRICS:
        assert len(made(vectors, metric).search(vectors[0], 10)) == 10


def test_few_rows_make_no_codes_and_import_no_kernel():
    program = (
        "import sys, numpy as np; from elanus.index.scan import ScanIndex; from elanus.index.metric import Metric\n"
        "index = ScanIndex(8, Metric.COSINE); index.add(np.ones((1000, 8), 'f4'), np.ones(1000, 'f4'))\n"
        "assert len(index.search(np.ones(8, 'f4'), 5)) == 5\n"
        "assert not {'faiss', 'turbovec'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": ":".join(sys.path)})


def test_waiting_rows_are_folded_in_once_searches_have_paid_for_it(monkeypatch):
    monkeypatch.setattr(scan, "_FIT_WORK", 10 * FIT_ROWS)
    vectors = clustered(FIT_ROWS, 16)
    index, query = made(vectors, Metric.COSINE), vectors[0]
    for _ in range(20):
        index.search(query, 5)
    assert index.kind == "exact"
    for _ in range(40):
        index.search(query, 5)
    assert index.kind == "turbovec4"
    assert 0 in index.search(query, 5)
    assert index.nbytes == FIT_ROWS * (32 // 2 + 4)


def test_one_row_between_searches_waits_outside_the_codes():
    vectors = clustered(WAITING_ROWS + 2, 16)
    index = made(vectors[:-1], Metric.L2)
    coded = index.nbytes
    index.add(vectors[-1:], norms(vectors[-1:]))
    assert index.search(vectors[-1], 1)[0] == len(vectors) - 1
    assert index.nbytes - coded == 64 * (16 + 1) * 4


def test_an_addition_that_breaks_off_leaves_the_index_as_it_was(monkeypatch):
    for four_bit in (True, False):
        monkeypatch.setattr(codes_module, "has_four_bit", lambda four_bit=four_bit: four_bit)
        vectors = clustered(20_000, 16)
        index = made(vectors[:6000], Metric.COSINE, [5000, 1000])
        kind = type(index._state.codes)
        add, calls = kind.add, []

        def failing(self, vectors, norms, add=add, calls=calls):
            add(self, vectors, norms)
            calls.append(len(vectors))
            if len(calls) == 2:
                raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(kind, "add", failing)
            with pytest.raises(KeyboardInterrupt):
                index.add(vectors[6000:], norms(vectors[6000:]))
        assert len(index) == 6000
        assert index.search(vectors[5500], 1)[0] == 5500
        index.add(vectors[6000:], norms(vectors[6000:]))
        assert len(index) == 20_000
        assert recall(index, vectors, vectors[::1000]) >= 0.97


def test_a_calibration_is_outgrown_at_eight_times_its_rows():
    vectors = clustered(5000 * 8, 8)
    index = made(vectors[:5000], Metric.IP)
    assert not index.outgrown
    index.add(vectors[5000:], norms(vectors[5000:]))
    assert index.outgrown


def test_a_given_sample_calibrates_before_rows_come_sorted():
    vectors = clustered(8000, 32)
    vectors = vectors[np.argsort(vectors[:, 0])]
    sample = vectors[np.random.default_rng(0).permutation(8000)[:2000]]
    index = ScanIndex(32, Metric.COSINE)
    index.fit(sample, norms(sample), 8000)
    for start in range(0, 8000, 1000):
        index.add(vectors[start : start + 1000], norms(vectors[start : start + 1000]))
    assert recall(index, vectors, clustered(30, 32, seed=1)) >= 0.98
    assert not index.outgrown
    with pytest.raises(ValueError, match="once"):
        index.fit(sample, norms(sample), 8000)


@pytest.mark.parametrize("kind", ["turbovec4", "faiss-bf16", "exact"])
@pytest.mark.parametrize("metric", METRICS)
def test_arrays_bring_an_index_back(kind, metric, monkeypatch):
    monkeypatch.setattr(codes_module, "has_four_bit", lambda: kind == "turbovec4")
    vectors = clustered(900 if kind == "exact" else 6000, 21)
    index = made(vectors, metric, [len(vectors) - 100, 100])
    arrays = index.to_arrays()
    assert all(array.ndim == 1 for array in arrays.values())
    for array in arrays.values():
        array.flags.writeable = False
    back = ScanIndex.from_arrays(arrays)
    assert (back.kind, back.metric, back.dim, len(back)) == (kind, metric, 21, len(vectors))
    for query in clustered(10, 21, seed=6):
        np.testing.assert_array_equal(back.search(query, 20), index.search(query, 20))
    more = clustered(5000, 21, seed=7)
    back.add(more, norms(more))
    assert recall(back, np.concatenate((vectors, more)), more[:20]) >= 0.97


def test_damaged_arrays_are_refused():
    arrays = made(clustered(6000, 8), Metric.IP).to_arrays()
    with pytest.raises(StoreFormatError, match="format 9"):
        ScanIndex.from_arrays({**arrays, "format": np.array([9, 0, 8, 1, 0])})
    with pytest.raises(StoreFormatError, match="damaged"):
        ScanIndex.from_arrays({**arrays, "codes": arrays["codes"][:100]})
    with pytest.raises(StoreFormatError, match="damaged"):
        ScanIndex.from_arrays({name: array for name, array in arrays.items() if name != "codes"})


@pytest.mark.parametrize("kind", ["turbovec4", "faiss-bf16"])
def test_searches_run_while_rows_are_added(kind, monkeypatch):
    monkeypatch.setattr(codes_module, "has_four_bit", lambda: kind == "turbovec4")
    vectors = clustered(30_000, 16)
    lengths, index = norms(vectors), ScanIndex(16, Metric.COSINE)
    index.add(vectors[:5000], lengths[:5000])
    wrong, stop = [], threading.Event()

    def search(seed):
        random = np.random.default_rng(seed)
        while not stop.is_set():
            seen = len(index)
            row, mask = int(random.integers(0, seen)), None
            if seed % 2:
                mask = np.zeros(seen, np.bool_)
                mask[row::7] = True
            found = index.search(vectors[row], 20, mask, seen)
            if row not in found or len(set(found.tolist())) != len(found) or found.max() >= seen:
                wrong.append((seed, row, seen))

    threads = [threading.Thread(target=search, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for start in range(5000, 30_000, 700):
        index.add(vectors[start : start + 700], lengths[start : start + 700])
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong


def test_refined_candidates_are_the_exact_answer():
    vectors, lengths = clustered(8000, 48), norms(clustered(8000, 48))
    index, rows = made(vectors, Metric.COSINE), np.arange(8000)
    agree = 0
    for query in clustered(30, 48, seed=1):
        found = index.search(query, candidates(10, Metric.COSINE))
        ids, scores = exact.top(exact.scores(query, vectors, lengths, found, Metric.COSINE), found, 10)
        every = exact.scores(query, vectors, lengths, None, Metric.COSINE)
        expected_ids, expected = exact.top(every, rows, 10)
        np.testing.assert_array_equal(scores, every[ids])
        agree += np.array_equal(ids, expected_ids) and np.array_equal(scores, expected)
    assert agree >= 28


def test_plans_follow_selectivity():
    def plan(matches, n=100_000, k=20):
        return plan_filtered(n, matches, k)

    assert plan(0) is plan(1) is plan(3000) is Strategy.EXACT
    assert plan(3001) is plan(29_999) is Strategy.MASKED
    assert plan(30_000) is plan(100_000) is Strategy.OVERSAMPLED
    assert plan(EXACT_ROWS, n=EXACT_ROWS) is Strategy.EXACT
    assert plan(9000, k=10_000) is Strategy.EXACT


def test_oversampling_asks_for_enough_and_never_for_more_than_there_is():
    assert oversampled(1000, 1000, 20) == 20
    assert oversampled(1000, 999, 20) == 25
    assert oversampled(1000, 500, 20) == 56
    assert oversampled(30, 20, 25) == 30
    assert oversampled(5, 5, 20) == 5


def test_l2_asks_for_more_candidates():
    assert candidates(10, Metric.COSINE) == candidates(10, Metric.IP) == 40
    assert candidates(10, Metric.L2) == 100
    assert candidates(200, Metric.L2) == 800
