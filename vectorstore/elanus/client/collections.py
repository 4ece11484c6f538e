"""Collections: create, describe, list, rename, drop, load."""

from __future__ import annotations

from typing import Any

from elanus.analysis import check_analyzers
from elanus.client.base import Base
from elanus.client.options import check_timeout, check_whole, consistency, refuse
from elanus.engine.databases import own_name
from elanus.engine.definition import Definition
from elanus.engine.embedding import bind_models
from elanus.engine.partitions import MAX_PARTITIONS, Partitions
from elanus.engine.properties import checked_properties
from elanus.errors import CollectionNotFound, InvalidArgument
from elanus.schema.collection import CollectionSchema, as_schema
from elanus.schema.fields import MAX_DIM, MAX_VARCHAR_BYTES, MIN_DIM, FieldSchema
from elanus.schema.indexes import IndexParam, IndexParams, as_index_params
from elanus.schema.rows import check_defaults
from elanus.schema.structs import StructFieldSchema
from elanus.storage.tables import split_name
from elanus.types import ConsistencyLevel, DataType, LoadState

KEY_TYPES = {
    "int": DataType.INT64,
    "int64": DataType.INT64,
    "string": DataType.VARCHAR,
    "str": DataType.VARCHAR,
    "varchar": DataType.VARCHAR,
}
HASHED_PARTITIONS = 16
QUICK = {
    "dimension": None,
    "primary_field_name": "id",
    "id_type": "int",
    "vector_field_name": "vector",
    "metric_type": "COSINE",
    "auto_id": False,
}


