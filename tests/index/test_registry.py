from __future__ import annotations

import numpy as np
import pytest
from elanus.errors import InvalidArgument, NotSupported
from elanus.index.registry import (
    BM25_INDEXES,
    INDEXES,
    MULTI_INDEXES,
    UNSUPPORTED,
    IndexSpec,
    SearchParams,
    capabilities,
    check_search_params,
    resolve_index,
)
from elanus.types import DataType

DENSE, SPARSE = DataType.FLOAT_VECTOR, DataType.SPARSE_FLOAT_VECTOR


@pytest.mark.parametrize("index_type", ["", "AUTOINDEX", "autoindex"])
def test_no_index_type_means_autoindex_with_cosine(index_type):
    assert resolve_index(DENSE, False, index_type) == IndexSpec("AUTOINDEX", "COSINE", {}, DENSE)


@pytest.mark.parametrize("metric", ["COSINE", "IP", "L2", "l2"])
@pytest.mark.parametrize("index_type", ["AUTOINDEX", "FLAT", "HNSW"])
def test_dense_indexes_take_the_dense_metrics(index_type, metric):
    assert resolve_index(DENSE, False, index_type, metric).metric == metric.upper()


def test_parameters_get_defaults_and_keep_what_was_given():
    assert resolve_index(DENSE, False, "HNSW").params == {"M": 16, "efConstruction": 100}
    assert resolve_index(DENSE, False, "HNSW", params={"M": np.int64(32)}).params["M"] == 32
    spec = resolve_index(SPARSE, True, "SPARSE_INVERTED_INDEX", "BM25", {"bm25_k1": 2, "bm25_b": 0.5})
    assert spec.params == {"bm25_k1": 2.0, "bm25_b": 0.5, "inverted_index_algo": "DAAT_MAXSCORE"}


@pytest.mark.parametrize("index_type", ["", "SPARSE_INVERTED_INDEX", "SPARSE_WAND"])
def test_bm25_output_is_measured_by_bm25(index_type):
    spec = resolve_index(SPARSE, True, index_type)
    assert (spec.metric, spec.params["bm25_k1"], spec.params["bm25_b"]) == ("BM25", 1.2, 0.75)
    with pytest.raises(InvalidArgument, match="use BM25"):
        resolve_index(SPARSE, True, index_type, "IP")


@pytest.mark.parametrize("index_type", sorted(UNSUPPORTED))
def test_the_other_index_types_of_milvus_are_refused_by_name(index_type):
    with pytest.raises(NotSupported, match=f"{index_type} is not supported; "):
        resolve_index(DENSE, False, index_type.lower())


@pytest.mark.parametrize("index_type", ["INVERTED", "STL_SORT", "TRIE", "BITMAP", "NGRAM", "RTREE"])
def test_scalar_indexes_do_not_fit_vectors(index_type):
    with pytest.raises(InvalidArgument, match=f"{index_type} does not fit a FLOAT_VECTOR field; use AUTOINDEX or"):
        resolve_index(DENSE, False, index_type)


def test_fields_that_cannot_be_searched_yet_are_refused():
    with pytest.raises(NotSupported, match="STRUCT field is not supported; FLOAT_VECTOR and"):
        resolve_index(DataType.STRUCT, False, "AUTOINDEX")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("HNWS",), "unknown index type 'HNWS'.*did you mean 'HNSW'"),
        (("SPARSE_WAND",), "does not fit a FLOAT_VECTOR field; use AUTOINDEX or FLAT or HNSW"),
        (("FLAT", "COSIN"), "metric_type 'COSIN' does not fit.*did you mean 'COSINE'"),
        (("FLAT", "BM25"), "does not fit a FLOAT_VECTOR field"),
        (("FLAT", "L2", {"nlist": 128}), "unknown parameter 'nlist'; it takes none"),
        (("HNSW", "L2", {"efConstructon": 10}), "it takes M, efConstruction; did you mean 'efConstruction'"),
        (("HNSW", "L2", {"M": 1}), r"M must be an integer in \[2, 2048\], not 1"),
        (("HNSW", "L2", {"M": 2.5}), "not 2.5"),
        (("HNSW", "L2", {"M": True}), "not True"),
        (("HNSW", "L2", {"M": "16"}), "not '16'"),
    ],
)
def test_a_wrong_definition_is_refused_with_the_way_out(arguments, message):
    with pytest.raises(InvalidArgument, match=message):
        resolve_index(DENSE, False, *arguments)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"bm25_k1": 4}, r"bm25_k1 must be a number in \[0, 3\]"),
        ({"bm25_b": float("nan")}, "bm25_b"),
        ({"inverted_index_algo": "DAAT"}, "one of DAAT_MAXSCORE, DAAT_WAND, TAAT_NAIVE"),
    ],
)
def test_a_wrong_bm25_parameter_is_refused_with_its_range(params, message):
    with pytest.raises(InvalidArgument, match=message):
        resolve_index(SPARSE, True, "SPARSE_INVERTED_INDEX", "BM25", params)


