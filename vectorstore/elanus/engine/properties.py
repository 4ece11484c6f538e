"""The properties of a collection: which there are, and what a value of each may be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from elanus.errors import InvalidArgument, NotSupported, did_you_mean

TTL = "collection.ttl.seconds"
DYNAMIC = "dynamicfield.enabled"
OWN_IDS = "allow_insert_auto_id"
MAX_SECONDS = 2**40


def _flag(value: object) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return value if isinstance(value, bool) else None


def _seconds(value: object) -> int | None:
    try:
        number = int(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else -2
    except ValueError:
        return None
    return number if -1 <= number <= MAX_SECONDS else None


PROPERTIES: Mapping[str, tuple[Callable[[object], Any], str]] = {
    TTL: (_seconds, "a whole number of seconds; 0 or -1 for no end"),
    DYNAMIC: (_flag, "true or false"),
    OWN_IDS: (_flag, "true or false"),
    "mmap.enabled": (_flag, "true or false"),
    "lazyload.enabled": (_flag, "true or false"),
    "partitionkey.isolation": (_flag, "true or false"),
}
"""What each value is read by, and how it is said in an error. The last three are hints to a server about how it keeps
rows: columns are always memory-mapped and read when used, and a tenant's rows are always found by their key."""

UNSUPPORTED = {
    "collection.replica.number": "an embedded store has no replicas",
    "collection.resource_groups": "an embedded store has no resource groups",
    "collection.autocompaction.enabled": "merging is always on and bounded",
    "timezone": "give times with their zone",
}


def checked_properties(call: str, properties: object) -> dict[str, Any]:
    """Return properties with their values as what they mean.

    Raises:
        InvalidArgument: not a dict, an unknown name, or a value that does not fit.
        NotSupported: a property of Milvus that means nothing here.
    """
    if not isinstance(properties, Mapping):
        raise InvalidArgument(f"{call}: properties must be a dict, not {type(properties).__name__}")
    return {str(name): _checked(call, str(name), value) for name, value in properties.items()}


def _checked(call: str, name: str, value: object) -> Any:
    check_property_name(call, name)
    read, said = PROPERTIES[name]
    known = read(value)
    if known is None:
        raise InvalidArgument(f"{call}: property '{name}' must be {said}, not {value!r}")
    return known


def check_property_names(call: str, names: object) -> list[str]:
    """Return names of properties, known ones."""
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise InvalidArgument(f"{call}: property_keys must be a list of names, not {names!r}")
    listed = [str(name) for name in names]
    for name in listed:
        check_property_name(call, name)
    return listed


def check_property_name(call: str, name: str) -> None:
    """Refuse a property that does not exist."""
    if name in UNSUPPORTED:
        raise NotSupported(f"{call}: property '{name}' is not supported; {UNSUPPORTED[name]}")
    if name not in PROPERTIES:
        raise InvalidArgument(
            f"{call}: unknown property '{name}'; there are {', '.join(PROPERTIES)}{did_you_mean(name, PROPERTIES)}"
        )
