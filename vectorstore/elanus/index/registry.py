"""The index types Elanus knows: which fields and metrics each takes, and its parameters with their ranges.

`INDEXES` is the one table; the checks, their messages and `capabilities()` read it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any

from elanus.errors import InvalidArgument, NotSupported, did_you_mean
from elanus.index.graph import DEFAULT_EF_CONSTRUCTION, DEFAULT_M
from elanus.index.metric import MAX_SIM, BitMetric, Metric
from elanus.schema.fields import DENSE_VECTORS, FLOAT_VECTORS
from elanus.types import DataType

BM25 = "BM25"


@dataclass(frozen=True)
class Number:
    """A numeric parameter within [low, high]; `whole` refuses fractions."""

    low: float
    high: float
    default: float | None = None
    whole: bool = True

    def check(self, value: Any) -> int | float | None:
        """Return the value as a number, or None if it does not fit."""
        fits = isinstance(value, Integral if self.whole else Real) and not isinstance(value, bool)
        if not fits or not self.low <= value <= self.high:
            return None
        return int(value) if self.whole else float(value)

    def __str__(self) -> str:
        kind = "an integer" if self.whole else "a number"
        return kind if math.isinf(self.high) else f"{kind} in [{self.low:g}, {self.high:g}]"


@dataclass(frozen=True)
class Choice:
    """A parameter that is one of some words."""

    words: tuple[str, ...]
    default: str | None = None

    def check(self, value: object) -> str | None:
        """Return the word, or None if it is none of them."""
        return value if isinstance(value, str) and value in self.words else None

    def __str__(self) -> str:
        return f"one of {', '.join(self.words)}"


@dataclass(frozen=True)
class Text:
    """A parameter that is any text; `said` is what it means."""

    said: str
    default: None = None

    def check(self, value: object) -> str | None:
        """Return the text, or None if it is none."""
        return value if isinstance(value, str) else None

    def __str__(self) -> str:
        return self.said


Param = Number | Choice | Text
Params = Mapping[str, Param]


@dataclass(frozen=True)
class Entry:
    """One way to index a kind of field; the first metric is the default."""

    metrics: tuple[str, ...]
    build: Params = field(default_factory=dict)
    search: Params = field(default_factory=dict)


_DENSE = (Metric.COSINE.value, Metric.IP.value, Metric.L2.value)
_BITWISE = (BitMetric.HAMMING.value, BitMetric.JACCARD.value)
_MAX_SIM_FLOATS = ("MAX_SIM_COSINE", "MAX_SIM", "MAX_SIM_IP", "MAX_SIM_L2")
_MAX_SIM_BITS = ("MAX_SIM_HAMMING", "MAX_SIM_JACCARD")
_HNSW_BUILD: Params = {
    "M": Number(2, 2048, DEFAULT_M),
    "efConstruction": Number(1, 32_768, DEFAULT_EF_CONSTRUCTION),
}
# Elanus scores sparse vectors exactly: the algorithm and the ratios below permit a shortcut, none orders one.
_SPARSE_BUILD: Params = {
    "inverted_index_algo": Choice(("DAAT_MAXSCORE", "DAAT_WAND", "TAAT_NAIVE"), "DAAT_MAXSCORE"),
    "drop_ratio_build": Number(0, 1, whole=False),
}
_BM25_BUILD: Params = {
    "bm25_k1": Number(0, 3, 1.2, whole=False),
    "bm25_b": Number(0, 1, 0.75, whole=False),
    **_SPARSE_BUILD,
}
_SPARSE_SEARCH: Params = {"drop_ratio_search": Number(0, 1, whole=False)}
_BM25_SEARCH: Params = {**_SPARSE_SEARCH, "analyzer_name": Text("a str, a name in the field's multi_analyzer_params")}
_SPARSE_TYPES = ("AUTOINDEX", "SPARSE_INVERTED_INDEX", "SPARSE_WAND")

_FLOATS: Mapping[str, Entry] = {
    "AUTOINDEX": Entry(_DENSE),
    "FLAT": Entry(_DENSE),
    "HNSW": Entry(_DENSE, _HNSW_BUILD, {"ef": Number(1, 32_768)}),
}
# Bits are always scanned whole: lists and probes permit a shortcut likewise.
_LISTS = Number(1, 65_536, 128), Number(1, 65_536)

INDEXES: Mapping[DataType, Mapping[str, Entry]] = {
    DataType.FLOAT_VECTOR: _FLOATS,
    DataType.FLOAT16_VECTOR: _FLOATS,
    DataType.BFLOAT16_VECTOR: _FLOATS,
    DataType.INT8_VECTOR: _FLOATS,
    DataType.BINARY_VECTOR: {
        "AUTOINDEX": Entry(_BITWISE),
        "BIN_FLAT": Entry(_BITWISE),
        "BIN_IVF_FLAT": Entry(_BITWISE, {"nlist": _LISTS[0]}, {"nprobe": _LISTS[1]}),
    },
    DataType.SPARSE_FLOAT_VECTOR: dict.fromkeys(
        _SPARSE_TYPES, Entry((Metric.IP.value,), _SPARSE_BUILD, _SPARSE_SEARCH)
    ),
}

MULTI_INDEXES: Mapping[DataType, Mapping[str, Entry]] = {
    dtype: {
        name: replace(entry, metrics=_MAX_SIM_FLOATS if dtype in FLOAT_VECTORS else _MAX_SIM_BITS)
        for name, entry in INDEXES[dtype].items()
    }
    for dtype in sorted(DENSE_VECTORS)
}
"""For the vectors in struct arrays. Rows are scored exactly, whatever the type."""

BM25_INDEXES: Mapping[str, Entry] = dict.fromkeys(_SPARSE_TYPES, Entry((BM25,), _BM25_BUILD, _BM25_SEARCH))
"""For the output of a BM25 function, which holds the terms of a text."""

_INSTEAD_DENSE = "use AUTOINDEX, FLAT or HNSW"
_INSTEAD_BINARY = "use BIN_FLAT"
_IVF = ("IVF_FLAT", "IVF_SQ8", "IVF_PQ", "IVF_RABITQ", "SCANN", "SCANN_DVR")
_GRAPH = ("HNSW_SQ", "HNSW_PQ", "HNSW_PRQ", "DISKANN", "AISAQ", "ANNOY")
_GPU = ("GPU_CAGRA", "GPU_IVF_FLAT", "GPU_IVF_PQ", "GPU_BRUTE_FORCE")
_SCALAR = ("INVERTED", "STL_SORT", "TRIE", "BITMAP", "NGRAM", "RTREE")  # elanus.index.scalar has them
UNSUPPORTED: Mapping[str, str] = {
    **dict.fromkeys((*_IVF, *_GRAPH, *_GPU), _INSTEAD_DENSE),
    **dict.fromkeys(("MINHASH_LSH",), _INSTEAD_BINARY),
}
"""Milvus's other index types, and what to do instead."""

