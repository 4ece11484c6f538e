"""From a question to ranked passages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from elanus import AnnSearchRequest, Expression, RRFRanker, chosen_highlighter, mmr, rerank_scores
from elanus.errors import InvalidArgument
from elanus.knowledge.hits import Hit, Hits
from elanus.knowledge.shelf import FIELDS, LANGUAGE, Shelf, as_hit
from elanus.models import embed_queries

Mode = Literal["hybrid", "dense", "text"]
MODES = ("hybrid", "dense", "text")
DEPTH = 50
"""Passages each route brings to the fusion."""


@dataclass(frozen=True)
class Asked:
    """A question and how it is to be answered; see `KnowledgeBase.search`."""

    question: str
    k: int
    filter: str | Expression | None = None
    mode: Mode = "hybrid"
    reranker: Any = None
    candidates: int = 20
    diversity: float | None = None
    neighbours: int = 0
    explain: bool = False
    ranker: Any = None
    language: str | None = None
    highlight: Any = False

    def __post_init__(self) -> None:
        if not isinstance(self.question, str) or not self.question.strip():
            raise InvalidArgument(f"the question must be a str with words in it, not {self.question!r}")
        if self.mode not in MODES:
            raise InvalidArgument(f"mode must be one of {', '.join(MODES)}, not {self.mode!r}")
        if self.language is not None and self.mode == "dense" and not self.highlight:
            raise InvalidArgument("language belongs to a search by words, of which mode 'dense' has none")
        for name, least in (("k", 1), ("candidates", 1), ("neighbours", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise InvalidArgument(f"{name} must be a whole number of at least {least}, not {value!r}")
        if self.ranker is not None and self.mode != "hybrid":
            raise InvalidArgument(f"ranker fuses two searches; mode '{self.mode}' has one")
        if self.diversity is not None and not 0 <= self.diversity <= 1:
            raise InvalidArgument(f"diversity must be a number from 0 to 1, not {self.diversity!r}")


def answer(shelf: Shelf, asked: Asked) -> Hits:
    """Find candidates, let the reranker order them, choose, and widen what is chosen."""
    asked = replace(asked, filter=shelf.within(asked.filter))
    vector = None if asked.mode == "text" else embed_queries(shelf.model, [asked.question], None, shelf.said)
    wanted = max(asked.k, asked.candidates) if asked.reranker is not None or asked.diversity is not None else asked.k
    found = _candidates(shelf, asked, vector, wanted)
    if asked.reranker is not None:
        found = _reranked(asked, found)
    chosen = _chosen(asked, found, vector)
    hits = [as_hit(one.entity, one.score, one.explanation, one.highlights) for one in chosen]
    return Hits(asked.question, _widened(shelf, hits, asked.neighbours) if asked.neighbours else hits)


@dataclass(frozen=True)
class Candidate:
    """A passage's fields, its score, and why it was found, if that is to be told."""

    entity: dict[str, Any]
    score: float
    explanation: dict[str, Any] | None = None
    highlights: tuple[str, ...] | None = None


def _candidates(shelf: Shelf, asked: Asked, vector: Any, wanted: int) -> list[Candidate]:
    depth = max(DEPTH, wanted)
    fields = ["*"] if asked.diversity is not None else [FIELDS.text, "$meta", *([LANGUAGE] if shelf.speaks else [])]
    routes = routes_of(asked.question, vector, depth, asked.filter, asked.language)
    if asked.mode == "hybrid":
        (hits,) = shelf.client.hybrid_search(
            shelf.collection,
            list(routes.values()),
            RRFRanker() if asked.ranker is None else asked.ranker,
            limit=wanted,
            output_fields=fields,
            **_told(asked),
        )
    else:
        route = routes[asked.mode]
        (hits,) = shelf.client.search(
            shelf.collection,
            route.data,
            filter="" if asked.filter is None else asked.filter,
            limit=wanted,
            output_fields=fields,
            anns_field=route.anns_field,
            search_params=route.param,
            **_told(asked),
        )
    return [_candidate(hit) for hit in hits]


