"""The schema of a collection: its fields, its functions, and the rules between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from elanus.errors import FieldNotFound, NotSupported, SchemaError, did_you_mean
from elanus.schema.fields import FieldSchema
from elanus.schema.functions import Function
from elanus.schema.structs import nested_vectors
from elanus.types import DataType, FunctionType

DYNAMIC_FIELD = "$meta"
MAX_FIELDS = 64
MAX_VECTOR_FIELDS = 10


class CollectionSchema:
    """The fields and functions of a collection; build it with `add_field` and `add_function`.

    Args:
        fields, functions: to start with.
        auto_id: let the store number the rows; same as `auto_id` on the primary field.
        enable_dynamic_field: keep keys that no field declares, as JSON.

    Raises:
        SchemaError, NotSupported: by `verify()`, which `create_collection` calls.
    """

    def __init__(
        self,
        fields: Iterable[FieldSchema] = (),
        description: str = "",
        functions: Iterable[Function] | None = None,
        *,
        auto_id: bool = False,
        enable_dynamic_field: bool = False,
        primary_field: str | None = None,
        partition_key_field: str | None = None,
        **unsupported: Any,
    ) -> None:
        for key, value in unsupported.items():
            if value and key != "check_fields":
                raise NotSupported(f"schema option '{key}' is not supported yet")
        self.description = description
        self.fields: list[FieldSchema] = []
        self.functions = list(functions or [])
        self.enable_dynamic_field = bool(enable_dynamic_field)
        self._auto_id = bool(auto_id)
        self._primary_name, self._partition_name = primary_field, partition_key_field
        for field in fields:
            self.add_field(field.name, field.dtype, **_options(field))

    def add_field(self, field_name: str, datatype: DataType, **kwargs: Any) -> CollectionSchema:
        """Append a field (options as `FieldSchema` takes them) and return this schema, so that calls chain."""
        if field_name == self._primary_name:
            kwargs["is_primary"] = True
        if field_name == self._partition_name:
            kwargs["is_partition_key"] = True
        if kwargs.get("is_primary") and self._auto_id:
            kwargs.setdefault("auto_id", True)
        self.fields.append(FieldSchema(field_name, datatype, kwargs.pop("description", ""), **kwargs))
        return self

    def add_function(self, function: Function) -> CollectionSchema:
        """Append a function and return this schema."""
        self.functions.append(function)
        return self

    @property
    def primary_field(self) -> FieldSchema:
        """The field that is each row's key."""
        return next(f for f in self.fields if f.is_primary)

    @property
    def partition_key(self) -> FieldSchema | None:
        """The field whose values divide the rows, if there is one."""
        return next((f for f in self.fields if f.is_partition_key), None)

    @property
    def auto_id(self) -> bool:
        """Whether the store numbers the rows."""
        return self._auto_id or any(f.auto_id for f in self.fields)

    @property
    def vector_fields(self) -> list[FieldSchema]:
        """The fields that can be searched, in order."""
        return [f for f in self.fields if f.is_vector]

    @property
    def searchable_fields(self) -> list[FieldSchema]:
        """The vector fields, and those in struct arrays, named "array[field]"."""
        return [*self.vector_fields, *(inner for f in self.fields if f.struct_fields for inner in nested_vectors(f))]

    def names(self) -> list[str]:
        """The declared field names, in order."""
        return [f.name for f in self.fields]

    def field(self, name: str) -> FieldSchema:
        """Return the field of that name, or raise FieldNotFound with the closest one."""
        for field in self.fields:
            if field.name == name:
                return field
        for field in self.searchable_fields:
            if field.name == name:
                return field
        raise FieldNotFound(f"no field '{name}' in the schema{did_you_mean(name, self.names())}")

    def bm25_input(self, output: str) -> FieldSchema | None:
        """Return the text field that feeds the BM25 output field `output`, or None if no function does."""
        function = self._function(FunctionType.BM25, output)
        return None if function is None else self.field(function.input_field_names[0])

    @property
    def inverted_fields(self) -> list[FieldSchema]:
        """The text fields of which every segment keeps an inverted index: what BM25 reads, and enable_match."""
        read = {f.input_field_names[0] for f in self.functions if f.type == FunctionType.BM25}
        return [f for f in self.fields if f.enable_match or f.name in read]

    def embedding(self, output: str) -> Function | None:
        """Return the TEXTEMBEDDING function that fills the field `output`, or None if there is none."""
        return self._function(FunctionType.TEXTEMBEDDING, output)

    @property
    def embeddings(self) -> list[Function]:
        """The TEXTEMBEDDING functions, in order."""
        return [f for f in self.functions if f.type == FunctionType.TEXTEMBEDDING]

    def _function(self, kind: FunctionType, output: str) -> Function | None:
        fitting = (f for f in self.functions if f.type == kind and output in f.output_field_names)
        return next(fitting, None)

    def verify(self) -> None:
        """Raise SchemaError or NotSupported if no collection can have this schema."""
        names = self.names()
        _refuse_doubled("field names occur twice", names)
        keys = [f.name for f in self.fields if f.is_primary]
        if len(keys) != 1:
            raise SchemaError(f"a schema needs exactly one primary field; this one has {keys or 'none'}")
        if sum(f.is_partition_key for f in self.fields) > 1:
            raise SchemaError(
                f"a schema has at most one partition key: {[f.name for f in self.fields if f.is_partition_key]}"
            )
        if self._partition_name is not None and self._partition_name not in names:
            raise SchemaError(
                f"partition_key_field: no field '{self._partition_name}'{did_you_mean(self._partition_name, names)}"
            )
        vectors = len(self.searchable_fields)
        if not vectors:
            raise SchemaError("a schema needs at least one vector field")
        if len(names) > MAX_FIELDS or vectors > MAX_VECTOR_FIELDS:
            raise SchemaError(
                f"too many fields: {len(names)} of at most {MAX_FIELDS}, "
                f"{vectors} vectors of at most {MAX_VECTOR_FIELDS}"
            )
        for function in self.functions:
            function.verify(self.field)
        _refuse_doubled("functions have the same name", [f.name for f in self.functions])
        _refuse_doubled("functions have the same output", [n for f in self.functions for n in f.output_field_names])

    def to_dict(self) -> dict[str, Any]:
        """Return the schema in the shape of pymilvus's `CollectionSchema.to_dict()`; JSON-serialisable."""
        computed = {name for function in self.functions for name in function.output_field_names}
        marks = [{"is_function_output": True} if f.name in computed else {} for f in self.fields]
        out: dict[str, Any] = {
            "auto_id": self.auto_id,
            "description": self.description,
            "fields": [f.to_dict() | mark for f, mark in zip(self.fields, marks, strict=True)],
            "enable_dynamic_field": self.enable_dynamic_field,
        }
        if self.functions:
            out["functions"] = [f.to_dict() for f in self.functions]
        return out

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> CollectionSchema:
        """Make a schema from `to_dict()`'s shape, ours or pymilvus's."""
        extra = {key: raw[key] for key in ("enable_namespace", "external_source") if raw.get(key)}
        structs = [FieldSchema.from_dict(_struct_array(struct)) for struct in raw.get("struct_fields") or ()]
        return cls(
            [*(FieldSchema.from_dict(f) for f in raw["fields"]), *structs],
            raw.get("description", ""),
            [Function.from_dict(f) for f in raw.get("functions", ())],
            auto_id=raw.get("auto_id", False),
            enable_dynamic_field=raw.get("enable_dynamic_field", False),
            **extra,
        )


def _struct_array(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A struct array as pymilvus keeps it, beside the fields, in the shape of a field."""
    own = {key: raw[key] for key in ("name", "description", "nullable", "max_capacity", "params") if key in raw}
    return {**own, "type": DataType.ARRAY, "element_type": DataType.STRUCT, "struct_fields": raw["fields"]}


def as_schema(schema: Any) -> CollectionSchema:
    """Return a CollectionSchema from ours or any object whose `to_dict()` has pymilvus's shape."""
    if isinstance(schema, CollectionSchema):
        return schema
    if hasattr(schema, "to_dict"):
        return CollectionSchema.from_dict(schema.to_dict())
    raise SchemaError(f"schema must be a CollectionSchema, not {type(schema).__name__}")


def _options(field: FieldSchema) -> dict[str, Any]:
    raw = {key: getattr(field, key) for key in FieldSchema.__dataclass_fields__ if key not in ("name", "dtype")}
    return {key: value for key, value in raw.items() if value not in (None, False)}


def _refuse_doubled(rule: str, names: list[str]) -> None:
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise SchemaError(f"{rule}: {sorted(doubled)}")
