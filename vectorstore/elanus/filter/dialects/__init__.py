"""Other libraries' filters, translated to the one language: LangChain's, Chroma's, LlamaIndex's and Qdrant's.

In all of them a row without a key does not satisfy a condition on it, and so satisfies the condition's negation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from elanus.errors import FilterError, InvalidArgument, did_you_mean
from elanus.filter.dialects.llamaindex import from_llamaindex
from elanus.filter.dialects.mongo import from_chroma, from_langchain
from elanus.filter.dialects.qdrant import from_qdrant
from elanus.filter.dialects.rules import Rule
from elanus.filter.expression import Expression

DIALECTS: Mapping[str, Callable[[Any], Rule | None]] = {
    "langchain": from_langchain,
    "chroma": from_chroma,
    "llamaindex": from_llamaindex,
    "qdrant": from_qdrant,
}


def translate_filter(filter: Any, dialect: str) -> Expression | str | None:
    """Return another library's filter as an `Expression`; None if it asks nothing.

    Args:
        filter: a dict (or LlamaIndex's and Qdrant's own objects); an `Expression` or a str of Milvus's language stays
            as it is.
        dialect: "langchain", "chroma", "llamaindex" or "qdrant".

    Raises:
        FilterError: a part that the dialect does not have, or a value that no filter can hold; names the part.
        NotSupported: a part of the dialect that has no counterpart here.
    """
    translate = DIALECTS.get(dialect)
    if translate is None:
        hint = did_you_mean(str(dialect), DIALECTS) or f"; there are {', '.join(DIALECTS)}"
        raise InvalidArgument(f"no filter dialect {dialect!r}{hint}")
    if filter is None or isinstance(filter, Expression):
        return filter
    if isinstance(filter, str):
        return filter or None
    try:
        rule = translate(filter)
        return None if rule is None else rule(False)
    except RecursionError:
        raise FilterError(f"the {dialect} filter is nested too deeply") from None
