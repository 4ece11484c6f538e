"""What all parts of the vector store share: the client, the models, and the collection once there is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import elanus
from elanus import InvalidArgument, TextFields, read_text_layout
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore

from langchain_elanus.searching import Searcher


class Opened(VectorStore):
    """A client, a collection's name, and models by vector field."""

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
        partition_key_field: str | None = None,
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
            "partition_key": partition_key_field,
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

    def _found(self) -> Searcher | None:
        """The collection to search, its layout read once; None while there is none."""
        if self._searcher is None and self.client.has_collection(self.collection_name):
            layout = read_text_layout(self.client, self.collection_name, self._fields)
            self._searcher = Searcher(self.client, self.collection_name, layout, self._search_params)
        return self._searcher

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
