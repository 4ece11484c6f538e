"""Which fusion suits a collection, learned from judged questions and tried on questions it was not learned from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from elanus.errors import InvalidArgument
from elanus.index.metric import DISTANCES
from elanus.rank import AnnSearchRequest, RRFRanker, as_request
from elanus.rank.trying import KINDS, RouteHits, candidates, held_out, judge


@dataclass(frozen=True)
class Suggestion:
    """A fusion and how good it is: means of nDCG among the best `k` over the judged questions.

    Attributes:
        ranker: the best fusion, ready for `hybrid_search`.
        ndcg: of choosing so, on questions that took no part in the choice.
        rrf: of RRFRanker() on all questions.
        routes: of each route alone, by field.
    """

    ranker: Any
    questions: int
    k: int
    ndcg: float
    rrf: float
    routes: Mapping[str, float]

    def __str__(self) -> str:
        alone = ", ".join(f"{name} {value:.3f}" for name, value in self.routes.items())
        return (
            f"{self.ranker!r}: nDCG@{self.k} {self.ndcg:.3f} on held-out questions of {self.questions}; "
            f"RRFRanker() {self.rrf:.3f}; alone {alone}"
        )


def suggest_weights(
    client: Any,
    collection: str,
    requests_of: Callable[[str], Sequence[AnnSearchRequest]],
    queries: Mapping[str, str],
    qrels: Mapping[str, Mapping[str, float]],
    *,
    k: int = 10,
    document: str | None = None,
    folds: int = 5,
    kinds: Sequence[str] = KINDS,
) -> Suggestion:
    """Suggest how to fuse the routes of a hybrid search.

    Every route is searched once for each question. RRF with several k, and weights in steps of a tenth (a fifth from
    four routes on) for WeightedRanker and DBSFRanker, are then tried on the hits. The suggestion is the best on all
    questions; where choosing so does not beat RRFRanker() on held-out questions, it is RRFRanker().

    Args:
        requests_of: makes the routes' requests for one question, always the same fields.
        queries: question by id; those without a relevant document are left out.
        qrels: for each query the relevance of documents.
        document: the field that holds what qrels calls a document; None: the key. A document counts by its best row.
        folds: each is held out once while the rest chooses.
        kinds: which fusions to try, of "rrf", "weighted" and "dbsf", which a Milvus server does not have.

    Raises:
        InvalidArgument: too few judged questions, or requests that do not fit.
    """
    for name, value, least in (("k", k, 1), ("folds", folds, 2)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise InvalidArgument(f"suggest_weights: {name} must be a whole number of at least {least}, not {value!r}")
    if not kinds or any(kind not in KINDS for kind in kinds):
        raise InvalidArgument(f"suggest_weights: kinds must be some of {', '.join(KINDS)}, not {kinds!r}")
    judged = [one for one in queries if any(value > 0 for value in qrels.get(one, {}).values())]
    if len(judged) < folds:
        raise InvalidArgument(f"suggest_weights: {len(judged)} judged questions are too few for {folds} folds")
    fields, metrics, asked = _routes(client, collection, requests_of, [queries[one] for one in judged])
    rankers = [RRFRanker(), *candidates(kinds, len(fields))]
    rows = []
    for one, requests in zip(judged, asked, strict=True):
        hits = [_hits(client, collection, *pair, document) for pair in zip(requests, metrics, strict=True)]
        rows.append(judge(hits, metrics, rankers, qrels[one], k))
    values = np.array(rows)
    alone, tried = values[:, : len(fields)], values[:, len(fields) :]
    expected = held_out(tried, folds)
    rrf, best = float(tried[:, 0].mean()), int(tried.mean(axis=0).argmax())
    if expected <= rrf:
        best, expected = 0, rrf
    return Suggestion(rankers[best], len(judged), k, expected, rrf, _named(fields, alone.mean(axis=0).tolist()))


def _named(fields: Sequence[str], values: Sequence[float]) -> dict[str, float]:
    """By field; by field and number where several requests search one field."""
    if len(set(fields)) < len(fields):
        fields = [f"{name} ({number})" for number, name in enumerate(fields, 1)]
    return dict(zip(fields, values, strict=True))


def _routes(
    client: Any, collection: str, requests_of: Callable[[str], Sequence[AnnSearchRequest]], questions: Sequence[str]
) -> tuple[list[str], list[str], list[list[AnnSearchRequest]]]:
    """The fields, their metrics, and every question's requests."""
    asked = [list(map(as_request, requests_of(question))) for question in questions]
    fields = [request.anns_field for request in asked[0]]
    if len(fields) < 2:
        raise InvalidArgument("suggest_weights: requests_of must return at least two AnnSearchRequests")
    for question, requests in zip(questions, asked, strict=True):
        if [request.anns_field for request in requests] != fields:
            raise InvalidArgument(f"suggest_weights: the requests for {question!r} search other fields than {fields}")
        if any(len(request.data) != 1 for request in requests):
            raise InvalidArgument(f"suggest_weights: a request for {question!r} has not exactly one query in its data")
    metrics: dict[str, str] = {}
    for index in client.list_indexes(collection):
        told = client.describe_index(collection, index)
        metrics[told["field_name"]] = told.get("metric_type")
    if missing := [field for field in fields if not metrics.get(field)]:
        raise InvalidArgument(f"suggest_weights: '{missing[0]}' of collection '{collection}' has no vector index")
    return fields, [metrics[field] for field in fields], asked


def _hits(client: Any, collection: str, request: AnnSearchRequest, metric: str, document: str | None) -> RouteHits:
    (hits,) = client.search(
        collection,
        request.data,
        anns_field=request.anns_field,
        filter="" if request.filter is None else request.filter,
        **({"filter_params": request.expr_params} if request.expr_params else {}),
        limit=request.limit,
        output_fields=[] if document is None else [document],
        search_params=request.param,
    )
    keys = [hit.id for hit in hits]
    names = [str(key) for key in keys] if document is None else [str(hit["entity"][document]) for hit in hits]
    distances = np.array([hit["distance"] for hit in hits], np.float32)
    return names, keys, -distances if metric in DISTANCES else distances
