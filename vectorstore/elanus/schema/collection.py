"""The schema of a collection: its fields, its functions, and the rules between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from elanus.errors import FieldNotFound, NotSupported, SchemaError, did_you_mean
from elanus.schema.fields import FieldSchema, check_name
from elanus.types import DataType, FunctionType

DYNAMIC_FIELD = "$meta"
MAX_FIELDS = 64
MAX_VECTOR_FIELDS = 10


class Function:
    """A computation the store does on insert; so far BM25, from one analysed VARCHAR to one sparse vector.

    Args:
        name: unique within the schema.
        function_type: `FunctionType.BM25`.
        input_field_names, output_field_names: one name each, as a str or a list.

    Raises:
        NotSupported: another function type.
    """

    def __init__(
        self,
        name: str,
        function_type: FunctionType,
        input_field_names: str | Sequence[str],
        output_field_names: str | Sequence[str] | None = None,
        description: str = "",
        params: Mapping[str, Any] | None = None,
    ) -> None:
        check_name("function", name)
        self.name = name
        self.type = FunctionType(int(function_type))
        self.input_field_names = _names(input_field_names)
        self.output_field_names = _names(output_field_names)
        self.description = description
        self.params = dict(params or {})
        if self.type != FunctionType.BM25:
            raise NotSupported(f"function '{name}': {self.type.name} is not supported yet; BM25 is")
        if self.params:
            raise NotSupported(
                f"function '{name}': params {sorted(self.params)} are not supported; "
                "BM25 takes bm25_k1 and bm25_b in its index params"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the function in the shape of pymilvus's `Function.to_dict()`."""
        return {
            "name": self.name,
            "description": self.description,
            "type": self.type,
            "input_field_names": self.input_field_names,
            "output_field_names": self.output_field_names,
            "params": self.params,
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Function:
        """Make a function from `to_dict()`'s shape, ours or pymilvus's."""
        return cls(
            raw["name"],
            raw["type"],
            raw["input_field_names"],
            raw.get("output_field_names"),
            raw.get("description", ""),
            raw.get("params"),
        )


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
        self._primary_name = primary_field
        for field in fields:
            self.add_field(field.name, field.dtype, **_options(field))

    def add_field(self, field_name: str, datatype: DataType, **kwargs: Any) -> CollectionSchema:
        """Append a field (options as `FieldSchema` takes them) and return this schema, so that calls chain."""
        if field_name == self._primary_name:
            kwargs["is_primary"] = True
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
    def auto_id(self) -> bool:
        """Whether the store numbers the rows."""
        return self._auto_id or any(f.auto_id for f in self.fields)

    @property
    def vector_fields(self) -> list[FieldSchema]:
        """The fields that can be searched, in order."""
        return [f for f in self.fields if f.is_vector]

    def names(self) -> list[str]:
        """The declared field names, in order."""
        return [f.name for f in self.fields]

    def field(self, name: str) -> FieldSchema:
        """Return the field of that name, or raise FieldNotFound with the closest one."""
        for field in self.fields:
            if field.name == name:
                return field
        raise FieldNotFound(f"no field '{name}' in the schema{did_you_mean(name, self.names())}")

    def bm25_input(self, output: str) -> FieldSchema | None:
        """Return the text field that feeds the BM25 output field `output`, or None if no function does."""
        for function in self.functions:
            if output in function.output_field_names:
                return self.field(function.input_field_names[0])
        return None

    def verify(self) -> None:
        """Raise SchemaError or NotSupported if no collection can have this schema."""
        names = self.names()
        doubled = {name for name in names if names.count(name) > 1}
        if doubled:
            raise SchemaError(f"field names occur twice: {sorted(doubled)}")
        keys = [f.name for f in self.fields if f.is_primary]
        if len(keys) != 1:
            raise SchemaError(f"a schema needs exactly one primary field; this one has {keys or 'none'}")
        if not self.vector_fields:
            raise SchemaError("a schema needs at least one vector field")
        if len(names) > MAX_FIELDS or len(self.vector_fields) > MAX_VECTOR_FIELDS:
            raise SchemaError(
                f"too many fields: {len(names)} of at most {MAX_FIELDS}, "
                f"{len(self.vector_fields)} vectors of at most {MAX_VECTOR_FIELDS}"
            )
        for function in self.functions:
            self._verify_function(function)
        for field in self.vector_fields:
            if field.dtype == DataType.SPARSE_FLOAT_VECTOR and self.bm25_input(field.name) is None:
                raise NotSupported(
                    f"field '{field.name}': a SPARSE_FLOAT_VECTOR is supported as the output of a BM25 "
                    "function only; add Function(name, FunctionType.BM25, text_field, this_field)"
                )

    def _verify_function(self, function: Function) -> None:
        ends = (function.input_field_names, function.output_field_names)
        if any(len(names) != 1 for names in ends):
            raise SchemaError(f"function '{function.name}': BM25 takes one input field and one output field")
        source, target = self.field(ends[0][0]), self.field(ends[1][0])
        if source.dtype != DataType.VARCHAR or not source.enable_analyzer:
            raise SchemaError(
                f"function '{function.name}': input '{source.name}' must be VARCHAR with enable_analyzer=True"
            )
        if target.dtype != DataType.SPARSE_FLOAT_VECTOR:
            raise SchemaError(f"function '{function.name}': output '{target.name}' must be SPARSE_FLOAT_VECTOR")

    def to_dict(self) -> dict[str, Any]:
        """Return the schema in the shape of pymilvus's `CollectionSchema.to_dict()`; JSON-serialisable."""
        out: dict[str, Any] = {
            "auto_id": self.auto_id,
            "description": self.description,
            "fields": [f.to_dict() for f in self.fields],
            "enable_dynamic_field": self.enable_dynamic_field,
        }
        if self.functions:
            out["functions"] = [f.to_dict() for f in self.functions]
        return out

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> CollectionSchema:
        """Make a schema from `to_dict()`'s shape, ours or pymilvus's."""
        extra = {key: raw[key] for key in ("struct_fields", "enable_namespace", "external_source") if raw.get(key)}
        return cls(
            [FieldSchema.from_dict(f) for f in raw["fields"]],
            raw.get("description", ""),
            [Function.from_dict(f) for f in raw.get("functions", ())],
            auto_id=raw.get("auto_id", False),
            enable_dynamic_field=raw.get("enable_dynamic_field", False),
            **extra,
        )


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


def _names(names: str | Sequence[str] | None) -> list[str]:
    if names is None:
        return []
    return [names] if isinstance(names, str) else list(names)
