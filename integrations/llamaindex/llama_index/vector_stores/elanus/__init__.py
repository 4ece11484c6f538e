"""Elanus in LlamaIndex: a vector store, an embedding model and a reranking postprocessor."""

from llama_index.vector_stores.elanus.base import ElanusVectorStore
from llama_index.vector_stores.elanus.embedding import ElanusEmbedding
from llama_index.vector_stores.elanus.rerank import ElanusRerank

__all__ = ["ElanusEmbedding", "ElanusRerank", "ElanusVectorStore"]
