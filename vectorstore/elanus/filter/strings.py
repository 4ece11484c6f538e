"""Strings in columns: comparisons by code point, membership and LIKE."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from elanus.filter.columns import Bools
from elanus.filter.pattern import ANYWHERE, EXACT, INNER, PREFIX, REGEX, SUFFIX, Pattern
from elanus.filter.vectors import from_texts, texts_where
from elanus.schema.buffers import bits

COMPARE: dict[str, Callable[[Any, Any], pa.Array]] = {
    "==": pc.equal,
    "!=": pc.not_equal,
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
}
LIKE: dict[str, Callable[[pa.Array, str], pa.Array]] = {
    EXACT: lambda texts, literal: pc.equal(texts, from_texts([literal])[0]),
    PREFIX: lambda texts, literal: pc.starts_with(texts, pattern=literal),
    SUFFIX: lambda texts, literal: pc.ends_with(texts, pattern=literal),
    INNER: lambda texts, literal: pc.match_substring(texts, pattern=literal),
    REGEX: lambda texts, regex: pc.match_substring_regex(texts, pattern=rf"\A(?:{regex})\z"),
    ANYWHERE: lambda texts, regex: pc.match_substring_regex(texts, pattern=regex),
}


def compare_text(column: pa.Array, op: str, const: str) -> Bools:
    """Compare strings with a constant; UTF-8 orders as code points do."""
    scalar = from_texts([const])[0]
    return texts_where(column, lambda texts: COMPARE[op](texts, scalar))


def compare_texts(left: pa.Array, op: str, right: pa.Array) -> Bools:
    """Compare two string columns row by row."""
    return bits(COMPARE[op](_plain(left), _plain(right)))


def like(column: pa.Array, pattern: Pattern) -> Bools:
    """Return where strings fit a LIKE pattern."""
    return texts_where(column, lambda texts: LIKE[pattern.how](texts, pattern.text))


def member_text(column: pa.Array, values: Sequence[Any]) -> Bools:
    """Return where strings are among some constants; constants that are no strings are ignored."""
    wanted = from_texts([v for v in values if isinstance(v, str)])
    return texts_where(column, lambda texts: pc.is_in(texts, value_set=wanted))


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
