"""A model ranks what a search found: as a Function(RERANK) or as any object, over one request or several."""

from __future__ import annotations

from typing import Any

import elanus
import pytest
from elanus import AnnSearchRequest, DataType, FunctionType, RRFRanker, WeightedRanker

from tests.behaviour.models import TEXTS, passages, rows
from tests.fakes import Overlap

pytestmark = pytest.mark.usefixtures("fake_models")


@pytest.fixture
def filled(client: elanus.Client) -> elanus.Client:
    """A client with TEXTS in the collection "c"."""
    passages(client)
    client.insert("c", rows())
    return client


def function(fields: Any = "text", **params: Any) -> elanus.Function:
    """A RERANK function with the fake reranker."""
    return elanus.Function("rr", FunctionType.RERANK, fields, params={"reranker": "model", **params})


def overlap(fields: Any = "text", **params: Any) -> elanus.Function:
    return function(fields, provider="overlap", **params)


def routes(*texts: str, limit: int = 5) -> list[AnnSearchRequest]:
    return [AnnSearchRequest(list(texts), field, {}, limit) for field in ("dense", "sparse")]


RANKERS = {
    "function": overlap(),
    "function without field": overlap([]),
    "function with a name": overlap(model_name="large", weight=1.0),
    "object": Overlap(),
}


@pytest.mark.parametrize("ranker", RANKERS.values(), ids=RANKERS)
def test_a_search_comes_in_the_models_order_with_its_scores(filled: elanus.Client, ranker: Any) -> None:
    (hits,) = filled.search("c", ["the grey lake"], anns_field="dense", ranker=ranker, output_fields=["text"])
    assert hits.distances == [2.0, 2.0, 0.0, 0.0, 0.0]
    assert {hit["entity"]["text"] for hit in hits[:2]} == {"grey heron on a lake", "the lake at night"}
    (plain,) = filled.search("c", ["the grey lake"], anns_field="dense")
    equals = [key for key in plain.ids if key in hits.ids[2:]]
    assert hits.ids[2:] == equals  # equals stay in the order of the search


@pytest.mark.parametrize("ranker", RANKERS.values(), ids=RANKERS)
def test_a_hybrid_search_ranks_all_that_its_requests_found(filled: elanus.Client, ranker: Any) -> None:
    (hits,) = filled.hybrid_search("c", routes("black kite", limit=2), ranker, limit=10)
    assert len(Overlap.calls) == 1
    question, documents = Overlap.calls[0]
    assert question == "black kite"
    fused = filled.hybrid_search("c", routes("black kite", limit=2), RRFRanker(), limit=10)[0]
    assert documents == [TEXTS[key] for key in fused.ids]
    assert (hits.ids[0], hits.distances[0]) == (1, 2.0)
    assert sorted(hits.ids) == sorted(fused.ids)


def test_each_query_is_one_call(filled: elanus.Client) -> None:
    found = filled.search("c", ["red fox", "black kite"], anns_field="sparse", ranker=overlap(), limit=1)
    assert [hits.ids for hits in found] == [[2], [1]]
    assert [question for question, _ in Overlap.calls] == ["red fox", "black kite"]


def test_the_window_is_cut_after_ranking(filled: elanus.Client) -> None:
    everything = filled.search("c", ["the grey lake"], anns_field="dense", ranker=overlap(), limit=5)[0]
    for offset in range(5):
        (hits,) = filled.search("c", ["the grey lake"], anns_field="dense", ranker=overlap(), limit=2, offset=offset)
        assert hits == everything[offset : offset + 2]


def test_queries_say_the_questions_when_the_search_is_by_vectors(filled: elanus.Client) -> None:
    ranker = overlap(queries=["red fox"])
    (hits,) = filled.search("c", [[1.0] * 8], anns_field="dense", ranker=ranker, limit=1)
    assert hits.ids == [2]
    requests = [AnnSearchRequest([[1.0] * 8], "dense", {}, 5), AnnSearchRequest(["kite"], "sparse", {}, 5)]
    assert filled.hybrid_search("c", requests, ranker, limit=1)[0].ids == [2]
    assert filled.hybrid_search("c", requests, Overlap(), limit=1)[0].ids[0] in (0, 1)  # the only text there is


def many(client: elanus.Client) -> None:
    client.insert("c", rows([f"word{n}" for n in range(50)], first=100))


@pytest.mark.parametrize(
    ("candidates", "limit", "expected"),
    [({}, 3, 20), ({"candidates": 30}, 3, 30), ({"candidates": 2}, 3, 3), ({}, 40, 40)],
)
def test_how_many_candidates_a_search_ranks(
    filled: elanus.Client, candidates: dict[str, int], limit: int, expected: int
) -> None:
    many(filled)
    filled.search("c", ["kite"], anns_field="dense", ranker=overlap(**candidates), limit=limit)
    assert len(Overlap.calls[0][1]) == expected


def test_candidates_bound_what_a_hybrid_search_ranks(filled: elanus.Client) -> None:
    many(filled)
    for candidates, expected in (({}, 50), ({"candidates": 30}, 30), ({"candidates": 1}, 7)):
        Overlap.calls.clear()
        filled.hybrid_search("c", routes("kite", limit=50), overlap(**candidates), limit=7)
        assert len(Overlap.calls[0][1]) == expected


