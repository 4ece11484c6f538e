"""Rows back: get, query."""

from __future__ import annotations

from typing import Any

from elanus.client.base import Base
from elanus.client.keys import as_keys
from elanus.client.options import check_timeout, given_consistency, refuse
from elanus.client.results import QueryResult
from elanus.errors import InvalidArgument
from elanus.filter import Expression, Predicate
from elanus.search.aggregates import as_aggregation
from elanus.search.found import fetch
from elanus.search.keyed import ordered_by_key, rids_of_keys
from elanus.search.matching import Matching, among, matching
from elanus.search.ordering import given_orders, orderable, ordered_rids
from elanus.search.request import MAX_LIMIT, check_window, make_predicate
from elanus.search.values import named
from elanus.storage.part import Int64s
from elanus.storage.view import View


class Reading(Base):
    """The client's methods that read rows by key or by filter."""

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
        definition, view = collection.definition, collection.view()
        schema, key = definition.schema, definition.key_field
        inside = definition.partitions.readable(partition_names)
        predicate = make_predicate(schema, filter, filter_params, inside)
        aggregation = as_aggregation(schema, output_fields, group_by_fields)
        of_ids = None if ids is None else rids_of_keys(view, key, as_keys(collection, ids), inside)
        if aggregation is not None:
            aggregation.check(orders, offset, limit)
            return QueryResult(aggregation.run(view, _chosen(view, predicate, of_ids), orders, offset, limit))
        output = definition.output(output_fields, query=True)
        if of_ids is None and limit is None and (filter is None or filter == ""):
            raise InvalidArgument("query: give a filter, ids or a limit")
        if orders:
            names = [*orderable(schema, "query: order_by", orders), named(schema, "key", key)]
            rids = ordered_rids(view, _chosen(view, predicate, of_ids), names, orders, _end(limit, offset))
        elif of_ids is None:
            rids = ordered_by_key(view, key, matching(view, predicate), _end(limit, offset))
        else:
            rids = of_ids
        if limit is not None or offset != 0:
            _, offset = check_window(1, offset)
            limit, _ = check_window(MAX_LIMIT - offset if limit is None else limit, offset)
            rids = rids[offset : offset + limit]
        return QueryResult(fetch(view, rids, output))


def _chosen(view: View, predicate: Predicate | None, of_ids: Int64s | None) -> Matching:
    """The rows of the ids, or those that match."""
    return matching(view, predicate) if of_ids is None else among(view, of_ids)


def _end(limit: object, offset: object) -> int | None:
    if limit is None:
        return None
    return sum(check_window(limit, offset))
