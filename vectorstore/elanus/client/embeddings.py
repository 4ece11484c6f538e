"""Which model's vectors are in a field: noting it, and changing over to another one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from elanus.client.base import Base
from elanus.client.options import check_whole, refuse
from elanus.engine.change import new_embedder, new_function
from elanus.engine.definition import Definition
from elanus.engine.embedding import check_fingerprint
from elanus.engine.reembedding import reembed
from elanus.errors import InvalidArgument, NotSupported
from elanus.types import DataType

MOST_BATCH_ROWS = 100_000


class Embeddings(Base):
    """The client's methods on the models behind vector fields; Milvus has no such."""

    def bind_fingerprint(self, collection_name: str, field_name: str, fingerprint: str, **kwargs: Any) -> None:
        """Note which model fills a vector field, or refuse another model than the one noted.

        For fields whose vectors the caller embeds; a TEXTEMBEDDING function notes its model itself. Both are told by
        `describe_collection(...)["fingerprints"]`.

        Raises:
            ModelMismatch: another fingerprint was noted.
        """
        refuse("bind_fingerprint", kwargs)
        if not isinstance(fingerprint, str) or not fingerprint:
            raise InvalidArgument(f"bind_fingerprint: fingerprint must be a str, not {fingerprint!r}")

        def bind(definition: Definition) -> Definition:
            field = definition.schema.field(field_name)
            if field.dtype != DataType.FLOAT_VECTOR or definition.schema.embedding(field_name) is not None:
                raise InvalidArgument(f"bind_fingerprint: '{field_name}' is no FLOAT_VECTOR that the caller fills")
            check_fingerprint(collection_name, field_name, definition.fingerprints.get(field_name), fingerprint)
            return definition.with_fingerprints({field_name: fingerprint})

        definition = self._collection(collection_name).definition
        if bind(definition) != definition:
            self._store.redefine(self._name(collection_name), bind)

    def reembed(
        self,
        collection_name: str,
        function_params: Mapping[str, Any] | None = None,
        *,
        field: str | None = None,
        embedder: Any = None,
        text_field: str | None = None,
        into: str | None = None,
        batch_size: int = 1_000,
        show_progress: bool = False,
        **kwargs: Any,
    ) -> dict[str, int]:
        """Fill a vector field of all rows with another model's vectors, while everybody goes on reading and writing.

        A new collection is filled beside the old one, and takes its place in one step when it has everything; keys,
        also those the store gave, stay. Until then reads and writes are the old one's; what is written or deleted in
        the meantime is carried over. Rows that are written faster than they are embedded delay the end. The field may
        get another dim.

        Args:
            collection_name: a collection, or an alias of one.
            function_params: the new params of the TEXTEMBEDDING function that fills the field, whole; None: as they
                are, with the model that this process has for them.
            field: the vector field; needed if there are several.
            embedder, text_field: for a field without a function: the model, any object with `embed_documents` and
                `embed_queries`, and the text to embed, by default the one that the collection's functions read.
            into: a name for the new collection, if `collection_name` is an alias: the alias then stands for the new
                one, and the old one stays as it is. By default the new one replaces the old.
            batch_size: rows embedded and committed at a time.

        Returns:
            {"reembed_count": n}: how many rows were embedded.

        Raises:
            StoreBusy: another process re-embeds in this store. ModelFailed, RowError: the model failed, or a row has
            no text. StoreError: the collection was dropped, truncated or renamed meanwhile. Nothing was changed then.
        """
        refuse("reembed", kwargs)
        rows = check_whole("reembed", "batch_size", batch_size, 1, MOST_BATCH_ROWS)
        schema = self._collection(collection_name).definition.schema
        if embedder is None:
            if text_field is not None:
                raise InvalidArgument("reembed: text_field goes with embedder=; a function has its own input field")
            change = new_function(schema, field, function_params)
        elif function_params is not None:
            raise InvalidArgument("reembed: give function_params or an embedder, not both")
        else:
            change = new_embedder(schema, field, embedder, text_field)
        if into is not None:
            into = self._name(into)
            self._store.aliased(self._name(collection_name))
        with _progress(show_progress) as report:
            return {"reembed_count": reembed(self._store, self._name(collection_name), change, into, rows, report)}


@contextmanager
def _progress(show: bool) -> Iterator[Callable[[int, int], object]]:
    if not show:
        yield lambda done, total: None
        return
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise NotSupported("reembed: show_progress needs tqdm: pip install tqdm") from None
    with tqdm(desc="embedding", unit="row") as bar:

        def report(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield report
