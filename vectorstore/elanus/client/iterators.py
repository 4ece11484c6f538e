"""Reading a whole collection in batches, as it is at one moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from elanus.client.base import Base
from elanus.client.options import check_dict, check_timeout, check_whole, given_consistency, refuse
from elanus.client.results import Hit, Hits, QueryResult, make_hits, rounded
from elanus.client.routes import route_of
from elanus.engine.collection import Collection
from elanus.engine.store import Store
from elanus.errors import InvalidArgument, StoreClosed
from elanus.filter import Expression
from elanus.index.metric import to_distance
from elanus.schema.output import Output
from elanus.search.deepening import Ranking
from elanus.search.found import fetch, fetch_with_keys
from elanus.search.keyed import ordered_by_key
from elanus.search.matching import matching
from elanus.search.request import MAX_LIMIT, make_predicate
from elanus.storage.part import Int64s
from elanus.storage.view import View

UNLIMITED = -1
MAX_TOTAL = 2**63 - 1


class SearchPage(list[Hit]):
    """The hits of one batch, best first."""

    def ids(self) -> list[int | str]:
        """The keys, best first."""
        return [hit.id for hit in self]

    def distances(self) -> list[float]:
        """The distances, best first."""
        return [hit["distance"] for hit in self]


class Batches:
    """What both iterators share: they end, and they refuse to go on after `close()` or the client's own."""

    def __init__(self, call: str, store: Store, size: int, limit: int | None) -> None:
        self._call, self._store, self._size, self._left = call, store, size, limit
        self._closed = False

    def close(self) -> None:
        """Let go of the rows; again is harmless."""
        self._closed = True

    def _wanted(self) -> int:
        """How many rows the next batch may have."""
        if self._closed or self._store.closed:
            raise StoreClosed(f"{self._call}: the iterator was closed; make a new one")
        return self._size if self._left is None else min(self._size, self._left)

    def _count(self, given: int) -> None:
        if self._left is not None:
            self._left -= given


class QueryIterator(Batches):
    """The rows of a query in batches, in the order of their keys."""

    def __init__(self, store: Store, view: View, rids: Int64s, output: Output, size: int, limit: int | None) -> None:
        super().__init__("query_iterator", store, size, limit)
        self._view: View | None = view
        self._rids, self._output = rids, output

    def next(self) -> QueryResult:
        """The next rows; an empty list when there are no more.

        Raises:
            StoreClosed: the iterator or its client was closed.
        """
        count = self._wanted()
        assert self._view is not None
        rids, self._rids = self._rids[:count], self._rids[count:]
        self._count(len(rids))
        return QueryResult(fetch(self._view, rids, self._output))

    def close(self) -> None:
        """Let go of the rows; again is harmless."""
        super().close()
        self._view, self._rids = None, self._rids[:0].copy()


class SearchIterator(Batches):
    """The hits of a search in batches, best first, until every row that may be a hit has come."""

    def __init__(
        self,
        store: Store,
        collection: Collection,
        ranking: Ranking,
        metric: str,
        output: Output,
        size: int,
        limit: int | None,
        digits: int,
        keep: Callable[[Hits], Any] | None,
    ) -> None:
        super().__init__("search_iterator", store, size, limit)
        self._ranking: Ranking | None = ranking
        self._key, self._metric, self._output = collection.definition.key_field, metric, output
        self._digits, self._keep = digits, keep
        self._kept: list[Hit] = []

    def next(self) -> SearchPage:
        """The next hits; an empty list when there are no more.

        Raises:
            StoreClosed: the iterator or its client was closed.
        """
        count = self._wanted()
        while len(self._kept) < count:
            hits = self._read(count if self._keep is None else self._size)
            if not hits:
                break
            self._kept += hits if self._keep is None else self._keep(hits)
        page = SearchPage(self._kept[:count])
        del self._kept[:count]
        self._count(len(page))
        return page

    def _read(self, count: int) -> Hits:
        assert self._ranking is not None
        found = self._ranking.next(count)
        rows = fetch_with_keys(self._ranking.view, self._key, found.rids, self._output)
        return make_hits(self._key, rows, rounded(to_distance(self._metric, found.scores), self._digits))

    def close(self) -> None:
        """Let go of the rows; again is harmless."""
        super().close()
        self._ranking, self._kept = None, []


