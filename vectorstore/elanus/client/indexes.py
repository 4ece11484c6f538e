"""Indexes: create, list, describe, drop; and flush, which builds them for the newest rows."""

from __future__ import annotations

from typing import Any

from elanus.client.base import Base
from elanus.client.options import check_timeout, refuse
from elanus.engine.definition import Definition
from elanus.errors import InvalidArgument
from elanus.schema.indexes import as_index_params
from elanus.search.calibrating import known_recall


class Indexes(Base):
    """The client's methods on indexes."""

    def create_index(
        self, collection_name: str, index_params: Any, timeout: float | None = None, **kwargs: Any
    ) -> None:
        """Create the indexes that `prepare_index_params()` was filled with; rows stay searchable meanwhile.

        Raises:
            AlreadyExists: the field has a different index.
            FieldNotFound, SchemaError, NotSupported: no such field, type, metric or parameter.
        """
        kwargs.pop("sync", None)  # an index is in effect when the call returns, which is what sync=True asks
        refuse("create_index", kwargs)
        collection_name = self._name(collection_name)
        asked = as_index_params(index_params)
        if not asked:
            raise InvalidArgument("create_index: index_params is empty; fill it with add_index")
        with self._store.patience(check_timeout("create_index", timeout)):
            self._store.redefine(collection_name, lambda definition: definition.with_indexes(asked))

    def list_indexes(self, collection_name: str, field_name: str | None = "", **kwargs: Any) -> list[str]:
        """The names of a collection's indexes, or of one field's."""
        check_timeout("list_indexes", kwargs.pop("timeout", None))
        refuse("list_indexes", kwargs)
        indexes = self._collection(collection_name).definition.indexes
        return [index.name for index in indexes.values() if field_name in ("", None, index.field)]

    def describe_index(
        self, collection_name: str, index_name: str, timeout: float | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """An index's type, metric and parameters, and how many rows it covers.

        Of an approximate index `measured_recall` tells what is known so far: for each source of rows that is searched
        on its own the way ('scan' or 'graph'), how many rows were measured, and the mean recall@10 and recall@100 by
        effort, which is the number of candidates of a scan and ef of a graph. `target_recall` in a search's
        parameters chooses from it.
        """
        refuse("describe_index", kwargs)
        check_timeout("describe_index", timeout)
        collection = self._collection(collection_name)
        index = collection.definition.index_named(index_name)
        view = collection.view()
        measured = known_recall(view, index.field, index.spec)
        return {
            "index_type": index.spec.index_type,
            **({} if index.is_scalar else {"metric_type": index.spec.metric}),
            **({"json_path": index.json_path} if index.path else {}),
            **dict(index.spec.params),
            "field_name": index.field,
            "index_name": index.name,
            "total_rows": view.rows,
            "indexed_rows": view.rows,
            "pending_index_rows": 0,
            "state": "Finished",
            **({"measured_recall": measured} if measured else {}),
        }

    def drop_index(self, collection_name: str, index_name: str, timeout: float | None = None, **kwargs: Any) -> None:
        """Remove an index; that of a vector field only while the collection is released, as in Milvus."""
        refuse("drop_index", kwargs)
        collection_name = self._name(collection_name)

        def change(definition: Definition) -> Definition:
            if definition.loaded and not definition.index_named(index_name).is_scalar:
                raise InvalidArgument(f"drop_index: collection '{collection_name}' is loaded; release_collection first")
            return definition.without_index(index_name)

        with self._store.patience(check_timeout("drop_index", timeout)):
            self._store.redefine(collection_name, change)

    def flush(self, collection_name: str, timeout: float | None = None, **kwargs: Any) -> None:
        """Turn the newest rows into an indexed segment now; durability does not need it."""
        refuse("flush", kwargs)
        self._store.flush(self._name(collection_name), check_timeout("flush", timeout))
