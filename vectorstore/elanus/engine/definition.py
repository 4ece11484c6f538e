"""What the catalogue keeps of a collection besides its rows: schema, indexes, properties."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from elanus.engine.partitions import Partitions
from elanus.engine.properties import DYNAMIC, TTL
from elanus.errors import AlreadyExists, IndexNotFound, InvalidArgument, SchemaError, did_you_mean
from elanus.filter import Path, named_path, written_path
from elanus.index.registry import IndexSpec, resolve_index
from elanus.index.scalar import resolve_scalar_index
from elanus.schema.arrow import PARTITION
from elanus.schema.collection import DYNAMIC_FIELD, CollectionSchema
from elanus.schema.fields import FieldSchema
from elanus.schema.indexes import IndexParam
from elanus.schema.output import Output, resolve_output
from elanus.search.lookups import GRAMS
from elanus.types import ConsistencyLevel, DataType

REMEMBERED_OUTPUTS = 256


@dataclass(frozen=True)
class Index:
    """A named index on a field, or on a path in a JSON field or in the dynamic one."""

    name: str
    field: str
    spec: IndexSpec
    path: Path | None = None

    @property
    def target(self) -> str:
        """What it is an index on, of which there can be one only: the field, or the path in it."""
        return self.field if self.path is None else self.json_path

    @property
    def json_path(self) -> str:
        """The path as a filter writes it; empty for a plain field."""
        if self.path is None:
            return ""
        return written_path(self.field, _inner_keys(self.path))

    @property
    def lookup(self) -> Hashable:
        """What a scalar index lets be looked up: values of a field or of a path, or grams."""
        if self.spec.index_type == "NGRAM":
            return GRAMS, self.field, self.spec.params["max_gram"]
        return self.field if self.path is None else (self.path.field, self.path.keys)

    @property
    def is_scalar(self) -> bool:
        """Whether it serves filters, not searches."""
        return not self.spec.metric

    def to_dict(self) -> dict[str, Any]:
        """Return what `Definition.from_dict` reads."""
        spec = self.spec
        own = {"json_path": self.json_path} if self.path is not None else {}
        kind = {"index_type": spec.index_type, "metric_type": spec.metric, "params": {**spec.params, **own}}
        return {"name": self.name, "field": self.field, **kind}


@dataclass(frozen=True)
class Definition:
    """A collection's schema, its indexes by target (a field, or a JSON path), its partitions, and whether it is loaded.

    `fingerprints` are of the embedding models that fill vector fields, as far as they are known.
    """

    schema: CollectionSchema
    indexes: Mapping[str, Index]
    loaded: bool = False
    consistency: ConsistencyLevel = ConsistencyLevel.Bounded
    description: str = ""
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    partitions: Partitions = field(default_factory=Partitions)
    properties: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def key_field(self) -> str:
        """The primary field's name."""
        return self.schema.primary_field.name

    @cached_property
    def specs(self) -> dict[str, IndexSpec]:
        """The index of each searchable field."""
        return {name: index.spec for name, index in self.indexes.items() if not index.is_scalar}

    @cached_property
    def lookups(self) -> frozenset[Hashable]:
        """What rows are looked up by; see `known_of`."""
        scalar = [index for index in self.indexes.values() if index.is_scalar]
        found = [i.lookup for i in scalar]
        if self.schema.partition_key is not None:
            found.append(self.schema.partition_key.name)
        return frozenset([*found, PARTITION] if self.partitions.divided else found)

    @property
    def ttl(self) -> int | None:
        """The age in seconds at which rows end; None if they do not."""
        seconds = int(self.properties.get(TTL, 0))
        return seconds if seconds > 0 else None

    def output(self, names: Sequence[str] | None, *, query: bool = False) -> Output:
        """What to read for `output_fields`, remembered; see `resolve_output`."""
        key = (tuple(names) if isinstance(names, (list, tuple)) else names, query)
        try:
            return self._outputs[key]
        except (KeyError, TypeError):
            output = resolve_output(self.schema, names, query=query)
            if len(self._outputs) < REMEMBERED_OUTPUTS:
                self._outputs[key] = output
            return output

    @cached_property
    def _outputs(self) -> dict[Any, Output]:
        return {}

    def to_dict(self) -> dict[str, Any]:
        """Return the definition as JSON-serialisable data."""
        return {
            "schema": self.schema.to_dict(),
            "indexes": [index.to_dict() for index in self.indexes.values()],
            "loaded": self.loaded,
            "consistency": int(self.consistency),
            "description": self.description,
            "fingerprints": dict(self.fingerprints),
            "partitions": self.partitions.to_dict(),
            "properties": dict(self.properties),
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Definition:
        """Read what `to_dict` wrote."""
        schema = CollectionSchema.from_dict(raw["schema"])
        level, prints = ConsistencyLevel(raw["consistency"]), raw.get("fingerprints", {})
        partitions = Partitions.from_dict(raw.get("partitions"))
        properties = raw.get("properties", {})
        bare = cls(schema, {}, raw["loaded"], level, raw["description"], prints, partitions, properties)
        asked = [
            IndexParam(i["field"], i["index_type"], i["name"], i["metric_type"], i["params"]) for i in raw["indexes"]
        ]
        return bare.with_indexes(asked)

    def with_indexes(self, asked: Iterable[IndexParam]) -> Definition:
        """Add indexes; the same index again with equal parameters changes nothing.

        Raises:
            FieldNotFound, SchemaError: no such vector field.
            AlreadyExists: the field has a different index, or another index has the name.
        """
        indexes = dict(self.indexes)
        for param in asked:
            new = self._index(param)
            old = indexes.get(new.target)
            if old is not None and old != new:
                kind = ", ".join(filter(None, (old.spec.index_type, old.spec.metric)))
                raise AlreadyExists(
                    f"field '{new.target}' has index '{old.name}' ({kind}) already; drop_index it first to change it"
                )
            if any(i.name == new.name and i.target != new.target for i in indexes.values()):
                raise AlreadyExists(f"index name '{new.name}' is taken by another field")
            indexes[new.target] = new
        return replace(self, indexes=indexes)

    def same_as(self, other: Definition) -> bool:
        """Whether both ask for the same collection, loaded or not, whatever models have filled it."""
        return self._asked().to_dict() == other._asked().to_dict()

    def _asked(self) -> Definition:
        return replace(self, loaded=False, fingerprints={}, partitions=Partitions(hashed=self.partitions.hashed))

    def loadable(self, name: str) -> Definition:
        """Itself, if every vector field has an index, without which the collection `name` cannot be loaded.

        Raises:
            IndexNotFound: names the field without one.
        """
        bare = [f.name for f in self.schema.searchable_fields if f.name not in self.indexes]
        if bare:
            raise IndexNotFound(
                f"collection '{name}' cannot be loaded: vector field '{bare[0]}' has no index; create_index first"
            )
        return self

    def with_properties(self, properties: Mapping[str, Any]) -> Definition:
        """The same with further or other properties.

        Raises:
            InvalidArgument: the dynamic field is to be taken away.
        """
        schema = self.schema
        dynamic = properties.get(DYNAMIC, schema.enable_dynamic_field)
        if schema.enable_dynamic_field and not dynamic:
            raise InvalidArgument(f"property '{DYNAMIC}': the dynamic field is on and cannot be turned off")
        if dynamic and not schema.enable_dynamic_field:
            schema = CollectionSchema.from_dict({**schema.to_dict(), "enable_dynamic_field": True})
        return replace(self, schema=schema, properties={**self.properties, **properties})

    def without_properties(self, names: Iterable[str]) -> Definition:
        """The same without some properties."""
        kept = {name: value for name, value in self.properties.items() if name not in set(names)}
        return replace(self, properties=kept)

    def with_fields(self, fields: Iterable[FieldSchema]) -> Definition:
        """The same with these fields instead of those of the same name, or added behind the others."""
        changed = {field.name: field.to_dict() for field in fields}
        raw = self.schema.to_dict()
        known = [changed.pop(field["name"], field) for field in raw["fields"]]
        schema = CollectionSchema.from_dict({**raw, "fields": [*known, *changed.values()]})
        schema.verify()
        return replace(self, schema=schema)

    def as_loaded(self, loaded: bool) -> Definition:
        """The same, searchable in whole or not at all."""
        return replace(self, loaded=loaded, partitions=replace(self.partitions, released=frozenset()))

    def with_fingerprints(self, fingerprints: Mapping[str, str]) -> Definition:
        """The same, with the models of some fields noted."""
        return replace(self, fingerprints={**self.fingerprints, **fingerprints})

    def without_index(self, name: str) -> Definition:
        """Remove the index of that name (or on the field of that name)."""
        found = self.index_named(name)
        return replace(self, indexes={f: i for f, i in self.indexes.items() if i is not found})

    def index_named(self, name: str) -> Index:
        """The index of that name, or on the field of that name; or raise IndexNotFound."""
        for index in self.indexes.values():
            if name in (index.name, index.field):
                return index
        names = [index.name for index in self.indexes.values()]
        if not isinstance(name, str):
            raise InvalidArgument(f"index_name must be a str, not {type(name).__name__}")
        raise IndexNotFound(f"index not found[index={name}]{did_you_mean(name, names)}")

    def _index(self, param: IndexParam) -> Index:
        params = dict(param.params)
        path = self._indexed_path(param.field_name, params.pop("json_path", None))
        field = self.schema.field(param.field_name) if path is None or path.field != DYNAMIC_FIELD else None
        if field is not None and field.is_vector:
            is_bm25 = self.schema.bm25_input(field.name) is not None
            nested = field.array is not None
            spec = resolve_index(field.dtype, is_bm25, param.index_type, param.metric_type, params, in_array=nested)
            return Index(param.index_name or field.name, field.name, spec)
        if param.metric_type:
            raise SchemaError(f"index on '{param.field_name}': a scalar index has no metric_type; leave it out")
        dtype = DataType.JSON if field is None else field.dtype
        spec = resolve_scalar_index(
            param.field_name, dtype, None if field is None else field.element_type, param.index_type, params
        )
        name = param.index_name or "_".join([param.field_name, *map(str, _inner_keys(path))])
        return Index(name, param.field_name, spec, path)

    def _indexed_path(self, name: str, text: object) -> Path | None:
        """The JSON path that an index is on; None for another field."""
        field = next((f for f in self.schema.fields if f.name == name), None)
        dynamic = field is None and self.schema.enable_dynamic_field and text is not None
        if not dynamic and (field is None or field.dtype != DataType.JSON):
            if text is not None and field is not None:
                raise SchemaError(f"index on '{name}': json_path belongs to JSON fields and dynamic keys")
            return None
        if text is None and not dynamic:
            raise SchemaError(f"index on '{name}' (JSON): give the path, as json_path='{name}[\"key\"]'")
        path = named_path(str(name if text is None else text), self.schema)
        owner = path.keys[0] if path.field == DYNAMIC_FIELD else path.field
        if owner != name:
            raise SchemaError(f"index on '{name}': the json_path {text!r} lies in '{owner}'; give that as field_name")
        return path


def _inner_keys(path: Path | None) -> tuple[str | int, ...]:
    """The keys within a JSON field, or within a dynamic one, whose own name is the path's first key."""
    if path is None:
        return ()
    return path.keys[1:] if path.field == DYNAMIC_FIELD else path.keys