@pytest.mark.parametrize(
    "params",
    [
        {"ef": 64},
        {"params": {"ef": 64}},
        {"metric_type": "L2", "params": {"ef": 64}},
        {"metric_type": "l2", "ef": 64, "params": {"ef": 64, "metric_type": "L2"}},
    ],
)
def test_search_parameters_come_nested_or_flat(params):
    spec = resolve_index(DENSE, False, "HNSW", "L2")
    assert check_search_params(spec, params) == SearchParams(ef=64)


@pytest.mark.parametrize("params", [None, {}, {"params": None}, {"metric_type": ""}])
def test_no_search_parameters_are_none(params):
    assert check_search_params(resolve_index(DENSE, False), params) == SearchParams()


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"metric_type": "IP"}, InvalidArgument, "metric_type 'IP' differs from the index's, which is COSINE"),
        ({"params": {"nprobe": 8}}, InvalidArgument, "unknown parameter 'nprobe'; it takes ef"),
        ({"efs": 8}, InvalidArgument, "did you mean 'ef'"),
        ({"ef": 0}, InvalidArgument, r"ef must be an integer in \[1, 32768\]"),
        ({"ef": 5, "params": {"ef": 6}}, InvalidArgument, "'ef' twice"),
        ({"params": {"level": 2}}, NotSupported, "'level' is not supported"),
        ({"params": [1]}, InvalidArgument, "must be a dict, not list"),
        ("ef=8", InvalidArgument, "must be a dict, not str"),
    ],
)
def test_wrong_search_parameters_are_refused(params, error, message):
    with pytest.raises(error, match=message):
        check_search_params(resolve_index(DENSE, False, "HNSW"), params)


def test_ef_does_not_fit_an_index_that_has_no_breadth():
    with pytest.raises(InvalidArgument, match="it takes radius, range_filter"):
        check_search_params(resolve_index(DENSE, False, "FLAT"), {"ef": 10})


@pytest.mark.parametrize("index_type", ["", "SPARSE_INVERTED_INDEX", "SPARSE_WAND"])
def test_sparse_vectors_are_measured_by_inner_product(index_type):
    spec = resolve_index(SPARSE, False, index_type, "", {"drop_ratio_build": 0.2, "inverted_index_algo": "TAAT_NAIVE"})
    assert (spec.metric, spec.params) == ("IP", {"inverted_index_algo": "TAAT_NAIVE", "drop_ratio_build": 0.2})
    assert check_search_params(spec, {"drop_ratio_search": 0.2}).drop_ratio_search == 0.2
    for metric in ("COSINE", "L2", "BM25"):
        with pytest.raises(InvalidArgument, match="use IP"):
            resolve_index(SPARSE, False, index_type, metric)


def test_dropping_small_weights_may_be_permitted_to_bm25():
    spec = resolve_index(SPARSE, True)
    assert check_search_params(spec, {"params": {"drop_ratio_search": 0.2}}).drop_ratio_search == 0.2


def test_capabilities_tell_the_whole_table():
    told = capabilities()
    assert {name: set(entries) for name, entries in told.items()} == {
        **{data_type.name: set(entries) for data_type, entries in INDEXES.items()},
        "BM25": set(BM25_INDEXES),
        **{f"ARRAY of STRUCT with {data_type.name}": set(entries) for data_type, entries in MULTI_INDEXES.items()},
    }
    assert told["FLOAT_VECTOR"]["HNSW"]["search_params"] == {
        "ef": "an integer in [1, 32768]",
        "radius": "a number",
        "range_filter": "a number",
        "target_recall": "a number in [0, 1]",
    }