class Iterators(Base):
    """The client's methods that make iterators."""

    def query_iterator(
        self,
        collection_name: str,
        batch_size: int | None = 1000,
        limit: int | None = UNLIMITED,
        filter: str | Expression | None = "",
        output_fields: list[str] | None = None,
        partition_names: list[str] | None = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> QueryIterator:
        """Return an iterator over all rows that match a filter, in the order of their keys, as they are now.

        What others write meanwhile changes nothing for it: no row is left out, none comes twice.

        Args:
            batch_size: how many rows `next()` gives, up to 16384.
            limit: how many rows it gives in all; -1 for all.
            filter, filter_params, output_fields: as for `query`. offset: how many rows to skip, by keyword.
        """
        call = "query_iterator"
        filter_params, offset = kwargs.pop("filter_params", None), kwargs.pop("offset", 0)
        level = given_consistency(call, kwargs.pop("consistency_level", None))
        refuse(call, kwargs, ("filter_params", "offset"))
        check_timeout(call, timeout)
        size, total = _sizes(call, batch_size, limit)
        skipped = check_whole(call, "offset", offset, 0, MAX_TOTAL)
        collection = self._loaded(collection_name, level)
        definition, view = collection.definition, collection.view()
        predicate = make_predicate(
            definition.schema, filter, filter_params, definition.partitions.readable(partition_names)
        )
        output = definition.output(output_fields, query=True)
        most = None if total is None else skipped + total
        rids = ordered_by_key(view, definition.key_field, matching(view, predicate), most)
        return QueryIterator(self._store, view, rids[skipped:], output, size, total)

    def search_iterator(
        self,
        collection_name: str,
        data: Any,
        batch_size: int | None = 1000,
        filter: str | Expression | None = None,
        limit: int | None = UNLIMITED,
        output_fields: list[str] | None = None,
        search_params: Mapping[str, Any] | None = None,
        timeout: float | None = None,
        partition_names: list[str] | None = None,
        anns_field: str | None = None,
        round_decimal: int = -1,
        *,
        external_filter_func: Callable[[Hits], Any] | None = None,
        **kwargs: Any,
    ) -> SearchIterator:
        """Return an iterator over the hits of one query, best first, over all rows if asked, as they are now.

        Rows are scored exactly, whatever the index, so that no hit comes late, twice or never.

        Args:
            batch_size: how many hits `next()` gives, up to 16384.
            limit: how many hits it gives in all; -1 for all.
            data, filter, filter_params, output_fields, search_params, anns_field, round_decimal: as for `search`; one
                query only.
            external_filter_func: takes `Hits` and returns those to keep; batches are filled up.
        """
        call = "search_iterator"
        filter_params = kwargs.pop("filter_params", None)
        params = check_dict(call, "search_params", search_params)
        if kwargs.pop("offset", 0) or params.pop("offset", 0):
            raise InvalidArgument(f"{call}: an iterator has no offset; skip what you do not need")
        level = given_consistency(call, kwargs.pop("consistency_level", None))
        refuse(call, kwargs, ("filter_params",))
        check_timeout(call, timeout)
        size, total = _sizes(call, batch_size, limit)
        digits = check_whole(call, "round_decimal", round_decimal, -1, 6)
        if external_filter_func is not None and not callable(external_filter_func):
            raise InvalidArgument(f"{call}: external_filter_func must be callable, not {external_filter_func!r}")
        collection = self._loaded(collection_name, level)
        definition, view = collection.definition, collection.view()
        inside = definition.partitions.readable(partition_names)
        predicate = make_predicate(definition.schema, filter, filter_params, inside)
        output = definition.output(output_fields)
        route = route_of(collection, anns_field, data, 1, predicate, params)
        if route.queries != 1:
            raise InvalidArgument(f"{call}: an iterator takes one query, not {route.queries}")
        ranking = Ranking(view, definition.schema, route)
        return SearchIterator(
            self._store, collection, ranking, route.spec.metric, output, size, total, digits, external_filter_func
        )


def _sizes(call: str, batch_size: object, limit: object) -> tuple[int, int | None]:
    """How many rows a batch has, and all together; None for all there are."""
    size = check_whole(call, "batch_size", batch_size, 1, MAX_LIMIT)
    if limit is None or limit == UNLIMITED:
        return size, None
    return size, check_whole(call, "limit (-1 for all)", limit, 0, MAX_TOTAL)
