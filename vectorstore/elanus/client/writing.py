"""Writing rows: insert, upsert, delete."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa

from elanus.client.base import Base
from elanus.client.keys import as_keys
from elanus.client.options import check_timeout, refuse
from elanus.engine.collection import Collection, Written
from elanus.engine.definition import Definition
from elanus.engine.embedding import with_vectors
from elanus.engine.properties import OWN_IDS
from elanus.errors import InvalidArgument
from elanus.filter import Expression
from elanus.schema.collection import CollectionSchema
from elanus.schema.partial import brings_keys, checked_operations, to_pieces, with_own_keys
from elanus.schema.rows import to_batch
from elanus.search.request import make_predicate

NOTHING_WRITTEN = Written(pa.array([], pa.int64()), 0)


class Writing(Base):
    """The client's methods that write rows."""

    def insert(
        self,
        collection_name: str,
        data: Any,
        timeout: float | None = None,
        partition_name: str | None = "",
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Store rows; when this returns they are on disk. A row whose key exists replaces that row.

        A key has one row in the whole collection: written into another partition, it is there only from then on.

        Args:
            data: a list of dicts, one dict, a dict of columns, a pyarrow Table or RecordBatch, or a pandas or polars
                DataFrame. Vectors may be numpy arrays. A field that a TEXTEMBEDDING function fills is left out.

        Returns:
            {"insert_count": n, "ids": [...], "cost": 0}.

        Raises:
            RowError: a row does not fit the schema: names row, field, value and rule. No row was stored.
            ModelMismatch, ModelFailed: the embedding function's model is another one, or failed. No row was stored.
            StoreFull: there was no space. No row was stored.
        """
        refuse("insert", kwargs)
        written = self._write("insert", collection_name, data, timeout, partition_name)
        return {"insert_count": written.rows, "ids": written.keys.to_pylist(), "cost": 0}

    def upsert(
        self,
        collection_name: str,
        data: Any,
        timeout: float | None = None,
        partition_name: str | None = "",
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Store rows, replacing those with the same keys; arguments and errors as for `insert`.

        Rows of a collection whose keys the store gives may bring keys; without them they are new.

        Args:
            partial_update: the rows bring their keys and some other fields; what they leave out keeps its value, and
                dynamic fields are merged by name. A row whose key is new must bring what every row must. Rows stay in
                their partitions unless `partition_name` is given.
            field_ops: with ARRAY fields, by name: "array_append" adds the elements that a row brings, "array_remove"
                removes every equal one; implies `partial_update`.

        Returns:
            {"upsert_count": n, "ids": [...], "cost": 0}.
        """
        operations = kwargs.pop("field_ops", None)
        partial = bool(kwargs.pop("partial_update", False)) or bool(operations)
        refuse("upsert", kwargs)
        if partial:
            written = self._merge(collection_name, data, timeout, partition_name, operations or {})
        else:
            written = self._write("upsert", collection_name, data, timeout, partition_name)
        return {"upsert_count": written.rows, "ids": written.keys.to_pylist(), "cost": 0}

    def _merge(
        self, collection_name: str, data: Any, timeout: float | None, partition: str | None, operations: Any
    ) -> Written:
        name = self._name(collection_name)

        def merge(collection: Collection) -> Written:
            definition = collection.definition
            asked = checked_operations(definition.schema, operations)
            number = definition.partitions.number(partition) if partition else None
            pieces = to_pieces(definition.schema, data)
            if not pieces:
                return NOTHING_WRITTEN
            whole = [replace(piece, batch=with_vectors(name, definition, piece.batch)) for piece in pieces]
            return collection.merge(whole, asked, name, number)

        with self._store.patience(check_timeout("upsert", timeout)):
            return self._store.write(name, merge)

    def _write(self, call: str, name: str, data: Any, timeout: float | None, partition: str | None) -> Written:
        name = self._name(name)

        def write(collection: Collection) -> Written:
            definition = collection.definition
            number = definition.partitions.number(partition) if partition else 0
            batch = to_batch(_bringing(call, definition, data), data)
            if not batch.num_rows:
                return NOTHING_WRITTEN
            return collection.write(with_vectors(name, definition, batch), name, number)

        with self._store.patience(check_timeout(call, timeout)):
            return self._store.write(name, write)

    def delete(
        self,
        collection_name: str,
        ids: Any = None,
        timeout: float | None = None,
        filter: str | Expression | None = None,
        partition_name: str | None = None,
        **kwargs: Any,
    ) -> dict[str, int]:
        """Delete the rows of some keys, or those that match a filter; when this returns they are gone for good.

        With `partition_name` only those in that partition.

        Returns:
            {"delete_count": n}: how many rows there were.
        """
        filter_params = kwargs.pop("filter_params", None)
        refuse("delete", kwargs, ("filter_params",))
        collection_name = self._name(collection_name)
        if (ids is None) == (filter is None or filter == ""):
            raise InvalidArgument("delete: give either ids or a filter")

        def delete(collection: Collection) -> int:
            schema, partitions = collection.definition.schema, collection.definition.partitions
            inside = (partitions.number(partition_name),) if partition_name else None
            if ids is not None:
                keys = as_keys(collection, ids)
                if inside is not None:
                    return collection.delete_keys_within(keys, inside, collection_name)
                return collection.delete_keys(keys, collection_name)
            predicate = make_predicate(schema, filter, filter_params, inside)
            assert predicate is not None
            return collection.delete_matching(predicate, collection_name)

        with self._store.patience(check_timeout("delete", timeout)):
            return {"delete_count": self._store.write(collection_name, delete)}


def _bringing(call: str, definition: Definition, data: Any) -> CollectionSchema:
    """The schema of rows to come: with keys of their own where they may bring those that the store would give."""
    schema = definition.schema
    own = schema.auto_id and (call == "upsert" or definition.properties.get(OWN_IDS, False))
    return with_own_keys(schema) if own and brings_keys(schema, data) else schema
