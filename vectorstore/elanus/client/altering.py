"""What can be changed about a collection that has rows: its properties, its fields, the parameters of its indexes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from elanus.analysis import check_analyzers
from elanus.client.base import Base
from elanus.client.options import check_timeout, refuse
from elanus.engine.definition import Definition
from elanus.engine.properties import check_property_names, checked_properties
from elanus.errors import AlreadyExists, InvalidArgument, NotSupported, did_you_mean
from elanus.index.registry import HINTS
from elanus.schema.collection import CollectionSchema
from elanus.schema.fields import FieldSchema
from elanus.schema.rows import check_defaults

FIELD_PARAMS = ("max_length", "max_capacity", "mmap_enabled", "warmup")
"""What may be changed about a field; mmap_enabled may be written mmap.enabled, and is a hint, like warmup."""


class Altering(Base):
    """The client's methods that change a collection's definition; its rows stay as they are."""

    def add_collection_field(
        self,
        collection_name: str,
        field_name: str,
        data_type: Any,
        desc: str = "",
        timeout: float | None = None,
        **kwargs: Any,
    ) -> None:
        """Add a nullable scalar field; the rows that there are hold its default value, or null.

        Args:
            kwargs: the field's options, as `add_field` of a schema takes them; `nullable=True` is needed, as in Milvus.

        Raises:
            AlreadyExists: there is a field of that name.
            InvalidArgument, NotSupported: the field is not nullable, a key, or a vector.
        """
        call = "add_collection_field"
        field = FieldSchema(field_name, data_type, desc, **kwargs)
        if field.is_vector:
            raise NotSupported(f"{call}: a vector field cannot be added; make another collection and copy the rows")
        if field.is_primary or field.is_partition_key:
            raise InvalidArgument(f"{call}: '{field_name}' cannot be a key; the rows that there are have none")
        if not field.nullable:
            raise InvalidArgument(f"{call}: '{field_name}' must be nullable=True; the rows that there are lack it")
        check_defaults(CollectionSchema([field]))

        def add(definition: Definition) -> Definition:
            if field_name in definition.schema.names():
                raise AlreadyExists(f"{call}: collection '{collection_name}' has a field '{field_name}' already")
            added = definition.with_fields([field])
            check_analyzers(added.schema)
            return added

        self._alter(call, collection_name, timeout, add)

    def alter_collection_field(
        self,
        collection_name: str,
        field_name: str,
        field_params: dict[str, Any],
        timeout: float | None = None,
        **kwargs: Any,
    ) -> None:
        """Change a field's max_length or max_capacity, for rows that are written from now on.

        Raises:
            FieldNotFound, InvalidArgument: no such field, or a parameter that cannot be changed.
        """
        call = "alter_collection_field"
        refuse(call, kwargs)
        if not isinstance(field_params, Mapping) or not field_params:
            raise InvalidArgument(f"{call}: field_params must be a dict of what to change, not {field_params!r}")
        params = {name.replace(".", "_"): value for name, value in field_params.items()}
        for name in params:
            if name not in FIELD_PARAMS:
                able = ", ".join(FIELD_PARAMS)
                raise InvalidArgument(
                    f"{call}: '{name}' cannot be changed; {able} can{did_you_mean(name, FIELD_PARAMS)}"
                )

        def alter(definition: Definition) -> Definition:
            raw = definition.schema.field(field_name).to_dict()
            return definition.with_fields([FieldSchema.from_dict({**raw, "params": {**raw["params"], **params}})])

        self._alter(call, collection_name, timeout, alter)

    def alter_collection_properties(
        self, collection_name: str, properties: dict[str, Any], timeout: float | None = None, **kwargs: Any
    ) -> None:
        """Set properties of a collection.

        "collection.ttl.seconds": the age at which rows end; they leave every read at once, and their space is taken
        back when segments merge. "dynamicfield.enabled": keep keys that no field declares. "allow_insert_auto_id":
        rows may bring keys that the store would give. "mmap.enabled", "lazyload.enabled" and "partitionkey.isolation"
        are hints to a server.

        Raises:
            InvalidArgument, NotSupported: an unknown property, or a value that does not fit.
        """
        call = "alter_collection_properties"
        refuse(call, kwargs)
        checked = checked_properties(call, properties)
        self._alter(call, collection_name, timeout, lambda definition: definition.with_properties(checked))

    def drop_collection_properties(
        self, collection_name: str, property_keys: list[str], timeout: float | None = None, **kwargs: Any
    ) -> None:
        """Take properties away, so that their defaults hold again."""
        call = "drop_collection_properties"
        refuse(call, kwargs)
        names = check_property_names(call, property_keys)
        self._alter(call, collection_name, timeout, lambda definition: definition.without_properties(names))

    def alter_index_properties(
        self,
        collection_name: str,
        index_name: str,
        properties: dict[str, Any],
        timeout: float | None = None,
        **kwargs: Any,
    ) -> None:
        """Accept hints to a server about where it keeps an index; columns are always memory-mapped here."""
        self._hint("alter_index_properties", collection_name, index_name, properties, timeout, kwargs)

    def drop_index_properties(
        self,
        collection_name: str,
        index_name: str,
        property_keys: list[str],
        timeout: float | None = None,
        **kwargs: Any,
    ) -> None:
        """Take such hints back."""
        self._hint("drop_index_properties", collection_name, index_name, property_keys, timeout, kwargs)

    def _hint(
        self, call: str, collection_name: str, index_name: str, names: Any, timeout: float | None, options: Any
    ) -> None:
        refuse(call, options)
        check_timeout(call, timeout)
        self._collection(collection_name).definition.index_named(index_name)
        for name in names:
            if name not in HINTS:
                raise InvalidArgument(f"{call}: '{name}' is no property of an index; {', '.join(HINTS)} is")

    def _alter(
        self, call: str, collection_name: str, timeout: float | None, change: Callable[[Definition], Definition]
    ) -> None:
        collection_name = self._name(collection_name)
        with self._store.patience(check_timeout(call, timeout)):
            self._store.redefine(collection_name, change)
