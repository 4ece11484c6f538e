"""LlamaIndex's query modes as searches of the client."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode

import elanus
from elanus import AnnSearchRequest, InvalidArgument, NotSupported, RRFRanker, TextLayout, WeightedRanker, rerank_scores

PREFETCH_FACTOR = 4
MOST = 16_384
COUNTS = ("similarity_top_k", "sparse_top_k", "hybrid_top_k")
MMR_BALANCE = 0.5
PASSED = ("explain", "group_by_field", "group_size", "strict_group_size", "partition_names")
Mode = VectorStoreQueryMode
TEXTUAL = (Mode.SPARSE, Mode.TEXT_SEARCH)
FUSED = (Mode.HYBRID, Mode.SEMANTIC_HYBRID)


@dataclass(frozen=True)
class Hit:
    """A found row and its likeness, which grows with likeness whatever the metric."""

    key: Any
    row: Mapping[str, Any]
    similarity: float
    explanation: Mapping[str, Any] | None = None
    highlights: Sequence[str] | None = None


@dataclass(frozen=True, eq=False)
class Ask:
    """A query, and everything of the store that answers it."""

    client: Any
    collection: str
    layout: TextLayout
    query: VectorStoreQuery
    filter: Any
    candidates: int
    ranker: Any = None
    reranker: Any = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> dict[str, Any]:
        """What the client takes besides; the query's words to mark are among it."""
        passed = {name: self.options[name] for name in PASSED if name in self.options}
        highlighter = elanus.chosen_highlighter(self.options.get("highlight"))
        if highlighter is not None:
            text, spoken = self.query.query_str, self.options.get("analyzer_name")
            passed["highlighter"] = highlighter.also(self.layout.text, text, spoken)
        return passed

    @property
    def mode(self) -> VectorStoreQueryMode:
        """The query's mode, which may come as a plain str."""
        return Mode(self.query.mode)

    @property
    def field(self) -> str:
        """The dense vector field to search."""
        name = self.query.embedding_field or self.layout.vector
        if name not in self.layout.metrics:
            raise InvalidArgument(
                f"embedding_field: collection '{self.collection}' has no dense vector field '{name}'; "
                f"it has {', '.join(map(repr, self.layout.metrics))}"
            )
        return name

    @property
    def sparse(self) -> str:
        """The BM25 field to search."""
        if self.layout.sparse is None:
            raise NotSupported(
                f"query mode '{self.mode.value}' needs a BM25 field and collection '{self.collection}' has "
                "none; make it with bm25=True, or query in mode 'default'"
            )
        return self.layout.sparse

    @property
    def embedding(self) -> Sequence[float]:
        """The query's vector."""
        if self.query.query_embedding is None:
            raise InvalidArgument(f"query mode '{self.mode.value}' needs query_embedding")
        return self.query.query_embedding

    @property
    def text(self) -> str:
        """The query's words."""
        if self.query.query_str is None:
            raise InvalidArgument(f"query mode '{self.mode.value}' needs query_str")
        return self.query.query_str


def answer(ask: Ask) -> list[Hit]:
    """Run a query in its mode, best first.

    Raises:
        InvalidArgument: the query lacks what its mode needs, or has what its mode does not use.
        NotSupported: a mode there is nothing for.
    """
    mode = ask.mode
    if mode not in MODES:
        raise NotSupported(
            f"query mode '{mode.value}' is not supported; use one of {', '.join(m.value for m in MODES)}"
        )
    for name in COUNTS:
        count = getattr(ask.query, name)
        if count is not None and not 1 <= count <= MOST:
            raise InvalidArgument(f"{name} must be a whole number from 1 to {MOST}, not {count!r}")
    for name, modes in BELONGS.items():
        given = getattr(ask.query, name, None) is not None or name in ask.options
        if given and mode not in modes:
            told = " and ".join(f"'{m.value}'" for m in modes)
            raise InvalidArgument(f"{name} belongs to query mode {told}, not to '{mode.value}'; leave it out")
    return MODES[mode](ask)


def _dense(ask: Ask) -> list[Hit]:
    return _search(ask, ask.field, ask.embedding, ask.query.similarity_top_k)


def _text(ask: Ask) -> list[Hit]:
    return _search(ask, ask.sparse, ask.text, ask.query.sparse_top_k or ask.query.similarity_top_k)


def _mmr(ask: Ask) -> list[Hit]:
    query, options = ask.query, ask.options
    k = query.similarity_top_k
    factor, fetch = options.get("mmr_prefetch_factor"), options.get("mmr_prefetch_k")
    if factor is not None and fetch is not None:
        raise InvalidArgument("give mmr_prefetch_k or mmr_prefetch_factor, not both")
    fetch = int(fetch or max(k, k * (factor or PREFETCH_FACTOR)))
    balance = options.get("mmr_threshold", query.mmr_threshold)
    hits = _search(ask, ask.field, ask.embedding, max(fetch, k), [ask.field])
    vectors = [hit.row[ask.field] for hit in hits]
    picked = elanus.mmr(ask.embedding, vectors, k, MMR_BALANCE if balance is None else balance) if hits else []
    return [hits[i] for i in picked]