def test_a_filter_holds_and_no_hits_need_no_model(filled: elanus.Client) -> None:
    found = filled.search("c", ["kite"], filter="words == 5", anns_field="dense", ranker=overlap())
    assert found[0].ids == [3]
    assert filled.search("c", ["nothing"], anns_field="sparse", ranker=overlap()) == [[]]
    assert len(Overlap.calls) == 1


def test_functions_that_fuse_do_what_the_rankers_do(filled: elanus.Client) -> None:
    for params, ranker in (
        ({"reranker": "rrf", "k": 5}, RRFRanker(5)),
        ({"reranker": "rrf"}, RRFRanker()),
        ({"reranker": "weighted", "weights": [0.2, 0.9]}, WeightedRanker(0.2, 0.9, norm_score=False)),
        ({"reranker": "weighted", "weights": [0.2, 0.9], "norm_score": True}, WeightedRanker(0.2, 0.9)),
        ({"reranker": "weighted", "weights": [1], "norm_score": False}, WeightedRanker(1, norm_score=False)),
    ):
        asked = elanus.Function("f", FunctionType.RERANK, [], params=params)
        requests = routes("red kite")[: len(params.get("weights", [0, 0]))]
        assert filled.hybrid_search("c", requests, asked) == filled.hybrid_search("c", requests, ranker)


def test_functions_of_pymilvus_are_taken(filled: elanus.Client) -> None:
    pymilvus = pytest.importorskip("pymilvus")
    theirs = pymilvus.Function(
        "rr", pymilvus.FunctionType.RERANK, ["text"], params={"reranker": "model", "provider": "overlap"}
    )
    assert filled.hybrid_search("c", routes("red fox"), theirs, limit=1)[0].ids == [2]
    assert filled.search("c", ["red fox"], anns_field="dense", ranker=theirs, limit=1)[0].ids == [2]


# What is refused


@pytest.mark.parametrize(
    ("ranker", "error", "message"),
    [
        (function(), elanus.InvalidArgument, "function 'rr': params need a 'provider'"),
        (function(provider="overlpa"), elanus.InvalidArgument, "reranker 'overlpa'; did you mean 'overlap'"),
        (overlap(colour="red"), elanus.InvalidArgument, "function 'rr': reranker 'overlap'.*'colour'"),
        (overlap(queries="one", candidates=0), elanus.InvalidArgument, "candidates must be a whole number"),
        (overlap(queries=[1]), elanus.InvalidArgument, "queries must be a list of str"),
        (overlap(queries=["a", "b"]), elanus.InvalidArgument, "2 questions for 1 queries"),
        (overlap("txt"), elanus.InvalidArgument, "'txt' is no VARCHAR field.*did you mean 'text'"),
        (overlap("dense"), elanus.InvalidArgument, "'dense' is no VARCHAR field"),
        (overlap(["text", "id"]), elanus.InvalidArgument, "reads one text field"),
        (function(provider="broken"), elanus.ModelFailed, "'rr', reranker 'broken': ConnectionError.*asleep"),
        (
            elanus.Function("f", FunctionType.RERANK, [], params={"reranker": "bogus", "weight": 2}),
            elanus.NotSupported,
            "'bogus' is not supported yet; use rrf, weighted, dbsf, decay, boost or model",
        ),
        (elanus.Function("f", FunctionType.BM25, "text", "sparse"), elanus.InvalidArgument, "'f' is BM25"),
        (elanus.Function("f", FunctionType.RERANK, "text", "dense", params={"reranker": "rrf"}),
         elanus.InvalidArgument, "RERANK has no output field"),
        (5, elanus.InvalidArgument, "not int"),
    ],
)  # fmt: skip
def test_a_ranker_that_cannot_rank_is_refused(
    filled: elanus.Client, ranker: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        filled.hybrid_search("c", routes("kite"), ranker)
    with pytest.raises(error, match=message):
        filled.search("c", ["kite"], anns_field="dense", ranker=ranker)


def test_a_ranker_that_fuses_is_refused_by_a_plain_search(filled: elanus.Client) -> None:
    for ranker in (RRFRanker(), elanus.Function("f", FunctionType.RERANK, [], params={"reranker": "rrf"})):
        with pytest.raises(elanus.InvalidArgument, match="fuses several requests; use hybrid_search"):
            filled.search("c", ["kite"], anns_field="dense", ranker=ranker)


def test_questions_that_are_not_clear_are_refused(filled: elanus.Client) -> None:
    with pytest.raises(elanus.InvalidArgument, match=r"by vectors, .*params\['queries'\]"):
        filled.search("c", [[1.0] * 8], anns_field="dense", ranker=overlap())
    with pytest.raises(elanus.InvalidArgument, match=r"different texts, .*params\['queries'\]"):
        filled.hybrid_search("c", [routes("kite")[0], routes("fox")[1]], Overlap())


def test_a_text_field_that_is_not_clear_is_refused(client: elanus.Client) -> None:
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=100, nullable=True)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=2)
    client.create_collection("c", schema=schema, index_params=client.prepare_index_params("dense", metric_type="L2"))
    client.insert("c", [{"id": 1, "text": None, "dense": [0, 0]}, {"id": 2, "text": "fox", "dense": [9, 9]}])
    with pytest.raises(elanus.InvalidArgument, match=r"which text field to rerank by is not clear.*name it"):
        client.search("c", [[0, 0]], ranker=overlap([], queries=["fox"]))
    (hits,) = client.search("c", [[0, 0]], ranker=overlap(queries=["fox"]))
    assert (hits.ids, hits.distances) == ([2, 1], [1.0, 0.0])
