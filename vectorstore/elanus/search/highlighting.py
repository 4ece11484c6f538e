"""Highlights: what the words of a question are in the texts of the hits that leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from elanus.analysis import FieldAnalyzer, analyzer_of
from elanus.analysis.highlighter import LexicalHighlighter
from elanus.analysis.marking import Marks, spans_of
from elanus.errors import FieldNotFound, InvalidArgument, did_you_mean
from elanus.schema.collection import CollectionSchema
from elanus.schema.output import Output
from elanus.search.found import Found, fetch
from elanus.search.request import Route
from elanus.storage.view import View


@dataclass(frozen=True)
class Marked:
    """One text field, and for each query the terms to mark in it."""

    field: str
    analyzer: FieldAnalyzer
    terms: Sequence[frozenset[str]]


@dataclass(frozen=True)
class Highlighting:
    """What is marked in the hits of one call."""

    marks: Marks
    fields: Sequence[Marked]

    def of(self, view: View, query: int, page: Found) -> list[dict[str, Any]]:
        """Of each hit of a query's page by field {"fragments": [...], "scores": []}, as pymilvus tells it."""
        names = {name for one in self.fields for name in (one.field, one.analyzer.by_field) if name is not None}
        rows = fetch(view, page.rids, Output(plain=tuple(sorted(names))))
        return [
            {one.field: {"fragments": self._fragments(one, query, row), "scores": []} for one in self.fields}
            for row in rows
        ]

    def _fragments(self, one: Marked, query: int, row: Mapping[str, Any]) -> list[str]:
        text, by_field = row[one.field], one.analyzer.by_field
        if text is None:
            return []
        analyzer = one.analyzer.named(None if by_field is None else row[by_field])
        return self.marks.mark(text, spans_of(analyzer, text, one.terms[query]))


def highlighting(schema: CollectionSchema, highlighter: LexicalHighlighter, routes: Sequence[Route]) -> Highlighting:
    """Check what a highlighter marks in the hits of these routes.

    Raises:
        InvalidArgument, FieldNotFound: there is nothing to mark, or no field whose words are known.
    """
    queries = routes[0].queries
    terms: dict[str, list[set[str]]] = {}
    analyzers: dict[str, FieldAnalyzer] = {}

    def add(name: str, texts: Sequence[str], analyzer_name: str | None) -> None:
        analyzer = analyzers.setdefault(name, _analyzer(schema, name))
        own = terms.setdefault(name, [set() for _ in range(queries)])
        for query, text in enumerate(texts):
            own[query].update(analyzer.named(analyzer_name).tokens(text))

    if highlighter.searched:
        searched = [(schema.bm25_input(route.field.name), route) for route in routes]
        for source, route in searched:
            if source is not None:
                add(source.name, route.texts, route.params.analyzer_name)
        if not terms:
            raise InvalidArgument(
                "highlighter: highlight_search_text marks the texts of a BM25 search, which this is not; give "
                "highlight_query"
            )
    for asked in highlighter.asked:
        add(asked["field"], [asked["text"]] * queries, asked.get("analyzer_name"))
    if not terms:
        raise InvalidArgument("highlighter: nothing to mark; give highlight_search_text=True or highlight_query")
    fields = [Marked(name, analyzers[name], list(map(frozenset, own))) for name, own in terms.items()]
    return Highlighting(highlighter.marks, fields)


def _analyzer(schema: CollectionSchema, name: str) -> FieldAnalyzer:
    if name not in schema.names():
        raise FieldNotFound(f"highlighter: no field '{name}'{did_you_mean(name, schema.names())}")
    field = schema.field(name)
    if not field.enable_analyzer:
        raise InvalidArgument(
            f"highlighter: field '{name}' has no analyzer; only texts with enable_analyzer have words"
        )
    return analyzer_of(field)
