"""Nodes to store, and a deterministic embedding of their texts."""

from __future__ import annotations

from typing import Any

import numpy as np
from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode

DIM = 26
TEXTS = (
    "Kites are birds of prey with forked tails.",
    "A paper kite flies on a very long string.",
    "Milvus is the genus of the red kite.",
    "Owls hunt at night and hear very well.",
    "The harrier glides over the reeds.",
    "String theory has nothing to do with birds.",
)


def embed(text: str) -> list[float]:
    """The letters' frequencies, of length one."""
    counts = np.zeros(DIM)
    for letter in text.lower():
        if "a" <= letter <= "z":
            counts[ord(letter) - 97] += 1
    return (counts / max(float(np.linalg.norm(counts)), 1e-9)).tolist()


class Letters(BaseEmbedding):
    """`embed` as LlamaIndex wants it."""

    def _get_query_embedding(self, query: str) -> list[float]:
        return embed(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return embed(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return embed(text)


def node(node_id: str, text: str, ref_doc_id: str | None = None, /, **metadata: Any) -> TextNode:
    """A node with its embedding."""
    related = {NodeRelationship.SOURCE: RelatedNodeInfo(node_id=ref_doc_id)} if ref_doc_id else {}
    return TextNode(id_=node_id, text=text, embedding=embed(text), metadata=metadata, relationships=related)


def nodes() -> list[TextNode]:
    """One node per text: n0, n1, ...; two of each document; years from 2020."""
    return [node(f"n{i}", text, f"doc{i // 2}", year=2020 + i, even=i % 2 == 0) for i, text in enumerate(TEXTS)]


def ids(found: Any) -> list[str]:
    """The ids of a query's result, or of nodes."""
    return [n.node_id for n in (found.nodes if hasattr(found, "nodes") else found)]


class Lengths:
    """A reranker that likes short documents."""

    def rerank(self, query: str, documents: list[str]) -> list[float]:
        return [-float(len(document)) for document in documents]
