"""Documents in, and away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import elanus
from elanus import InvalidArgument, RowError, TextLayout, make_text_collection

from langchain_elanus.documents import ids_for, metadatas_for, to_rows
from langchain_elanus.opened import Opened
from langchain_elanus.searching import check_options

BATCH = 1000
WRITING = ("batch_size", "show_progress")


class Writing(Opened):
    """The store's methods that write; for asyncio models are awaited and the store works on a thread."""

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Embed and store texts, replacing those of the same ids; returns the ids, random ones where None is given.

        Args:
            batch_size: (keyword) how many are embedded and committed at once, 1000.
            show_progress: (keyword) whether to show a bar (needs tqdm).

        Raises:
            InvalidArgument, RowError: what cannot be stored, by its id; nothing of its batch was stored, and batches
                before it were.
        """
        check_options("add_texts", kwargs, WRITING)
        listed = list(texts)
        return self._add(listed, self._embed, metadatas_for(listed, metadatas), ids_for(listed, ids), **kwargs)

    def add_embeddings(
        self,
        texts: Iterable[str],
        embeddings: Sequence[Any] | Mapping[str, Sequence[Any]],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Store texts with vectors made elsewhere; a dict gives them per vector field. Otherwise like `add_texts`."""
        check_options("add_embeddings", kwargs, WRITING)
        listed = list(texts)
        columns = embeddings if isinstance(embeddings, Mapping) else {self._default_field(): embeddings}
        for field, vectors in columns.items():
            if len(vectors) != len(listed):
                raise InvalidArgument(f"embeddings: {len(vectors)} for field '{field}' and {len(listed)} texts")

        def given(start: int, stop: int, texts: list[str]) -> Mapping[str, Sequence[Any]]:
            return {field: vectors[start:stop] for field, vectors in columns.items()}

        return self._add(listed, given, metadatas_for(listed, metadatas), ids_for(listed, ids), **kwargs)

    def _add(
        self,
        texts: list[str],
        embed: Callable[[int, int, list[str]], Mapping[str, Sequence[Any]]],
        metadatas: list[Mapping[str, Any]],
        ids: list[str],
        batch_size: int = BATCH,
        show_progress: bool = False,
    ) -> list[str]:
        if not isinstance(batch_size, int) or batch_size < 1:
            raise InvalidArgument(f"batch_size must be a whole number of at least 1, not {batch_size!r}")
        for start in _batches(len(texts), batch_size, show_progress):
            stop = min(start + batch_size, len(texts))
            vectors = embed(start, stop, texts[start:stop])
            layout = self._layout_for(vectors)
            rows = to_rows(ids[start:stop], texts[start:stop], metadatas[start:stop], vectors, layout)
            try:
                self.client.upsert(self.collection_name, rows)
            except RowError as error:
                if error.row is None:
                    raise
                raise RowError(f"document {ids[start + error.row]!r}: {error}", start + error.row) from None
        return ids

    def _embed(self, start: int, stop: int, texts: list[str]) -> Mapping[str, Sequence[Any]]:
        if not self._models:
            raise InvalidArgument("embedding: the store has no model for texts; give one, or use add_embeddings")
        return {field: model.embed_documents(texts) for field, model in self._named_models().items()}

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> bool | None:
        """Delete the documents of these ids, or those that match `filter=`; what is not there is no error."""
        check_options("delete", kwargs, ("filter",))
        condition = elanus.translate_filter(kwargs.get("filter"), "langchain")
        if (ids is None) == (condition is None):
            raise InvalidArgument("delete: give either ids or filter")
        searcher = self._found()
        if searcher is None or ids == []:
            return True
        if ids is not None:
            self.client.delete(self.collection_name, ids=searcher.layout.keys(list(ids)))
        else:
            self.client.delete(self.collection_name, filter=condition)
        return True

    async def aadd_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Like `add_texts`; the model is awaited."""
        check_options("add_texts", kwargs, WRITING)
        listed = list(texts)
        if not self._models:
            raise InvalidArgument("embedding: the store has no model for texts; give one, or use add_embeddings")
        named = await asyncio.to_thread(self._named_models)
        vectors = {field: await model.aembed_documents(listed) for field, model in named.items()} if listed else {}
        return await asyncio.to_thread(self.add_embeddings, listed, vectors, metadatas, ids=ids, **kwargs)

    async def adelete(self, ids: list[str] | None = None, **kwargs: Any) -> bool | None:
        """Like `delete`."""
        return await asyncio.to_thread(self.delete, ids, **kwargs)

    def _layout_for(self, vectors: Mapping[str, Sequence[Any]]) -> TextLayout:
        """The layout to write by; the first documents make the collection."""
        searcher = self._found()
        if searcher is None:
            dims = {field: len(column[0]) for field, column in vectors.items()}
            make_text_collection(self.client, self.collection_name, dims, self._fields, **self._making)  # type: ignore[arg-type]
            searcher = self._found()
            assert searcher is not None
        layout, name = searcher.layout, self.collection_name
        if layout.whole_key or layout.auto_key or not layout.dynamic:
            lacking = "no VARCHAR key of the caller's" if layout.dynamic else "no dynamic field for metadata"
            raise InvalidArgument(f"collection '{name}' has {lacking}; documents can be read, not added")
        missing = [field for field in layout.metrics if field not in vectors]
        if missing:
            raise InvalidArgument(
                f"embedding: collection '{name}' has further vector fields {missing}; give a dict from field to model"
            )
        return layout


def _batches(count: int, size: int, show: bool) -> Iterable[int]:
    starts = range(0, count, size)
    if not show:
        return starts
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise InvalidArgument("show_progress needs tqdm: pip install tqdm") from None
    return tqdm(starts, desc="adding", unit="batch")  # type: ignore[no-any-return]
