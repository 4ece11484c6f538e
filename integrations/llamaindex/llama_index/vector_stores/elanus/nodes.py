"""Nodes into rows, and rows into nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llama_index.core.schema import BaseNode, Document, ImageDocument, ImageNode, IndexNode, Node, TextNode
from llama_index.core.vector_stores.utils import node_to_metadata_dict

from elanus import InvalidArgument, TextLayout

CONTENT = "_node_content"
KIND = "_node_type"
REF_DOC = "ref_doc_id"
"""The keys under which LlamaIndex's stores keep a node's JSON, its class and the id of its source document."""

CLASSES: Mapping[str, type[BaseNode]] = {
    cls.class_name(): cls for cls in (TextNode, ImageNode, IndexNode, Node, Document, ImageDocument)
}


def to_row(node: BaseNode, layout: TextLayout, flat: bool) -> dict[str, Any]:
    """The row of a node: key, text, vector, and the metadata as they are, with LlamaIndex's own keys beside them.

    Raises:
        InvalidArgument: names the node and what keeps it from being stored.
    """
    if node.embedding is None:
        raise InvalidArgument(f"node '{node.node_id}' has no embedding; embed the nodes before add()")
    for key in node.metadata:
        if key in layout.reserved:
            raise InvalidArgument(
                f"node '{node.node_id}': metadata key '{key}' is the name of a field of the collection; rename the "
                f"key, or make the collection with another name for that field"
            )
    text = text_of(node)
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > layout.text_bytes:
        raise InvalidArgument(
            f"node '{node.node_id}': its text has {size} bytes, field '{layout.text}' holds {layout.text_bytes}; "
            "split it with a node parser"
        )
    bare = node.model_copy(update={"embedding": None})
    row = node_to_metadata_dict(bare, remove_text=True, flat_metadata=flat)
    row[layout.key], row[layout.text], row[layout.vector] = node.node_id, text, node.embedding
    return row


def text_of(node: BaseNode) -> str:
    """The text alone, without metadata."""
    return node.get_content() or ""


def to_node(key: Any, row: Mapping[str, Any], layout: TextLayout, only: frozenset[str] | None) -> BaseNode:
    """The node of a row; a row that LlamaIndex did not write becomes a TextNode with its fields as metadata.

    `only` limits the metadata to these keys.
    """
    text, content = row.get(layout.text) or "", row.get(CONTENT)
    if content is None:
        kept = {k: v for k, v in row.items() if k not in layout.reserved and (v is not None or k not in layout.others)}
        node: BaseNode = TextNode(id_=str(key), text=text, metadata=kept)
    else:
        node = CLASSES.get(row.get(KIND, ""), TextNode).from_json(content)
        if text:
            node.set_content(text)
    if only is not None:
        node.metadata = {k: v for k, v in node.metadata.items() if k in only}
    return node


def told(node: BaseNode, **found: Any) -> BaseNode:
    """The node with what its search tells of it in its metadata, where neither a model nor an embedding reads it."""
    for name, value in found.items():
        if value is not None:
            node.metadata[name] = value
            node.excluded_llm_metadata_keys = [*node.excluded_llm_metadata_keys, name]
            node.excluded_embed_metadata_keys = [*node.excluded_embed_metadata_keys, name]
    return node
