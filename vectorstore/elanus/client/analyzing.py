"""What an analyzer makes of texts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from elanus.analysis import make_analyzer
from elanus.client.base import Base
from elanus.client.options import check_timeout
from elanus.errors import InvalidArgument, NotSupported


class Terms(list[str]):
    """The terms of a text in their order; `tokens` is the same list, as pymilvus's result has it."""

    @property
    def tokens(self) -> list[str]:
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

        Args:
            analyzer_params: Milvus's parameters, a dict or JSON; or instead `collection_name` and `field_name`, for the
                analyzer of that field. Without either the standard analyzer.

        Raises:
            InvalidArgument, NotSupported: the parameters are not an analyzer's; names the option.
        """
        check_timeout("run_analyzer", timeout)
        unsupported = {"with_hash": with_hash, "with_detail": with_detail, "analyzer_names": analyzer_names}
        for option, value in unsupported.items():
            if value:
                raise NotSupported(f"run_analyzer: '{option}' is not supported; it gives the terms in their order")
        listed = [texts] if isinstance(texts, str) else texts
        if not isinstance(listed, (list, tuple)) or not all(isinstance(text, str) for text in listed):
            raise InvalidArgument("run_analyzer: texts must be a str or a list of str")
        analyzer = make_analyzer(self._params(analyzer_params, collection_name, field_name))
        found = [Terms(analyzer.tokens(text)) for text in listed]
        return found[0] if isinstance(texts, str) else found

    def _params(
        self, params: str | Mapping[str, Any] | None, collection: str | None, field: str | None
    ) -> Mapping[str, Any] | None:
        if collection is None and field is None:
            try:
                read: Mapping[str, Any] | None = json.loads(params) if isinstance(params, str) else params
            except ValueError as error:
                raise InvalidArgument(f"run_analyzer: analyzer_params are not valid JSON: {error}") from None
            return read
        if collection is None or field is None or params is not None:
            raise InvalidArgument("run_analyzer: give analyzer_params, or collection_name and field_name together")
        declared = self._collection(collection).definition.schema.field(field)
        if not declared.enable_analyzer:
            raise InvalidArgument(f"run_analyzer: field '{field}' of '{collection}' has no analyzer")
        return declared.analyzer_params
