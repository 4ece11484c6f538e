"""The store on a Milvus server, where ELANUS_MILVUS_URL names one that runs; `make servers` starts two.

What each of them lacks is said here. Milvus 2.3 has no BM25 and no hybrid search. Neither it nor Milvus Lite 2.5 has
null tests, so they refuse negated dict filters.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import elanus
import pytest
from elanus import F, RRFRanker
from langchain_core.vectorstores import VectorStore
from langchain_elanus import ElanusVectorStore
from langchain_tests.integration_tests import VectorStoreIntegrationTests

from tests.langchain.birds import BIRDS, Words

URL = os.environ.get("ELANUS_MILVUS_URL", "")
BM25 = os.environ.get("ELANUS_MILVUS_BM25", "1") == "1"
pytestmark = pytest.mark.skipif(not URL, reason="ELANUS_MILVUS_URL names no Milvus server")


def opened(embedding: Any) -> ElanusVectorStore:
    return ElanusVectorStore(embedding, f"langchain_{uuid4().hex}", path=URL, bm25=BM25, index_type="FLAT")


class TestOnServer(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self) -> Iterator[VectorStore]:
        store = opened(self.get_embeddings())
        yield store
        store.client.drop_collection(store.collection_name)
        store.close()


@pytest.fixture
def remote() -> Iterator[ElanusVectorStore]:
    store = opened(Words())
    store.add_documents(BIRDS)
    yield store
    store.client.drop_collection(store.collection_name)
    store.close()


@pytest.mark.parametrize(
    "filter",
    [
        None,
        {"year": {"$gte": 2020}},
        {"year": {"$in": [2019, 2022]}},
        {"$or": [{"year": 2019}, {"tags": {"$contains": "toy"}}]},
        {"year": '" or 1 == 1 or year == "'},
        F.pk.isin(["kite", "it's", 'a "b" \\']),
        "year > 2020",
    ],
    ids=str,
)
def test_searches_answer_as_the_embedded_store_does(
    remote: ElanusVectorStore, birds: ElanusVectorStore, filter: Any
) -> None:
    question = "red kite country"
    theirs = remote.similarity_search_with_score(question, k=3, filter=filter)
    ours = birds.similarity_search_with_score(question, k=3, filter=filter)
    assert [document.id for document, _ in theirs] == [document.id for document, _ in ours]
    assert [score for _, score in theirs] == pytest.approx([score for _, score in ours], abs=1e-5)
    varied = [store.max_marginal_relevance_search(question, k=3, filter=filter) for store in (remote, birds)]
    assert varied[0] == varied[1]


@pytest.mark.skipif(not BM25, reason="this Milvus has no BM25")
def test_text_and_hybrid_search_on_a_server(remote: ElanusVectorStore) -> None:
    assert {document.id for document in remote.text_search("kites")} == {"kite", "toy"}
    assert remote.hybrid_search("turbines", k=1, ranker=RRFRanker(10))[0].id == "wind"


def test_deletes_by_ids_and_by_filter_on_a_server(remote: ElanusVectorStore) -> None:
    remote.delete(["kite"])
    remote.delete(filter={"year": 2022})
    assert {document.id for document in remote.similarity_search("kite", k=9)} == {"toy", "wind", "bare"}


def test_a_server_takes_this_packages_own_objects() -> None:
    client, name = elanus.connect(URL), f"own_{uuid4().hex}"
    schema = elanus.CollectionSchema(enable_dynamic_field=True)
    schema.add_field("id", elanus.DataType.INT64, is_primary=True)
    schema.add_field("v", elanus.DataType.FLOAT_VECTOR, dim=2)
    indexes = elanus.IndexParams()
    indexes.add_index("v", index_type="FLAT", metric_type="L2")
    client.create_collection(name, schema=schema, index_params=indexes, consistency_level="Strong")
    client.insert(name, [{"id": n, "v": [n, 0.0], "n": n} for n in range(5)])
    if BM25:  # and so hybrid search
        request = elanus.AnnSearchRequest([[3.0, 0.0]], "v", {}, 5, expr=F.n < 3)
        assert client.hybrid_search(name, [request, request], elanus.RRFRanker(), limit=1)[0][0].id == 2
    assert [row["id"] for row in client.query(name, F.n >= 3, output_fields=["id"])] == [3, 4]
    client.delete(name, filter=F.id.isin([0, 1]))
    assert len(client.search(name, [[0.0, 0.0]], filter=F.id >= 0, limit=5)[0]) == 3
    client.drop_collection(name)
    client.close()
