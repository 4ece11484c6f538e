"""Partitions: create, drop, list, load, release, count."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from elanus.client.base import Base
from elanus.client.options import check_timeout, refuse
from elanus.engine.collection import Collection
from elanus.engine.definition import Definition
from elanus.engine.partitions import Partitions as Known
from elanus.errors import InvalidArgument, PartitionNotFound
from elanus.schema.arrow import PARTITION
from elanus.schema.buffers import numbers
from elanus.storage.keys import Keys


class Partitions(Base):
    """The client's methods on partitions.

    A row is in one partition at a time: written again into another, it is there and nowhere else, for every reader.
    """

    def create_partition(
        self, collection_name: str, partition_name: str, timeout: float | None = None, **kwargs: Any
    ) -> None:
        """Add a partition that rows can be written into; the same again is no error.

        Raises:
            InvalidArgument: the collection has a partition key, whose hash divides its rows.
        """
        self._divide("create_partition", collection_name, timeout, kwargs, lambda known: known.add(partition_name))

    def drop_partition(
        self, collection_name: str, partition_name: str, timeout: float | None = None, **kwargs: Any
    ) -> None:
        """Remove a partition with its rows, in one step; one that does not exist is no error, as in Milvus.

        Raises:
            InvalidArgument: it is the default one, or it is loaded: release_partitions first.
        """
        refuse("drop_partition", kwargs)
        collection_name = self._name(collection_name)

        def check(definition: Definition) -> None:
            if definition.loaded and partition_name not in definition.partitions.released:
                raise InvalidArgument(
                    f"partition cannot be dropped, partition is loaded, please release it first: '{partition_name}'"
                )

        with self._store.patience(check_timeout("drop_partition", timeout)):
            try:
                self._store.drop_partition(collection_name, partition_name, check)
            except PartitionNotFound:
                return

    def has_partition(
        self, collection_name: str, partition_name: str, timeout: float | None = None, **kwargs: Any
    ) -> bool:
        """Whether there is a partition of that name."""
        return partition_name in self._names("has_partition", collection_name, timeout, kwargs)

    def list_partitions(self, collection_name: str, timeout: float | None = None, **kwargs: Any) -> list[str]:
        """The partitions' names; `_default` is always there, unless a partition key divides the rows by its hash."""
        return self._names("list_partitions", collection_name, timeout, kwargs)

    def load_partitions(
        self,
        collection_name: str,
        partition_names: str | list[str],
        timeout: float | None = None,
        **kwargs: Any,
    ) -> None:
        """Make partitions searchable; of a released collection those only."""
        names = _listed("load_partitions", partition_names)

        def load(definition: Definition) -> Definition:
            known = definition.partitions if definition.loaded else _all_released(definition.partitions)
            return replace(definition.loadable(collection_name), loaded=True, partitions=known.load(names))

        self._redefine("load_partitions", collection_name, timeout, kwargs, load)

    def release_partitions(
        self,
        collection_name: str,
        partition_names: str | list[str],
        timeout: float | None = None,
        **kwargs: Any,
    ) -> None:
        """Refuse searches that name these partitions, and leave them out of others, until they are loaded again."""
        names = _listed("release_partitions", partition_names)

        def release(definition: Definition) -> Definition:
            known = definition.partitions.release(names)
            if len(known.released) == len(known.numbers):
                return definition.as_loaded(False)
            return replace(definition, partitions=known)

        self._redefine("release_partitions", collection_name, timeout, kwargs, release)

    def get_partition_stats(
        self, collection_name: str, partition_name: str, timeout: float | None = None, **kwargs: Any
    ) -> dict[str, int]:
        """The number of living rows of a partition, exactly: {"row_count": n}."""
        refuse("get_partition_stats", kwargs)
        check_timeout("get_partition_stats", timeout)
        collection = self._collection(collection_name)
        known = collection.definition.partitions
        if known.hashed and partition_name in known.names:
            return {"row_count": _hashed_rows(collection, known.names.index(partition_name))}
        return {"row_count": _rows(collection, known.number(partition_name))}

    def _names(self, call: str, collection_name: str, timeout: float | None, options: dict[str, Any]) -> list[str]:
        refuse(call, options)
        check_timeout(call, timeout)
        return self._collection(collection_name).definition.partitions.names

    def _divide(
        self,
        call: str,
        collection_name: str,
        timeout: float | None,
        options: dict[str, Any],
        change: Callable[[Known], Known],
    ) -> None:
        def divided(definition: Definition) -> Definition:
            return replace(definition, partitions=change(definition.partitions))

        self._redefine(call, collection_name, timeout, options, divided)

    def _redefine(
        self,
        call: str,
        collection_name: str,
        timeout: float | None,
        options: dict[str, Any],
        change: Callable[[Definition], Definition],
    ) -> None:
        refuse(call, options)
        collection_name = self._name(collection_name)
        with self._store.patience(check_timeout(call, timeout)):
            self._store.redefine(collection_name, change)


def _listed(call: str, names: str | Iterable[str]) -> list[str]:
    listed = [names] if isinstance(names, str) else list(names or [])
    if not listed:
        raise InvalidArgument(f"{call}: partition_names is empty; name at least one")
    return listed


def _all_released(partitions: Known) -> Known:
    return replace(partitions, released=frozenset(partitions.numbers))


def _rows(collection: Collection, number: int) -> int:
    count = 0
    for s in collection.view().slices:
        inside = numbers(s.part.column(PARTITION)) == number
        count += int(np.count_nonzero(inside if s.alive is None else inside & s.alive))
    return count


def _hashed_rows(collection: Collection, number: int) -> int:
    key, hashed = collection.schema.partition_key, collection.definition.partitions.hashed
    count = 0
    for s in collection.view().slices:
        inside = Keys(s.part.column(key.name)).numbers % hashed == number
        count += int(np.count_nonzero(inside if s.alive is None else inside & s.alive))
    return count