class Collections(Base):
    """The client's methods on whole collections."""

    @classmethod
    def create_schema(cls, **kwargs: Any) -> CollectionSchema:
        """Return an empty schema; options as `CollectionSchema` takes them (auto_id, enable_dynamic_field, ...)."""
        return CollectionSchema(**kwargs)

    @classmethod
    def create_field_schema(cls, name: str, data_type: DataType, desc: str = "", **kwargs: Any) -> FieldSchema:
        """Return a field; options as `FieldSchema` takes them."""
        return FieldSchema(name, data_type, desc, **kwargs)

    @classmethod
    def create_struct_field_schema(cls) -> StructFieldSchema:
        """Return the schema of an empty struct, to be filled with `add_field`."""
        return StructFieldSchema()

    @classmethod
    def prepare_index_params(cls, field_name: str = "", **kwargs: Any) -> IndexParams:
        """Return index parameters to fill with `add_index`; with arguments, the first one is added already."""
        params = IndexParams()
        if field_name:
            params.add_index(field_name, **kwargs)
        elif kwargs:
            raise InvalidArgument("prepare_index_params: field_name is missing")
        return params

    def create_collection(
        self,
        collection_name: str,
        dimension: int | None = None,
        primary_field_name: str = "id",
        id_type: str | DataType = "int",
        vector_field_name: str = "vector",
        metric_type: str = "COSINE",
        auto_id: bool = False,
        timeout: float | None = None,
        schema: Any = None,
        index_params: Any = None,
        **kwargs: Any,
    ) -> None:
        """Create a collection, quickly from a dimension or in full from a schema.

        With `dimension`: a key field, a vector field with an AUTOINDEX, dynamic fields on; loaded. With `schema`:
        as it says; loaded if `index_params` cover every vector field. The same collection again is no error.
        `num_partitions` is how many names a partition key's rows are counted under (default 16); `properties` are as
        `alter_collection_properties` takes them.

        Raises:
            AlreadyExists: a collection of that name with another schema.
            ModelFailed: the model of an embedding function cannot be had.
            SchemaError, NotSupported, InvalidArgument: see each message.
        """
        call = "create_collection"
        collection_name = self._name(collection_name)
        divided, properties = kwargs.pop("num_partitions", None), kwargs.pop("properties", None)
        level = consistency(call, kwargs.pop("consistency_level", ConsistencyLevel.Bounded))
        if schema is None:
            dynamic = kwargs.pop("enable_dynamic_field", True)
            max_length = kwargs.pop("max_length", None)
            refuse(call, kwargs)
            size = check_whole(call, "dimension (or give a schema:)", dimension, MIN_DIM, MAX_DIM)
            built = quick_schema(
                size, primary_field_name, id_type, vector_field_name, bool(auto_id), bool(dynamic), max_length
            )
            asked = as_index_params(index_params) or [IndexParam(vector_field_name, metric_type=metric_type.upper())]
        else:
            refuse(call, kwargs)
            refuse_quick(call, dimension, primary_field_name, id_type, vector_field_name, metric_type, bool(auto_id))
            built, asked = as_schema(schema), as_index_params(index_params)
        built.verify()
        check_defaults(built)
        check_analyzers(built)
        built, fingerprints = bind_models(built)
        definition = Definition(
            built, {}, consistency=level, description=built.description, partitions=partitions_of(built, divided)
        )
        definition = definition.with_indexes(asked).with_fingerprints(fingerprints)
        definition = definition.with_properties(checked_properties(call, properties or {}))
        covered = all(field.name in definition.indexes for field in built.searchable_fields)
        with self._store.patience(check_timeout(call, timeout)):
            self._store.create(collection_name, definition.as_loaded(covered))

    def has_collection(self, collection_name: str, timeout: float | None = None, **kwargs: Any) -> bool:
        """Whether there is a collection of that name or alias."""
        refuse("has_collection", kwargs)
        check_timeout("has_collection", timeout)
        collection_name = self._name(collection_name)
        return collection_name in self._store.names() or collection_name in self._store.aliases()

    def list_collections(self, **kwargs: Any) -> list[str]:
        """The names of the collections of this client's database, sorted."""
        check_timeout("list_collections", kwargs.pop("timeout", None))
        refuse("list_collections", kwargs)
        return [
            own for name in self._store.names() for database, own in [split_name(name)] if database == self._database
        ]

    def describe_collection(self, collection_name: str, timeout: float | None = None, **kwargs: Any) -> dict[str, Any]:
        """The collection's schema and settings, in the shape of pymilvus's answer."""
        refuse("describe_collection", kwargs)
        check_timeout("describe_collection", timeout)
        collection = self._collection(collection_name)
        definition = collection.definition
        raw = definition.schema.to_dict()
        fields = [{"field_id": 100 + n, **field} for n, field in enumerate(raw["fields"])]
        return {
            "collection_name": own_name(collection.name),
            "db_name": self._database,
            "collection_id": collection.id,
            "auto_id": raw["auto_id"],
            "description": definition.description,
            "fields": fields,
            "functions": raw.get("functions", []),
            "enable_dynamic_field": raw["enable_dynamic_field"],
            "consistency_level": int(definition.consistency),
            "fingerprints": dict(definition.fingerprints),
            "aliases": [own_name(alias) for alias in self._store.aliases(collection.id)],
            "properties": dict(definition.properties),
            "num_shards": 1,
            "num_partitions": len(definition.partitions.names),
        }

    def drop_collection(self, collection_name: str, timeout: float | None = None, **kwargs: Any) -> None:
        """Remove a collection with its rows; one that does not exist is no error, as in Milvus."""
        refuse("drop_collection", kwargs)
        collection_name = self._name(collection_name)
        with self._store.patience(check_timeout("drop_collection", timeout)):
            try:
                self._store.drop(collection_name)
            except CollectionNotFound:
                return

    def rename_collection(
        self,
        old_name: str,
        new_name: str,
        target_db: str | None = "",
        timeout: float | None = None,
        **kwargs: Any,
    ) -> None:
        """Give a collection another name, which must be free, in its database or in `target_db`."""
        refuse("rename_collection", kwargs)
        old, new = self._name(old_name), self._name(new_name, target_db)
        with self._store.patience(check_timeout("rename_collection", timeout)):
            self._store.rename(old, new)

    def truncate_collection(self, collection_name: str, timeout: float | None = None, **kwargs: Any) -> None:
        """Remove all rows of a collection; its schema and indexes stay."""
        refuse("truncate_collection", kwargs)
        collection_name = self._name(collection_name)
        with self._store.patience(check_timeout("truncate_collection", timeout)):
            self._store.truncate(collection_name)

    def get_collection_stats(self, collection_name: str, timeout: float | None = None, **kwargs: Any) -> dict[str, int]:
        """The number of living rows, exactly: {"row_count": n}."""
        refuse("get_collection_stats", kwargs)
        check_timeout("get_collection_stats", timeout)
        return {"row_count": self._collection(collection_name).view().rows}

    def load_collection(self, collection_name: str, timeout: float | None = None, **kwargs: Any) -> None:
        """Make a collection searchable; each of its vector fields needs an index.

        Raises:
            IndexNotFound: names the field without one.
        """
        refuse("load_collection", kwargs)
        collection_name = self._name(collection_name)

        with self._store.patience(check_timeout("load_collection", timeout)):
            self._store.redefine(collection_name, lambda d: d.loadable(collection_name).as_loaded(True))

    def release_collection(self, collection_name: str, timeout: float | None = None, **kwargs: Any) -> None:
        """Refuse searches and queries on a collection until it is loaded again."""
        refuse("release_collection", kwargs)
        collection_name = self._name(collection_name)
        with self._store.patience(check_timeout("release_collection", timeout)):
            self._store.redefine(collection_name, lambda definition: definition.as_loaded(False))

    def get_load_state(
        self,
        collection_name: str,
        partition_name: str | None = "",
        timeout: float | None = None,
        **kwargs: Any,
    ) -> dict[str, LoadState]:
        """Whether a collection, or one of its partitions, is searchable: {"state": LoadState}."""
        refuse("get_load_state", kwargs)
        check_timeout("get_load_state", timeout)
        try:
            definition = self._collection(collection_name).definition
        except CollectionNotFound:
            return {"state": LoadState.NotExist}
        loaded = definition.loaded
        if partition_name:
            definition.partitions.number(partition_name)
            loaded = loaded and partition_name not in definition.partitions.released
        return {"state": LoadState.Loaded if loaded else LoadState.NotLoad}


