"""Which fields leave with a row, and columns into dicts for the few rows that leave."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from elanus.errors import FieldNotFound, InvalidArgument, NotSupported, did_you_mean
from elanus.schema.arrow import stored_fields
from elanus.schema.collection import DYNAMIC_FIELD, CollectionSchema
from elanus.schema.dense import FORMS
from elanus.schema.fields import DENSE_VECTORS, VECTORS, FieldSchema
from elanus.schema.reading import Reader, Rows
from elanus.schema.times import to_iso
from elanus.types import DataType

ALL = "*"


@dataclass(frozen=True)
class Output:
    """Declared fields to read, by kind, and of the dynamic field all keys, some, or none.

    `structs` are struct arrays with the fields of their elements that are asked for (None: all). `packed` are vectors
    that leave as bytes; `wrapped` says each in a list of its own, as pymilvus has it in the rows of a query.
    """

    plain: tuple[str, ...] = ()
    json: tuple[str, ...] = ()
    vectors: tuple[str, ...] = ()
    packed: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    structs: tuple[tuple[str, frozenset[str] | None], ...] = ()
    dynamic: bool = False
    keys: frozenset[str] | None = None
    wrapped: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing is to be read."""
        return not (
            self.plain or self.json or self.vectors or self.packed or self.times or self.structs or self.dynamic
        )


def resolve_output(schema: CollectionSchema, names: Sequence[str] | None, *, query: bool = False) -> Output:
    """Return what to read for `output_fields`.

    None reads nothing for a search and everything for a query, as "*" does, dynamic keys included; "$meta" reads all
    dynamic keys; an undeclared name is a dynamic key where the schema has a dynamic field. A query always reads the
    key.

    Raises:
        FieldNotFound: no such field.
        NotSupported: a path into a JSON value.
        InvalidArgument: a field that a function computes, which is not stored; or no list of str.
    """
    if names is not None and not (isinstance(names, (list, tuple)) and all(isinstance(n, str) for n in names)):
        raise InvalidArgument(f"output_fields must be a list of str, not {names!r}")
    inner = _inner_fields(schema, names or ())
    wanted = _wanted(schema, [_outer(schema, name) for name in names] if names else names, query)
    stored = {f.name: f for f in stored_fields(schema)}
    keys = [name for name in wanted if name not in stored]
    for name in keys:
        _check_key(schema, name)
    by_kind: dict[str, list[str]] = {"plain": [], "json": [], "vectors": [], "packed": [], "times": [], "structs": []}
    for name in stored:
        if name in wanted:
            by_kind[_kind(stored[name])].append(name)
    arrays = by_kind.pop("structs")
    return Output(
        structs=tuple((name, inner.get(name)) for name in arrays),
        **{kind: tuple(found) for kind, found in by_kind.items()},
        dynamic=bool(keys),
        keys=frozenset(keys) if keys and DYNAMIC_FIELD not in wanted else None,
        wrapped=query and bool(by_kind["packed"]),
    )


def _kind(field: FieldSchema) -> str:
    dtype = field.dtype
    if field.struct_fields is not None:
        return "structs"
    if dtype in DENSE_VECTORS and FORMS[dtype].takes_bytes:
        return "packed"
    if dtype in VECTORS:
        return "vectors"
    return {DataType.JSON: "json", DataType.TIMESTAMPTZ: "times"}.get(dtype, "plain")


def _outer(schema: CollectionSchema, name: str) -> str:
    """The struct array of "array[field]"; any other name itself."""
    outer = name.partition("[")[0]
    return outer if outer != name and any(f.name == outer and f.struct_fields for f in schema.fields) else name


def _inner_fields(schema: CollectionSchema, names: Sequence[str]) -> dict[str, frozenset[str]]:
    """Of struct arrays of which some fields are asked for, and not the whole, those fields."""
    found: dict[str, frozenset[str]] = {}
    for name in names:
        outer = _outer(schema, name)
        if outer != name:
            inner = name[len(outer) + 1 :].removesuffix("]")
            there = [f.name for f in schema.field(outer).struct_fields or ()]
            if inner not in there or not name.endswith("]"):
                raise FieldNotFound(f"no output field '{name}'; '{outer}' holds {there}{did_you_mean(inner, there)}")
            found[outer] = found.get(outer, frozenset()) | {inner}
    return {outer: inner for outer, inner in found.items() if outer not in names and ALL not in names}


def _wanted(schema: CollectionSchema, names: Sequence[str] | None, query: bool) -> set[str]:
    stored = stored_fields(schema)
    wanted = set(names or ([ALL] if query else ()))
    if ALL in wanted:
        wanted = (wanted - {ALL}) | {f.name for f in stored}
        wanted |= {DYNAMIC_FIELD} if schema.enable_dynamic_field else set()
    if query:
        wanted.add(schema.primary_field.name)
    return wanted


def _check_key(schema: CollectionSchema, name: str) -> None:
    if name in schema.names():
        raise InvalidArgument(f"output field '{name}' is computed by a function and not stored; it cannot be returned")
    if not schema.enable_dynamic_field:
        raise FieldNotFound(f"no output field '{name}'{did_you_mean(name, [f.name for f in stored_fields(schema)])}")
    if "[" in name:
        raise NotSupported(f"output field '{name}': a part of a JSON value cannot be returned alone; ask for the whole")


def read_rows(read: Callable[[str], Reader], rows: Rows, output: Output) -> list[dict[str, Any]]:
    """Return one dict per row number, read from a part's columns; dynamic keys stand beside declared fields."""
    columns = [read(name)(rows) for name in output.plain]
    columns += [[_loads(text) for text in read(name)(rows)] for name in output.json]
    columns += [read(name)(rows) for name in output.vectors]
    columns += [_packed(read(name)(rows), output.wrapped) for name in output.packed]
    columns += [[None if t is None else to_iso(t) for t in read(name)(rows)] for name in output.times]
    columns += [_only(read(name)(rows), inner) for name, inner in output.structs]
    arrays = (name for name, _ in output.structs)
    names = (*output.plain, *output.json, *output.vectors, *output.packed, *output.times, *arrays)
    out = (
        [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
        if names
        else [{} for _ in range(len(rows))]
    )
    if output.dynamic:
        for into, text in zip(out, read(DYNAMIC_FIELD)(rows), strict=True):
            found = json.loads(text)
            into |= found if output.keys is None else {k: v for k, v in found.items() if k in output.keys}
    return out


def _only(arrays: list[Any], inner: frozenset[str] | None) -> list[Any]:
    if inner is None:
        return arrays
    return [None if items is None else [{k: v for k, v in i.items() if k in inner} for i in items] for items in arrays]


def _packed(values: list[bytes | None], wrapped: bool) -> list[Any]:
    return [None if value is None else [value] for value in values] if wrapped else values


def _loads(text: str | None) -> Any:
    return None if text is None else json.loads(text)
