"""Names and values as Milvus's filter language writes them: the inverse of reading them."""

from __future__ import annotations

import math
import re
from datetime import datetime
from itertools import pairwise
from typing import Any

from elanus.errors import FilterError
from elanus.filter.functions import OWN_OPTIONS
from elanus.filter.literals import INT64_MAX, INT64_MIN, valid_text
from elanus.filter.moments import Moment, moment
from elanus.filter.tokens import BOOLEANS, KEYWORDS, NAME, tokenise

PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
RESERVED = frozenset({*map(str.lower, KEYWORDS), *map(str.lower, BOOLEANS), "null", "none", "nil", "is"}) | {
    *("text_match", "phrase_match", "random_sample", "match_all", "match_any", "iso", "interval")
}
"""Names that are words of the language, here or in Milvus; such a field is written $meta["name"], declared or not."""
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def checked_value(value: Any) -> Any:
    """Return a value that a filter may hold, numpy's scalars and arrays as Python's.

    Raises:
        FilterError: a value of another type, an integer beyond 64 bits, or a number that is not finite.
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple, set, frozenset)):
        return [checked_value(item) for item in value]
    if isinstance(value, (bool, Moment)):
        return value
    if isinstance(value, datetime):
        try:
            return moment(value)
        except ValueError as error:
            raise FilterError(f"a filter cannot hold {value!r}: {error}") from None
    if isinstance(value, str):
        try:
            return valid_text(str(value))
        except ValueError as error:
            raise FilterError(f"a filter cannot hold the text {value!r}: {error}") from None
    if isinstance(value, int):
        if not INT64_MIN <= value <= INT64_MAX:
            raise FilterError(f"a filter's integers must fit 64 bits, {value} does not")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise FilterError(f"a filter's numbers must be finite, not {value}")
        return float(value)
    hint = "; compare with value.isoformat() if that is what the rows hold" if hasattr(value, "isoformat") else ""
    raise FilterError(f"a filter holds bools, numbers, strings and lists of them, not {type(value).__name__}{hint}")


def written_value(value: Any) -> str:
    """Return a value as a constant of the language."""
    if isinstance(value, list):
        return f"[{', '.join(map(written_value, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    return repr(value)


def quoted(text: str) -> str:
    """Return a text as a string constant."""
    return '"' + "".join(ESCAPES.get(c) or (c if c.isprintable() else _escaped(c)) for c in text) + '"'


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def written_path(name: str, keys: tuple[str | int, ...] = ()) -> str:
    """Return a field's name, or the dynamic key of that name, and the keys inside it.

    Raises:
        FilterError: a key that is not valid Unicode.
    """
    try:
        path = [valid_text(name), *(key if isinstance(key, int) else valid_text(key) for key in keys)]
    except ValueError as error:
        raise FilterError(f"the filter's key {name!r}: {error}") from None
    plain = name == "$meta" or (PLAIN_NAME.fullmatch(name) and name.lower() not in RESERVED)
    head = name if plain else "$meta"
    inside = path[1:] if plain else path
    return head + "".join(f"[{key if isinstance(key, int) else quoted(key)}]" for key in inside)


def beyond_milvus(text: str) -> str | None:
    """Return an option in a filter that Milvus has not, if there is one; a filter that is none of ours is Milvus's."""
    try:
        tokens = tokenise(text)
    except FilterError:
        return None
    named = (token.text.lower() for token, sign in pairwise(tokens) if token.kind == NAME and sign.kind == "=")
    return next((name for name in named if name in OWN_OPTIONS), None)


def escaped_pattern(text: str) -> str:
    """Return the LIKE pattern that fits exactly this text."""
    return re.sub(r"([\\%_])", r"\\\1", text)
