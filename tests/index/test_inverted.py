from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from elanus.analysis import make_analyzer
from elanus.errors import InvalidArgument, StoreFormatError
from elanus.index import inverted_build, inverted_kernel
from elanus.index.inverted import Postings
from elanus.index.inverted_build import from_sparse, from_texts, merge
from elanus.index.inverted_terms import Dimensions, Words
from hypothesis import given
from hypothesis import strategies as st

ANALYZER = make_analyzer()
texts = st.lists(st.one_of(st.none(), st.text("abé中 ", max_size=12)), max_size=12)


def index(batch: list[str | None]) -> Postings:
    return from_texts(ANALYZER.encode(batch))


def contents(postings: Postings) -> dict[Any, list[tuple[int, float]]]:
    """Term -> (row, weight) pairs, in the order of the arrays."""
    vocabulary = postings.vocabulary
    terms = [
        vocabulary[i] if isinstance(vocabulary, Words) else int(vocabulary.values[i]) for i in range(len(vocabulary))
    ]
    runs = [slice(*postings.offsets[i : i + 2]) for i in range(len(terms))]
    return {
        term: list(zip(postings.rows[run].tolist(), postings.weights[run].tolist(), strict=True))
        for term, run in zip(terms, runs, strict=True)
    }


def expected(batch: list[str | None]) -> dict[str, list[tuple[int, float]]]:
    counts = [Counter(ANALYZER.tokens(text)) if text else Counter() for text in batch]
    terms = sorted({term for count in counts for term in count})
    return {term: [(row, count[term]) for row, count in enumerate(counts) if term in count] for term in terms}


def assert_same(ours: Postings, theirs: Postings) -> None:
    one, other = ours.to_arrays(), theirs.to_arrays()
    assert one.keys() == other.keys()
    for name in one:
        assert one[name].dtype == other[name].dtype, name
        np.testing.assert_array_equal(one[name], other[name], name)


@pytest.fixture(params=["compiled", "numpy"])
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "numpy":
        monkeypatch.setattr(inverted_kernel, "extension", None)
    elif inverted_kernel.extension is None:
        pytest.skip("the extension is not built")
    return str(request.param)


@given(texts)
def test_postings_hold_every_term_of_every_text(batch: list[str | None]) -> None:
    postings = index(batch)
    assert contents(postings) == expected(batch)
    assert list(contents(postings)) == sorted(expected(batch), key=str.encode)
    assert postings.lengths.tolist() == [-1 if text is None else len(ANALYZER.tokens(text)) for text in batch]
    assert postings.peaks.tolist() == [max(weight for _, weight in run) for run in contents(postings).values()]


def test_terms_are_found_and_others_are_not(kernel: str) -> None:
    postings = index(["b bb é", "bb a é é", "", None, "zoë"])
    for term, run in contents(postings).items():
        found = postings.find(term)
        assert found is not None
        assert postings.rows[found.start : found.stop].tolist() == [row for row, _ in run]
        assert found.peak == max(weight for _, weight in run)
    for term in ["", "A", "aa", "b\0", "bbb", "è", "zz", "\ud800", "中"]:
        assert postings.find(term) is None
    assert index([]).find("a") is None
    assert index([None, ""]).find("a") is None


@given(st.lists(st.tuples(texts, st.randoms(use_true_random=False)), min_size=1, max_size=4))
def test_merging_equals_indexing_the_kept_texts_anew(parts: list[tuple[list[str | None], Any]]) -> None:
    sources: list[tuple[Postings, Any]] = []
    left: list[str | None] = []
    for batch, random in parts:
        keep = np.array([random.random() < 0.6 for _ in batch], np.bool_) if random.random() < 0.7 else None
        sources.append((index(batch), keep))
        left += batch if keep is None else [text for text, kept in zip(batch, keep, strict=True) if kept]
    assert_same(merge(sources), index(left))


def test_merging_goes_in_bounded_steps_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    batches = [[" ".join(map(str, rng.zipf(1.5, 12))) for _ in range(200)] for _ in range(3)]
    keeps = [rng.random(200) < 0.5, None, np.zeros(200, np.bool_)]
    sources = [(index(batch), keep) for batch, keep in zip(batches, keeps, strict=True)]
    whole = merge(sources)
    monkeypatch.setattr(inverted_build, "STEP_POSTINGS", 50)
    assert_same(merge(sources), whole)


