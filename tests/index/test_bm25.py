from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from elanus.analysis import EncodedTexts
from elanus.errors import InvalidArgument
from elanus.index import bm25, inverted_kernel
from elanus.index.inverted_build import from_sparse, from_texts, merge
from elanus.index.inverted_search import PostingsPart, inner_product
from hypothesis import given, settings
from hypothesis import strategies as st
from rank_bm25 import BM25Okapi

Part = tuple[list[list[str] | None], np.ndarray | None]

KERNELS = ["numpy"] if inverted_kernel.extension is None else ["compiled", "numpy"]
ALL = [f"t{number}" for number in range(12)]
documents = st.one_of(st.none(), st.lists(st.sampled_from(ALL), max_size=8))


@pytest.fixture(params=KERNELS)
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    use(request.param, monkeypatch)
    return str(request.param)


def use(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "numpy":
        monkeypatch.setattr(inverted_kernel, "extension", None)


def encode(rows: list[list[str] | None]) -> EncodedTexts:
    terms = list({term: None for row in rows for term in row or ()})
    ids = [terms.index(term) for row in rows for term in row or ()]
    lengths = [-1 if row is None else len(row) for row in rows]
    return EncodedTexts(terms, np.array(ids, np.int32), np.array(lengths, np.int32))


def make_parts(parts: list[Part]) -> list[PostingsPart]:
    return [PostingsPart(from_texts(encode(rows)), alive) for rows, alive in parts]


def reference(
    parts: list[Part], query: list[str], k: int, allowed: list[Any] | None = None, k1: float = 1.2, b: float = 0.75
) -> list[tuple[int, int, float]]:
    """The formula, row by row, in plain Python."""
    live = [
        row for rows, alive in parts for at, row in enumerate(rows) if row is not None and (alive is None or alive[at])
    ]
    average = sum(map(len, live)) / len(live) if any(live) else 1.0
    hits = []
    for number, (rows, alive) in enumerate(parts):
        may = alive if allowed is None or allowed[number] is None else allowed[number]
        for at, row in enumerate(rows):
            if not row or (may is not None and not may[at]):
                continue
            score = 0.0
            for term in query:
                df, tf = sum(term in other for other in live), row.count(term)
                idf = math.log(1 + (len(live) - df + 0.5) / (df + 0.5))
                score += idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * len(row) / average)) if tf else 0.0
            if score:
                hits.append((number, at, score))
    return sorted(hits, key=lambda hit: (-round(hit[2], 5), hit[:2]))[:k]


def as_tuples(hits: Any) -> list[tuple[int, int, float]]:
    return list(zip(hits.parts.tolist(), hits.rows.tolist(), hits.scores.tolist(), strict=True))


def assert_agree(hits: Any, wanted: list[tuple[int, int, float]]) -> None:
    """Scores agree position by position; rows do where no neighbour's score is within rounding."""
    found = as_tuples(hits)
    assert len(found) == len(wanted)
    np.testing.assert_allclose([hit[2] for hit in found], [hit[2] for hit in wanted], rtol=2e-5)
    for ours, theirs in zip(found, wanted, strict=True):
        near = [hit for hit in wanted if math.isclose(hit[2], theirs[2], rel_tol=1e-4)]
        assert len(near) > 1 or ours[:2] == theirs[:2]


@st.composite
def searches(draw: Any) -> tuple[list[Part], list[str], int, list[Any] | None, float, float]:
    parts: list[Part] = []
    for rows in draw(st.lists(st.lists(documents, max_size=10), max_size=4)):
        mask = st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))
        parts.append((rows, draw(st.one_of(st.none(), mask.map(lambda bits: np.array(bits, np.bool_))))))
    allowed = None
    if draw(st.booleans()):
        random = draw(st.randoms(use_true_random=False))
        allowed = [
            None
            if random.random() < 0.3
            else np.array([random.random() < 0.5 for _ in rows], np.bool_) & (True if alive is None else alive)
            for rows, alive in parts
        ]
    query = draw(st.lists(st.sampled_from([*ALL, "absent"]), max_size=6))
    k1, b = draw(st.sampled_from([(1.2, 0.75), (0.0, 0.0), (2.0, 1.0), (0.9, 0.4)]))
    return parts, query, draw(st.integers(0, 12)), allowed, k1, b


@pytest.mark.parametrize("name", KERNELS)
@settings(max_examples=200)
@given(search=searches())
def test_scores_are_the_published_formula_over_live_rows_of_all_parts(name: str, search: Any) -> None:
    parts, query, k, allowed, k1, b = search
    with pytest.MonkeyPatch.context() as patch:
        use(name, patch)
        hits = bm25.search(make_parts(parts), query, k, allowed=allowed, k1=k1, b=b)
    assert_agree(hits, reference(parts, query, k, allowed, k1, b))
    assert (hits.parts.dtype, hits.rows.dtype, hits.scores.dtype) == (np.int32, np.int32, np.float32)


