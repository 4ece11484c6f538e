"""The vector store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import elanus
from elanus import InvalidArgument, RowError, TextFields, TextLayout, make_text_collection, read_text_layout
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore

from langchain_elanus.documents import ids_for, metadatas_for, to_document, to_rows
from langchain_elanus.retrievers import ElanusVectorStoreRetriever
from langchain_elanus.searching import DENSE, HYBRID, NEAR, TEXT, Scored, Searcher, check_options

BATCH = 1000
WRITING = ("batch_size", "show_progress")


class ElanusVectorStore(VectorStore):
    """Documents in a collection of Elanus: a folder on disk, `:memory:`, or a Milvus server.

    A collection that exists is opened by its own schema; otherwise the first documents make it.

    Args:
        embedding: the model of the vectors; or a dict from vector field to model, where documents have several
            vectors (searches take `vector_field=`, and the first one by default).
        collection_name: the collection.
        path: the folder, ":memory:", or a server's URL.
        client: an `elanus` or pymilvus client to use instead of opening `path`; it stays the caller's to close.
        metric, index_type, index_params: of the vector indexes of a new collection.
        search_params: of every dense search, where it gives none of its own.
        bm25: whether a new collection can be searched by text (search types "text" and "hybrid").
        analyzer: how its text is cut into terms: a built-in analyzer's name, or Milvus's analyzer_params.
        pk_field, text_field, vector_field, sparse_field: the names of the fields.
        drop_old: drop an existing collection first.
        connection: further arguments of `elanus.connect` (durability, token, user, password, db_name, ...).

    Raises:
        InvalidArgument, SchemaError, NotSupported: see each message.
    """

    def __init__(
        self,
        embedding: Embeddings | Mapping[str, Embeddings] | None = None,
        collection_name: str = "langchain",
        *,
        path: Any = None,
        client: Any = None,
        metric: str = "COSINE",
        index_type: str = "AUTOINDEX",
        index_params: Mapping[str, Any] | None = None,
        search_params: Mapping[str, Any] | None = None,
        bm25: bool = True,
        analyzer: str | Mapping[str, Any] = "english",
        pk_field: str = "pk",
        text_field: str = "text",
        vector_field: str = "vector",
        sparse_field: str = "sparse",
        drop_old: bool = False,
        **connection: Any,
    ) -> None:
        if (client is None) == (path is None):
            raise InvalidArgument("ElanusVectorStore: give either path= (a folder, ':memory:' or a URL) or client=")
        if client is not None and connection:
            raise InvalidArgument(f"ElanusVectorStore: {', '.join(connection)} cannot be given beside client=")
        self.client = elanus.connect(path, **connection) if client is None else client
        self.collection_name = collection_name
        if isinstance(embedding, Mapping):
            if not embedding:
                raise InvalidArgument("embedding: the dict from vector field to model is empty")
            self._models = dict(embedding)
            vector_field = next(iter(embedding))
        else:
            self._models = {} if embedding is None else {vector_field: embedding}
        self._owned = client is None
        self._fields = TextFields(pk_field, text_field, vector_field, sparse_field)
        self._making = {
            "metric": metric,
            "index_type": index_type,
            "index_params": index_params,
            "bm25": bm25,
            "analyzer": {"type": analyzer} if isinstance(analyzer, str) else analyzer,
        }
        self._search_params = dict(search_params or {})
        self._searcher: Searcher | None = None
        if drop_old:
            self.client.drop_collection(collection_name)

    def __repr__(self) -> str:
        return f"ElanusVectorStore({self.collection_name!r}, client={self.client!r})"

    @property
    def embeddings(self) -> Embeddings | None:
        """The model of the default vector field."""
        return next(iter(self._models.values()), None)

    def close(self) -> None:
        """Close the client, if this store opened it."""
        if self._owned:
            self.client.close()

    # Writing

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

    # Reading

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Read documents by id, in the order of the ids; those that are not there are left out."""
        searcher = self._found()
        if searcher is None or not ids:
            return []
        layout = searcher.layout
        rows = self.client.get(self.collection_name, layout.keys(list(ids)), output_fields=layout.output)
        return [to_document(row[layout.key], row, layout) for row in rows]

    def search(self, query: str, search_type: str, **kwargs: Any) -> list[Document]:
        """Search by "similarity", "mmr", "similarity_score_threshold", "hybrid" or "text"."""
        own = {"hybrid": self.hybrid_search, "text": self.text_search}.get(search_type)
        return super().search(query, search_type, **kwargs) if own is None else own(query, **kwargs)

    def similarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """Return the `k` documents nearest to the query; options as `similarity_search_with_score`."""
        return _documents(self.similarity_search_with_score(query, k, **kwargs))

    def similarity_search_with_score(self, query: str, k: int = 4, **kwargs: Any) -> Scored:
        """Return the `k` documents nearest to the query with their scores (L2: squared distances, which fall).

        Args:
            filter: (keyword) a dict of `$` operators, a Milvus expression, or an `elanus.F` filter.
            vector_field: (keyword) the field to search, if there are several.
            search_params: (keyword) of the index.
            reranker: (keyword) an object with `rerank(query, documents)`, to order `fetch_k` (50) near documents.
        """
        check_options("similarity_search", kwargs, DENSE, k)
        vector = self._model(kwargs).embed_query(query)
        return self._dense(query, vector, k, kwargs)

    def similarity_search_by_vector(self, embedding: Any, k: int = 4, **kwargs: Any) -> list[Document]:
        """Return the `k` documents nearest to a vector."""
        return _documents(self.similarity_search_with_score_by_vector(embedding, k, **kwargs))

    def similarity_search_with_score_by_vector(self, embedding: Any, k: int = 4, **kwargs: Any) -> Scored:
        """Return the `k` documents nearest to a vector, with their scores."""
        check_options("similarity_search_by_vector", kwargs, NEAR, k)
        return self._dense(None, embedding, k, kwargs)

    def max_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """Return `k` of the `fetch_k` nearest documents, weighing nearness (`lambda_mult`) against variety."""
        check_options("max_marginal_relevance_search", kwargs, NEAR, max(k, fetch_k))
        vector = self._model(kwargs).embed_query(query)
        return self._diverse(vector, k, fetch_k, lambda_mult, kwargs)

    def max_marginal_relevance_search_by_vector(
        self, embedding: list[float], k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """Like `max_marginal_relevance_search`, by vector."""
        check_options("max_marginal_relevance_search_by_vector", kwargs, NEAR, max(k, fetch_k))
        return self._diverse(embedding, k, fetch_k, lambda_mult, kwargs)

    def text_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """Return the `k` best documents by BM25; options `filter`, `reranker`, `fetch_k`."""
        return _documents(self.text_search_with_score(query, k, **kwargs))

    def text_search_with_score(self, query: str, k: int = 4, **kwargs: Any) -> Scored:
        """Return the `k` best documents by BM25, with their scores."""
        check_options("text_search", kwargs, TEXT, k)
        searcher = self._found()
        return [] if searcher is None else searcher.text(query, k, kwargs)

    def hybrid_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """Return the `k` best documents by meaning and words together; see `hybrid_search_with_score`."""
        return _documents(self.hybrid_search_with_score(query, k, **kwargs))

    def hybrid_search_with_score(self, query: str, k: int = 4, **kwargs: Any) -> Scored:
        """Fuse the dense and the BM25 search, with the fused scores or, with a model, the model's.

        Args:
            fetch_k: (keyword) how many hits each search brings (50).
            ranker: (keyword) RRFRanker (the default) or WeightedRanker, weights in the order (dense, BM25).
            reranker: (keyword) an object with `rerank(query, documents)`; or the fusion, like `ranker`.
            filter, vector_field, search_params: (keyword) as in `similarity_search_with_score`.
        """
        check_options("hybrid_search", kwargs, HYBRID, k)
        vector = self._model(kwargs).embed_query(query)
        return self._hybrid(query, vector, k, kwargs)

    def _dense(self, query: str | None, vector: Any, k: int, options: Mapping[str, Any]) -> Scored:
        searcher = self._found()
        return [] if searcher is None else searcher.dense(query, vector, k, options)

    def _hybrid(self, query: str, vector: Any, k: int, options: Mapping[str, Any]) -> Scored:
        searcher = self._found()
        return [] if searcher is None else searcher.hybrid(query, vector, k, options)

    def _diverse(
        self, vector: Any, k: int, fetch_k: int, lambda_mult: float, options: Mapping[str, Any]
    ) -> list[Document]:
        searcher = self._found()
        return [] if searcher is None else _documents(searcher.diverse(vector, k, fetch_k, lambda_mult, options))

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        searcher = self._found()
        metric = str(self._making["metric"]) if searcher is None else searcher.layout.metrics[searcher.layout.vector]
        return lambda distance: float(elanus.relevance(distance, metric))

    # The same for asyncio: models are awaited, the store works on a thread

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

    async def aget_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Like `get_by_ids`."""
        return await asyncio.to_thread(self.get_by_ids, ids)

    async def asearch(self, query: str, search_type: str, **kwargs: Any) -> list[Document]:
        """Like `search`."""
        own = {"hybrid": self.ahybrid_search, "text": self.atext_search}.get(search_type)
        return await (super().asearch(query, search_type, **kwargs) if own is None else own(query, **kwargs))

    async def asimilarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """Like `similarity_search`."""
        return _documents(await self.asimilarity_search_with_score(query, k, **kwargs))

    async def asimilarity_search_with_score(self, query: str, k: int = 4, **kwargs: Any) -> Scored:
        """Like `similarity_search_with_score`."""
        check_options("similarity_search", kwargs, DENSE, k)
        vector = await self._model(kwargs).aembed_query(query)
        return await asyncio.to_thread(self._dense, query, vector, k, kwargs)

    async def asimilarity_search_by_vector(self, embedding: Any, k: int = 4, **kwargs: Any) -> list[Document]:
        """Like `similarity_search_by_vector`."""
        return await asyncio.to_thread(self.similarity_search_by_vector, embedding, k, **kwargs)

    async def amax_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """Like `max_marginal_relevance_search`."""
        check_options("max_marginal_relevance_search", kwargs, NEAR, max(k, fetch_k))
        vector = await self._model(kwargs).aembed_query(query)
        return await asyncio.to_thread(self._diverse, vector, k, fetch_k, lambda_mult, kwargs)

    async def amax_marginal_relevance_search_by_vector(
        self, embedding: list[float], k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """Like `max_marginal_relevance_search_by_vector`."""
        return await asyncio.to_thread(
            self.max_marginal_relevance_search_by_vector, embedding, k, fetch_k, lambda_mult, **kwargs
        )

    async def atext_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """Like `text_search`."""
        return await asyncio.to_thread(self.text_search, query, k, **kwargs)

    async def ahybrid_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """Like `hybrid_search`."""
        check_options("hybrid_search", kwargs, HYBRID, k)
        vector = await self._model(kwargs).aembed_query(query)
        return _documents(await asyncio.to_thread(self._hybrid, query, vector, k, kwargs))

    # Making

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> ElanusVectorStore:
        """Open a store (arguments as the class) and add texts to it."""
        store = cls(embedding, **kwargs)
        store.add_texts(texts, metadatas, ids=ids)
        return store

    @classmethod
    async def afrom_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> ElanusVectorStore:
        """Like `from_texts`."""
        store = await asyncio.to_thread(cls, embedding, **kwargs)
        await store.aadd_texts(texts, metadatas, ids=ids)
        return store

    def as_retriever(self, **kwargs: Any) -> ElanusVectorStoreRetriever:
        """Return a retriever; `search_type` may also be "hybrid" or "text", `search_kwargs` go to the search."""
        tags = [*(kwargs.pop("tags", None) or []), *self._get_retriever_tags()]
        return ElanusVectorStoreRetriever(vectorstore=self, tags=tags, **kwargs)

    def _found(self) -> Searcher | None:
        """The collection to search, its layout read once; None while there is none."""
        if self._searcher is None and self.client.has_collection(self.collection_name):
            layout = read_text_layout(self.client, self.collection_name, self._fields)
            self._searcher = Searcher(self.client, self.collection_name, layout, self._search_params)
        return self._searcher

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

    def _default_field(self) -> str:
        searcher = self._found()
        return self._fields.vector if searcher is None else searcher.layout.vector

    def _named_models(self) -> dict[str, Embeddings]:
        """The models by field; one model alone serves the default field, whatever it is called."""
        if len(self._models) > 1:
            return self._models
        return {self._default_field(): model for model in self._models.values()}

    def _model(self, options: Mapping[str, Any]) -> Embeddings:
        field = options.get("vector_field")
        if not self._models:
            raise InvalidArgument("embedding: the store has no model for queries; give one, or search by vector")
        if field is None or len(self._models) == 1:
            return next(iter(self._models.values()))
        if field not in self._models:
            raise InvalidArgument(f"vector_field: no model for '{field}'; there are {', '.join(self._models)}")
        return self._models[field]


def _documents(scored: Scored) -> list[Document]:
    return [document for document, _ in scored]


def _batches(count: int, size: int, show: bool) -> Iterable[int]:
    starts = range(0, count, size)
    if not show:
        return starts
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise InvalidArgument("show_progress needs tqdm: pip install tqdm") from None
    return tqdm(starts, desc="adding", unit="batch")  # type: ignore[no-any-return]
