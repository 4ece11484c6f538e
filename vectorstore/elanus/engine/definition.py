"""What the catalogue keeps of a collection besides its rows: schema, indexes, properties."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from elanus.errors import AlreadyExists, IndexNotFound, SchemaError, did_you_mean
from elanus.index.registry import IndexSpec, resolve_index
from elanus.schema.collection import CollectionSchema
from elanus.schema.indexes import IndexParam
from elanus.schema.output import Output, resolve_output
from elanus.types import ConsistencyLevel

REMEMBERED_OUTPUTS = 256


@dataclass(frozen=True)
class Index:
    """A named index on a vector field."""

    name: str
    field: str
    spec: IndexSpec

    def to_dict(self) -> dict[str, Any]:
        """Return what `Definition.from_dict` reads."""
        spec = self.spec
        kind = {"index_type": spec.index_type, "metric_type": spec.metric, "params": dict(spec.params)}
        return {"name": self.name, "field": self.field, **kind}


@dataclass(frozen=True)
class Definition:
    """A collection's schema, its indexes by field, whether it is loaded, and whose vectors are in its fields.

    `fingerprints` are of the embedding models that fill vector fields, as far as they are known.
    """

    schema: CollectionSchema
    indexes: Mapping[str, Index]
    loaded: bool = False
    consistency: ConsistencyLevel = ConsistencyLevel.Bounded
    description: str = ""
    fingerprints: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def key_field(self) -> str:
        """The primary field's name."""
        return self.schema.primary_field.name

    @cached_property
    def specs(self) -> dict[str, IndexSpec]:
        """The index of each searchable field."""
        return {name: index.spec for name, index in self.indexes.items()}

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
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Definition:
        """Read what `to_dict` wrote."""
        schema = CollectionSchema.from_dict(raw["schema"])
        level, prints = ConsistencyLevel(raw["consistency"]), raw.get("fingerprints", {})
        bare = cls(schema, {}, raw["loaded"], level, raw["description"], prints)
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
            old = indexes.get(new.field)
            if old is not None and old != new:
                raise AlreadyExists(
                    f"field '{new.field}' has index '{old.name}' ({old.spec.index_type}, {old.spec.metric}) "
                    "already; drop_index it first to change it"
                )
            if any(i.name == new.name and i.field != new.field for i in indexes.values()):
                raise AlreadyExists(f"index name '{new.name}' is taken by another field")
            indexes[new.field] = new
        return replace(self, indexes=indexes)

    def same_as(self, other: Definition) -> bool:
        """Whether both ask for the same collection, loaded or not, whatever models have filled it."""
        return self._asked().to_dict() == other._asked().to_dict()

    def _asked(self) -> Definition:
        return replace(self, loaded=False, fingerprints={})

    def as_loaded(self, loaded: bool) -> Definition:
        """The same, searchable or not."""
        return replace(self, loaded=loaded)

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
        raise IndexNotFound(f"no index '{name}'{did_you_mean(name, names)}")

    def _index(self, param: IndexParam) -> Index:
        field = self.schema.field(param.field_name)
        if not field.is_vector:
            raise SchemaError(
                f"field '{field.name}' is {field.dtype.name}: indexes on scalar fields are not supported yet; "
                "filters on it work without one"
            )
        is_bm25 = self.schema.bm25_input(field.name) is not None
        spec = resolve_index(field.dtype, is_bm25, param.index_type, param.metric_type, param.params)
        return Index(param.index_name or field.name, field.name, spec)
