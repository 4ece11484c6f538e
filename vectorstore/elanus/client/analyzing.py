"""What an analyzer makes of texts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from elanus.analysis import Analyzer, FieldAnalyzer, analyzer_of, make_analyzer
from elanus.analysis.tracing import hashed
from elanus.client.base import Base
from elanus.client.options import check_timeout
from elanus.errors import InvalidArgument


class Token(dict[str, Any]):
    """A term and what is told of it, by key or as attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"no '{name}' is told of a token; there are {', '.join(self)}") from None


class Terms(list[Any]):
    """The terms of a text in their order; `tokens` is the same list, as pymilvus's result has it."""

    @property
    def tokens(self) -> list[Any]:
        """The terms."""
        return list(self)


class Analyzing(Base):
    """The client's method that shows analyzers at work."""

    def run_analyzer(
        self,
        texts: str | list[str],
        analyzer_params: str | Mapping[str, Any] | None = None,
        with_hash: bool = False,
        with_detail: bool = False,
        collection_name: str | None = None,
        field_name: str | None = None,
        analyzer_names: str | list[str] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Return the terms of one text, or a list of those of several.

        A term is a str; with `with_hash` or `with_detail` a dict with "token", and "hash", or the "start_offset" and
        "end_offset" of the word that it was made of, in bytes of UTF-8, its "position" and "position_length".

        Args:
            analyzer_params: Milvus's parameters, a dict or JSON; or instead `collection_name` and `field_name`, for the
                analyzer of that field. Without either the standard analyzer.
            analyzer_names: of a field with `multi_analyzer_params`, which analyzer reads the texts, or a list of one
                for each text; the default one where no analyzer has the name.

        Raises:
            InvalidArgument, NotSupported: the parameters are not an analyzer's; names the option.
        """
        check_timeout("run_analyzer", timeout)
        for option, value in (("with_hash", with_hash), ("with_detail", with_detail)):
            if not isinstance(value, bool):
                raise InvalidArgument(f"run_analyzer: {option} must be True or False, not {value!r}")
        listed = [texts] if isinstance(texts, str) else texts
        if not isinstance(listed, (list, tuple)) or not all(isinstance(text, str) for text in listed):
            raise InvalidArgument("run_analyzer: texts must be a str or a list of str")
        analyzers = _named(self._analyzer(analyzer_params, collection_name, field_name), analyzer_names, len(listed))
        found = [
            Terms(_told(analyzer, text, with_hash, with_detail) if with_hash or with_detail else analyzer.tokens(text))
            for analyzer, text in zip(analyzers, listed, strict=True)
        ]
        return found[0] if isinstance(texts, str) else found

    def _analyzer(
        self, params: str | Mapping[str, Any] | None, collection: str | None, field: str | None
    ) -> FieldAnalyzer:
        if collection is None and field is None:
            try:
                return make_analyzer(json.loads(params) if isinstance(params, str) else params)
            except json.JSONDecodeError as error:
                raise InvalidArgument(f"run_analyzer: analyzer_params are not valid JSON: {error}") from None
        if collection is None or field is None or params is not None:
            raise InvalidArgument("run_analyzer: give analyzer_params, or collection_name and field_name together")
        declared = self._collection(collection).definition.schema.field(field)
        if not declared.enable_analyzer:
            raise InvalidArgument(f"run_analyzer: field '{field}' of '{collection}' has no analyzer")
        return analyzer_of(declared)


def _told(analyzer: Analyzer, text: str, with_hash: bool, with_detail: bool) -> list[Token]:
    tokens = []
    for traced in analyzer.trace(text):
        token = Token(token=traced.term)
        if with_detail:
            begin = len(text[: traced.start].encode())
            token["start_offset"] = begin
            token["end_offset"] = begin + len(text[traced.start : traced.end].encode())
            token["position"] = traced.position
            token["position_length"] = traced.length
        if with_hash:
            token["hash"] = hashed(traced.term)
        tokens.append(token)
    return tokens


def _named(analyzer: FieldAnalyzer, names: Any, texts: int) -> Sequence[Analyzer]:
    """The analyzer of each text."""
    if names is None:
        return [analyzer.named()] * texts
    if analyzer.by_field is None:
        raise InvalidArgument("run_analyzer: analyzer_names are for a field with multi_analyzer_params")
    listed = [names] if isinstance(names, str) else names
    if not isinstance(listed, (list, tuple)) or not all(isinstance(name, str) for name in listed):
        raise InvalidArgument(f"run_analyzer: analyzer_names must be a str or a list of str, not {names!r}")
    if len(listed) not in (1, texts):
        raise InvalidArgument(
            f"run_analyzer: {len(listed)} analyzer_names for {texts} texts; give one, or one for each"
        )
    return [analyzer.named(name) for name in (listed * texts if len(listed) == 1 else listed)]
