"""LangChain's searches as searches of the client; queries are embedded already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from elanus import (
    AnnSearchRequest,
    Expression,
    InvalidArgument,
    RRFRanker,
    TextLayout,
    mmr,
    rerank_scores,
    translate_filter,
)
from langchain_core.documents import Document

from langchain_elanus.documents import to_document

Scored = list[tuple[Document, float]]
PASSED = ("explain", "group_by_field", "group_size", "strict_group_size", "partition_names")
"""Options that the client takes as they are."""

NEAR = ("filter", "vector_field", "search_params", *PASSED)
DENSE = (*NEAR, "reranker", "fetch_k")
TEXT = ("filter", "reranker", "fetch_k", "analyzer_name", *PASSED)
HYBRID = (*DENSE, "ranker", "analyzer_name")
FETCH = 50
MOST = 16_384


def check_options(call: str, options: Mapping[str, Any], known: Sequence[str], k: int = 1) -> None:
    """Raise for the first option that the call does not have, and for a `k` or `fetch_k` that no search can have."""
    for name, count in (("k", k), ("fetch_k", options.get("fetch_k") or 1)):
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST:
            raise InvalidArgument(f"{call}: {name} must be a whole number from 1 to {MOST}, not {count!r}")
    for name in options:
        if name not in known:
            raise InvalidArgument(f"{call}: unknown argument '{name}'; it takes {', '.join(known)}")


def is_fusion(ranker: Any) -> bool:
    """Whether a ranker fuses hits (RRFRanker, WeightedRanker, DBSFRanker) rather than reading texts."""
    return not callable(getattr(ranker, "rerank", None)) and callable(getattr(ranker, "dict", None))


def _passed(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in PASSED if name in options}


def _spoken(options: Mapping[str, Any]) -> dict[str, Any]:
    """The search_params of a text: by which of several analyzers it is read."""
    name = options.get("analyzer_name")
    return {} if name is None else {"analyzer_name": name}


@dataclass(frozen=True, eq=False)
class Searcher:
    """One collection to be asked."""

    client: Any
    collection: str
    layout: TextLayout
    search_params: Mapping[str, Any]

    def field(self, name: str | None) -> str:
        """The vector field to search."""
        if name is None:
            return self.layout.vector
        if name not in self.layout.metrics:
            there = ", ".join(map(repr, self.layout.metrics))
            raise InvalidArgument(f"vector_field: collection '{self.collection}' has no '{name}'; it has {there}")
        return name

    def sparse(self) -> str:
        """The BM25 field to search."""
        if self.layout.sparse is None:
            raise InvalidArgument(
                f"collection '{self.collection}' has no BM25 field to search by text; make it with bm25=True"
            )
        return self.layout.sparse

    def dense(self, query: str | None, vector: Any, k: int, options: Mapping[str, Any]) -> Scored:
        """The nearest documents; with a reranker, the best by it of `fetch_k` near ones."""
        reranker = options.get("reranker")
        most = k if reranker is None else max(k, options.get("fetch_k") or FETCH)
        found = self._ask(self.field(options.get("vector_field")), vector, most, options)
        return found if reranker is None else self._reranked(reranker, query, found, k)

    def text(self, query: str, k: int, options: Mapping[str, Any]) -> Scored:
        """The best documents by BM25."""
        reranker = options.get("reranker")
        most = k if reranker is None else max(k, options.get("fetch_k") or FETCH)
        found = self._ask(self.sparse(), query, most, options)
        return found if reranker is None else self._reranked(reranker, query, found, k)

    def hybrid(self, query: str, vector: Any, k: int, options: Mapping[str, Any]) -> Scored:
        """Dense and BM25 hits, `fetch_k` of each, fused, and reordered by a model if one is given."""
        reranker, ranker = options.get("reranker"), options.get("ranker")
        if is_fusion(reranker):
            if ranker is not None:
                raise InvalidArgument("give the fusion as ranker= or as reranker=, not both")
            reranker, ranker = None, reranker
        fetch = max(k, options.get("fetch_k") or FETCH)
        condition = self._filter(options)
        params = options.get("search_params") or self.search_params
        routes: tuple[tuple[str, Any, Mapping[str, Any]], ...] = (
            (self.field(options.get("vector_field")), vector, params),
            (self.sparse(), query, _spoken(options)),
        )
        requests = [AnnSearchRequest([data], name, param, fetch, expr=condition) for name, data, param in routes]
        found = self.client.hybrid_search(
            self.collection,
            requests,
            RRFRanker() if ranker is None else ranker,
            limit=k if reranker is None else fetch,
            output_fields=self.layout.output,
            **_passed(options),
        )[0]
        scored = self._scored(found)
        return scored if reranker is None else self._reranked(reranker, query, scored, k)

    def diverse(self, vector: Any, k: int, fetch_k: int, lambda_mult: float, options: Mapping[str, Any]) -> Scored:
        """Documents near the query and far from each other, chosen from `fetch_k` near ones."""
        field = self.field(options.get("vector_field"))
        hits = self._hits(field, vector, max(k, fetch_k), options, [field])
        chosen = mmr(vector, [hit["entity"][field] for hit in hits], k, lambda_mult) if hits else []
        return self._scored([hits[place] for place in chosen])

    def _ask(self, field: str, data: Any, limit: int, options: Mapping[str, Any]) -> Scored:
        return self._scored(self._hits(field, data, limit, options))

    def _hits(self, field: str, data: Any, limit: int, options: Mapping[str, Any], more: Sequence[str] = ()) -> Any:
        dense = field in self.layout.metrics
        params = options.get("search_params") or self.search_params if dense else _spoken(options)
        condition = self._filter(options)
        return self.client.search(
            self.collection,
            [data],
            "" if condition is None else condition,
            limit,
            [*self.layout.output, *more],
            dict(params) if params else None,
            anns_field=field,
            **_passed(options),
        )[0]

    def _filter(self, options: Mapping[str, Any]) -> Expression | str | None:
        return translate_filter(options.get("filter"), "langchain")

    def _scored(self, hits: Any) -> Scored:
        return [(self._document(hit), hit["distance"]) for hit in hits]

    def _document(self, hit: Any) -> Document:
        document = to_document(hit.id, hit["entity"], self.layout)
        if "explanation" in hit:
            document.metadata["explanation"] = hit["explanation"]
        return document

    def _reranked(self, model: Any, query: str | None, found: Scored, k: int) -> Scored:
        if query is None:
            raise InvalidArgument("reranker: a search by vector has no text to rerank by; search with the query's text")
        if is_fusion(model):
            raise InvalidArgument(
                "reranker: RRFRanker and WeightedRanker fuse routes; search with search_type='hybrid'"
            )
        scores = rerank_scores(model, query, [document.page_content for document, _ in found])
        order = sorted(range(len(found)), key=lambda place: -scores[place])[:k]
        return [(found[place][0], float(scores[place])) for place in order]
