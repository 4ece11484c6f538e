"""Ranking hits anew with a model: which text it reads, for which question, and the hits in its order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from elanus.errors import InvalidArgument, did_you_mean
from elanus.models import failing
from elanus.rank.models import rerank_scores
from elanus.rank.reranking import Reranking
from elanus.schema.collection import CollectionSchema
from elanus.schema.output import Output
from elanus.search.found import Found, fetch
from elanus.search.request import given_texts
from elanus.storage.view import View
from elanus.types import DataType


@dataclass(frozen=True, eq=False)
class Judge:
    """A model with all it needs: the field that holds the documents, a question for each query, how many hits."""

    model: Any
    said: str
    field: str
    questions: Sequence[str]
    candidates: int | None

    def rerank(self, view: View, found: Sequence[Found], wanted: int) -> list[Found]:
        """Return each query's hits in the model's order and with its scores; equals stay in their order.

        It ranks all of them, or as many as `candidates` says and `wanted` needs.

        Raises:
            ModelFailed: the model did.
        """
        if self.candidates is not None:
            most = max(self.candidates, wanted)
            found = [hits.window(0, most) for hits in found]
        return [self._rank(view, hits, question) for hits, question in zip(found, self.questions, strict=True)]

    def _rank(self, view: View, hits: Found, question: str) -> Found:
        texts = [row[self.field] or "" for row in fetch(view, hits.rids, Output((self.field,)))]
        with failing(self.said):
            scores = rerank_scores(self.model, question, texts)
        order = np.argsort(-scores, kind="stable")
        return Found(hits.rids[order], scores[order].astype(np.float32))


def make_judge(schema: CollectionSchema, asked: Reranking, data: Sequence[Any], queries: int) -> Judge:
    """Settle what a reranking leaves open from the schema and from what each request searches with.

    Raises:
        InvalidArgument: the text field or the questions are not clear, or do not fit; says how to name them.
    """
    field, questions = _text_field(schema, asked), _questions(asked, data, queries)
    return Judge(asked.model, asked.said, field, questions, asked.candidates)


def _text_field(schema: CollectionSchema, asked: Reranking) -> str:
    texts = [field.name for field in schema.fields if field.dtype == DataType.VARCHAR]
    if asked.field is not None:
        if asked.field not in texts:
            near = did_you_mean(asked.field, texts)
            raise InvalidArgument(f"{asked.said}: '{asked.field}' is no VARCHAR field of the collection{near}")
        return asked.field
    read = {name for function in schema.functions for name in function.input_field_names}
    if len(read) != 1:
        raise InvalidArgument(
            f"{asked.said}: which text field to rerank by is not clear (the collection's functions read "
            f"{sorted(read) or 'none'}); name it: Function(name, FunctionType.RERANK, [field], params=...)"
        )
    return read.pop()


def _questions(asked: Reranking, data: Sequence[Any], queries: int) -> tuple[str, ...]:
    questions = asked.queries
    if questions is None:
        given = {texts for texts in map(given_texts, data) if texts is not None}
        if len(given) != 1:
            why = "the requests search for different texts" if given else "the search is by vectors"
            raise InvalidArgument(
                f"{asked.said}: {why}, so the questions are not clear; give them as params['queries'] of a "
                "Function(name, FunctionType.RERANK, ...)"
            )
        questions = given.pop()
    if len(questions) != queries:
        raise InvalidArgument(f"{asked.said}: {len(questions)} questions for {queries} queries; give one for each")
    return questions
