"""Embeddings and reranking by a provider's server, over HTTP."""
