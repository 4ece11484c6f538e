"""FLOAT16, BFLOAT16, INT8 and BINARY vectors: kept in their own width, compared exactly, returned as their bytes."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import elanus
import numpy as np
import pyarrow as pa
import pytest
from elanus import DataType
from elanus.errors import InvalidArgument, RowError, SchemaError

from tests.oracle import ALL, Condition, Row, Table, ranked
from tests.types.life import collection, life

DIM = 16
Numbers = list[float]


def to_bfloat16(numbers: Sequence[float]) -> np.ndarray:
    """The upper halves of float32, by the definition: the nearer of two neighbours, the even one of a tie."""
    out = []
    for number in numbers:
        bits = struct.unpack("<I", struct.pack("<f", number))[0]
        low, rest = bits >> 16, bits & 0xFFFF
        out.append(low + (rest > 0x8000 or (rest == 0x8000 and low & 1)))
    return np.array(out, np.uint16)


def pack(dtype: DataType, numbers: Sequence[float]) -> bytes:
    """The bytes in which Milvus holds a vector; of bits the numbers are zeros and ones."""
    if dtype == DataType.BINARY_VECTOR:
        return np.packbits(np.array(numbers, np.uint8)).tobytes()
    if dtype == DataType.BFLOAT16_VECTOR:
        return to_bfloat16(numbers).tobytes()
    return np.array(numbers, np.float16 if dtype == DataType.FLOAT16_VECTOR else np.int8).tobytes()


def unpack(dtype: DataType, data: bytes) -> Numbers:
    """What `pack` packed, rounded to the type."""
    if dtype == DataType.BINARY_VECTOR:
        return np.unpackbits(np.frombuffer(data, np.uint8)).tolist()
    if dtype == DataType.BFLOAT16_VECTOR:
        return (np.frombuffer(data, np.uint16).astype(np.uint32) << 16).view(np.float32).tolist()
    return np.frombuffer(data, np.float16 if dtype == DataType.FLOAT16_VECTOR else np.int8).tolist()


def numbers(dtype: DataType, rng: random.Random) -> Numbers:
    """A vector that the type holds exactly."""
    if dtype == DataType.BINARY_VECTOR:
        return [rng.randrange(2) for _ in range(DIM)]
    if dtype == DataType.INT8_VECTOR:
        return [rng.randrange(-128, 128) for _ in range(DIM)]
    return unpack(dtype, pack(dtype, [rng.uniform(-3, 3) for _ in range(DIM)]))


FLOATS = (DataType.FLOAT16_VECTOR, DataType.BFLOAT16_VECTOR, DataType.INT8_VECTOR)
MEASURED = [(dtype, metric) for dtype in FLOATS for metric in ("COSINE", "IP", "L2")]
MEASURED += [(DataType.BINARY_VECTOR, metric) for metric in ("HAMMING", "JACCARD")]
TYPES = (*FLOATS, DataType.BINARY_VECTOR)


@pytest.fixture(params=TYPES, ids=lambda dtype: dtype.name)
def dtype(request: pytest.FixtureRequest) -> DataType:
    return request.param


@pytest.fixture
def docs(client: elanus.Client, dtype: DataType) -> elanus.Client:
    """A client with an empty collection "c" of a key and a vector of the type."""
    collection(client, "c", v={"type": dtype, "dim": DIM})
    return client


CONDITIONS = [ALL, Condition("n == 1", lambda row: row["n"] == 1), Condition("n == 9", lambda row: False)]


@pytest.mark.parametrize(("dtype", "metric"), MEASURED)
def test_every_station_of_life_gives_one_answer(folder: Path, dtype: DataType, metric: str) -> None:
    rng = random.Random(3)

    def create(client: elanus.Client, name: str) -> Table:
        collection(client, name, n={"type": DataType.INT64}, v={"type": dtype, "metric": metric, "dim": DIM})
        return Table("id", {"v": metric})

    ranges = (range(30), range(20, 60), range(55, 90), range(90, 330))
    batches = [[{"id": key, "n": rng.randrange(4), "v": numbers(dtype, rng)} for key in keys] for keys in ranges]
    queries = [numbers(dtype, rng) for _ in range(3)] + [batches[0][5]["v"]]
    packed = [pack(dtype, query) for query in queries]

    def encode(row: Row) -> Row:
        return {**row, "v": pack(dtype, row["v"])}

    for station, client, table in life(folder, create, batches, [3, 40, 100, 101], encode):
        found = client.query("c", limit=1000, output_fields=["v"])
        assert {row["id"]: row["v"] for row in found} == {
            key: [pack(dtype, row["v"])] for key, row in table.rows.items()
        }, station
        for condition in CONDITIONS:
            answers = client.search("c", packed, filter=condition.text, limit=7, output_fields=["v"])
            for query, hits in zip(queries, answers, strict=True):
                expected = table.dense("v", query, condition)
                best = [score for _, score in ranked(expected, metric)][:7]
                assert [hit["distance"] for hit in hits] == pytest.approx(best, rel=1e-5, abs=1e-5), station
                for hit in hits:
                    assert hit["distance"] == pytest.approx(expected[hit["id"]], rel=1e-5, abs=1e-5), station
                    assert hit["v"] == pack(dtype, table.rows[hit["id"]]["v"])


def shapes_of(dtype: DataType, rows: list[Numbers]) -> dict[str, Any]:
    """The same vectors in every shape in which they may come."""
    packed = [pack(dtype, row) for row in rows]
    shapes: dict[str, Any] = {
        "bytes": packed,
        "bytearrays": [bytearray(row) for row in packed],
        "as a query gives them": [[row] for row in packed],
        "binary column": pa.array(packed, pa.binary()),
    }
    given = [list(row) for row in packed] if dtype == DataType.BINARY_VECTOR else rows
    width = len(given[0])
    array = np.array(given)
    narrow = {
        DataType.FLOAT16_VECTOR: np.float16,
        DataType.BFLOAT16_VECTOR: np.float32,
        DataType.INT8_VECTOR: np.int8,
        DataType.BINARY_VECTOR: np.uint8,
    }[dtype]
    flat = pa.array(array.astype(narrow).reshape(-1))
    return shapes | {
        "lists": given,
        "tuples": [tuple(row) for row in given],
        "mixed": [packed[0], given[1], array[2]],
        "wide arrays": list(array),
        "narrow arrays": list(array.astype(narrow)),
        "wide matrix": array,
        "narrow matrix": array.astype(narrow),
        "arrow lists": pa.ListArray.from_arrays(pa.array(range(0, len(flat) + 1, width), pa.int32()), flat),
        "arrow lists of fixed size": pa.FixedSizeListArray.from_arrays(flat, width),
    }


@pytest.mark.parametrize("shape", shapes_of(DataType.INT8_VECTOR, [[1] * DIM] * 3))
def test_every_shape_is_taken_as_a_column_as_rows_and_as_queries(
    docs: elanus.Client, dtype: DataType, shape: str
) -> None:
    rng = random.Random(1)
    rows = [numbers(dtype, rng) for _ in range(3)]
    given = shapes_of(dtype, rows)[shape]
    docs.insert("c", {"id": [1, 2, 3], "v": given})
    docs.insert("c", {"v": given, "id": [4, 5, 6]})
    if not isinstance(given, pa.Array):
        docs.insert("c", [{"id": 7 + n, "v": row} for n, row in enumerate(given)])
        docs.insert("c", {"id": 9, "v": given[2]})
    found = docs.query("c", filter="id > 0")
    assert [row["v"] for row in found] == [[pack(dtype, row)] for row in rows] * (len(found) // 3)
    if not isinstance(given, pa.Array) and not shape.startswith("as a query"):
        for hits, row in zip(docs.search("c", given, limit=1, output_fields=["v"]), rows, strict=True):
            assert hits[0]["v"] == pack(dtype, row)
        (hits,) = docs.search("c", given[1], limit=1, output_fields=["v"])
        assert hits[0]["v"] == pack(dtype, rows[1])


def test_bfloat16_arrays_are_understood(client: elanus.Client) -> None:
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    array = np.array([[0.1, -2.5, 3e38, 1e-40]] * 2).astype(bfloat16)
    for dtype in (DataType.BFLOAT16_VECTOR, DataType.FLOAT_VECTOR):
        name = dtype.name
        collection(client, name, v={"type": dtype, "dim": 4, "metric": "L2"})
        client.insert(name, {"id": [1, 2], "v": array})
        client.insert(name, [{"id": 3, "v": array[0]}])
        assert [hit.id for hit in client.search(name, array[:1])[0]] == [1, 2, 3]
        assert client.search(name, [array[0]])[0].distances == [0.0] * 3
    assert client.get("BFLOAT16_VECTOR", 3)[0]["v"] == [array[0].tobytes()]


@pytest.mark.parametrize("dtype", [DataType.FLOAT16_VECTOR, DataType.BFLOAT16_VECTOR])
def test_floats_are_rounded_to_the_nearest(client: elanus.Client, dtype: DataType) -> None:
    collection(client, "c", v={"type": dtype, "dim": DIM})
    rng = random.Random(9)
    given = [[rng.uniform(-1, 1) * 10.0 ** rng.randrange(-4, 4) for _ in range(DIM)] for _ in range(50)]
    client.insert("c", {"id": list(range(50)), "v": given})
    assert [row["v"][0] for row in client.query("c", limit=50)] == [pack(dtype, row) for row in given]


LONG = [0] * (DIM + 8)
BAD: dict[DataType, list[tuple[Any, str]]] = {
    DataType.FLOAT16_VECTOR: [
        ([1.0] * 3, "dimension 3 where dim=16 is declared"),
        ([65520.0] * DIM, "NaN, infinity or out of range for float16"),
        ([float("nan")] * DIM, "NaN, infinity or out of range for float16"),
        (np.full(DIM, np.inf, np.float16).tobytes(), "NaN, infinity or out of range for float16"),
        (bytes(31), "31 bytes where dim=16 takes 32"),
        (["a"] * DIM, "must be 16 floats, or 32 bytes"),
        ({1: 1.0}, "must be 16 floats, or 32 bytes"),
        ([bytes(32), bytes(32)], "must be 16 floats, or 32 bytes"),
        (None, "null is not allowed"),
    ],
    DataType.BFLOAT16_VECTOR: [
        ([3.4e38] * DIM, "NaN, infinity or out of range for bfloat16"),
        ([1e39] * DIM, "NaN, infinity or out of range for bfloat16"),
        (np.full(DIM, 0x7FC0, np.uint16).tobytes(), "NaN, infinity or out of range for bfloat16"),
        (bytes(33), "33 bytes where dim=16 takes 32"),
    ],
    DataType.INT8_VECTOR: [
        ([128] * DIM, "must be integers from -128 to 127"),
        ([-129] * DIM, "must be integers from -128 to 127"),
        ([0.5] * DIM, "must be integers from -128 to 127"),
        (np.full(DIM, 200, np.uint8), "must be integers from -128 to 127"),
        ([True] * DIM, "must be 16 integers from -128 to 127, or 16 bytes"),
        (LONG, "dimension 24 where dim=16 is declared"),
    ],
    DataType.BINARY_VECTOR: [
        ([256, 0], "must be bytes of 8 bits each, as bytes or integers from 0 to 255"),
        ([-1, 0], "must be bytes of 8 bits each"),
        ([0.5, 0], "must be bytes of 8 bits each"),
        ([0] * DIM, "16 bytes where dim=16 is declared"),
        (b"abc", "3 bytes where dim=16 takes 2"),
        ("ab", "must be 2 bytes of 8 bits each"),
    ],
}
CASES = [(dtype, value, rule) for dtype, cases in BAD.items() for value, rule in cases]


@pytest.mark.parametrize(("dtype", "value", "rule"), CASES)
def test_a_wrong_vector_is_refused_by_row_and_field_and_as_a_query(
    docs: elanus.Client, dtype: DataType, value: Any, rule: str
) -> None:
    good = pack(dtype, [1] * DIM)
    for data in ([{"id": 1, "v": good}, {"id": 2, "v": value}], {"id": [1, 2], "v": [good, value]}):
        with pytest.raises(RowError) as caught:
            docs.insert("c", data)
        assert str(caught.value).startswith(f"row 1, field 'v' ({dtype.name}), value ")
        assert rule in str(caught.value)
    if value is not None:
        with pytest.raises(InvalidArgument) as refused:
            docs.search("c", [good, value])
        assert f"query 1 for field 'v' ({dtype.name}): " in str(refused.value)
        assert rule in str(refused.value)


def test_dims_are_checked(client: elanus.Client) -> None:
    for dtype, dim, rule in (
        (DataType.BINARY_VECTOR, 12, "a multiple of 8 from 8 to 262144"),
        (DataType.BINARY_VECTOR, 262_152, "a multiple of 8 from 8 to 262144"),
        (DataType.BINARY_VECTOR, None, "a multiple of 8 from 8 to 262144"),
        (DataType.FLOAT16_VECTOR, 1, "needs dim, 2 to 32768"),
        (DataType.INT8_VECTOR, 32_769, "needs dim, 2 to 32768"),
    ):
        with pytest.raises(SchemaError, match=f"field 'v' .{dtype.name}.: .*{rule}"):
            client.create_schema().add_field("v", dtype, dim=dim)


@pytest.mark.parametrize(
    ("dtype", "index", "metric", "told"),
    [
        (DataType.FLOAT16_VECTOR, "", "", ("AUTOINDEX", "COSINE")),
        (DataType.BFLOAT16_VECTOR, "FLAT", "L2", ("FLAT", "L2")),
        (DataType.INT8_VECTOR, "HNSW", "IP", ("HNSW", "IP")),
        (DataType.BINARY_VECTOR, "", "", ("AUTOINDEX", "HAMMING")),
        (DataType.BINARY_VECTOR, "BIN_FLAT", "JACCARD", ("BIN_FLAT", "JACCARD")),
        (DataType.BINARY_VECTOR, "BIN_IVF_FLAT", "HAMMING", ("BIN_IVF_FLAT", "HAMMING")),
    ],
)
def test_indexes_and_defaults(client: elanus.Client, dtype: DataType, index: str, metric: str, told: Any) -> None:
    collection(client, "c", v={"type": dtype, "dim": DIM, "index": index, "metric": metric})
    described = client.describe_index("c", "v")
    assert (described["index_type"], described["metric_type"]) == told
    field = client.describe_collection("c")["fields"][1]
    assert (field["type"], field["params"]) == (dtype, {"dim": DIM})
    client.insert("c", {"id": [1], "v": [pack(dtype, [1] * DIM)]})
    params = {"nprobe": 8} if index == "BIN_IVF_FLAT" else {}
    assert len(client.search("c", [pack(dtype, [1] * DIM)], search_params={"params": params})[0]) == 1


@pytest.mark.parametrize(
    ("dtype", "index", "metric", "message"),
    [
        (DataType.BINARY_VECTOR, "", "COSINE", "'COSINE' does not fit a BINARY_VECTOR field; use HAMMING or JACCARD"),
        (DataType.BINARY_VECTOR, "FLAT", "", "FLAT does not fit a BINARY_VECTOR field; use AUTOINDEX or BIN_FLAT or"),
        (DataType.INT8_VECTOR, "", "HAMMING", "'HAMMING' does not fit a INT8_VECTOR field"),
    ],
)
def test_what_does_not_fit_is_refused(
    client: elanus.Client, dtype: DataType, index: str, metric: str, message: str
) -> None:
    with pytest.raises(InvalidArgument, match=message):
        collection(client, "c", v={"type": dtype, "dim": DIM, "index": index, "metric": metric})


@pytest.mark.parametrize("metric", ["COSINE", "L2"])
@pytest.mark.parametrize("dtype", FLOATS, ids=lambda dtype: dtype.name)
def test_a_large_segment_is_scanned_by_codes_and_scored_exactly(folder: Path, dtype: DataType, metric: str) -> None:
    rng = np.random.default_rng(2)
    centres = rng.normal(size=(300, 32))
    vectors = (centres[rng.integers(0, 300, 33_000)] + 0.3 * rng.normal(size=(33_000, 32))) * 20
    data = vectors.clip(-128, 127).astype(np.int8) if dtype == DataType.INT8_VECTOR else vectors.astype(np.float32)
    exact = data.astype(np.float16).astype(np.float64) if dtype == DataType.FLOAT16_VECTOR else data.astype(np.float64)
    if dtype == DataType.BFLOAT16_VECTOR:
        bits = to_bfloat16(data.reshape(-1)).astype(np.uint32) << 16
        exact = bits.view(np.float32).reshape(data.shape).astype(np.float64)
    with elanus.connect(folder, durability="os") as client:
        collection(client, "c", v={"type": dtype, "dim": 32, "metric": metric})
        client.insert("c", {"id": np.arange(33_000), "v": data})
        client.flush("c")
    found = 0
    with elanus.connect(folder, durability="os") as client:
        for row in range(0, 33_000, 1650):
            query = exact[row]
            scores = -((exact - query) ** 2).sum(1)
            if metric == "COSINE":
                scores = exact @ query / np.linalg.norm(exact, axis=1) / np.linalg.norm(query)
            (hits,) = client.search("c", [data[row]], limit=10)
            said = np.array(hits.distances) * (1 if metric == "COSINE" else -1)
            assert said == pytest.approx(scores[hits.ids], rel=1e-4, abs=1e-4)
            found += len(set(hits.ids) & set(np.argsort(-scores)[:10].tolist()))
    assert found >= 195  # of 200
    segment = next((folder / "segments").iterdir())
    size = (segment / "vector-1.arrow").stat().st_size
    width = 1 if dtype == DataType.INT8_VECTOR else 2
    assert 33_000 * (32 * width + 4) <= size < 33_000 * (32 * width + 4) + 10_000