def partitions_of(schema: CollectionSchema, count: int | None) -> Partitions:
    """The partitions that a new collection begins with: one, or `count` (default 16) for a partition key's hashes."""
    call = "create_collection"
    if schema.partition_key is None:
        if count is not None:
            raise InvalidArgument(f"{call}: num_partitions belongs to a partition key; this schema has none")
        return Partitions()
    return Partitions(hashed=check_whole(call, "num_partitions", count or HASHED_PARTITIONS, 1, MAX_PARTITIONS))


def refuse_quick(call: str, *given: object) -> None:
    """Refuse arguments of the quick form beside a schema, which says the same things itself."""
    for value, (name, default) in zip(given, QUICK.items(), strict=True):
        if value != default:
            raise InvalidArgument(f"{call}: give {name} or a schema, not both")


def quick_schema(
    dimension: int,
    key: str,
    key_type: str | DataType,
    vector: str,
    auto_id: bool,
    dynamic: bool,
    max_length: int | None,
) -> CollectionSchema:
    """The schema of `create_collection(name, dimension=...)`."""
    dtype = KEY_TYPES.get(key_type.lower()) if isinstance(key_type, str) else key_type
    if dtype is None:
        raise InvalidArgument(f"create_collection: id_type must be 'int' or 'string', not {key_type!r}")
    if max_length is not None and dtype != DataType.VARCHAR:
        raise InvalidArgument("create_collection: max_length belongs to string keys; give id_type='string' with it")
    length = {"max_length": max_length or MAX_VARCHAR_BYTES} if dtype == DataType.VARCHAR else {}
    schema = CollectionSchema(enable_dynamic_field=dynamic)
    schema.add_field(key, dtype, is_primary=True, auto_id=auto_id, **length)
    return schema.add_field(vector, DataType.FLOAT_VECTOR, dim=dimension)
