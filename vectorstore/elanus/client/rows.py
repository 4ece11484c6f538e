"""Rows: insert, upsert, delete, get, query."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from elanus.client.base import Base
from elanus.client.options import check_timeout, given_consistency, refuse
from elanus.client.results import QueryResult
from elanus.engine.collection import Collection, Written
from elanus.engine.definition import Definition
from elanus.engine.embedding import with_vectors
from elanus.engine.properties import OWN_IDS
from elanus.errors import InvalidArgument, RowError
from elanus.filter import Expression, Predicate
from elanus.schema.arrow import PARTITION
from elanus.schema.buffers import numbers
from elanus.schema.collection import CollectionSchema
from elanus.schema.partial import brings_keys, checked_operations, to_pieces, with_own_keys
from elanus.schema.rows import to_batch
from elanus.search.aggregates import as_aggregation
from elanus.search.found import fetch
from elanus.search.matching import among, matching
from elanus.search.ordering import given_orders, orderable, ordered_rids
from elanus.search.request import MAX_LIMIT, check_window, make_predicate
from elanus.search.values import named
from elanus.storage.keys import Keys
from elanus.storage.part import Int64s
from elanus.storage.view import View, find

NOTHING_WRITTEN = Written(pa.array([], pa.int64()), 0)
INT64_RANGE = range(-(2**63), 2**63)


class Rows(Base):
    """The client's methods that write rows and read them back."""

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

    def get(
        self,
        collection_name: str,
        ids: Any,
        output_fields: list[str] | None = None,
        timeout: float | None = None,
        partition_names: list[str] | None = None,
        **kwargs: Any,
    ) -> QueryResult:
        """Read rows by key, in the order of `ids`; keys without a row are left out."""
        level = given_consistency("get", kwargs.pop("consistency_level", None))
        refuse("get", kwargs)
        if ids is None:
            raise InvalidArgument("get: give ids, one or a list")
        return self.query(
            collection_name,
            ids=ids,
            output_fields=output_fields,
            timeout=timeout,
            partition_names=partition_names,
            consistency_level=level,
        )

    def query(
        self,
        collection_name: str,
        filter: str | Expression | None = "",
        output_fields: list[str] | None = None,
        timeout: float | None = None,
        ids: Any = None,
        partition_names: list[str] | None = None,
        **kwargs: Any,
    ) -> QueryResult:
        """Read the rows that match a filter, ordered by key, or those of `ids`, in that order.

        Args:
            filter, filter_params: a Milvus boolean expression and the values of its `{name}` places, or an
                `elanus.Expression` (`F.year >= 2020`), which holds its own. An empty one
                needs a `limit`.
            output_fields: None and "*" mean all. "count(*)", "count(field)", "sum(field)", "min(field)", "max(field)"
                and "avg(field)" calculate instead, over all rows or by group; null and missing values are left out.
            group_by_fields: integer, BOOL or VARCHAR fields, or keys in JSON, by keyword: one row for each group, in
                the order of the groups' values; null is a group of its own.
            order_by: ["price:desc", "year:asc:nulls_first"], or dicts of field, order and nulls, by keyword: scalar
                fields or keys in JSON, of groups also aggregates. Null is last when ascending, first when descending,
                unless said otherwise; equals are ordered by key.
            limit, offset: the window, by keyword; it counts groups if there are any.

        Returns:
            A list of dicts, each with the key, or of aggregates as they are written in output_fields.
        """
        filter_params = kwargs.pop("filter_params", None)
        limit, offset = kwargs.pop("limit", None), kwargs.pop("offset", 0)
        level = given_consistency("query", kwargs.pop("consistency_level", None))
        orders = given_orders("query", kwargs)
        group_by_fields = kwargs.pop("group_by_fields", None)
        refuse("query", kwargs, ("filter_params", "limit", "offset", "order_by", "group_by_fields"))
        check_timeout("query", timeout)
        if ids is not None and filter not in (None, ""):
            raise InvalidArgument("query: give either ids or a filter")
        collection = self._loaded(collection_name, level)
        view, schema = collection.view(), collection.definition.schema
        inside = collection.definition.partitions.readable(partition_names)
        predicate = make_predicate(schema, filter, filter_params, inside)
        aggregation = as_aggregation(schema, output_fields, group_by_fields)
        rids = None if ids is None else _rids_of_keys(view, collection, as_keys(collection, ids), inside)
        if aggregation is not None:
            aggregation.check(orders, offset, limit)
            chosen = matching(view, predicate) if rids is None else among(view, rids)
            return QueryResult(aggregation.run(view, chosen, orders, offset, limit))
        output = collection.definition.output(output_fields, query=True)
        if rids is None and limit is None and (filter is None or filter == ""):
            raise InvalidArgument("query: give a filter, ids or a limit")
        if orders:
            names = [*orderable(schema, "query: order_by", orders), named(schema, "", collection.definition.key_field)]
            chosen = matching(view, predicate) if rids is None else among(view, rids)
            rids = ordered_rids(view, chosen, names, orders, _end(limit, offset))
        elif rids is None:
            rids = ordered_by_key(view, collection, predicate, _end(limit, offset))
        if limit is not None or offset != 0:
            _, offset = check_window(1, offset)
            limit, _ = check_window(MAX_LIMIT - offset if limit is None else limit, offset)
            rids = rids[offset : offset + limit]
        return QueryResult(fetch(view, rids, output))


