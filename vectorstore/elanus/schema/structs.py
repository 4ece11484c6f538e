"""Struct arrays: an ARRAY whose elements are structs, each with scalars and vectors of its own."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from elanus.errors import did_you_mean
from elanus.schema.fields import FieldSchema
from elanus.schema.unfit import Unfit
from elanus.types import DataType

Converter = Callable[[FieldSchema, DataType, Sequence[Any]], pa.Array]


class StructFieldSchema:
    """The fields of one struct; build it with `add_field`, and give it to `add_field(..., struct_schema=...)`."""

    def __init__(self, fields: Sequence[FieldSchema] = (), description: str = "") -> None:
        self.fields = list(fields)
        self.description = description

    def add_field(self, field_name: str, datatype: DataType, **kwargs: Any) -> StructFieldSchema:
        """Append a field (options as `FieldSchema` takes them) and return this schema, so that calls chain."""
        self.fields.append(FieldSchema(field_name, datatype, kwargs.pop("description", ""), **kwargs))
        return self

    def to_dict(self) -> dict[str, Any]:
        """Return the schema in the shape of pymilvus's `StructFieldSchema.to_dict()`."""
        return {"description": self.description, "fields": [field.to_dict() for field in self.fields]}


def nested_name(array: str, field: str) -> str:
    """How a field of a struct is called from outside: "chunks[vector]"."""
    return f"{array}[{field}]"


def nested_vectors(field: FieldSchema) -> list[FieldSchema]:
    """The vector fields in a struct array, under the names by which they are indexed and searched."""
    found = []
    for inner in field.struct_fields or ():
        if inner.is_vector:
            named = copy.copy(inner)
            object.__setattr__(named, "name", nested_name(field.name, inner.name))
            object.__setattr__(named, "array", field.name)
            found.append(named)
    return found


def struct_column(field: FieldSchema, converters: Mapping[DataType, Converter], items: Sequence[Any]) -> pa.Array:
    """Return structs, each a dict of exactly the declared fields, as one Arrow column.

    Raises:
        Unfit: another shape, a field too many or too few, or a value that does not fit; names the field.
    """
    inner = field.struct_fields or ()
    names = {one.name for one in inner}
    for item in items:
        if not isinstance(item, Mapping):
            raise Unfit(f"must be a dict of {', '.join(sorted(names))}, not {type(item).__name__}")
        if item.keys() != names:
            unknown, missing = [n for n in item if n not in names], sorted(names - item.keys())
            near = did_you_mean(str(unknown[0]), names) if unknown else ""
            raise Unfit(f"no field {unknown[0]!r}{near}" if unknown else f"field '{missing[0]}' is missing")
    columns = [_inner(one, converters, [item[one.name] for item in items]) for one in inner]
    return pa.StructArray.from_arrays(columns, names=[one.name for one in inner])


def _inner(field: FieldSchema, converters: Mapping[DataType, Converter], values: Sequence[Any]) -> pa.Array:
    try:
        if any(value is None for value in values):
            raise Unfit("null is not allowed in a struct")
        return converters[field.dtype](field, field.dtype, values)
    except Unfit as rule:
        raise Unfit(f"field '{field.name}' ({field.dtype.name}): {rule}") from None
