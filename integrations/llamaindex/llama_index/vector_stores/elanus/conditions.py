"""What restricts a query, as one filter of the client."""

from __future__ import annotations

from typing import Any

from llama_index.core.vector_stores.types import VectorStoreQuery
from llama_index.vector_stores.elanus.nodes import REF_DOC

import elanus
from elanus import F, TextLayout

INT64_MIN = -(2**63)


def translated(filters: Any) -> Any:
    """LlamaIndex's MetadataFilters, a Milvus expression or an `elanus.F` filter, as the client takes it; or None."""
    return elanus.translate_filter(filters, "llamaindex")


def both(one: Any, other: Any) -> Any:
    """Both filters, either of which may be None."""
    if one is None or other is None:
        return other if one is None else one
    if isinstance(one, elanus.Expression) and isinstance(other, elanus.Expression):
        return one & other
    return f"({one}) and ({other})"


def of_nodes(layout: TextLayout, node_ids: list[str]) -> Any:
    """The nodes of these ids."""
    return F[layout.key].isin(layout.keys(node_ids))


def of_document(ref_doc_id: str) -> Any:
    """The nodes of a source document."""
    return F[REF_DOC] == ref_doc_id


def every_node(layout: TextLayout) -> Any:
    """All nodes, for calls that want a filter."""
    return F[layout.key] >= (INT64_MIN if layout.whole_key else "")


def restriction(query: VectorStoreQuery, layout: TextLayout, more: Any) -> Any:
    """The one filter of a query: its metadata filters, documents and nodes, and the caller's own; or None."""
    condition = both(translated(query.filters), translated(more))
    if query.doc_ids is not None:
        condition = both(condition, F[REF_DOC].isin(query.doc_ids))
    if query.node_ids:
        condition = both(condition, of_nodes(layout, query.node_ids))
    return condition
