"""What a search is asked to mark in the texts of its hits, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from elanus.analysis.marking import Marks
from elanus.errors import InvalidArgument, NotSupported, did_you_mean

QUERY_KEYS = ("type", "field", "text", "analyzer_name")
TEXT_MATCH = "TextMatch"


class LexicalHighlighter:
    """Mark the words that were asked for in the texts of hits, as pymilvus's class of the same name.

    Args:
        highlight_query: further words to mark: dicts {"type": "TextMatch", "field": ..., "text": ...}; for a field with
            several analyzers also "analyzer_name", of the text.
        highlight_search_text: mark the words of the texts that BM25 searched with.
        pre_tags, post_tags: what stands before and behind a marked word, "<em>" and "</em>" by default; of several the
            words take turns.
        fragment_offset: how many characters a fragment begins before its first marked word.
        fragment_size: the most characters of a fragment (default 100), tags not counted.
        num_of_fragments: the most fragments of a text (default 5).

    Raises:
        InvalidArgument: an argument that does not fit; names it.
    """

    def __init__(
        self,
        *,
        highlight_query: Sequence[Mapping[str, str]] | None = None,
        highlight_search_text: bool | None = None,
        pre_tags: Sequence[str] | None = None,
        post_tags: Sequence[str] | None = None,
        fragment_offset: int | None = None,
        fragment_size: int | None = None,
        num_of_fragments: int | None = None,
    ) -> None:
        if highlight_search_text not in (None, True, False):
            raise InvalidArgument(
                f"highlighter: highlight_search_text must be True or False, not {highlight_search_text!r}"
            )
        self.searched = bool(highlight_search_text)
        self.asked = tuple(map(_checked_query, _listed("highlight_query", highlight_query, Mapping) or ()))
        given: dict[str, Any] = {
            "before": _listed("pre_tags", pre_tags, str),
            "after": _listed("post_tags", post_tags, str),
            "offset": _whole("fragment_offset", fragment_offset, 0),
            "size": _whole("fragment_size", fragment_size, 1),
            "fragments": _whole("num_of_fragments", num_of_fragments, 1),
        }
        self.marks = Marks(**{name: value for name, value in given.items() if value is not None})
        self.params: dict[str, Any] = {
            name: value
            for name, value in (
                ("pre_tags", pre_tags),
                ("post_tags", post_tags),
                ("fragment_offset", fragment_offset),
                ("fragment_size", fragment_size),
                ("num_of_fragments", num_of_fragments),
                ("highlight_query", highlight_query),
                ("highlight_search_text", highlight_search_text),
            )
            if value is not None
        }

    def also(self, field: str, text: str | None, analyzer_name: str | None = None) -> LexicalHighlighter:
        """Return this one, which marks the words of a text in a field too.

        Raises:
            InvalidArgument: there is no text, as in a search by vector.
        """
        if text is None:
            raise InvalidArgument("highlight: a search by vector has no words to mark; search with the query's text")
        named = {} if analyzer_name is None else {"analyzer_name": analyzer_name}
        query = {"type": TEXT_MATCH, "field": field, "text": text, **named}
        return LexicalHighlighter(**{**self.params, "highlight_query": [*self.asked, query]})

    def __repr__(self) -> str:
        return f"LexicalHighlighter({', '.join(f'{name}={value!r}' for name, value in self.params.items())})"


def chosen_highlighter(highlight: Any) -> LexicalHighlighter | None:
    """Return what the option `highlight` of a retriever means: True is the usual highlighter, False is none.

    Raises:
        InvalidArgument, NotSupported: neither of these, nor a highlighter.
    """
    if highlight is None or highlight is False:
        return None
    return LexicalHighlighter() if highlight is True else as_highlighter(highlight)


def as_highlighter(given: Any) -> LexicalHighlighter:
    """Return a highlighter from ours or pymilvus's.

    Raises:
        NotSupported: pymilvus's SemanticHighlighter.
        InvalidArgument: no highlighter, or parameters that do not fit.
    """
    if isinstance(given, LexicalHighlighter):
        return given
    kind, params = type(given).__name__, getattr(given, "params", None)
    if kind == "SemanticHighlighter":
        raise NotSupported("highlighter: SemanticHighlighter asks a model on a server; use LexicalHighlighter")
    if kind != "LexicalHighlighter" or not isinstance(params, Mapping):
        raise InvalidArgument(f"highlighter must be a LexicalHighlighter, not {kind}")
    return LexicalHighlighter(**params)


def _checked_query(asked: Mapping[str, str]) -> dict[str, str]:
    where = f"highlighter: highlight_query {dict(asked)!r}"
    for key in asked:
        if key not in QUERY_KEYS:
            raise InvalidArgument(f"{where} has no key {key!r}{did_you_mean(str(key), QUERY_KEYS)}")
    if asked.get("type", TEXT_MATCH) != TEXT_MATCH:
        raise NotSupported(f"{where}: type must be {TEXT_MATCH!r}")
    if not isinstance(asked.get("field"), str) or not isinstance(asked.get("text"), str):
        raise InvalidArgument(f"{where} needs 'field' and 'text', each a str")
    return dict(asked)


def _listed(name: str, given: Any, kind: type) -> tuple[Any, ...] | None:
    if given is None:
        return None
    if not isinstance(given, (list, tuple)) or not given or not all(isinstance(one, kind) for one in given):
        what = "str" if kind is str else "dicts"
        raise InvalidArgument(f"highlighter: {name} must be a list of {what}, at least one, not {given!r}")
    return tuple(given)


def _whole(name: str, given: Any, least: int) -> int | None:
    if given is not None and (isinstance(given, bool) or not isinstance(given, int) or given < least):
        raise InvalidArgument(f"highlighter: {name} must be a whole number of at least {least}, not {given!r}")
    return given
