"""The asynchronous methods do what the others do, off the event loop."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from llama_index.core.schema import NodeWithScore, QueryBundle
from llama_index.core.vector_stores.types import VectorStoreQuery
from llama_index.vector_stores.elanus import ElanusEmbedding, ElanusRerank, ElanusVectorStore

from tests.llamaindex.bird_notes import Lengths, embed, ids, nodes


async def test_every_method_has_an_asynchronous_form(store: ElanusVectorStore) -> None:
    assert await store.async_add(nodes()) == ids(nodes())
    query = VectorStoreQuery(query_embedding=embed("kite"), query_str="kite", similarity_top_k=3)
    assert (await store.aquery(query)).ids == store.query(query).ids
    assert ids(await store.aget_nodes(["n2"])) == ["n2"]
    await store.adelete("doc0")
    await store.adelete_nodes(["n2"])
    assert ids(await store.aget_nodes()) == ["n3", "n4", "n5"]
    await store.aclear()
    assert await store.aget_nodes() == []


@pytest.mark.parametrize("call", ["async_add", "adelete", "adelete_nodes", "aget_nodes", "aclear", "aquery"])
async def test_no_method_runs_on_the_event_loops_thread(
    store: ElanusVectorStore, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    store.add(nodes())
    threads = []
    client = store.client

    class Watched:
        def __getattr__(self, name: str) -> Any:
            threads.append(threading.get_ident())
            return getattr(client, name)

    watched = ElanusVectorStore(client=Watched())
    arguments: dict[str, tuple[Any, ...]] = {
        "async_add": (nodes(),),
        "adelete": ("doc0",),
        "adelete_nodes": (["n0"],),
        "aquery": (VectorStoreQuery(query_embedding=embed("kite")),),
    }
    await getattr(watched, call)(*arguments.get(call, ()))
    assert threads
    assert threading.get_ident() not in threads


async def test_many_queries_run_at_once(store: ElanusVectorStore) -> None:
    await store.async_add(nodes())
    asked = [VectorStoreQuery(query_embedding=n.embedding, similarity_top_k=1) for n in nodes() * 8]
    found = await asyncio.gather(*[store.aquery(query) for query in asked])
    assert [result.ids for result in found] == [[n.node_id] for n in nodes() * 8]


async def test_the_models_run_on_threads_too() -> None:
    threads = []

    class Model(Lengths):
        def embed_queries(self, texts: list[str]) -> list[list[float]]:
            threads.append(threading.get_ident())
            return [embed(text) for text in texts]

        embed_documents = embed_queries

        def rerank(self, query: str, documents: list[str]) -> list[float]:
            threads.append(threading.get_ident())
            return super().rerank(query, documents)

    embedding = ElanusEmbedding(model=Model())
    await embedding.aget_query_embedding("kite")
    await embedding.aget_text_embedding("kite")
    await embedding.aget_text_embedding_batch(["kite", "owl"])
    await ElanusRerank(Model()).apostprocess_nodes([NodeWithScore(node=n) for n in nodes()], QueryBundle("kite"))
    assert len(threads) == 4
    assert threading.get_ident() not in threads
