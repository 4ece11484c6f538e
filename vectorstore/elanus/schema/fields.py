"""One field of a collection, checked when it is made."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from elanus.errors import NotSupported, SchemaError, did_you_mean
from elanus.types import DataType

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MAX_NAME_LENGTH = 255
MAX_VARCHAR_BYTES = 65_535
MAX_ARRAY_CAPACITY = 4_096
MIN_DIM, MAX_DIM = 2, 32_768
MAX_BITS = 8 * MAX_DIM

INTEGERS = frozenset({DataType.INT8, DataType.INT16, DataType.INT32, DataType.INT64})
FLOATS = frozenset({DataType.FLOAT, DataType.DOUBLE})
SCALARS = INTEGERS | FLOATS | {DataType.BOOL, DataType.VARCHAR}
FLOAT_VECTORS = frozenset(
    {DataType.FLOAT_VECTOR, DataType.FLOAT16_VECTOR, DataType.BFLOAT16_VECTOR, DataType.INT8_VECTOR}
)
"""Dense vectors whose components are numbers."""
DENSE_VECTORS = FLOAT_VECTORS | {DataType.BINARY_VECTOR}
VECTORS = DENSE_VECTORS | {DataType.SPARSE_FLOAT_VECTOR}
ELEMENTS = SCALARS | {DataType.STRUCT}
IN_STRUCTS = SCALARS | DENSE_VECTORS
SUPPORTED = SCALARS | VECTORS | {DataType.JSON, DataType.ARRAY, DataType.TIMESTAMPTZ, DataType.GEOMETRY}

UNSUPPORTED_OPTIONS = {
    "external_field": "insert the rows instead",
}


@dataclass(frozen=True, init=False)
class FieldSchema:
    """One named, typed column of a collection.

    Args:
        name: letters, digits and underscores, at most 255, not starting with a digit.
        dtype: a supported `DataType`.
        is_primary, auto_id: the row's key (INT64 or VARCHAR); `auto_id` lets the store number the rows.
        max_length: VARCHAR's limit in UTF-8 bytes, 1 to 65535.
        dim: a dense vector's length, 2 to 32768; of a BINARY_VECTOR in bits, a multiple of 8 up to 262144.
        element_type, max_capacity: an ARRAY's element type and largest length (1 to 4096).
        struct_schema: of an ARRAY of STRUCT, what its elements hold: a `StructFieldSchema`.
        array: not an option; of a vector in a struct array, as `searchable_fields` gives it, that array's name.
        nullable, default_value: whether a row may hold null, and what a row that leaves the field out gets.
        is_partition_key: an INT64 or VARCHAR field that filters name, such as a tenant; a search that names one of its
            values costs what the value's rows are, not what the collection holds.
        is_clustering_key, mmap_enabled, warmup: hints to a server about where rows are kept; kept, and of no effect,
            since columns are always memory-mapped.
        enable_analyzer, analyzer_params: let a BM25 function read this VARCHAR field.
        multi_analyzer_params: instead, several analyzers, of which each row's VARCHAR field `by_field` names its own:
            {"by_field": "language", "analyzers": {"default": {...}, "english": {...}}, "alias": {"en": "english"}}.
        enable_match: keep an inverted index of the field for text_match and phrase_match in filters.

    Raises:
        SchemaError: a contradiction or a value out of range.
        NotSupported: a Milvus type or option that this version does not implement.
    """

    name: str
    dtype: DataType
    description: str
    is_primary: bool
    auto_id: bool
    max_length: int | None
    dim: int | None
    element_type: DataType | None
    max_capacity: int | None
    nullable: bool
    default_value: Any
    enable_analyzer: bool
    analyzer_params: Mapping[str, Any] | None
    multi_analyzer_params: Mapping[str, Any] | None
    enable_match: bool
    is_function_output: bool
    is_partition_key: bool
    is_clustering_key: bool
    mmap_enabled: bool | None
    warmup: str | None
    struct_fields: tuple[FieldSchema, ...] | None
    array: str | None

    def __init__(self, name: str, dtype: DataType, description: str = "", **options: Any) -> None:
        check_name("field", name)
        values: dict[str, Any] = dict.fromkeys(OPTIONS)
        values |= dict.fromkeys(FLAGS, False) | {"array": None}
        values |= take_options(name, _with_struct(options))
        values |= {"name": name, "dtype": _data_type(name, dtype), "description": description}
        if isinstance(values["default_value"], datetime):
            values["default_value"] = values["default_value"].isoformat()
        values |= {key: _from_json(name, key, values[key]) for key in ANALYZERS}
        for key, value in values.items():
            object.__setattr__(self, key, value)
        _check(self)

    @property
    def is_vector(self) -> bool:
        """Whether the field is searched by likeness rather than filtered."""
        return self.dtype in VECTORS

    def to_dict(self) -> dict[str, Any]:
        """Return the field in the shape of pymilvus's `FieldSchema.to_dict()`."""
        params = {key: getattr(self, key) for key in PARAMS if getattr(self, key)}
        out: dict[str, Any] = {"name": self.name, "description": self.description, "type": self.dtype}
        out["params"] = params
        if self.is_primary:
            out |= {"is_primary": True, "auto_id": self.auto_id}
        if self.element_type is not None:
            out["element_type"] = self.element_type
        if self.struct_fields is not None:
            out["struct_fields"] = [field.to_dict() for field in self.struct_fields]
        if self.nullable:
            out["nullable"] = True
        if self.default_value is not None:
            out["default_value"] = self.default_value
        out |= {
            flag: True
            for flag in ("is_function_output", "is_partition_key", "is_clustering_key")
            if getattr(self, flag)
        }
        return out

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> FieldSchema:
        """Make a field from `to_dict()`'s shape, ours or pymilvus's."""
        options = dict(raw)
        options |= options.pop("params", None) or {}
        options.pop("field_id", None)
        name, dtype = options.pop("name"), options.pop("type")
        default: Any = options.get("default_value")
        if hasattr(default, "WhichOneof"):  # a protobuf value, as pymilvus keeps it
            kind = default.WhichOneof("data")
            options["default_value"] = getattr(default, kind) if kind else None
        return cls(name, dtype, options.pop("description", ""), **options)