def _candidate(hit: Any) -> Candidate:
    marked = hit.get("highlight")
    fragments = None if marked is None else tuple(marked[FIELDS.text]["fragments"])
    return Candidate(dict(hit["entity"]), float(hit["distance"]), hit.get("explanation"), fragments)


def routes_of(
    question: str, vector: Any, depth: int, filter: str | Expression | None, language: str | None = None
) -> dict[str, AnnSearchRequest]:
    """The requests of a hybrid search, by the mode that asks one of them alone: by meaning, then by words."""
    spoken = {} if language is None else {"analyzer_name": language}
    return {
        "dense": AnnSearchRequest(vector, FIELDS.vector, {}, depth, filter=filter),
        "text": AnnSearchRequest([question], FIELDS.sparse, spoken, depth, filter=filter),
    }


def _told(asked: Asked) -> dict[str, Any]:
    """What hits tell besides: why they were found, which a server does not know, and the words of the question."""
    highlighter = chosen_highlighter(asked.highlight)
    marked = None if highlighter is None else highlighter.also(FIELDS.text, asked.question, asked.language)
    return {**({"explain": True} if asked.explain else {}), **({} if marked is None else {"highlighter": marked})}


def _reranked(asked: Asked, found: list[Candidate]) -> list[Candidate]:
    scores = rerank_scores(asked.reranker, asked.question, [one.entity[FIELDS.text] for one in found])
    order = np.argsort(-scores, kind="stable").tolist()
    return [_judged(found[place], float(scores[place]), place + 1, rank) for rank, place in enumerate(order, 1)]


def _judged(candidate: Candidate, score: float, before: int, after: int) -> Candidate:
    told = candidate.explanation
    if told is not None:
        told = {**told, "reranker": {"score": score, "rank_before": before, "rank_after": after}}
    return replace(candidate, score=score, explanation=told)


def _chosen(asked: Asked, found: list[Candidate], vector: Any) -> list[Candidate]:
    """The best k; with `diversity` those that are near the question and unlike each other."""
    if asked.diversity is None or vector is None or len(found) <= 1:
        return found[: asked.k]
    vectors = np.asarray([one.entity[FIELDS.vector] for one in found], np.float32)
    return [found[place] for place in mmr(vector[0], vectors, asked.k, lambda_mult=1 - asked.diversity)]


def _widened(shelf: Shelf, hits: Sequence[Hit], reach: int) -> list[Hit]:
    """Each passage with those around it, as one stretch of its document."""
    around = shelf.neighbours(hits, reach)
    widened = []
    for hit in hits:
        places = range(hit.chunk - reach, hit.chunk + reach + 1)
        pieces = [around[hit.document, n] for n in places if (hit.document, n) in around]
        text, start = pieces[0]
        for more, begin in pieces[1:]:
            gap = begin - start - len(text)
            text += " " * gap + more if gap >= 0 else more[-gap:]
        widened.append(replace(hit, text=text, start=start))
    return widened


@dataclass(frozen=True)
class Context:
    """Passages packed for a prompt: numbered, each with its origin; `tokens` counts them by what counted."""

    text: str
    hits: Hits
    tokens: int

    def __str__(self) -> str:
        return self.text


def pack(hits: Hits, max_tokens: int, count: Callable[[str], int]) -> Context:
    """Put the best passages that fit into a budget; one that does not fit makes room for the next that does."""
    blocks: list[str] = []
    kept: list[Hit] = []
    used = 0
    for hit in hits:
        block = f"[{len(blocks) + 1}] {hit.origin}\n{hit.text}"
        size = count(block + "\n\n")
        if used + size <= max_tokens:
            blocks.append(block)
            kept.append(hit)
            used += size
    return Context("\n\n".join(blocks), Hits(hits.question, kept), used)
