"""JSON columns by path: each steady key becomes a typed column, so that a filter on it is a vector operation.

The text stays the truth and the columns are an index over it. A path has, per row, a state (missing, null, in a
column, residual, object) and at most one column per type. Paths beyond the caps, and paths with array indexes, have no
columns: they are answered by reading the texts again, with the same answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from elanus.filter.columns import PathValues
from elanus.filter.vectors import from_bools, from_texts, with_nulls
from elanus.schema.buffers import bits, from_numbers, numbers
from elanus.storage.encoding import dictionary

MAX_PATHS = 256
MAX_KEYS = 8
MAX_READ = 64
READ_AT_ONCE = 16_384
MISSING, NULL, TYPED, RESIDUAL, OBJECT = range(5)

Keys = tuple["str | int", ...]
States = np.ndarray[Any, np.dtype[np.uint8]]
Places = np.ndarray[Any, np.dtype[np.int64]]
Occurrences = tuple[list[int], list[Any]]

SCALARS: dict[type, Callable[[list[Any]], pa.Array]] = {
    bool: lambda values: from_bools(np.array(values, np.bool_)),
    int: lambda values: from_numbers(np.array(values, np.int64)),
    float: lambda values: from_numbers(np.array(values, np.float64)),
    str: from_texts,
}


@dataclass(frozen=True, eq=False)
class Stored:
    """One path: a state per row (uint8 (n,), or one for all rows) and its typed columns."""

    states: States | int
    columns: tuple[pa.Array, ...]


@dataclass(frozen=True, eq=False)
class Shredded:
    """A JSON column of n texts and what is known of its paths.

    `complete` says that every path without an array index is among `paths`, or leads nowhere in every row.
    """

    texts: pa.Array
    paths: Mapping[Keys, Stored]
    complete: bool
    _found: dict[Keys, PathValues] = field(default_factory=dict)

    def path(self, keys: Keys) -> PathValues:
        """Return the values at a path; the first request for one without columns reads the texts."""
        found = self._found.get(keys)
        if found is None:
            if len(self._found) >= MAX_PATHS + MAX_READ:
                self._found.clear()
            found = self._found[keys] = self._find(keys)
        return found

    def _find(self, keys: Keys) -> PathValues:
        stored = self.paths.get(keys)
        if stored is not None:
            return self._values(stored, keys)
        if self.complete and not any(isinstance(key, int) for key in keys):
            return self._values(Stored(MISSING, ()), keys)
        rows = _candidates(self.texts, keys)
        return self._values(_store(_at(keys, rows, _parse(self.texts.take(from_numbers(rows)))), len(self.texts)), keys)

    def _values(self, stored: Stored, keys: Keys) -> PathValues:
        states = stored.states
        if isinstance(states, int):
            states = np.full(len(self.texts), states, np.uint8)
        rows = np.flatnonzero(states == RESIDUAL)
        values = _at(keys, rows, _parse(self.texts.take(from_numbers(rows)))) if len(rows) else ([], [])
        residual = dict(zip(*values, strict=True))
        return PathValues(stored.columns, states != MISSING, states == NULL, residual)

    def to_batch(self) -> pa.RecordBatch:
        """Return everything but the texts as one record batch, to be written as Arrow IPC."""
        arrays: list[pa.Array] = []
        fields: list[pa.Field] = []
        directory = []
        for number, (keys, stored) in enumerate(self.paths.items()):
            constant = stored.states if isinstance(stored.states, int) else None
            states = [] if isinstance(stored.states, int) else [from_numbers(stored.states)]
            directory.append({"keys": keys, "state": constant, "columns": len(stored.columns)})
            for place, array in enumerate([*states, *stored.columns]):
                arrays.append(array)
                fields.append(pa.field(f"{number}.{place}", array.type))
        about = json.dumps({"complete": self.complete, "paths": directory})
        return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields, {"shredded": about}))

    @classmethod
    def from_batch(cls, batch: pa.RecordBatch | None, texts: pa.Array) -> Shredded:
        """Return what `to_batch` wrote, without copies; without a batch, shred the texts."""
        if batch is None:
            return shred(texts)
        about = json.loads(batch.schema.metadata[b"shredded"])
        arrays = iter(batch.columns)
        paths = {tuple(entry["keys"]): _stored(entry, arrays) for entry in about["paths"]}
        return cls(texts, paths, about["complete"])


def _stored(entry: Mapping[str, Any], arrays: Iterator[pa.Array]) -> Stored:
    states = entry["state"]
    if states is None:
        states = numbers(next(arrays))
    return Stored(states, tuple(next(arrays) for _ in range(entry["columns"])))


def shred(texts: pa.Array, max_paths: int = MAX_PATHS) -> Shredded:
    """Return the paths of a string column of JSON texts; a null is a missing value.

    At most `max_paths` paths get columns, the most frequent ones, and none deeper than MAX_KEYS keys.

    Raises:
        ValueError: a text is not JSON.
    """
    found, deeper = _collect(texts)
    names = list(found)
    if len(names) > max_paths:
        names = sorted(names, key=lambda keys: -len(found[keys][0]))[:max_paths]
    paths = {keys: _store(found[keys], len(texts)) for keys in names}
    return Shredded(texts, paths, complete=len(names) == len(found) and not deeper)


def _collect(texts: pa.Array) -> tuple[dict[Keys, Occurrences], bool]:
    """Every path with its rows and values, and whether some are deeper than MAX_KEYS."""
    found: dict[Keys, Occurrences] = {}
    rows = _rows(texts)
    roots: Occurrences = (rows, _parse(texts.drop_null() if texts.null_count else texts))
    waiting: list[tuple[Keys, Occurrences]] = [((), roots)]
    deeper = False
    while waiting:
        keys, (at, values) = waiting.pop()
        found[keys] = (at, values)
        objects = _objects(at, values)
        if len(keys) == MAX_KEYS:
            deeper = deeper or any(objects[1])
        elif objects[1]:
            waiting += _members(keys, objects)
    return found, deeper


def _rows(texts: pa.Array) -> list[int]:
    if texts.null_count == 0:
        return list(range(len(texts)))
    return np.flatnonzero(bits(texts.is_valid())).tolist()  # type: ignore[no-any-return]


def _objects(rows: list[int], values: list[Any]) -> Occurrences:
    kinds = set(map(type, values))
    if kinds == {dict}:
        return rows, values
    if dict not in kinds:
        return [], []
    places = [place for place, value in enumerate(values) if type(value) is dict]
    return [rows[place] for place in places], [values[place] for place in places]


def _members(keys: Keys, objects: Occurrences) -> Iterable[tuple[Keys, Occurrences]]:
    members: dict[str, Occurrences] = {}
    for row, value in zip(*objects, strict=True):
        for key, member in value.items():
            try:
                rows, values = members[key]
            except KeyError:
                rows, values = members[key] = ([], [])
            rows.append(row)
            values.append(member)
    return (((*keys, key), occurrences) for key, occurrences in members.items())


def _parse(texts: pa.Array) -> list[Any]:
    """Parse texts without nulls; many in one call, which costs half."""
    values: list[Any] = []
    for start in range(0, len(texts), READ_AT_ONCE):
        some = texts.slice(start, READ_AT_ONCE).to_pylist()
        try:
            parsed = json.loads(f"[{','.join(some)}]")
        except ValueError:
            parsed = None
        values += parsed if parsed is not None and len(parsed) == len(some) else map(json.loads, some)
    return values


def _candidates(texts: pa.Array, keys: Keys) -> Places:
    """The rows in which the path may lead anywhere: their text has its keys, or escapes that may hide them."""
    some = bits(texts.is_valid())
    for key in keys:
        if isinstance(key, str) and key.isascii() and key.isprintable() and '"' not in key and "\\" not in key:
            some &= bits(pc.or_(pc.match_substring(texts, f'"{key}"'), pc.match_substring(texts, "\\u")))
    return np.flatnonzero(some)


def _at(keys: tuple[Any, ...], rows: Iterable[Any], values: Iterable[Any]) -> Occurrences:
    """The rows in which a path leads to a value, and those values."""
    found: Occurrences = ([], [])
    for row, value in zip(rows, values, strict=True):
        for key in keys:
            kind = dict if isinstance(key, str) else list
            if type(value) is not kind or (key not in value if kind is dict else key >= len(value)):
                break
            value = value[key]
        else:
            found[0].append(int(row))
            found[1].append(value)
    return found


def _store(occurrences: Occurrences, rows: int) -> Stored:
    """Put the values of one path into typed columns, and note per row where its value went."""
    states: States = np.zeros(rows, np.uint8)
    columns = []
    every = np.array(occurrences[0], np.int64)
    for kind, at, values in _by_type(every, occurrences[1]):
        if kind not in COLUMNS:
            states[at] = NULL if kind is type(None) else OBJECT
            continue
        for column, places in COLUMNS[kind](values):
            states[at[places]] = TYPED
            columns.append(_spread(dictionary(column), at[places], rows))
        states[at] = np.maximum(states[at], RESIDUAL * (states[at] == MISSING))
    same = rows > 0 and bool((states == states[0]).all())
    return Stored(int(states[0]) if same else states, tuple(columns))


def _by_type(at: Places, values: list[Any]) -> Iterator[tuple[type, Places, list[Any]]]:
    types = list(map(type, values))
    kinds = dict.fromkeys(types)
    if len(kinds) <= 1:
        yield from ((kind, at, values) for kind in kinds)
        return
    for kind in kinds:
        places = np.array([place for place, found in enumerate(types) if found is kind], np.int64)
        yield kind, at[places], [values[place] for place in places]


def _scalars(values: list[Any]) -> Iterator[tuple[pa.Array, Places]]:
    """The values, all of one type, as a column with the places it holds; what does not fit is left out."""
    column = SCALARS[type(values[0])]
    try:
        yield column(values), np.arange(len(values))
    except (OverflowError, UnicodeEncodeError):
        places = [place for place, value in enumerate(values) if _fits(value)]
        if places:
            yield column([values[place] for place in places]), np.array(places)


def _fits(value: Any) -> bool:
    if not isinstance(value, str):
        return bool(-(2**63) <= value < 2**63)
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _lists(values: list[list[Any]]) -> Iterator[tuple[pa.Array, Places]]:
    """Lists as one column per type of element; empty ones join the first, mixed and nested ones are left out."""
    codes: dict[frozenset[type], int] = {}
    coded = np.array([codes.setdefault(frozenset(map(type, items)), len(codes)) for items in values])
    kinds = [kind for found in codes if len(found) == 1 for kind in found if kind in SCALARS] or [str]
    for kind in kinds:
        wanted = [frozenset({kind}), frozenset[type]()] if kind is kinds[0] else [frozenset({kind})]
        places = np.flatnonzero(np.isin(coded, [codes[found] for found in wanted if found in codes])).tolist()
        kept = [values[place] for place in places]
        try:
            flat = SCALARS[kind](list(chain.from_iterable(kept)))
        except (OverflowError, UnicodeEncodeError):
            places = [place for place, items in zip(places, kept, strict=True) if all(map(_fits, items))]
            kept = [values[place] for place in places]
            flat = SCALARS[kind](list(chain.from_iterable(kept)))
        if places:
            ends = np.zeros(len(kept) + 1, np.int32)
            np.cumsum(list(map(len, kept)), out=ends[1:])
            yield pa.ListArray.from_arrays(from_numbers(ends), flat), np.array(places)


COLUMNS: dict[type, Callable[[list[Any]], Iterator[tuple[pa.Array, Places]]]] = {
    **dict.fromkeys(SCALARS, _scalars),
    list: _lists,
}


def _spread(column: pa.Array, at: Places, rows: int) -> pa.Array:
    """Put the i-th value into row at[i] and nulls between."""
    if len(at) == rows:
        return column
    source = np.full(rows, -1, np.int64)
    source[at] = np.arange(len(at))
    return column.take(with_nulls(source, source >= 0))