ANALYZERS = ("analyzer_params", "multi_analyzer_params")
PARAMS = ("max_length", "dim", "max_capacity", "enable_analyzer", *ANALYZERS, "enable_match", "mmap_enabled", "warmup")
OPTIONS = tuple(f.name for f in fields(FieldSchema))[3:-1]
FLAGS = (
    "is_primary",
    "auto_id",
    "nullable",
    "enable_analyzer",
    "enable_match",
    "is_function_output",
    "is_partition_key",
    "is_clustering_key",
)


def _with_struct(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Options with the fields of a struct as FieldSchemas, from a struct schema, ours or pymilvus's, or from dicts."""
    given, schema = options.get("struct_fields"), options.get("struct_schema")
    if schema is not None:
        if not hasattr(schema, "to_dict"):
            raise SchemaError(f"struct_schema must be a StructFieldSchema, not {type(schema).__name__}")
        given = schema.to_dict()["fields"]
    if given is None:
        return {key: value for key, value in options.items() if key != "struct_schema"}
    inner = tuple(f if isinstance(f, FieldSchema) else FieldSchema.from_dict(f) for f in given)
    return {**{key: value for key, value in options.items() if key != "struct_schema"}, "struct_fields": inner}


def _from_json(field: str, option: str, value: Any) -> Any:
    """The value of an option that pymilvus keeps as JSON text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise SchemaError(f"field '{field}': {option} are not valid JSON: {error}") from None


def check_name(what: str, name: object) -> None:
    """Refuse a name that Milvus would refuse; `what` says whose name it is."""
    if not isinstance(name, str):
        raise SchemaError(f"the name of a {what} must be a str, not {type(name).__name__}")
    if not NAME.fullmatch(name) or len(name) > MAX_NAME_LENGTH:
        raise SchemaError(
            f"invalid {what} name {name!r}: use 1 to {MAX_NAME_LENGTH} letters, digits and underscores, "
            "not starting with a digit"
        )


def take_options(field: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options this version implements; refuse the rest by name, unless they are off."""
    for key, value in options.items():
        if key in UNSUPPORTED_OPTIONS and value:
            raise NotSupported(f"field '{field}': {key} is not supported yet; {UNSUPPORTED_OPTIONS[key]}")
        if key not in UNSUPPORTED_OPTIONS and key not in OPTIONS:
            raise SchemaError(f"field '{field}': unknown option '{key}'{did_you_mean(key, OPTIONS)}")
    return {key: value for key, value in options.items() if key in OPTIONS}


def _data_type(field: str, dtype: object, supported: frozenset[DataType] = SUPPORTED) -> DataType:
    try:
        known = DataType(int(dtype))  # type: ignore[call-overload]
    except (TypeError, ValueError):
        raise SchemaError(f"field '{field}': {dtype!r} is no DataType") from None
    if known not in supported:
        raise NotSupported(
            f"field '{field}': type {known.name} is not supported yet; "
            f"supported are {', '.join(t.name for t in sorted(SUPPORTED))}"
        )
    return known


def _check(field: FieldSchema) -> None:
    for wrong, rule in RULES:
        if wrong(field):
            raise SchemaError(f"field '{field.name}' ({field.dtype.name}): {rule}")
    if field.element_type is not None:
        element = _data_type(field.name, field.element_type, SUPPORTED | ELEMENTS)
        if element not in ELEMENTS:
            raise SchemaError(f"field '{field.name}': an ARRAY cannot hold {element.name}")
        object.__setattr__(field, "element_type", element)
        _check_struct(field)


def _check_struct(field: FieldSchema) -> None:
    inner = field.struct_fields or ()
    if (field.element_type == DataType.STRUCT) != bool(inner):
        raise SchemaError(f"field '{field.name}': an ARRAY of STRUCT, and no other, needs a struct_schema with fields")
    names = [f.name for f in inner]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise SchemaError(f"field '{field.name}': its struct has the field names {doubled} twice")
    for f in inner:
        if f.dtype not in IN_STRUCTS:
            raise NotSupported(f"field '{field.name}[{f.name}]': a struct cannot hold {f.dtype.name}")
        for flag in (*FLAGS, "default_value"):
            if getattr(f, flag) not in (None, False):
                raise SchemaError(f"field '{field.name}[{f.name}]': a field of a struct cannot have {flag}")


def _outside(value: object, low: int, high: int) -> bool:
    return isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high


def _holds_strings(field: FieldSchema) -> bool:
    return field.dtype == DataType.VARCHAR or field.element_type == DataType.VARCHAR


RULES: tuple[tuple[Callable[[FieldSchema], object], str], ...] = (
    (
        lambda f: _holds_strings(f) and _outside(f.max_length, 1, MAX_VARCHAR_BYTES),
        f"needs max_length, 1 to {MAX_VARCHAR_BYTES} bytes",
    ),
    (
        lambda f: f.dtype in FLOAT_VECTORS and _outside(f.dim, MIN_DIM, MAX_DIM),
        f"needs dim, {MIN_DIM} to {MAX_DIM}",
    ),
    (
        lambda f: f.dtype == DataType.BINARY_VECTOR and (_outside(f.dim, 8, MAX_BITS) or (f.dim or 0) % 8),
        f"needs dim, a multiple of 8 from 8 to {MAX_BITS}",
    ),
    (lambda f: f.dtype not in DENSE_VECTORS and f.dim is not None, "only dense vectors have a dim"),
    (
        lambda f: f.dtype == DataType.ARRAY and _outside(f.max_capacity, 1, MAX_ARRAY_CAPACITY),
        f"needs max_capacity, 1 to {MAX_ARRAY_CAPACITY}",
    ),
    (lambda f: f.dtype == DataType.ARRAY and f.element_type is None, "needs element_type"),
    (
        lambda f: f.dtype != DataType.ARRAY and f.element_type not in (None, DataType.NONE),
        "only an ARRAY has an element_type",
    ),
    (
        lambda f: f.is_primary and f.dtype not in (DataType.INT64, DataType.VARCHAR),
        "a primary key is INT64 or VARCHAR",
    ),
    (lambda f: f.is_primary and f.nullable, "a primary key cannot be nullable"),
    (lambda f: f.is_primary and f.default_value is not None, "a primary key has no default_value"),
    (lambda f: f.auto_id and not f.is_primary, "auto_id belongs to the primary key"),
    (lambda f: f.is_vector and f.default_value is not None, "a vector has no default_value"),
    (
        lambda f: f.dtype in (DataType.JSON, DataType.ARRAY, DataType.GEOMETRY) and f.default_value is not None,
        "default_value is supported for plain scalars only",
    ),
    (lambda f: f.enable_analyzer and f.dtype != DataType.VARCHAR, "only VARCHAR can have an analyzer"),
    (
        lambda f: f.is_partition_key and (f.is_primary or f.dtype not in (DataType.INT64, DataType.VARCHAR)),
        "a partition key is INT64 or VARCHAR, and not the primary key",
    ),
    (lambda f: f.is_partition_key and f.nullable, "a partition key cannot be nullable"),
    (lambda f: f.analyzer_params and not f.enable_analyzer, "analyzer_params needs enable_analyzer=True"),
    (lambda f: f.multi_analyzer_params and not f.enable_analyzer, "multi_analyzer_params needs enable_analyzer=True"),
    (
        lambda f: f.multi_analyzer_params and f.analyzer_params,
        "analyzer_params and multi_analyzer_params exclude each other; put the former among the latter as 'default'",
    ),
    (
        lambda f: f.multi_analyzer_params and f.enable_match,
        "enable_match and multi_analyzer_params exclude each other, as in Milvus; "
        "let text_match read a second field with analyzer_params",
    ),
    (lambda f: f.enable_match and not f.enable_analyzer, "enable_match needs enable_analyzer=True"),
)