class OkapiWithPositiveIdf(BM25Okapi):  # type: ignore[misc]
    def _calc_idf(self, nd: dict[str, int]) -> None:
        for term, df in nd.items():
            self.idf[term] = math.log(1 + (self.corpus_size - df + 0.5) / (df + 0.5))


def test_scores_equal_those_of_rank_bm25(kernel: str) -> None:
    rng = np.random.default_rng(1)
    rows = [[f"t{n}" for n in rng.zipf(1.4, rng.integers(1, 30)) % 200] for _ in range(300)]
    theirs = OkapiWithPositiveIdf(rows, k1=1.2, b=0.75)
    parts = make_parts([(rows[:120], None), (rows[120:], None)])
    for _ in range(20):
        query = [f"t{n}" for n in rng.zipf(1.4, 5) % 200]
        scores = theirs.get_scores(query)
        hits = bm25.search(parts, query, 300)
        at = hits.rows + np.array([0, 120])[hits.parts]
        assert set(at) == set(np.flatnonzero(scores))
        np.testing.assert_allclose(hits.scores, scores[at], rtol=1e-5)


def big_parts(seed: int, sizes: list[int], vocabulary: int = 300) -> list[PostingsPart]:
    """Parts of many windows, with long and short lists, deleted rows and many equal scores."""
    rng = np.random.default_rng(seed)
    parts = []
    for size in sizes:
        lengths = rng.integers(0, 9, size).astype(np.int32)
        ids = (rng.zipf(1.2, lengths.sum()) % vocabulary).astype(np.int32)
        used, ids = np.unique(ids, return_inverse=True)
        texts = EncodedTexts([f"t{n}" for n in used], ids.astype(np.int32), lengths)
        parts.append(PostingsPart(from_texts(texts), rng.random(size) < 0.9 if size % 2 else None))
    return parts


@pytest.mark.skipif(inverted_kernel.extension is None, reason="the extension is not built")
def test_compiled_and_numpy_results_are_equal_bit_for_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = big_parts(5, [40_001, 7, 0, 16_384, 20_001])
    rng = np.random.default_rng(6)
    calls = []
    for number in range(150):
        query = [f"t{n}" for n in rng.zipf(1.2, rng.integers(1, 12)) % 300]
        masks: list[Any] | None = None
        if number % 3 == 0:
            share = rng.choice([0.5, 0.05, 0.001, 0.0])
            masks = [rng.random(part.postings.row_count) < share for part in parts]
        calls.append((query, int(rng.choice([1, 3, 10, 100, 5_000, 100_000])), masks))
    compiled = [as_tuples(bm25.search(parts, query, k, allowed=masks)) for query, k, masks in calls]
    monkeypatch.setattr(inverted_kernel, "extension", None)
    for (query, k, masks), hits in zip(calls, compiled, strict=True):
        assert hits == as_tuples(bm25.search(parts, query, k, allowed=masks))


def test_equal_scores_come_by_part_and_row(kernel: str) -> None:
    rows: list[list[str] | None] = [["a", "b"]] * 40_000
    hits = bm25.search(make_parts([(rows, None), (rows, None)]), ["b"], 40_005)
    assert hits.rows.tolist() == [*range(40_000), *range(5)]
    assert hits.parts.tolist() == [0] * 40_000 + [1] * 5
    assert bm25.search(make_parts([(rows, None)]), ["b", "a"], 3).rows.tolist() == [0, 1, 2]


def test_statistics_follow_deletes_and_survive_merges(kernel: str) -> None:
    parts = big_parts(9, [3_001, 2_001, 999])
    query = ["t1", "t7", "t250", "t7"]
    apart = bm25.search(parts, query, 50)
    merged = PostingsPart(merge([(part.postings, part.alive) for part in parts]))
    assert bm25.statistics(parts) == bm25.statistics([merged])
    assert bm25.search([merged], query, 50).scores.tolist() == apart.scores.tolist()
    for part in parts:
        alive = np.ones(part.postings.row_count, np.bool_) if part.alive is None else part.alive
        for term in ["t1", "t250"]:
            entry, run = part.find(term), part.postings.find(term)
            if run is not None and entry is not None:
                assert entry.alive == np.count_nonzero(alive[part.postings.rows[run.start : run.stop]])


def test_few_deletes_are_counted_like_many() -> None:
    postings = big_parts(11, [3_000])[0].postings
    for dead in ([5], list(range(0, 3_000, 2)), [], list(range(3_000))):
        alive = np.ones(3_000, np.bool_)
        alive[dead] = False
        part = PostingsPart(postings, alive)
        for term in ["t1", "t2", "t40"]:
            run = postings.find(term)
            assert run is not None
            assert part.find(term) is not None
            assert part.find(term).alive == np.count_nonzero(alive[postings.rows[run.start : run.stop]])  # type: ignore[union-attr]