def _hybrid(ask: Ask) -> list[Hit]:
    query = ask.query
    return _fused(ask, query.similarity_top_k if query.hybrid_top_k is None else query.hybrid_top_k)


def _semantic_hybrid(ask: Ask) -> list[Hit]:
    if ask.reranker is None:
        raise InvalidArgument(
            "query mode 'semantic_hybrid' reorders hybrid hits with a model; give the store a reranker=, or query in "
            "mode 'hybrid'"
        )
    query = ask.query
    limit = query.similarity_top_k if query.hybrid_top_k is None else query.hybrid_top_k
    hits = _fused(ask, max(limit, ask.candidates))
    scores = rerank_scores(ask.reranker, ask.text, [hit.row.get(ask.layout.text) or "" for hit in hits]).tolist()
    order = sorted(range(len(hits)), key=lambda i: -scores[i])[:limit]
    return [replace(hits[i], similarity=scores[i]) for i in order]


def _fused(ask: Ask, limit: int) -> list[Hit]:
    query = ask.query
    dense = query.similarity_top_k if query.hybrid_top_k is not None else max(limit, ask.candidates)
    routes = [
        (ask.field, ask.embedding, dense),
        (ask.sparse, ask.text, query.sparse_top_k or max(limit, ask.candidates)),
    ]
    params = [_params(ask, ask.field), _params(ask, ask.sparse)]
    requests = [
        AnnSearchRequest([data], name, param, limit=most, expr=ask.filter)
        for (name, data, most), param in zip(routes, params, strict=True)
    ]
    ranker = ask.ranker or RRFRanker()
    if query.alpha is not None:
        if "ranker" in ask.options:
            raise InvalidArgument("give alpha or ranker, not both")
        ranker = WeightedRanker(query.alpha, 1 - query.alpha)
    found = ask.client.hybrid_search(
        ask.collection, requests, ranker, limit=limit, output_fields=ask.layout.output, **ask.passed
    )
    return [_hit(ask, hit, hit["distance"]) for hit in found[0]]


def _hit(ask: Ask, hit: Any, similarity: float) -> Hit:
    marked = hit.get("highlight")
    fragments = None if marked is None else marked[ask.layout.text]["fragments"]
    return Hit(hit.id, hit["entity"], float(similarity), hit.get("explanation"), fragments)


def _params(ask: Ask, name: str) -> dict[str, Any]:
    """The search_params of a field: what the caller gave for dense ones, for the text which analyzer reads it."""
    if name != ask.layout.sparse:
        return ask.options.get("search_params") or {}
    spoken = ask.options.get("analyzer_name")
    return {} if spoken is None else {"analyzer_name": spoken}


def _search(ask: Ask, name: str, data: Any, limit: int, more: Sequence[str] = ()) -> list[Hit]:
    params = _params(ask, name)
    found = ask.client.search(
        ask.collection,
        [data],
        filter="" if ask.filter is None else ask.filter,
        limit=limit,
        output_fields=[*ask.layout.output, *more],
        anns_field=name,
        **({"search_params": params} if params else {}),
        **ask.passed,
    )[0]
    distances: Sequence[float] = [hit["distance"] for hit in found]
    if ask.layout.metrics.get(name) == "L2":
        distances = elanus.relevance(distances, "L2")  # the only metric that falls with likeness
    return [_hit(ask, hit, likeness) for hit, likeness in zip(found, distances, strict=True)]


MODES: Mapping[VectorStoreQueryMode, Callable[[Ask], list[Hit]]] = {
    Mode.DEFAULT: _dense,
    Mode.SPARSE: _text,
    Mode.TEXT_SEARCH: _text,
    Mode.HYBRID: _hybrid,
    Mode.SEMANTIC_HYBRID: _semantic_hybrid,
    Mode.MMR: _mmr,
}
BELONGS: Mapping[str, Sequence[VectorStoreQueryMode]] = {
    "alpha": FUSED,
    "hybrid_top_k": FUSED,
    "sparse_top_k": (*TEXTUAL, *FUSED),
    "mmr_threshold": (Mode.MMR,),
    "mmr_prefetch_k": (Mode.MMR,),
    "mmr_prefetch_factor": (Mode.MMR,),
    "search_params": (Mode.DEFAULT, Mode.MMR, *FUSED),
    "analyzer_name": (*TEXTUAL, *FUSED),
    "ranker": FUSED,
    "reranker": (Mode.SEMANTIC_HYBRID,),
}
"""Which modes use what: given with another mode it would be ignored, so it is refused."""
