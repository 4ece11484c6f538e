"""Values as the JSON text that is stored: what may be stored, and in which form."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from elanus.schema.unfit import Unfit

MAX_JSON_BYTES = 65_536
MAX_JSON_DEPTH = 100
LEAVES = frozenset({str, int, float, bool, type(None)})
ONLY_STR = frozenset({str})


def json_text(value: Any) -> str:
    """Return a value as compact JSON; numpy scalars and arrays count as numbers and lists, tuples as lists.

    Raises:
        Unfit: NaN or infinity, keys that are no str, other types, unpaired surrogates, more than 100 levels, or more
            than 65,536 bytes.
    """
    try:
        _check_keys(value, MAX_JSON_DEPTH)
        text = ENCODER.encode(value)
        size = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        raise Unfit("no valid Unicode (unpaired surrogate)") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise Unfit(f"no JSON: {error}") from None
    if size > MAX_JSON_BYTES:
        raise Unfit(f"{size} bytes as JSON, more than {MAX_JSON_BYTES}")
    return text


def field_text(value: Any) -> str:
    """Return the value of a JSON field as JSON; a str is JSON text already, as it is to pymilvus 3, and checked."""
    if not isinstance(value, str):
        return json_text(value)
    try:
        parsed = json.loads(value, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Unfit(f"a str must be JSON text: {error}; json.dumps() makes it so") from None
    return json_text(parsed)


def _check_keys(value: Any, levels: int) -> None:
    """Refuse what json would turn into something else (keys that are no str) or could not read back (deep nesting)."""
    if isinstance(value, dict):
        if not ONLY_STR.issuperset(map(type, value)):
            _check_each_key(value)
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return
    for inner in value:
        if type(inner) not in LEAVES and isinstance(inner, (dict, list, tuple)):
            if not levels:
                raise ValueError(f"nested deeper than {MAX_JSON_DEPTH} levels")
            _check_keys(inner, levels - 1)


def _check_each_key(value: dict[Any, Any]) -> None:
    for key in value:
        if not isinstance(key, str):
            raise TypeError(f"key {key!r} is no str")


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufU":
        return value.tolist()
    if isinstance(value, np.generic) and value.dtype.kind in "biufU":
        return value.item()
    raise TypeError(f"{type(value).__name__} is not JSON serialisable")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not allowed")


ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain, check_circular=False
)
