"""Elanus in LangChain: a vector store, a retriever, an embedding model and a reranking compressor."""

from langchain_elanus.embeddings import ElanusEmbeddings
from langchain_elanus.reranker import ElanusReranker
from langchain_elanus.retrievers import ElanusRetriever, ElanusVectorStoreRetriever
from langchain_elanus.vectorstore import ElanusVectorStore

__all__ = [
    "ElanusEmbeddings",
    "ElanusReranker",
    "ElanusRetriever",
    "ElanusVectorStore",
    "ElanusVectorStoreRetriever",
]
