"""What a Milvus server's client is given: this package's objects as pymilvus's."""

from __future__ import annotations

import json
from typing import Any

import elanus
import pytest
from elanus import AnnSearchRequest, DataType, FunctionType

from tests.fakes import Overlap

pymilvus = pytest.importorskip("pymilvus")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A server's client that keeps what would be sent, by method, in `sent`."""
    from elanus.client.remote import MilvusServer

    client = MilvusServer.__new__(MilvusServer)
    client.sent = {}
    for method in ("search", "hybrid_search", "create_collection", "query_iterator", "search_iterator"):

        def keep(self: Any, *args: Any, method: str = method, **kwargs: Any) -> None:
            self.sent[method] = (args, kwargs)

        monkeypatch.setattr(pymilvus.MilvusClient, method, keep)
    return client


def rerank(**params: Any) -> elanus.Function:
    raw = {"reranker": "model", "provider": "tei", "queries": ["a"], **params}
    return elanus.Function("rr", FunctionType.RERANK, ["text"], params=raw)


def test_a_schema_with_an_embedding_function_becomes_pymilvuss(server: Any) -> None:
    params = {"provider": "openai", "model_name": "text-embedding-3-small"}
    schema = elanus.CollectionSchema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=100)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=1536)
    schema.add_function(elanus.Function("emb", FunctionType.TEXTEMBEDDING, "text", "dense", params=params))
    server.create_collection("c", schema=schema)
    (sent,) = server.sent["create_collection"][1]["schema"].functions
    assert isinstance(sent, pymilvus.Function)
    assert sent.to_dict()["params"] == params
    assert sent.type == pymilvus.FunctionType.TEXTEMBEDDING


def test_a_rerank_function_becomes_pymilvuss(server: Any) -> None:
    server.search("c", ["a"], ranker=rerank())
    server.hybrid_search("c", [AnnSearchRequest(["a"], "dense", {}, 5)], rerank())
    for sent in (server.sent["search"][1]["ranker"], server.sent["hybrid_search"][0][2]):
        assert isinstance(sent, pymilvus.Function)
        assert sent.type == pymilvus.FunctionType.RERANK
        assert (sent.input_field_names, sent.params["provider"], sent.params["queries"]) == (["text"], "tei", ["a"])


def test_what_a_server_cannot_do_is_refused(server: Any) -> None:
    for ranker, message in ((Overlap(), "cannot call Overlap.*rerank_scores"), (rerank(candidates=5), "candidates")):
        with pytest.raises(elanus.NotSupported, match=message):
            server.search("c", ["a"], ranker=ranker)
        with pytest.raises(elanus.NotSupported, match=message):
            server.hybrid_search("c", [AnnSearchRequest(["a"], "dense", {}, 5)], ranker)
    assert server.sent == {}


GERMAN = {
    "tokenizer": "standard",
    "filter": [
        "lowercase",
        {"type": "stop", "stop_words": ["_german_", "der"]},
        {"type": "stemmer", "language": "german"},
    ],
}


def test_a_languages_analyzer_becomes_the_chain_that_a_server_knows(server: Any) -> None:
    several = {"by_field": "id", "analyzers": {"default": {"type": "english"}, "ro": {"type": "romanian"}}}
    for schema in (elanus.CollectionSchema(), server.create_schema()):
        schema.add_field("id", DataType.VARCHAR, max_length=9, is_primary=True)
        analysed = {"max_length": 9, "enable_analyzer": True}
        schema.add_field("a", DataType.VARCHAR, analyzer_params={"type": "german", "stop_words": ["der"]}, **analysed)
        schema.add_field("b", DataType.VARCHAR, multi_analyzer_params=several, **analysed)
        schema.add_field("c", DataType.VARCHAR, analyzer_params={"type": "standard"}, **analysed)
        server.create_collection("c", schema=schema)
        _, a, b, c = server.sent["create_collection"][1]["schema"].to_dict()["fields"]
        assert json.loads(a["params"]["analyzer_params"]) == GERMAN
        romanian = {"tokenizer": "standard", "filter": ["lowercase", {"type": "stemmer", "language": "romanian"}]}
        sent = json.loads(b["params"]["multi_analyzer_params"])
        assert sent == {"by_field": "id", "analyzers": {"default": {"type": "english"}, "ro": romanian}}
        assert json.loads(c["params"]["analyzer_params"]) == {"type": "standard"}
    with pytest.raises(elanus.NotSupported, match="no stemmer for indonesian"):
        server.create_schema().add_field("t", DataType.VARCHAR, analyzer_params={"type": "indonesian"}, **analysed)


def test_options_of_filters_that_a_server_does_not_read_are_refused(server: Any) -> None:
    like = elanus.F.text.text_match("kite", fuzziness=1)
    for filter in (like, str(like), 'year > 3 and TEXT_MATCH(text, "kite", PREFIX = true)'):
        with pytest.raises(elanus.NotSupported, match="a Milvus server has no '"):
            server.search("c", [[0.0]], filter=filter)
        with pytest.raises(elanus.NotSupported, match="a Milvus server has no"):
            server.hybrid_search("c", [AnnSearchRequest([[0.0]], "dense", {}, 5, expr=filter)], elanus.RRFRanker())
    boost = elanus.Function(
        "b", FunctionType.RERANK, [], params={"reranker": "boost", "filter": str(like), "weight": 2}
    )
    with pytest.raises(elanus.NotSupported, match="a Milvus server has no 'fuzziness'"):
        server.search("c", [[0.0]], ranker=boost)
    assert server.sent == {}
    server.search("c", [[0.0]], filter='prefix == 3 and text_match(text, "prefix=true", minimum_should_match=1) and $$')
    assert "search" in server.sent


def test_a_server_is_not_given_a_fusion_it_does_not_have(server: Any) -> None:
    function = elanus.Function("f", FunctionType.RERANK, [], params={"reranker": "dbsf"})
    for ranker, message in ((elanus.DBSFRanker(), "no DBSFRanker"), (function, "'f': .* no reranker 'dbsf'")):
        with pytest.raises(elanus.NotSupported, match=message):
            server.hybrid_search("c", [AnnSearchRequest(["a"], "dense", {}, 5)], ranker)
    assert server.sent == {}


def test_iterators_take_filters_of_this_package(server: Any) -> None:
    server.query_iterator("c", 10, filter=elanus.F.year >= 2020)
    server.search_iterator("c", [[0.0]], filter=elanus.F.year >= 2020)
    assert server.sent["query_iterator"] == (("c", 10), {"filter": "year >= 2020"})
    assert server.sent["search_iterator"] == (("c", [[0.0]]), {"filter": "year >= 2020"})