EVERYWHERE: Params = {
    "radius": Number(-math.inf, math.inf, whole=False),
    "range_filter": Number(-math.inf, math.inf, whole=False),
    "target_recall": Number(0, 1, whole=False),
}
"""Search parameters of every index: the far and the near end of a range search, and the recall wanted of it."""

HINTS = ("mmap.enabled",)
"""Parameters that say where a server keeps an index: here columns are always memory-mapped."""

UNSUPPORTED_SEARCH = ("level", "hints", "dim_max_score_ratio", "round_decimal")
"""Milvus's other search parameters that fit some index of ours."""


@dataclass(frozen=True)
class IndexSpec:
    """A checked index definition: its type, its metric, its parameters, and the type of its vectors, or NONE."""

    index_type: str
    metric: str
    params: Mapping[str, int | float | str] = field(default_factory=dict)
    data_type: DataType = DataType.NONE


@dataclass(frozen=True)
class SearchParams:
    """Checked search parameters; None where the caller gave none.

    `ef` is the least number of candidates to score exactly, and the breadth of a graph search.
    `drop_ratio_search` permits leaving out small weights and `nprobe` far lists, of which exact search makes no use.
    `analyzer_name` says which of the analyzers of a text field reads the queries; None is the default one.
    `radius` and `range_filter` are distances, the far and the near end of a range search.
    `target_recall` is the share of the true hits that an approximate search is to find; an exact one finds all.
    """

    ef: int | None = None
    drop_ratio_search: float | None = None
    nprobe: int | None = None
    radius: float | None = None
    range_filter: float | None = None
    analyzer_name: str | None = None
    target_recall: float | None = None


NO_PARAMS = SearchParams()


def resolve_index(
    data_type: DataType,
    is_bm25_output: bool,
    index_type: str = "",
    metric_type: str = "",
    params: Mapping[str, Any] | None = None,
    *,
    in_array: bool = False,
) -> IndexSpec:
    """Check an index definition and fill in its defaults; an empty type means AUTOINDEX.

    Raises:
        NotSupported: an index, a field type or a parameter that Milvus has and Elanus has not.
        InvalidArgument: a name nobody knows, a metric that does not fit, a parameter out of range.
    """
    index_type, metric_type = index_type.upper() or "AUTOINDEX", metric_type.upper()
    entry = _entry(data_type, is_bm25_output, index_type, in_array)
    metric = metric_type or entry.metrics[0]
    if in_array and metric in _DENSE + _BITWISE:
        raise NotSupported(
            f"metric_type '{metric}' on the vectors of a struct array finds single elements, which is not supported "
            f"yet; use {' or '.join(entry.metrics)}, which find rows"
        )
    if metric not in entry.metrics:
        raise InvalidArgument(
            f"metric_type '{metric}' does not fit {_field(data_type, is_bm25_output)}; "
            f"use {' or '.join(entry.metrics)}{did_you_mean(metric, entry.metrics)}"
        )
    given = check_params(f"index {index_type}", entry.build, params or {}, HINTS)
    defaults = {name: p.default for name, p in entry.build.items() if p.default is not None}
    return IndexSpec(index_type, metric, MappingProxyType({**defaults, **given}), data_type)


