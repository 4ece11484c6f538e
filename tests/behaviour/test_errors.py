"""Each error names the thing, the place and the way out, and leaves everything as it was."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import elanus
import numpy as np
import pytest
from elanus import AnnSearchRequest, DataType, RRFRanker, WeightedRanker

from tests import shapes

VECTOR = [1.0] * shapes.DIM
GOOD = {
    "id": 1, "n": 1, "score": 0.5, "flag": True, "color": "red", "tags": ["a"], "meta": {"size": 1},
    "text": "a red kite", "vector": VECTOR,
}  # fmt: skip


@pytest.fixture(scope="module")
def client() -> Iterator[elanus.Client]:
    """A store with "articles" of one row, "small" (an INT8, no dynamic fields), "files" and "released"."""
    with elanus.connect(":memory:") as opened:
        shapes.articles(opened, "articles")
        opened.insert("articles", [GOOD])
        shapes.files(opened, "files")
        shapes.notes(opened, "notes")
        schema = opened.create_schema().add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("tiny", DataType.INT8).add_field("real", DataType.FLOAT)
        schema.add_field("list", DataType.ARRAY, element_type=DataType.INT8, max_capacity=3)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
        opened.create_collection("small", schema=schema, index_params=opened.prepare_index_params("vector"))
        schema = opened.create_schema().add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
        opened.create_collection("bare", schema=schema)
        opened.create_collection("released", dimension=2)
        opened.release_collection("released")
        yield opened


Call = Callable[[elanus.Client], Any]


def search(**options: Any) -> Call:
    """A search in "articles" by vector."""
    given = {"data": [VECTOR], "anns_field": "vector"} | options
    return lambda c: c.search("articles", **given)


def hybrid(*requests: Any, ranker: Any = None) -> Call:
    return lambda c: c.hybrid_search("articles", list(requests), ranker or RRFRanker())


DENSE = AnnSearchRequest([VECTOR], "vector", {}, 5)
NOT_FOUND: list[tuple[Call, type[Exception], str]] = [
    (lambda c: c.insert("article", [GOOD]), elanus.CollectionNotFound, "=article].*'articles'"),
    (lambda c: c.query("article", filter="id > 0"), elanus.CollectionNotFound, "did you mean 'articles'"),
    (lambda c: c.search("nothing_like_it", [VECTOR]), elanus.CollectionNotFound, "nothing_like_it"),
    (lambda c: c.delete("nope", ids=[1]), elanus.CollectionNotFound, "nope"),
    (lambda c: c.get("nope", [1]), elanus.CollectionNotFound, "nope"),
    (lambda c: c.flush("nope"), elanus.CollectionNotFound, "nope"),
    (lambda c: c.describe_collection("nope"), elanus.CollectionNotFound, "nope"),
    (lambda c: c.get_collection_stats("nope"), elanus.CollectionNotFound, "nope"),
    (lambda c: c.truncate_collection("nope"), elanus.CollectionNotFound, "nope"),
    (lambda c: c.rename_collection("nope", "new"), elanus.CollectionNotFound, "nope"),
    (lambda c: c.load_collection("nope"), elanus.CollectionNotFound, "nope"),
    (lambda c: c.release_collection("nope"), elanus.CollectionNotFound, "nope"),
    (lambda c: c.list_indexes("nope"), elanus.CollectionNotFound, "nope"),
    (lambda c: c.describe_index("articles", "vectr"), elanus.IndexNotFound, "vectr.*'vector'"),
    (lambda c: c.create_index("articles", c.prepare_index_params("nope")), elanus.FieldNotFound, "nope"),
    (lambda c: c.load_collection("bare"), elanus.IndexNotFound, "'vector'.*create_index"),
    (lambda c: c.query("files", limit=1, output_fields=["colour"]), elanus.FieldNotFound, "colour.*'color'"),
    (search(output_fields=["sparse"]), elanus.InvalidArgument, "'sparse' is computed"),
]
ALREADY: list[tuple[Call, type[Exception], str]] = [
    (lambda c: c.rename_collection("articles", "files"), elanus.AlreadyExists, "'files'"),
    (lambda c: c.create_collection("files", dimension=4), elanus.AlreadyExists, "'files'"),
    (
        lambda c: c.create_index("articles", c.prepare_index_params("vector", metric_type="L2")),
        elanus.AlreadyExists,
        "drop_index",
    ),
]
NOT_LOADED: list[tuple[Call, type[Exception], str]] = [
    (lambda c: c.query("released", filter="id > 0"), elanus.CollectionNotLoaded, "load_collection"),
    (lambda c: c.get("released", [1]), elanus.CollectionNotLoaded, "load_collection"),
    (lambda c: c.search("released", [[1.0, 2.0]]), elanus.CollectionNotLoaded, "load_collection"),
    (lambda c: c.search("bare", [[1.0, 2.0]]), elanus.CollectionNotLoaded, "create.* index"),
    (
        lambda c: c.hybrid_search("released", [AnnSearchRequest([[1.0, 2.0]], "vector", {}, 5)], RRFRanker()),
        elanus.CollectionNotLoaded,
        "released",
    ),
]
ARGUMENTS: list[tuple[Call, type[Exception], str]] = [
    (lambda c: c.create_collection("1st", dimension=4), elanus.InvalidArgument, "1st"),
    (lambda c: c.create_collection("a b", dimension=4), elanus.InvalidArgument, "a b"),
    (lambda c: c.create_collection("x" * 256, dimension=4), elanus.InvalidArgument, "255"),
    (lambda c: c.create_collection("", dimension=4), elanus.InvalidArgument, "name"),
    (lambda c: c.create_collection(7, dimension=4), elanus.InvalidArgument, "str"),
    (lambda c: c.create_collection("new"), elanus.InvalidArgument, "dimension"),
    (lambda c: c.create_collection("new", dimension=1), elanus.InvalidArgument, "dimension"),
    (lambda c: c.create_collection("new", dimension=40_000), elanus.InvalidArgument, "32768"),
    (lambda c: c.create_collection("new", dimension="8"), elanus.InvalidArgument, "dimension"),
    (lambda c: c.create_collection("new", dimension=4, metric_type="COSIN"), elanus.InvalidArgument, "COSIN"),
    (lambda c: c.create_collection("new", dimension=4, metric_type="BM25"), elanus.InvalidArgument, "BM25"),
    (lambda c: c.create_collection("new", dimension=4, id_type="float"), elanus.InvalidArgument, "id_type"),
    (lambda c: c.create_collection("new", dimension=4, schema=c.create_schema()), elanus.InvalidArgument, "dimension"),
    (lambda c: c.create_collection("new", schema=c.create_schema()), elanus.SchemaError, "primary"),
    (lambda c: c.create_collection("new", schema={"fields": []}), elanus.SchemaError, "schema"),
    (lambda c: c.create_collection("new", dimension=4, max_length=5), elanus.InvalidArgument, "max_length"),
    (lambda c: c.rename_collection("files", "not a name"), elanus.InvalidArgument, "not a name"),
    (lambda c: c.drop_index("articles", "vector"), elanus.InvalidArgument, "release_collection"),
    (lambda c: c.create_index("articles", c.prepare_index_params()), elanus.InvalidArgument, "empty"),
    (
        lambda c: c.create_index("articles", c.prepare_index_params("color", index_type="FLAT")),
        elanus.InvalidArgument,
        "color.*no scalar index 'FLAT'",
    ),
    (
        lambda c: c.create_index("articles", c.prepare_index_params("color", metric_type="L2")),
        elanus.InvalidArgument,
        "color.*no metric_type",
    ),
    (
        lambda c: c.create_index("articles", c.prepare_index_params("meta", index_type="INVERTED")),
        elanus.InvalidArgument,
        "meta.*json_path",
    ),
    (
        lambda c: c.create_index("articles", c.prepare_index_params("score", index_type="BITMAP")),
        elanus.InvalidArgument,
        "score.*DOUBLE.*AUTOINDEX or INVERTED or STL_SORT",
    ),
    (
        lambda c: c.create_index("articles", c.prepare_index_params("n", index_type="TRIE")),
        elanus.InvalidArgument,
        "TRIE",
    ),
    (lambda c: c.prepare_index_params(index_type="FLAT"), elanus.InvalidArgument, "field_name"),
    (lambda c: c.delete("articles"), elanus.InvalidArgument, "ids or a filter"),
    (lambda c: c.delete("articles", filter=""), elanus.InvalidArgument, "ids or a filter"),
    (lambda c: c.delete("articles", ids=[1], filter="id == 1"), elanus.InvalidArgument, "ids or a filter"),
    (lambda c: c.delete("articles", ids=["one"]), elanus.InvalidArgument, "'one'.*'id'"),
    (lambda c: c.delete("articles", ids=[1.5]), elanus.InvalidArgument, "1.5"),
    (lambda c: c.delete("articles", ids=[True]), elanus.InvalidArgument, "True"),
    (lambda c: c.delete("articles", ids=[None]), elanus.InvalidArgument, "None"),
    (lambda c: c.delete("articles", ids=2.5), elanus.InvalidArgument, "2.5"),
    (lambda c: c.get("files", [1]), elanus.InvalidArgument, "'path'"),
    (lambda c: c.get("articles", ["a"]), elanus.InvalidArgument, "'id'"),
    (lambda c: c.get("articles", [2**70]), elanus.InvalidArgument, "id"),
    (lambda c: c.get("articles", None), elanus.InvalidArgument, "ids"),
    (lambda c: c.query("articles"), elanus.InvalidArgument, "limit"),
    (lambda c: c.query("articles", filter="id > 0", ids=[1]), elanus.InvalidArgument, "ids or a filter"),
    (lambda c: c.query("articles", filter=7), elanus.InvalidArgument, "str"),
    (lambda c: c.query("articles", filter="id > 0", limit=0), elanus.InvalidArgument, "limit"),
    (lambda c: c.query("articles", filter="id > 0", limit=20_000), elanus.InvalidArgument, "16384"),
    (lambda c: c.query("articles", filter="id > 0", limit="3"), elanus.InvalidArgument, "limit"),
    (lambda c: c.query("articles", filter="id > 0", offset=-1), elanus.InvalidArgument, "offset"),
    (lambda c: c.query("articles", filter="id > 0", offset="1"), elanus.InvalidArgument, "offset"),
    (
        lambda c: c.query("articles", filter="id > 0", output_fields=["count(*)"], limit=3),
        elanus.InvalidArgument,
        "count",
    ),
    (lambda c: c.query("articles", filter="id > 0", output_fields=["count(*)", "id"]), elanus.InvalidArgument, "count"),
    (lambda c: c.query("articles", filter="id > 0", output_fields="id"), elanus.InvalidArgument, "output_fields"),
    (lambda c: c.query("articles", filter="id > 0", output_fields=[3]), elanus.InvalidArgument, "output_fields|3"),
    (lambda c: c.query("articles", limit=3, filter_params={"a": 1}), elanus.InvalidArgument, "filter_params"),
    (search(limit=0), elanus.InvalidArgument, "limit"),
    (search(limit=-3), elanus.InvalidArgument, "limit"),
    (search(limit=True), elanus.InvalidArgument, "limit"),
    (search(limit=16_385), elanus.InvalidArgument, "16384"),
    (search(limit=16_000, offset=1_000), elanus.InvalidArgument, "16384"),
    (search(offset=-1), elanus.InvalidArgument, "offset"),
    (search(data=None), elanus.InvalidArgument, "data|vectors"),
    (search(data=[]), elanus.InvalidArgument, "data|shape|queries"),
    (search(data=[[1.0, 2.0]]), elanus.InvalidArgument, "dim 8"),
    (search(data=[VECTOR, VECTOR[1:]]), elanus.InvalidArgument, "vector"),
    (search(data=["text"]), elanus.InvalidArgument, "vectors"),
    (search(data=[[math.nan] * 8]), elanus.InvalidArgument, "NaN"),
    (search(data=[[math.inf] * 8]), elanus.InvalidArgument, "infinity"),
    (search(data=np.zeros((2, 3, 8))), elanus.InvalidArgument, "shape"),
    (search(anns_field="sparse"), elanus.InvalidArgument, "text"),
    (search(anns_field="color"), elanus.InvalidArgument, "color.*no vector field"),
    (search(anns_field="vectr"), elanus.InvalidArgument, "did you mean 'vector'"),
    (search(anns_field=None), elanus.InvalidArgument, "anns_field"),
    (search(anns_field=3), elanus.InvalidArgument, "anns_field"),
    (search(output_fields="color"), elanus.InvalidArgument, "output_fields"),
    (hybrid(), elanus.InvalidArgument, "reqs"),
    (hybrid("not a request"), elanus.InvalidArgument, "AnnSearchRequest"),
    (hybrid(DENSE, ranker="rrf"), elanus.InvalidArgument, "RRFRanker"),
    (hybrid(DENSE, ranker=WeightedRanker(0.5, 0.5)), elanus.InvalidArgument, "weights"),
    (hybrid(DENSE, AnnSearchRequest([VECTOR] * 2, "vector", {}, 5)), elanus.InvalidArgument, "queries"),
    (hybrid(AnnSearchRequest([VECTOR], "vector", {}, 0)), elanus.InvalidArgument, "limit"),
    (hybrid(AnnSearchRequest(["a"], "vector", {}, 5)), elanus.InvalidArgument, "vectors"),
    (hybrid(AnnSearchRequest([VECTOR], "vector", {"metric_type": "L2"}, 5)), elanus.InvalidArgument, "L2"),
    (hybrid(AnnSearchRequest([VECTOR], "vector", {}, 5, expr="id >")), elanus.FilterError, "\\^"),
    (lambda c: WeightedRanker(1.5), elanus.InvalidArgument, "1.5"),
    (lambda c: WeightedRanker("a"), elanus.InvalidArgument, "a"),
    (lambda c: RRFRanker(0), elanus.InvalidArgument, "k"),
    (lambda c: RRFRanker("60"), elanus.InvalidArgument, "k"),
]
FILTERS: list[tuple[str, str]] = [
    ("colr == 'red'", "did you mean 'color'"),
    ("id >", "\\^"),
    ("id == 'one'", "id"),
    ("color > 3", "color"),
    ("(id > 1", "\\^"),
    ("id > 1)", "\\^"),
    ("id = 1", "=="),
    ("id in 3", "\\^"),
    ("color like 3", "\\^"),
    ("color == 'red", "\\^"),
    ("vector == 1", "vector"),
    ("json_contains(color, 1)", "color"),
    ("array_lenght(tags) > 1", "array_length"),
    ("id == {missing}", "missing"),
    ("id + 1", "\\^|condition|bool"),
]


@pytest.mark.parametrize(("call", "error", "message"), [*NOT_FOUND, *ALREADY, *NOT_LOADED, *ARGUMENTS])
def test_a_wrong_call_is_refused_with_its_own_error(
    client: elanus.Client, call: Call, error: type[Exception], message: str
) -> None:
    names = client.list_collections()
    with pytest.raises(error, match=message) as caught:
        call(client)
    assert isinstance(caught.value, elanus.ElanusError)
    assert caught.value.code != 0
    assert client.list_collections() == names
    assert client.get_collection_stats("articles") == {"row_count": 1}


@pytest.mark.parametrize(("text", "message"), FILTERS)
@pytest.mark.parametrize("verb", ["query", "search", "delete"])
def test_a_wrong_filter_is_refused_with_a_caret(client: elanus.Client, verb: str, text: str, message: str) -> None:
    options: dict[str, Any] = {"data": [VECTOR], "anns_field": "vector"} if verb == "search" else {}
    dynamic_names = {"colr == 'red'"}
    name = "files" if text in dynamic_names else "articles"
    options = {"data": [VECTOR]} if verb == "search" and name == "files" else options
    with pytest.raises(elanus.FilterError, match=message) as caught:
        getattr(client, verb)(name, filter=text, **options)
    assert "^" in str(caught.value)
    assert client.get_collection_stats("articles") == {"row_count": 1}


def changed(**values: Any) -> dict[str, Any]:
    """The good row with some values replaced (or taken out, by `...`)."""
    return {name: value for name, value in (GOOD | values).items() if value is not ...}


SMALL = {"id": 1, "tiny": 1, "real": 0.5, "list": [1], "vector": [1.0, 2.0]}
BAD_ROWS: list[tuple[str, dict[str, Any], str]] = [
    ("articles", changed(vector=[1.0] * 7), "'vector'.*8"),
    ("articles", changed(vector=[math.nan] * 8), "'vector'.*NaN"),
    ("articles", changed(vector=[math.inf] * 8), "'vector'"),
    ("articles", changed(vector=["a"] * 8), "'vector'"),
    ("articles", changed(vector=None), "'vector'"),
    ("articles", changed(vector=...), "'vector'"),
    ("articles", changed(vector=3.0), "'vector'"),
    ("articles", changed(vector=[1e39] * 8), "'vector'"),
    ("articles", changed(id=...), "'id'"),
    ("articles", changed(id=None), "'id'"),
    ("articles", changed(id="1"), "'id'"),
    ("articles", changed(id=1.5), "'id'"),
    ("articles", changed(id=True), "'id'"),
    ("articles", changed(id=2**63), "'id'"),
    ("articles", changed(score=...), "'score'"),
    ("articles", changed(score=None), "'score'"),
    ("articles", changed(score="high"), "'score'"),
    ("articles", changed(flag=1), "'flag'"),
    ("articles", changed(flag="yes"), "'flag'"),
    ("articles", changed(color="x" * 21), "'color'.*20"),
    ("articles", changed(color="é" * 11), "'color'.*20"),
    ("articles", changed(color=5), "'color'"),
    ("articles", changed(color=b"red"), "'color'"),
    ("articles", changed(color="\ud800"), "'color'"),
    ("articles", changed(tags="a"), "'tags'"),
    ("articles", changed(tags=["a"] * 9), "'tags'.*8"),
    ("articles", changed(tags=["a", 3]), "'tags'"),
    ("articles", changed(tags=["a", None]), "'tags'"),
    ("articles", changed(tags=["x" * 21]), "'tags'"),
    ("articles", changed(meta={"x": object()}), "'meta'"),
    ("articles", changed(meta={"x": math.nan}), "'meta'"),
    ("articles", changed(text=None), "'text'"),
    ("articles", changed(sparse={1: 0.5}), "'sparse'"),
    ("articles", changed(extra={1, 2}), "extra"),
    ("small", SMALL | {"tiny": 128}, "'tiny'.*INT8|'tiny'.*127"),
    ("small", SMALL | {"tiny": -129}, "'tiny'"),
    ("small", SMALL | {"tiny": 1.5}, "'tiny'"),
    ("small", SMALL | {"real": math.nan}, "'real'"),
    ("small", SMALL | {"real": 1e300}, "'real'"),
    ("small", SMALL | {"list": [1, 300]}, "'list'"),
    ("small", SMALL | {"list": [1, 2, 3, 4]}, "'list'.*3"),
    ("small", SMALL | {"tinny": 1}, "'tinny'"),
    ("notes", {"id": 5, "vector": VECTOR}, "'id'.*auto"),
]


@pytest.mark.parametrize(("name", "row", "message"), BAD_ROWS)
@pytest.mark.parametrize("verb", ["insert", "upsert"])
def test_one_bad_row_refuses_the_batch_and_names_row_and_field(
    client: elanus.Client, verb: str, name: str, row: dict[str, Any], message: str
) -> None:
    good = {"articles": changed(id=2), "small": SMALL | {"id": 2}, "notes": {"vector": VECTOR}}[name]
    before = client.get_collection_stats(name)
    with pytest.raises(elanus.RowError, match=message) as caught:
        getattr(client, verb)(name, [good, good, row])
    assert "row 2" in str(caught.value)
    assert client.get_collection_stats(name) == before


@pytest.mark.parametrize("data", [7, "rows", [3], [["a"]], [GOOD, None]])
def test_what_is_no_rows_is_refused(client: elanus.Client, data: Any) -> None:
    with pytest.raises(elanus.InvalidArgument):
        client.insert("articles", data)
    assert client.get_collection_stats("articles") == {"row_count": 1}


def test_errors_are_also_the_errors_that_python_code_expects() -> None:
    assert issubclass(elanus.InvalidArgument, ValueError)
    assert issubclass(elanus.NotFound, KeyError)
    assert str(elanus.CollectionNotFound("no collection 'x'")) == "no collection 'x'"
    codes = {
        elanus.CollectionNotFound: 100,
        elanus.IndexNotFound: 700,
        elanus.FieldNotFound: 1700,
        elanus.StoreFull: 1000,
    }
    assert {kind: kind.code for kind in codes} == codes


def test_an_analyzer_that_does_not_exist_is_refused_when_the_collection_is_made(client: elanus.Client) -> None:
    schema = client.create_schema()
    schema.add_field("id", elanus.DataType.INT64, is_primary=True)
    schema.add_field("v", elanus.DataType.FLOAT_VECTOR, dim=2)
    options = {"enable_analyzer": True, "analyzer_params": {"type": "klingon"}}
    schema.add_field("body", elanus.DataType.VARCHAR, max_length=9, **options)
    with pytest.raises(elanus.InvalidArgument, match=r"'body'.*klingon"):
        client.create_collection("klingons", schema=schema)
    assert not client.has_collection("klingons")


def test_a_row_error_tells_the_row(client: elanus.Client) -> None:
    client.create_collection("rows", 2)
    for bad in ({"id": 2, "vector": [1]}, {"id": 2}, {"id": 2, "vector": [1, 2], "x": {1}}, 5):
        with pytest.raises(elanus.RowError) as caught:
            client.insert("rows", [{"id": 1, "vector": [1, 2]}, bad])
        assert caught.value.row == 1
