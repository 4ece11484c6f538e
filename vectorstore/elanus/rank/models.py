"""Scores from any model that reranks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from elanus.errors import InvalidArgument

Scores = np.ndarray[Any, np.dtype[np.float64]]


def check_reranker(model: Any, argument: str = "reranker") -> Any:
    """Return the model, or raise InvalidArgument if it has no method `rerank(query, documents)`."""
    if not callable(getattr(model, "rerank", None)):
        raise InvalidArgument(f"{argument} must have a method rerank(query, documents), {type(model).__name__} has not")
    return model


def rerank_scores(model: Any, query: str, documents: Sequence[str]) -> Scores:
    """How well each document answers the query: float64 (n,), in the documents' order, growing with likeness.

    Args:
        model: its `rerank(query, documents)` gives a number per document in their order, or results in any order that
            have an `index` and a `score`.

    Raises:
        InvalidArgument: the model gave anything else.
    """
    if not documents:
        return np.empty(0)
    found = check_reranker(model).rerank(query, list(documents))
    said = f"{type(model).__name__}.rerank gave"
    if isinstance(found, (list, tuple)) and all(hasattr(f, "index") and hasattr(f, "score") for f in found):
        scores = np.full(len(documents), np.nan)
        for result in found:
            if not 0 <= result.index < len(documents):
                raise InvalidArgument(f"{said} the index {result.index} for {len(documents)} documents")
            scores[result.index] = result.score
    else:
        try:
            scores = np.asarray(found, np.float64)
        except (TypeError, ValueError):
            scores = np.empty(0)
    if scores.shape != (len(documents),) or np.isnan(scores).any():
        raise InvalidArgument(f"{said} no score for each of {len(documents)} documents, but {found!r:.200}")
    return scores
