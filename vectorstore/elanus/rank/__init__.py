"""Fusing the hits of several searches into one ranking."""

from elanus.rank.boost import FunctionScore
from elanus.rank.decay import Decay, as_decay
from elanus.rank.fusion import Route, dbsf, relevance, rrf, weighted
from elanus.rank.mmr import mmr
from elanus.rank.models import check_reranker, rerank_scores
from elanus.rank.rankers import AnnSearchRequest, DBSFRanker, Fuse, RRFRanker, WeightedRanker, as_ranker, as_request
from elanus.rank.reranking import Reranking, as_reranking

__all__ = [
    "AnnSearchRequest",
    "DBSFRanker",
    "Decay",
    "FunctionScore",
    "Fuse",
    "RRFRanker",
    "Reranking",
    "Route",
    "WeightedRanker",
    "as_decay",
    "as_ranker",
    "as_request",
    "as_reranking",
    "check_reranker",
    "dbsf",
    "mmr",
    "relevance",
    "rerank_scores",
    "rrf",
    "weighted",
]
