"""The vector store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llama_index.core.bridge.pydantic import ConfigDict, Field, PrivateAttr
from llama_index.core.schema import BaseNode
from llama_index.core.vector_stores.types import (
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryResult,
)
from llama_index.vector_stores.elanus.asynchronous import OnThreads
from llama_index.vector_stores.elanus.conditions import (
    both,
    every_node,
    of_document,
    of_nodes,
    restriction,
    translated,
)
from llama_index.vector_stores.elanus.connection import open_client, public_uri, refuse_unknown
from llama_index.vector_stores.elanus.nodes import to_node, to_row, told
from llama_index.vector_stores.elanus.queries import PASSED, Ask, answer

import elanus
from elanus import (
    InvalidArgument,
    NotSupported,
    RowError,
    TextFields,
    TextLayout,
    check_reranker,
    make_text_collection,
    read_text_layout,
)

QUERY_OPTIONS = frozenset(
    {
        *("filter", "search_params", "analyzer_name", "highlight", "ranker", "reranker"),
        *("mmr_threshold", "mmr_prefetch_k", "mmr_prefetch_factor"),
        *PASSED,
    }
)


class ElanusVectorStore(OnThreads):
    """Nodes in a collection of Elanus: a folder on disk, `:memory:`, or a Milvus server.

    An existing collection is opened by its own schema; otherwise the first `add` makes it (or the constructor, if it
    is given `dim`).

    Args:
        uri: the folder, ":memory:", or a server's URL. Left out where `client` is given.
        collection_name: the collection.
        client: an `elanus` or pymilvus client to use instead of opening `uri`; it stays the caller's to close.
        dim: the length of the vectors; known from the first node if left out.
        metric_type, index_type, index_params: of the dense index of a new collection.
        bm25: whether a new collection can be searched by text (modes SPARSE, TEXT_SEARCH, HYBRID, SEMANTIC_HYBRID).
        analyzer: how its text is cut into terms, as Milvus's analyzer_params; with "by_field" multi_analyzer_params, by
            the metadata of that key, and queries by text take `analyzer_name=`.
        pk_field, text_field, vector_field, sparse_field: the names of its fields.
        partition_key_field: a metadata key, a str that every node of a new collection has, such as its tenant: a query
            filtered by it costs what the tenant holds.
        flat_metadata: refuse nested metadata, as LlamaIndex's own check does.
        batch_size: how many nodes are committed at once.
        hybrid_candidates: how many hits each half of a hybrid query brings to the fusion, if the query does not say.
        overwrite: drop an existing collection first.
        hybrid_ranker: the fusion without `alpha`; RRFRanker() if left out.
        reranker: any object with `rerank(query, documents)`, for mode SEMANTIC_HYBRID.
        durability: of a folder, "fsync" or "os".
        token, user, password, db_name: for a server. The first three are never serialised.

    Raises:
        InvalidArgument, SchemaError, NotSupported: see each message.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    stores_text: bool = True
    is_embedding_query: bool = True
    flat_metadata: bool = False
    uri: str | None = Field(default=None, description="Folder, ':memory:' or URL, without credentials.")
    collection_name: str = Field(default="llama_index", min_length=1)
    dim: int | None = None
    metric_type: str = "COSINE"
    index_type: str = "AUTOINDEX"
    index_params: dict[str, Any] = Field(default_factory=dict)
    bm25: bool = True
    analyzer: dict[str, Any] = Field(default_factory=lambda: {"type": "english"})
    pk_field: str = "pk"
    text_field: str = "text"
    vector_field: str = "vector"
    sparse_field: str = "sparse"
    partition_key_field: str | None = None
    batch_size: int = Field(default=1000, gt=0)
    hybrid_candidates: int = Field(default=50, gt=0)
    durability: str = "fsync"
    db_name: str | None = None

    _client: Any = PrivateAttr()
    _owned: bool = PrivateAttr()
    _layout: TextLayout | None = PrivateAttr(default=None)
    _ranker: Any = PrivateAttr(default=None)
    _reranker: Any = PrivateAttr(default=None)

    def __init__(
        self,
        uri: str | None = None,
        collection_name: str = "llama_index",
        *,
        client: Any = None,
        overwrite: bool = False,
        hybrid_ranker: Any = None,
        reranker: Any = None,
        token: str | None = None,
        user: str | None = None,
        password: str | None = None,
        **fields: Any,
    ) -> None:
        address = None if uri is None else str(uri)
        fields |= {"uri": public_uri(address), "collection_name": collection_name}
        super().__init__(**fields)
        secrets = {"token": token, "user": user, "password": password}
        self._client = open_client(address, client, self.durability, self.db_name, secrets)
        self._owned = client is None
        self._ranker = hybrid_ranker
        self._reranker = None if reranker is None else check_reranker(reranker, "reranker")
        if overwrite:
            self._client.drop_collection(self.collection_name)
        if self.dim is not None:
            self._made(self.dim)

    @classmethod
    def class_name(cls) -> str:
        """The name under which LlamaIndex serialises the class."""
        return "ElanusVectorStore"

    @property
    def client(self) -> Any:
        """The client: `elanus.Client` for a folder, pymilvus's for a server."""
        return self._client

    def close(self) -> None:
        """Close the client if this store opened it."""
        if self._owned:
            self._client.close()

    def add(self, nodes: Sequence[BaseNode], **add_kwargs: Any) -> list[str]:
        """Store nodes with their embeddings, replacing those of the same ids; returns the ids.

        Each `batch_size` nodes are one commit: when this returns they are on disk.

        Raises:
            InvalidArgument: a node that cannot be stored, by its id; nothing of the call was stored.
            RowError: as `upsert` of the client raises; nothing of that batch was stored.
        """
        refuse_unknown("add", add_kwargs)
        nodes = list(nodes)
        if not nodes:
            return []
        layout = self._found() or self._made(len(nodes[0].get_embedding()))
        self._check_writable(layout)
        rows = [to_row(node, layout, self.flat_metadata) for node in nodes]
        for start in range(0, len(rows), self.batch_size):
            try:
                self._client.upsert(self.collection_name, rows[start : start + self.batch_size])
            except RowError as error:
                if error.row is None:
                    raise
                place = start + error.row
                raise RowError(f"node '{nodes[place].node_id}': {error}", place) from None
        return [node.node_id for node in nodes]

    def delete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """Delete all nodes of a source document."""
        refuse_unknown("delete", delete_kwargs)
        if self._found() is not None:
            self._client.delete(self.collection_name, filter=of_document(ref_doc_id))

    def delete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **delete_kwargs: Any
    ) -> None:
        """Delete the nodes of these ids that match the filters; either may be left out, not both (see `clear`)."""
        refuse_unknown("delete_nodes", delete_kwargs)
        condition = translated(filters)
        if node_ids is None and condition is None:
            raise InvalidArgument("delete_nodes: give node_ids or filters; clear() deletes all")
        layout = self._found()
        if layout is None or node_ids == []:
            return
        if node_ids is not None:
            condition = both(of_nodes(layout, node_ids), condition)
        self._client.delete(self.collection_name, filter=condition)

    def clear(self) -> None:
        """Delete all nodes; the collection stays."""
        layout = self._found()
        if layout is None:
            return
        if isinstance(self._client, elanus.Client):
            self._client.truncate_collection(self.collection_name)
        else:
            self._client.delete(self.collection_name, filter=every_node(layout))

    def get_nodes(self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None) -> list[BaseNode]:
        """Read nodes: those of the ids, in their order, that match the filters. Without either, all, by id."""
        layout = self._found()
        if layout is None or node_ids == []:
            return []
        condition = translated(filters)
        keys = None if node_ids is None else layout.keys(node_ids)
        if keys is not None and condition is None:
            rows = self._client.get(self.collection_name, keys, output_fields=layout.output)
        else:
            condition = both(None if keys is None else of_nodes(layout, node_ids or []), condition)
            condition = every_node(layout) if condition is None else condition
            rows = self._client.query(self.collection_name, filter=condition, output_fields=layout.output)
        by_key = {row[layout.key]: row for row in rows}
        order = by_key if keys is None else [key for key in dict.fromkeys(keys) if key in by_key]
        return [to_node(key, by_key[key], layout, None) for key in order]

    def query(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """Answer a query in its mode.

        Similarities grow with likeness: cosine, inner product and BM25 as they are, L2 mapped into [0, 1], fused
        scores in the hybrid modes, the model's scores in SEMANTIC_HYBRID. `output_fields` limits the nodes' metadata
        to these keys. An empty `node_ids` restricts nothing (LlamaIndex's retriever sends one), an empty `doc_ids`
        matches nothing.

        Args:
            filter: (keyword) a Milvus expression or `elanus.F` filter, beside the query's own.
            search_params: (keyword) of the dense index.
            analyzer_name: (keyword) by which of several analyzers the query's text is read.
            ranker, reranker: (keyword) instead of the store's, for the hybrid modes.
            mmr_threshold, mmr_prefetch_k, mmr_prefetch_factor: (keyword) for mode MMR: 1 is likeness alone, 0
                variety alone; among so many candidates, or so many times `similarity_top_k` (4).
            group_by_field, group_size, strict_group_size: (keyword) groups of nodes with one value in a field
                or metadata key, so many of each.
            explain: (keyword) put why each node was found into its metadata, as "explanation", kept from models.
            highlight: (keyword) True, or an `elanus.LexicalHighlighter`: likewise fragments of the text with the
                query's words marked, as "highlights".
            partition_names: (keyword) the partitions to search.

        Raises:
            InvalidArgument, FilterError, NotSupported: see each message.
        """
        refuse_unknown("query", kwargs, QUERY_OPTIONS)
        layout = self._found()
        if layout is None or query.doc_ids == []:
            return VectorStoreQueryResult(nodes=[], similarities=[], ids=[])
        hits = answer(
            Ask(
                client=self._client,
                collection=self.collection_name,
                layout=layout,
                query=query,
                filter=restriction(query, layout, kwargs.get("filter")),
                candidates=self.hybrid_candidates,
                ranker=kwargs.get("ranker") or self._ranker,
                reranker=kwargs.get("reranker") or self._reranker,
                options=kwargs,
            )
        )
        only = None if query.output_fields is None or "*" in query.output_fields else frozenset(query.output_fields)
        return VectorStoreQueryResult(
            nodes=[
                told(to_node(hit.key, hit.row, layout, only), explanation=hit.explanation, highlights=hit.highlights)
                for hit in hits
            ],
            similarities=[hit.similarity for hit in hits],
            ids=[str(hit.key) for hit in hits],
        )

    def _names(self) -> TextFields:
        return TextFields(self.pk_field, self.text_field, self.vector_field, self.sparse_field)

    def _found(self) -> TextLayout | None:
        """The collection's layout, read once; None while there is no collection."""
        if self._layout is None and self._client.has_collection(self.collection_name):
            self._layout = read_text_layout(self._client, self.collection_name, self._names())
        return self._layout

    def _made(self, dim: int) -> TextLayout:
        if not self._client.has_collection(self.collection_name):
            make_text_collection(
                self._client,
                self.collection_name,
                {self.vector_field: dim},
                self._names(),
                metric=self.metric_type,
                index_type=self.index_type,
                index_params=self.index_params,
                bm25=self.bm25,
                analyzer=self.analyzer,
                partition_key=self.partition_key_field,
            )
        found = self._found()
        assert found is not None
        return found

    def _check_writable(self, layout: TextLayout) -> None:
        name = self.collection_name
        if layout.whole_key or layout.auto_key:
            raise NotSupported(f"collection '{name}' has no VARCHAR key of the caller's; nodes can be read, not added")
        if not layout.dynamic:
            raise NotSupported(f"collection '{name}' has no dynamic field for metadata; nodes can be read, not added")
