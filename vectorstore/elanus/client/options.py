"""Arguments that Milvus's client knows and this one does not implement yet: refused by name, never ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from elanus.errors import InvalidArgument, NotSupported, did_you_mean
from elanus.types import ConsistencyLevel

INSTEAD = {
    "num_shards": "an embedded store has no shards; leave it out",
    "replica_number": "an embedded store has no replicas; leave it out",
    "resource_groups": "leave it out",
    "load_fields": "columns are mapped when used; leave it out",
    "skip_load_dynamic_field": "columns are mapped when used; leave it out",
    "refresh": "every read sees every commit; leave it out",
    "function_chains": "use hybrid_search",
    "search_aggregation": "aggregate the hits yourself",
    "json_path": "write the path into group_by_field, as in meta['key']",
    "json_type": "values of JSON are grouped by what they are; leave it out",
    "strict_cast": "values of JSON are grouped by what they are; leave it out",
    "db_name": "use_database(name) first",
    "guarantee_timestamp": "use consistency_level",
    "graceful_time": "use consistency_level",
    "timezone": "leave it out",
    "time_fields": "leave it out",
    "namespace": "filter on a field instead",
    "enable_namespace": "filter on a field instead",
    "ignore_growing": "rows are searchable at once; leave it out",
    "radius": "write it into search_params",
    "range_filter": "write it into search_params",
    "iterator": "use query_iterator or search_iterator",
    "iterator_cp_file": "an iterator ends with its process; go on with a filter on the last key",
    "reduce_stop_for_best": "answers are complete without it; leave it out",
    "token": "a folder has no accounts; use file permissions",
    "user": "a folder has no accounts; use file permissions",
    "password": "a folder has no accounts; use file permissions",
    "uri": "give the path as the first argument",
    "is_clustering": "rows are found by their key without it; leave it out",
    "is_l0": "deletes are merged with the rest; leave it out",
    "target_size": "segments merge by their sizes; leave it out",
    "states": "every segment is flushed and searchable; leave it out",
}


def refuse(call: str, options: Mapping[str, Any], known: tuple[str, ...] = ()) -> None:
    """Raise for the first option that was given a value: NotSupported if Milvus knows it, else InvalidArgument."""
    for name, value in options.items():
        if name in INSTEAD:
            if value not in (None, "", False, [], {}):
                raise NotSupported(f"{call}: '{name}' is not supported yet; {INSTEAD[name]}")
        else:
            raise InvalidArgument(f"{call}: unknown argument '{name}'{did_you_mean(name, [*known, *INSTEAD])}")


def check_timeout(call: str, timeout: object) -> float | None:
    """Return a waiting time in seconds, or None for as long as it takes."""
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or timeout < 0:
        raise InvalidArgument(f"{call}: timeout must be a number of seconds, not {timeout!r}")
    return float(timeout)


def check_whole(call: str, name: str, value: object, low: int, high: int) -> int:
    """Return an integer argument within its range."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidArgument(f"{call}: {name} must be a whole number from {low} to {high}, not {value!r}")
    return value


def check_dict(call: str, name: str, value: object) -> dict[str, Any]:
    """Return a dict argument; None counts as an empty one."""
    if value is not None and not isinstance(value, Mapping):
        raise InvalidArgument(f"{call}: {name} must be a dict, not {type(value).__name__}")
    return dict(value or {})


def given_consistency(call: str, level: object) -> ConsistencyLevel | None:
    """Return a read's consistency level, or None for the collection's own."""
    return None if level is None else consistency(call, level)


def consistency(call: str, level: object) -> ConsistencyLevel:
    """Return a consistency level given by name, number or member."""
    try:
        if isinstance(level, str):
            return ConsistencyLevel[level.capitalize()]
        if not isinstance(level, int) or isinstance(level, bool):
            raise TypeError
        return ConsistencyLevel(level)
    except (KeyError, ValueError, TypeError):
        names = ", ".join(m.name for m in ConsistencyLevel)
        raise InvalidArgument(f"{call}: no consistency level {level!r}; use one of {names}") from None