def test_empty_texts_count_and_missing_ones_do_not() -> None:
    known = bm25.statistics(make_parts([([["a", "b"], [], None, ["a"]], np.array([True, True, True, False]))]))
    assert (known.rows, known.tokens, known.average_length) == (2, 2, 1.0)


def test_a_term_in_every_row_still_scores_above_zero(kernel: str) -> None:
    hits = bm25.search(make_parts([([["a"], ["a", "b"]], None)]), ["a"], 5)
    assert hits.scores.min() > 0


def test_filters_do_not_change_scores(kernel: str) -> None:
    parts = make_parts([([["a", "b"], ["a"], ["b", "b"]], None)])
    every = {hit[:2]: hit[2] for hit in as_tuples(bm25.search(parts, ["a", "b"], 9))}
    some = bm25.search(parts, ["a", "b"], 9, allowed=[np.array([False, True, True])])
    assert {hit[:2]: hit[2] for hit in as_tuples(some)} == {at: every[at] for at in [(0, 1), (0, 2)]}


def test_nothing_to_find_gives_no_hits(kernel: str) -> None:
    parts = make_parts([([["a"], []], np.array([False, True]))])
    for query, k in [(["a"], 5), ([], 5), (["x"], 5), (["a"], 0)]:
        assert len(bm25.search(parts, query, k).rows) == 0
    assert len(bm25.search([], ["a"], 5).rows) == 0


def test_explained_parts_add_up_to_the_score(kernel: str) -> None:
    parts = big_parts(13, [2_001, 500])
    query = ["t1", "t9", "t9", "t33", "absent"]
    for part, row, score in as_tuples(bm25.search(parts, query, 20)):
        added = bm25.explain(parts, query, part, row)
        assert sum(added.values()) == pytest.approx(score, rel=1e-5)
        assert set(added) <= set(query)


@pytest.mark.parametrize(("k1", "b"), [(-1, 0.5), (1.2, 1.5), (math.nan, 0.5), (math.inf, 0.5)])
def test_parameters_outside_their_range_are_refused(k1: float, b: float) -> None:
    with pytest.raises(InvalidArgument, match="bm25_k1"):
        bm25.search([], ["a"], 1, k1=k1, b=b)


def test_masks_of_another_part_are_refused(kernel: str) -> None:
    parts = make_parts([([["a"], ["b"]], None)])
    with pytest.raises(InvalidArgument, match="allowed"):
        bm25.search(parts, ["a"], 1, allowed=[np.ones(3, np.bool_)])
    with pytest.raises(InvalidArgument, match="alive"):
        PostingsPart(parts[0].postings, np.ones(2, np.int8))  # type: ignore[arg-type]


def test_damaged_rows_do_not_lead_outside_memory(kernel: str) -> None:
    if kernel == "numpy":
        pytest.skip("numpy checks for itself")
    part = big_parts(17, [5_000])[0]
    rng = np.random.default_rng(1)
    for damage in (rng.integers(-(2**31), 2**31 - 1, 40), np.arange(5_000, 5_040), np.zeros(40)):
        rows = part.postings.rows.copy()
        rows[rng.integers(0, len(rows), 40)] = damage
        broken = type(part.postings)(**{**part.postings.__dict__, "rows": rows})
        found = bm25.search([PostingsPart(broken)], ["t1", "t2", "t3"], 10)
        assert found.rows.min() >= 0
        assert found.rows.max() < 5_000


def test_inner_products_of_sparse_vectors_are_exact(kernel: str) -> None:
    rng = np.random.default_rng(2)
    dense = np.where(rng.random((20_000, 40)) < 0.2, rng.random((20_000, 40)), 0).astype(np.float32)
    parts = []
    for rows in np.split(dense, [17_000]):
        at, dimensions = np.nonzero(rows)
        bounds = np.searchsorted(at, np.arange(len(rows) + 1))
        parts.append(PostingsPart(from_sparse(bounds, dimensions.astype(np.uint32), rows[at, dimensions])))
    query = np.where(rng.random(40) < 0.3, rng.random(40), 0).astype(np.float32)
    allowed = [rng.random(17_000) < 0.5, None]
    may = np.concatenate([allowed[0], np.ones(3_000, np.bool_)])
    hits = inner_product(parts, dict(enumerate(query.tolist())), 10, allowed=allowed)
    exact = np.where(may, dense.astype(np.float64) @ query.astype(np.float64), -1)
    best = np.argsort(-exact)[:10]
    assert (hits.rows + np.array([0, 17_000])[hits.parts]).tolist() == best.tolist()
    np.testing.assert_allclose(hits.scores, exact[best], rtol=1e-5)
    with pytest.raises(InvalidArgument, match="negative"):
        inner_product(parts, {1: -1.0}, 10)
