"""Struct arrays: lists of dicts with vectors of their own, found by late interaction (MAX_SIM)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import elanus
import numpy as np
import pyarrow as pa
import pytest
from elanus import AnnSearchRequest, DataType, RRFRanker
from elanus.errors import FieldNotFound, FilterError, InvalidArgument, NotSupported, RowError, SchemaError

from tests.oracle import ALL, Condition, Row, Table, ranked
from tests.types.life import life
from tests.types.test_dense import DIM, numbers, pack

FLOAT, HALF, BITS = DataType.FLOAT_VECTOR, DataType.FLOAT16_VECTOR, DataType.BINARY_VECTOR
MEASURED = [
    (FLOAT, "MAX_SIM_COSINE"),
    (FLOAT, "MAX_SIM"),
    (FLOAT, "MAX_SIM_IP"),
    (FLOAT, "MAX_SIM_L2"),
    (HALF, "MAX_SIM_IP"),
    (DataType.BFLOAT16_VECTOR, "MAX_SIM_COSINE"),
    (DataType.INT8_VECTOR, "MAX_SIM_L2"),
    (BITS, "MAX_SIM_HAMMING"),
    (BITS, "MAX_SIM_JACCARD"),
]


def create(
    client: elanus.Client, dtype: DataType = FLOAT, metric: str = "", *, index: str = "", **options: Any
) -> None:
    """Create a collection "c" of a key, a number and a struct array of texts, numbers and vectors."""
    struct = client.create_struct_field_schema()
    struct.add_field("text", DataType.VARCHAR, max_length=20).add_field("page", DataType.INT16)
    struct.add_field("v", dtype, dim=DIM)
    schema = client.create_schema().add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("n", DataType.INT64)
    options = {"max_capacity": 6, **options}
    schema.add_field("chunks", DataType.ARRAY, element_type=DataType.STRUCT, struct_schema=struct, **options)
    params = client.prepare_index_params()
    params.add_index("chunks[v]", index, metric_type=metric)
    client.create_collection("c", schema=schema, index_params=params)


def some(dtype: DataType, rng: random.Random) -> list[float]:
    """A vector, as the oracle has it."""
    return [float(np.float32(rng.uniform(-3, 3))) for _ in range(DIM)] if dtype == FLOAT else numbers(dtype, rng)


def given(dtype: DataType, vector: Sequence[float]) -> Any:
    """The vector as the client takes and gives it."""
    return list(vector) if dtype == FLOAT else pack(dtype, vector)


def chunk(rng: random.Random, dtype: DataType) -> Row:
    return {"text": rng.choice(("a", "bé", "")), "page": rng.randrange(-9, 9), "v": some(dtype, rng)}


def rows(rng: random.Random, dtype: DataType, keys: range) -> list[Row]:
    return [
        {"id": key, "n": rng.randrange(4), "chunks": [chunk(rng, dtype) for _ in range(rng.randrange(5))]}
        for key in keys
    ]


def encoded(dtype: DataType, row: Row) -> Row:
    return {**row, "chunks": [{**item, "v": given(dtype, item["v"])} for item in row["chunks"]]}


CONDITIONS = [ALL, Condition("n == 1", lambda row: row["n"] == 1), Condition("n == 9", lambda row: False)]


@pytest.mark.parametrize(("dtype", "metric"), MEASURED)
def test_every_station_of_life_gives_one_answer(folder: Path, dtype: DataType, metric: str) -> None:
    rng = random.Random(6)

    def make(client: elanus.Client, name: str) -> Table:
        create(client, dtype, metric)
        return Table("id")

    plain = metric.removeprefix("MAX_SIM").removeprefix("_") or "COSINE"
    ranges = (range(30), range(20, 60), range(55, 90), range(90, 130))
    batches = [rows(rng, dtype, keys) for keys in ranges]
    queries = [[some(dtype, rng) for _ in range(count)] for count in (1, 3, 5)]
    sent = [[given(dtype, vector) for vector in query] for query in queries]
    for station, client, table in life(folder, make, batches, [3, 40, 100, 101], lambda row: encoded(dtype, row)):
        found = {row["id"]: row["chunks"] for row in client.query("c", limit=1000, output_fields=["chunks"])}
        assert found == {key: encoded(dtype, row)["chunks"] for key, row in table.rows.items()}, station
        for condition in CONDITIONS:
            answers = client.search("c", sent, filter=condition.text, limit=7)
            for query, hits in zip(queries, answers, strict=True):
                expected = table.late("chunks", "v", plain, query, condition)
                best = [score for _, score in ranked(expected, plain)][:7]
                assert hits.distances == pytest.approx(best, rel=1e-5, abs=1e-5), station
                for hit in hits:
                    assert hit.distance == pytest.approx(expected[hit.id], rel=1e-5, abs=1e-5), station


class EmbeddingList:
    """What pymilvus calls a query of several vectors."""

    def __init__(self, vectors: Any) -> None:
        self._vectors = np.array(vectors, np.float32)

    def to_numpy(self) -> np.ndarray:
        return self._vectors


@pytest.fixture
def docs(client: elanus.Client) -> elanus.Client:
    """A client with two rows, of two chunks and of one, and one without any."""
    create(client)
    one, two = [1.0] + [0.0] * 15, [0.0, 1.0] + [0.0] * 14
    chunks = [{"text": "a", "page": 1, "v": one}, {"text": "b", "page": 2, "v": two}]
    client.insert("c", [{"id": 1, "n": 1, "chunks": chunks}])
    client.insert("c", {"id": [2, 3], "n": [2, 3], "chunks": [[], chunks[1:]]})
    return client


ONE, TWO = [1.0] + [0.0] * 15, [0.0, 1.0] + [0.0] * 14


@pytest.mark.parametrize(
    "query",
    [[ONE, TWO], [[ONE, TWO]], np.array([ONE, TWO]), np.array([[ONE, TWO]]), EmbeddingList([ONE, TWO])],
    ids=["vectors", "queries", "matrix", "matrices", "embedding list"],
)
def test_a_query_is_several_vectors(docs: elanus.Client, query: Any) -> None:
    for asked in (query, [query]) if isinstance(query, EmbeddingList) else (query,):
        (hits,) = docs.search("c", asked, anns_field="chunks[v]")
        assert [(hit.id, hit.distance) for hit in hits] == [(1, 2.0), (3, 1.0)]


def test_some_fields_of_the_elements_can_be_asked_for(docs: elanus.Client) -> None:
    (hits,) = docs.search("c", [[ONE]], output_fields=["chunks[text]", "chunks[page]"], limit=1)
    assert hits[0]["chunks"] == [{"text": "a", "page": 1}, {"text": "b", "page": 2}]
    assert docs.get("c", 3, output_fields=["chunks[text]"]) == [{"id": 3, "chunks": [{"text": "b"}]}]
    assert docs.get("c", 3, output_fields=["chunks[text]", "chunks"])[0]["chunks"][0]["v"] == TWO
    assert docs.get("c", 3)[0]["chunks"][0]["v"] == TWO
    with pytest.raises(FieldNotFound, match=r"no output field 'chunks\[txt\]'.*did you mean 'text'"):
        docs.get("c", 3, output_fields=["chunks[txt]"])


def test_it_is_fused_with_other_routes(docs: elanus.Client) -> None:
    requests = [AnnSearchRequest([[one]], "chunks[v]", {}, 5) for one in (ONE, TWO)]
    (hits,) = docs.hybrid_search("c", requests, RRFRanker(), limit=5)
    assert {hit.id for hit in hits} == {1, 3}


def test_a_nullable_array_may_be_null(client: elanus.Client) -> None:
    create(client, nullable=True)
    item = {"text": "a", "page": 1, "v": ONE}
    client.insert("c", [{"id": 1, "n": 1, "chunks": None}, {"id": 2, "n": 1}, {"id": 3, "n": 1, "chunks": [item]}])
    for _ in range(2):
        assert [row["chunks"] for row in client.query("c", limit=9)] == [None, None, [item]]
        assert [hit.id for hit in client.search("c", [[ONE]])[0]] == [3]
        assert [row["id"] for row in client.query("c", filter="chunks is null")] == [1, 2]
        client.flush("c")


def test_arrow_columns_are_taken(client: elanus.Client) -> None:
    create(client)
    item = {"text": "a", "page": 1, "v": ONE}
    column = pa.array([[item], [], [item, item]])
    client.insert("c", {"id": [1, 2, 3], "n": [1, 1, 1], "chunks": column})
    assert [row["chunks"] for row in client.query("c", limit=9)] == [[item], [], [item, item]]


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ([{"text": "a", "page": 1}], "an element: field 'v' is missing"),
        ([{"text": "a", "page": 1, "v": ONE, "tex": 1}], "an element: no field 'tex'; did you mean 'text'"),
        ([{"text": "a" * 21, "page": 1, "v": ONE}], "field 'text' (VARCHAR): 21 bytes in UTF-8, more than"),
        ([{"text": "a", "page": 2**15, "v": ONE}], "field 'page' (INT16): out of range for INT16"),
        ([{"text": "a", "page": 1, "v": [1.0]}], "field 'v' (FLOAT_VECTOR): dimension 1 where dim=16 is declared"),
        ([{"text": None, "page": 1, "v": ONE}], "field 'text' (VARCHAR): null is not allowed in a struct"),
        ([{"text": "a", "page": 1, "v": ONE}] * 7, "7 elements, more than max_capacity=6"),
        (["a"], "an element: must be a dict of page, text, v, not str"),
        ([None], "an element is null"),
        ({"text": "a"}, "must be a list, not dict"),
        (None, "null is not allowed"),
    ],
)
def test_a_wrong_array_is_refused_by_row_and_field(client: elanus.Client, value: Any, rule: str) -> None:
    create(client)
    with pytest.raises(RowError) as caught:
        client.insert("c", [{"id": 1, "n": 1, "chunks": []}, {"id": 2, "n": 1, "chunks": value}])
    assert str(caught.value).startswith("row 1, field 'chunks' (ARRAY), value ")
    assert rule in str(caught.value)


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ([[ONE, [1.0]]], "query 0, vector 1 for field 'chunks[v]' (FLOAT_VECTOR): dimension 1 where dim=16"),
        ([[ONE], []], "query 1 for field 'chunks[v]': must be a list of vectors, not []"),
        (ONE, "query 0 for field 'chunks[v]': must be a list of vectors, not 1.0"),
        ("words", "query 0 for field 'chunks[v]': must be a list of vectors, not 'words'"),
    ],
)
def test_a_wrong_query_is_refused(docs: elanus.Client, query: Any, rule: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        docs.search("c", query)
    assert rule in str(caught.value)


def test_a_collection_with_a_vector_that_has_no_index_is_not_loaded(client: elanus.Client) -> None:
    struct = client.create_struct_field_schema().add_field("v", FLOAT, dim=2)
    schema = client.create_schema().add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("a", DataType.ARRAY, element_type=DataType.STRUCT, struct_schema=struct, max_capacity=2)
    client.create_collection("c", schema=schema)
    with pytest.raises(elanus.IndexNotFound, match=r"vector field 'a\[v\]' has no index"):
        client.load_collection("c")
    client.create_index("c", client.prepare_index_params("a[v]"))
    client.load_collection("c")
    assert client.describe_index("c", "a[v]")["metric_type"] == "MAX_SIM_COSINE"
    described = client.describe_collection("c")["fields"][1]
    assert (described["type"], described["element_type"]) == (DataType.ARRAY, DataType.STRUCT)
    assert described["struct_fields"] == [{"name": "v", "description": "", "type": FLOAT, "params": {"dim": 2}}]


@pytest.mark.parametrize(
    ("dtype", "index", "metric", "error", "message"),
    [
        (FLOAT, "", "COSINE", NotSupported, "finds single elements, which is not supported yet; use MAX_SIM_COSINE"),
        (BITS, "", "HAMMING", NotSupported, "finds single elements"),
        (FLOAT, "", "MAX_SIM_HAMMING", InvalidArgument, "'MAX_SIM_HAMMING' does not fit"),
        (FLOAT, "DISKANN", "", NotSupported, "index type DISKANN is not supported"),
        (BITS, "HNSW", "", InvalidArgument, "HNSW does not fit"),
    ],
)
def test_an_index_that_does_not_fit_is_refused(
    client: elanus.Client, dtype: DataType, index: str, metric: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        create(client, dtype, metric, index=index)


@pytest.mark.parametrize(
    ("name", "dtype", "options", "error", "message"),
    [
        ("x", DataType.JSON, {}, NotSupported, r"field 'a\[x\]': a struct cannot hold JSON"),
        ("x", DataType.SPARSE_FLOAT_VECTOR, {}, NotSupported, "a struct cannot hold SPARSE_FLOAT_VECTOR"),
        ("x", DataType.INT8, {"nullable": True}, SchemaError, "a field of a struct cannot have nullable"),
        ("x", DataType.INT8, {"default_value": 3}, SchemaError, "a field of a struct cannot have default_value"),
        ("v", DataType.INT8, {}, SchemaError, r"its struct has the field names \['v'\] twice"),
    ],
)
def test_a_struct_that_cannot_be_is_refused(
    client: elanus.Client, name: str, dtype: DataType, options: Any, error: type[Exception], message: str
) -> None:
    struct = client.create_struct_field_schema().add_field("v", FLOAT, dim=2).add_field(name, dtype, **options)
    schema = client.create_schema()
    with pytest.raises(error, match=message):
        schema.add_field("a", DataType.ARRAY, element_type=DataType.STRUCT, struct_schema=struct, max_capacity=2)


def test_an_array_and_a_struct_need_each_other(client: elanus.Client) -> None:
    struct = client.create_struct_field_schema().add_field("v", FLOAT, dim=2)
    for options in (
        {"element_type": DataType.STRUCT},
        {"element_type": DataType.STRUCT, "struct_schema": client.create_struct_field_schema()},
        {"element_type": DataType.INT8, "struct_schema": struct},
    ):
        with pytest.raises(SchemaError, match="an ARRAY of STRUCT, and no other, needs a struct_schema with fields"):
            client.create_schema().add_field("a", DataType.ARRAY, max_capacity=2, **options)
    with pytest.raises(SchemaError, match="struct_schema must be a StructFieldSchema, not dict"):
        client.create_schema().add_field("a", DataType.ARRAY, element_type=DataType.STRUCT, struct_schema={})


def test_filters_say_what_they_cannot_ask(docs: elanus.Client) -> None:
    for text in ("chunks == 1", "array_contains(chunks, 1)", "chunks[0] is null"):
        with pytest.raises(FilterError, match="the struct array 'chunks' is asked by 'is null', match_any"):
            docs.query("c", filter=text)


def test_pymilvus_objects_are_understood(client: elanus.Client) -> None:
    pymilvus = pytest.importorskip("pymilvus")
    embedding_list = pytest.importorskip("pymilvus.client.embedding_list")
    struct = pymilvus.MilvusClient.create_struct_field_schema()
    struct.add_field("v", pymilvus.DataType.FLOAT_VECTOR, dim=16)
    schema = pymilvus.MilvusClient.create_schema()
    schema.add_field("id", pymilvus.DataType.INT64, is_primary=True)
    kinds = {"element_type": pymilvus.DataType.STRUCT, "struct_schema": struct, "max_capacity": 9}
    schema.add_field("chunks", pymilvus.DataType.ARRAY, **kinds)
    client.create_collection("c", schema=schema, index_params=client.prepare_index_params("chunks[v]"))
    client.insert("c", [{"id": 1, "chunks": [{"v": ONE}, {"v": TWO}]}, {"id": 2, "chunks": [{"v": TWO}]}])
    query = embedding_list.EmbeddingList()
    query.add(ONE)
    query.add(TWO)
    assert [(h.id, h.distance) for h in client.search("c", [query])[0]] == [(1, 2.0), (2, 1.0)]
