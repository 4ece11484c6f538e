"""Documents about birds, a model that counts words, and one that counts letters."""

from __future__ import annotations

import hashlib
import re

import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings

DIM = 64


class Words(Embeddings):
    """A bag of words, hashed into a vector: texts with common words are near."""

    def __init__(self, dim: int = DIM) -> None:
        self.dim = dim

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        vector = np.full(self.dim, 1e-3)
        for word in re.findall(r"\w+", text.lower()):
            vector[int(hashlib.sha1(word.encode()).hexdigest(), 16) % self.dim] += 1
        return (vector / np.linalg.norm(vector)).tolist()  # type: ignore[no-any-return]


class CountsSharedLetters:
    """A reranker: the letters that a document shares with the query."""

    def rerank(self, query: str, documents: list[str]) -> list[float]:
        return [float(len(set(query) & set(document))) for document in documents]


BIRDS = [
    Document(
        id="kite", page_content="The red kite soars over open country.", metadata={"year": 2019, "tags": ["bird"]}
    ),
    Document(id="toy", page_content="A paper kite flies on a string.", metadata={"year": 2021, "tags": ["toy", "air"]}),
    Document(id="heron", page_content="Herons hunt fish in shallow water.", metadata={"year": 2022, "tags": ["bird"]}),
    Document(id="wind", page_content="Wind turbines turn in the breeze.", metadata={"year": None}),
    Document(id="bare", page_content="Swifts sleep on the wing."),
]
