"""Explanations add up to the distances they explain, and leave the hits as they are without them."""

from __future__ import annotations

import random
from typing import Any

import elanus
import numpy as np
import pytest
from elanus import AnnSearchRequest, DataType, DBSFRanker, Function, FunctionType, RRFRanker, WeightedRanker

from tests import shapes

ROWS, WORDS = 400, [f"word{n}" for n in range(60)]
VECTOR = [0.5] * shapes.DIM


@pytest.fixture
def docs(client: elanus.Client) -> elanus.Client:
    """A client with "docs": most rows in a segment, some dead, the newest in the tail."""
    shapes.articles(client, "docs")
    chance = random.Random(2)

    def row(key: int) -> dict[str, Any]:
        own = {"id": key, "n": key, "score": 0.0, "flag": True, "color": "red", "tags": [], "meta": {}}
        text = " ".join(chance.choices(WORDS, k=8))
        return {**own, "text": text, "vector": [chance.gauss(0, 1) for _ in range(shapes.DIM)]}

    client.insert("docs", [row(key) for key in range(ROWS)])
    client.flush("docs")
    client.upsert("docs", [row(key) for key in range(0, ROWS, 9)])
    client.delete("docs", ids=list(range(1, ROWS, 50)))
    return client


def requests(limit: int = 30) -> list[AnnSearchRequest]:
    text = AnnSearchRequest(["word1 word2 word2 word3"], "sparse", {}, limit, filter="n < 300")
    return [AnnSearchRequest([VECTOR], "vector", {}, limit), text]


def plain(hits: Any) -> list[dict[str, Any]]:
    return [{key: value for key, value in hit.items() if key != "explanation"} for hit in hits]


def test_the_matched_terms_add_up_to_the_score(docs: elanus.Client) -> None:
    query = ["word1 word2 word2 word3 nowhere"]
    told = docs.search("docs", query, anns_field="sparse", limit=50, explain=True)
    assert plain(told[0]) == docs.search("docs", query, anns_field="sparse", limit=50)[0]
    texts = {row["id"]: row["text"].split() for row in docs.query("docs", filter="id >= 0", output_fields=["text"])}
    for rank, hit in enumerate(told[0], 1):
        (route,) = hit["explanation"]["routes"]
        assert (route["field"], route["metric"], route["rank"]) == ("sparse", "BM25", rank)
        assert route["distance"] == hit["distance"] == pytest.approx(sum(route["terms"].values()), rel=1e-5)
        assert set(route["terms"]) == {"word1", "word2", "word3"} & set(texts[hit.id])


DBSF = Function("f", FunctionType.RERANK, [], params={"reranker": "dbsf", "weights": [0.9, 0.4]})
FUSIONS = [RRFRanker(), RRFRanker(5), WeightedRanker(0.3, 0.9), WeightedRanker(1.0, 0.2), DBSFRanker(), DBSF]


@pytest.mark.parametrize("ranker", FUSIONS)
def test_the_shares_add_up_to_the_fused_score(docs: elanus.Client, ranker: Any) -> None:
    told = docs.hybrid_search("docs", requests(), ranker, limit=40, explain=True)
    assert plain(told[0]) == docs.hybrid_search("docs", requests(), ranker, limit=40)[0]
    alone = {
        "vector": docs.search("docs", [VECTOR], anns_field="vector", limit=30)[0],
        "sparse": docs.search("docs", requests()[1].data, anns_field="sparse", limit=30, filter="n < 300")[0],
    }
    for hit in told[0]:
        fusion = hit["explanation"]["fusion"]
        assert fusion["score"] == pytest.approx(hit["distance"], rel=1e-6)
        assert sum(fusion["shares"].values()) == pytest.approx(hit["distance"], rel=1e-6)
        for route in hit["explanation"]["routes"]:
            own = alone[route["field"]]
            rank = own.ids.index(hit.id) + 1 if hit.id in own.ids else None
            assert route["rank"] == rank
            assert route["distance"] == (None if rank is None else own.distances[rank - 1])
            assert (fusion["shares"][route["field"]] > 0) is (rank is not None)