def _bringing(call: str, definition: Definition, data: Any) -> CollectionSchema:
    """The schema of rows to come: with keys of their own where they may bring those that the store would give."""
    schema = definition.schema
    own = schema.auto_id and (call == "upsert" or definition.properties.get(OWN_IDS, False))
    return with_own_keys(schema) if own and brings_keys(schema, data) else schema


def as_keys(collection: Collection, ids: Any) -> pa.Array:
    """Turn ids (one, or a list, tuple, set or array) into an Arrow array of the key's type."""
    key = collection.definition.schema.primary_field
    wanted = str if key.dtype.name == "VARCHAR" else int
    if isinstance(ids, (str, int, np.integer)):
        ids = [ids]
    if not isinstance(ids, Iterable):
        raise RowError(f"ids must be a key or a list of keys, not {ids!r}")
    values = ids.tolist() if isinstance(ids, np.ndarray) else list(ids)
    values = [int(v) if isinstance(v, np.integer) else v for v in values]
    for value in values:
        if isinstance(value, bool) or not isinstance(value, wanted) or (wanted is int and value not in INT64_RANGE):
            raise RowError(f"id {value!r} does not fit key '{key.name}' ({key.dtype.name})")
    return pa.array(values, pa.string() if wanted is str else pa.int64())


def _end(limit: object, offset: object) -> int | None:
    if limit is None:
        return None
    return sum(check_window(limit, offset))


def _rids_of_keys(view: View, collection: Collection, keys: pa.Array, inside: tuple[int, ...] | None) -> Int64s:
    """The living rows of these keys that are in these partitions (None: in any), in the keys' order, each once."""
    rid_of = np.full(len(keys), -1, np.int64)
    for s, (which, rows) in zip(view.slices, find(view, Keys(keys), collection.definition.key_field), strict=True):
        if inside is not None:
            kept = np.isin(numbers(s.part.column(PARTITION))[rows], inside)
            which, rows = which[kept], rows[kept]
        rid_of[which] = s.part.rids[rows]
    found = rid_of[rid_of >= 0]
    _, first = np.unique(found, return_index=True)
    return np.asarray(found[np.sort(first)], np.int64)


def ordered_by_key(view: View, collection: Collection, predicate: Predicate | None, most: int | None) -> Int64s:
    """The matching rows with the smallest keys, ascending by key; `most` of them, or all."""
    allowed = matching(view, predicate)
    key = collection.definition.key_field
    keys, rids = [], [np.empty(0, np.int64)]
    for s, mask in zip(view.slices, allowed.masks, strict=True):
        column = s.part.column(key)
        column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        keys.append(column if mask is None else column.filter(pa.array(mask)))
        rids.append(s.part.rids if mask is None else s.part.rids[mask])
    if not keys:
        return rids[0]
    table = pa.table({"key": pa.chunked_array(keys)})
    if most is None or most >= table.num_rows:
        order = pc.sort_indices(table, sort_keys=[("key", "ascending")])
    else:
        order = pc.select_k_unstable(table, most, sort_keys=[("key", "ascending")])
    return np.asarray(np.concatenate(rids)[order.to_numpy()], np.int64)
