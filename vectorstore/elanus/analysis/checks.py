"""What the readers of analyzer parameters ask of them; everything wrong is refused by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from elanus.errors import InvalidArgument, NotSupported, did_you_mean

_Entry = TypeVar("_Entry")


def need(condition: bool, message: str) -> None:
    """Raise InvalidArgument with the message unless the condition holds."""
    if not condition:
        raise InvalidArgument(message)


def only(params: Mapping[str, Any], known: set[str], where: str, later: Mapping[str, str] | None = None) -> None:
    """Refuse options that are not known; `later` has those that Milvus knows, with what to do instead."""
    for key in params:
        if later and key in later:
            raise NotSupported(f"{where}: option {key!r} is not supported; {later[key]}")
        need(key in known, f"{where} has no option {key!r}{did_you_mean(str(key), known)}")


def look_up(
    name: Any, table: Mapping[str, _Entry], later: Mapping[str, str], what: str, also: Iterable[str] = ()
) -> _Entry:
    """Return a name's entry; `later` has names that Milvus knows, with what to do instead, `also` others to suggest."""
    if isinstance(name, str) and name in table:
        return table[name]
    if isinstance(name, str) and name in later:
        raise NotSupported(f"{what} {name!r} is not supported; {later[name]}")
    raise InvalidArgument(f"unknown {what} {name!r}{did_you_mean(str(name), sorted({*table, *also}))}")


def type_of(entry: Any, what: str) -> str:
    """The name of a tokenizer or filter, given alone or with options."""
    name = entry.get("type") if isinstance(entry, Mapping) else entry
    if not isinstance(name, str):
        raise InvalidArgument(f"a {what} of analyzer_params must be a name or {{'type': name, ...}}, not {entry!r}")
    return name


def is_list(value: Any) -> bool:
    """Whether a value is a list or a tuple."""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def strings(value: Any, message: str, *, empty: bool = False) -> tuple[str, ...]:
    """Return a list of strings, none of them empty, as a tuple; `empty` says whether the list may be."""
    fits = is_list(value) and (empty or bool(value)) and all(isinstance(one, str) and one for one in value)
    need(fits, message)
    return tuple(value)


def flag(entry: Mapping[str, Any], option: str, default: bool, where: str) -> bool:
    """Return an option that is True or False."""
    value = entry.get(option, default)
    need(isinstance(value, bool), f"{option!r} of {where} must be True or False, not {value!r}")
    return bool(value)


def expression(value: Any, what: str) -> str:
    """Return a regular expression."""
    need(isinstance(value, str) and bool(value), f"{what} must be a regular expression, not {value!r}")
    try:
        re.compile(value)
    except re.error as error:
        raise InvalidArgument(f"{what} is no regular expression: {error}") from None
    return str(value)