def test_two_requests_over_one_field_have_shares_of_their_own(docs: elanus.Client) -> None:
    twice = [AnnSearchRequest([v], "vector", {}, 5) for v in (VECTOR, [-1.0] * shapes.DIM)]
    (hits,) = docs.hybrid_search("docs", twice, RRFRanker(), limit=10, explain=True)
    assert {tuple(hit["explanation"]["fusion"]["shares"]) for hit in hits} == {("vector (1)", "vector (2)")}


class ShortestFirst:
    """A reranker that likes short texts."""

    def rerank(self, query: str, documents: list[str]) -> list[float]:
        return [-float(len(text)) for text in documents]


def test_a_models_effect_is_told(docs: elanus.Client) -> None:
    query = ["word1 word2"]
    before = docs.search("docs", query, anns_field="sparse", limit=20)[0].ids
    ranked = docs.search("docs", query, anns_field="sparse", limit=5, ranker=ShortestFirst(), explain=True)
    for rank, hit in enumerate(ranked[0], 1):
        assert hit["explanation"]["reranker"] == {
            "score": hit["distance"], "rank_before": before.index(hit.id) + 1, "rank_after": rank,
        }  # fmt: skip
    assert ranked.plan is not None
    assert list(ranked.plan["milliseconds"]) == ["embed", "rerank", "fetch", "explain"]


def test_the_plan_tells_how_the_hits_were_found(docs: elanus.Client) -> None:
    told = docs.hybrid_search("docs", requests(3), RRFRanker(), limit=3, explain=True).plan
    assert told is not None
    living = docs.get_collection_stats("docs")["row_count"]
    dense, text = told["routes"]
    assert (dense["field"], dense["index"], dense["rows"], dense["matching"]) == ("vector", "AUTOINDEX", living, living)
    assert [way["way"] for way in dense["ways"]] == ["scan"]
    assert dense["ways"][0]["scored"] < living
    assert text["matching"] == len(docs.query("docs", filter="n < 300"))
    assert text["ways"][0]["way"] == "postings"
    assert list(told["milliseconds"]) == ["embed", "fuse", "fetch", "explain"]
    assert list(dense["milliseconds"]) == ["filter", "search"]
    few = docs.search("docs", [VECTOR], anns_field="vector", filter="n < 50", limit=2, explain=True).plan
    assert few is not None
    assert [(way["way"], way["scored"]) for way in few["routes"][0]["ways"]] == [
        ("exact", few["routes"][0]["matching"])
    ]


def test_sparse_products_add_up_to_the_distance(client: elanus.Client) -> None:
    schema = client.create_schema().add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    client.create_collection("docs", schema=schema, index_params=client.prepare_index_params("sparse"))
    chance = np.random.default_rng(0)
    rows = [{int(i): float(chance.random()) for i in chance.integers(0, 30, 6)} for _ in range(50)]
    client.insert("docs", [{"id": key, "sparse": row} for key, row in enumerate(rows)])
    query = {1: 0.5, 2: 2.0, 3: 1.0, 29: 0.25}
    for hit in client.search("docs", [query], limit=50, explain=True)[0]:
        (route,) = hit["explanation"]["routes"]
        assert route["indices"].keys() == query.keys() & rows[hit.id].keys()
        assert sum(route["indices"].values()) == pytest.approx(hit["distance"], rel=1e-5)


def test_groups_and_several_queries_are_explained(docs: elanus.Client) -> None:
    told = docs.search(
        "docs", [VECTOR, [-1.0] * shapes.DIM], anns_field="vector", group_by_field="n", limit=4, explain=True
    )
    for hits in told:
        assert [hit["explanation"]["routes"][0]["distance"] for hit in hits] == hits.distances


def test_nothing_is_told_unasked(docs: elanus.Client) -> None:
    result = docs.search("docs", [VECTOR], anns_field="vector")
    assert result.plan is None
    assert "explanation" not in result[0][0]
    with pytest.raises(elanus.InvalidArgument, match="explain must be True or False"):
        docs.search("docs", [VECTOR], anns_field="vector", explain="yes")