def check_search_params(spec: IndexSpec, params: Mapping[str, Any] | None) -> SearchParams:
    """Check `search_params`, in Milvus's nested form ({"metric_type": ..., "params": {...}}) or flat.

    Raises:
        NotSupported: a parameter that Milvus has and Elanus has not.
        InvalidArgument: another metric than the index's, an unknown parameter, or one out of range.
    """
    if params is None or params == {}:
        return NO_PARAMS
    if not isinstance(params, Mapping):
        raise InvalidArgument(f"search_params must be a dict, not {type(params).__name__}")
    flat = {name: value for name, value in params.items() if name not in ("params", "metric_type")}
    nested = params.get("params") or {}
    if not isinstance(nested, Mapping):
        raise InvalidArgument(f"search_params['params'] must be a dict, not {type(nested).__name__}")
    twice = sorted(name for name in flat.keys() & nested.keys() if flat[name] != nested[name])
    if twice:
        raise InvalidArgument(f"search_params give '{twice[0]}' twice, with different values")
    given = {**flat, **nested}
    for metric in (params.get("metric_type"), given.pop("metric_type", None)):
        if metric and str(metric).upper() != spec.metric:
            raise InvalidArgument(f"metric_type '{metric}' differs from the index's, which is {spec.metric}")
    checked = SearchParams(**_check(f"search of {spec.index_type}", _search_table(spec), given, UNSUPPORTED_SEARCH))
    if checked.target_recall is not None and checked.ef is not None:
        raise InvalidArgument("search_params: ef and target_recall both say how hard to search; give one of them")
    return checked


def capabilities() -> dict[str, dict[str, dict[str, Any]]]:
    """Return the table as plain data: field type (or BM25, for what its function fills), index type, then the rest."""
    tables = {data_type.name: entries for data_type, entries in INDEXES.items()} | {BM25: BM25_INDEXES}
    tables |= {f"ARRAY of STRUCT with {data_type.name}": entries for data_type, entries in MULTI_INDEXES.items()}
    return {
        of: {
            name: {
                "metrics": list(entry.metrics),
                "params": {key: str(param) for key, param in entry.build.items()},
                "search_params": {key: str(param) for key, param in {**entry.search, **EVERYWHERE}.items()},
            }
            for name, entry in entries.items()
        }
        for of, entries in tables.items()
    }


def _entry(data_type: DataType, is_bm25_output: bool, index_type: str, in_array: bool) -> Entry:
    entries = _table(data_type, is_bm25_output, in_array)
    if not entries:
        able = " and ".join(kind.name for kind in INDEXES)
        raise NotSupported(f"a vector index on a {data_type.name} field is not supported; {able} fields have them")
    if index_type in UNSUPPORTED:
        raise NotSupported(f"index type {index_type} is not supported; {UNSUPPORTED[index_type]}")
    if index_type not in entries:
        known = {*_SCALAR, *(name for table in INDEXES.values() for name in table)}
        if index_type in known:
            raise InvalidArgument(
                f"index type {index_type} does not fit {_field(data_type, is_bm25_output)}; use {' or '.join(entries)}"
            )
        close = did_you_mean(index_type, entries)
        raise InvalidArgument(f"unknown index type '{index_type}'; use {' or '.join(entries)}{close}")
    return entries[index_type]


def _table(data_type: DataType, is_bm25_output: bool, in_array: bool) -> Mapping[str, Entry]:
    if in_array:
        return MULTI_INDEXES.get(data_type, {})
    return BM25_INDEXES if is_bm25_output else INDEXES.get(data_type, {})


def _search_table(spec: IndexSpec) -> Params:
    table = _table(spec.data_type, spec.metric == BM25, spec.metric.startswith(MAX_SIM))
    return {**table[spec.index_type].search, **EVERYWHERE}


def _field(data_type: DataType, is_bm25_output: bool) -> str:
    return "a BM25 function's output" if is_bm25_output else f"a {data_type.name} field"


def check_params(what: str, table: Params, given: Mapping[str, Any], hints: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the given parameters as their table wants them; hints to a server are left out."""
    return _check(what, table, {name: value for name, value in given.items() if name not in hints}, ())


def _check(what: str, table: Params, given: Mapping[str, Any], unsupported: tuple[str, ...]) -> dict[str, Any]:
    """Return the given parameters as their table wants them."""
    checked = {}
    for name, value in given.items():
        if name in unsupported:
            raise NotSupported(f"{what}: parameter '{name}' is not supported")
        if name not in table:
            allowed = f"it takes {', '.join(table)}" if table else "it takes none"
            raise InvalidArgument(f"{what}: unknown parameter '{name}'; {allowed}{did_you_mean(name, table)}")
        checked[name] = table[name].check(value)
        if checked[name] is None:
            raise InvalidArgument(f"{what}: {name} must be {table[name]}, not {value!r}")
    return checked
