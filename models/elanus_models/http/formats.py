"""How the providers are asked and how their answers are read."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from elanus_models.model import Floats

Body: TypeAlias = dict[str, Any]


class Unexpected(Exception):
    """A server's answer has not the form that its provider documents."""


@dataclass(frozen=True)
class EmbedFormat:
    """`write` makes a body of model, texts and options; `read` takes the vectors out of the answer, in any order."""

    write: Callable[[str, list[str], Body], Body]
    read: Callable[[Any], Sequence[Any]]


@dataclass(frozen=True)
class RerankFormat:
    """`write` makes a body of model, query, documents and options; `read` gives places and scores."""

    write: Callable[[str, str, list[str], Body], Body]
    read: Callable[[Any], list[tuple[Any, Any]]]


def vectors(answer: Any, form: EmbedFormat, count: int, dim: int | None) -> Floats:
    """Return the answer's vectors: float32 (count, dim).

    Raises Unexpected if there are more or fewer, or they are not `dim` finite numbers each.
    """
    rows = form.read(answer)
    if len(rows) != count:
        raise Unexpected(f"{len(rows)} vectors for {count} texts")
    try:
        with np.errstate(over="ignore"):
            found = np.asarray([_numbers(row) for row in rows], dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise Unexpected("vectors of different lengths, or of something else than numbers") from error
    if found.ndim != 2 or not found.shape[1]:
        raise Unexpected("something else than lists of numbers as vectors")
    if dim is not None and found.shape[1] != dim:
        raise Unexpected(f"vectors of {found.shape[1]} numbers, not {dim}")
    if not np.isfinite(found).all():
        raise Unexpected("a vector with a number that is not finite")
    return found


def scores(answer: Any, form: RerankFormat, count: int) -> Floats:
    """Return the answer's scores in the order of the documents: float32 (count,); Unexpected if any is missing."""
    ranked = form.read(answer)
    values = _in_order(ranked, count, "documents")
    try:
        found = np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise Unexpected("a score that is no number") from error
    if found.shape != (count,) or not np.isfinite(found).all():
        raise Unexpected("a score that is no finite number")
    return found


def member(answer: Any, *names: str) -> Any:
    """Return what the nested objects hold by these names."""
    for name in names:
        if not isinstance(answer, dict) or name not in answer:
            raise Unexpected(f"no '{'.'.join(names)}'")
        answer = answer[name]
    return answer


def listed(answer: Any, name: str) -> list[Any]:
    """Return the answer if it is a list."""
    if not isinstance(answer, list):
        raise Unexpected(f"no list of {name}")
    return answer


def _numbers(row: Any) -> Any:
    """Return a vector's numbers: a list as it is, base64 as the little-endian float32 it encodes."""
    if isinstance(row, str):
        try:
            return np.frombuffer(base64.b64decode(row, validate=True), dtype="<f4")
        except (binascii.Error, ValueError) as error:
            raise Unexpected("a vector that is no base64 of float32") from error
    return row


def _in_order(pairs: list[tuple[Any, Any]], count: int, what: str) -> list[Any]:
    """Return the values by their places, each of which must be there once."""
    places = [place for place, _ in pairs]
    if any(type(place) is not int for place in places) or sorted(places) != list(range(count)):
        raise Unexpected(f"{len(places)} results that do not number the {count} {what}")
    return [value for _, value in sorted(pairs, key=lambda pair: pair[0])]


def _flat(field: str) -> Callable[[str, list[str], Body], Body]:
    return lambda model, texts, options: {**({"model": model} if model else {}), field: texts, **options}


def _write_gemini(model: str, texts: list[str], options: Body) -> Body:
    name = "models/" + model.removeprefix("models/")
    return {"requests": [{"model": name, "content": {"parts": [{"text": text}]}, **options} for text in texts]}


def _read_data(answer: Any) -> list[Any]:
    data = listed(member(answer, "data"), "data")
    return _in_order([(member(one, "index"), member(one, "embedding")) for one in data], len(data), "texts")


def _read_gemini(answer: Any) -> list[Any]:
    return [member(one, "values") for one in listed(member(answer, "embeddings"), "embeddings")]


EMBED_FORMATS = {
    "openai": EmbedFormat(_flat("input"), _read_data),
    "cohere": EmbedFormat(_flat("texts"), lambda answer: listed(member(answer, "embeddings", "float"), "vectors")),
    "tei": EmbedFormat(
        lambda model, texts, options: {"inputs": texts, **options}, lambda answer: listed(answer, "vectors")
    ),
    "gemini": EmbedFormat(_write_gemini, _read_gemini),
    "nomic": EmbedFormat(_flat("texts"), lambda answer: listed(member(answer, "embeddings"), "vectors")),
}


def _write_documents(model: str, query: str, documents: list[str], options: Body) -> Body:
    return {**({"model": model} if model else {}), "query": query, "documents": documents, **options}


def _ranked(results: list[Any], score: str) -> list[tuple[Any, Any]]:
    return [(member(one, "index"), member(one, score)) for one in results]


RERANK_FORMATS = {
    "cohere": RerankFormat(
        _write_documents, lambda answer: _ranked(listed(member(answer, "results"), "results"), "relevance_score")
    ),
    "voyage": RerankFormat(
        _write_documents, lambda answer: _ranked(listed(member(answer, "data"), "data"), "relevance_score")
    ),
    "tei": RerankFormat(
        lambda model, query, documents, options: {"query": query, "texts": documents, **options},
        lambda answer: _ranked(listed(answer, "results"), "score"),
    ),
}