def test_parts_merge_only_with_their_own_kind() -> None:
    sparse = from_sparse(np.array([0, 1]), np.array([7], np.uint32), np.array([1], np.float32))
    with pytest.raises(InvalidArgument, match="not of both"):
        merge([(index(["a"]), None), (sparse, None)])
    with pytest.raises(InvalidArgument, match="at least one"):
        merge([])


def test_frequencies_beyond_16_bits_are_exact() -> None:
    postings = index(["a " * 70_000, "a b"])
    assert contents(postings) == {"a": [(0, 70_000), (1, 1)], "b": [(1, 1)]}
    assert contents(merge([(postings, None), (index(["a"]), None)]))["a"] == [(0, 70_000), (1, 1), (2, 1)]


def test_postings_open_from_a_mapped_read_only_file_without_copying(tmp_path: Path) -> None:
    postings = index(["red fox", None, "red red den"])
    arrays = postings.to_arrays()
    columns = {
        name: pa.array([array], pa.large_list(pa.from_numpy_dtype(array.dtype))) for name, array in arrays.items()
    }
    table = pa.table(columns)
    with pa.OSFile(str(tmp_path / "text.arrow"), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    mapped = pa.ipc.open_file(pa.memory_map(str(tmp_path / "text.arrow"))).read_all()
    read = {name: mapped[name].chunk(0).values.to_numpy() for name in mapped.column_names}
    reopened = Postings.from_arrays(read)
    assert_same(reopened, postings)
    for name, array in reopened.to_arrays().items():
        assert not array.flags.writeable, name
        assert np.shares_memory(array, read[name]), name
    assert_same(merge([(reopened, None)]), postings)


@pytest.mark.parametrize("name", ["word_bytes", "word_offsets", "offsets", "rows", "weights", "peaks", "lengths"])
def test_arrays_that_do_not_fit_are_refused(name: str) -> None:
    arrays = index(["red fox", "den"]).to_arrays()
    with pytest.raises(StoreFormatError, match=name):
        Postings.from_arrays({key: array for key, array in arrays.items() if key != name})
    with pytest.raises(StoreFormatError, match=name):
        Postings.from_arrays(arrays | {name: arrays[name].astype(np.float64)})
    if name != "lengths":
        with pytest.raises(StoreFormatError):
            Postings.from_arrays(arrays | {name: arrays[name][:-1].copy()})


def test_offsets_that_leave_the_file_are_an_error_not_a_crash(kernel: str) -> None:
    arrays = index(["red fox", "den"]).to_arrays()
    arrays["offsets"] = arrays["offsets"] + np.array([0, 900, 900, 0])
    with pytest.raises(StoreFormatError, match="outside"):
        Postings.from_arrays(arrays).find("fox")


def test_words_that_leave_the_file_are_an_error_not_a_crash(kernel: str) -> None:
    arrays = index(["red fox", "den"]).to_arrays()
    arrays["word_offsets"] = np.array([0, -900, 900, arrays["word_offsets"][-1]])
    postings = Postings.from_arrays(arrays)
    if kernel == "compiled":
        with pytest.raises(StoreFormatError, match="damaged"):
            postings.find("fox")
    else:
        assert postings.find("fox") is None


def test_sparse_vectors_become_postings_by_dimension() -> None:
    bounds = np.array([0, 2, 2, 5])
    dimensions = np.array([9, 4_000_000_000, 9, 2, 5], np.uint32)
    postings = from_sparse(bounds, dimensions, np.array([0.5, 2, 1.5, 0, 3], np.float32))
    assert contents(postings) == {5: [(2, 3.0)], 9: [(0, 0.5), (2, 1.5)], 4_000_000_000: [(0, 2.0)]}
    assert postings.lengths.tolist() == [2, 0, 2]
    assert postings.find(2) is None
    assert_same(Postings.from_arrays(postings.to_arrays()), postings)
    assert isinstance(postings.vocabulary, Dimensions)
    merged = merge([(postings, np.array([False, True, True])), (postings, None)])
    assert contents(merged)[9] == [(1, 1.5), (2, 0.5), (4, 1.5)]


@pytest.mark.parametrize(
    ("dimensions", "values", "words"),
    [([1, 2], [1, -1], "row 1.*-1"), ([1, 2], [1, np.nan], "nan"), ([3, 3], [1, 1], "dimension 3 occurs twice")],
)
def test_sparse_vectors_that_cannot_be_are_refused(dimensions: list[int], values: list[float], words: str) -> None:
    bounds = np.array([0, 2] if words.startswith("dim") else [0, 1, 2])
    with pytest.raises(InvalidArgument, match=words):
        from_sparse(bounds, np.array(dimensions, np.uint32), np.array(values, np.float32))
