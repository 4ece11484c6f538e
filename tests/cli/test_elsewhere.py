"""`elanus import --from`: passages of other stores arrive with their vectors, texts, metadata and ids."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import elanus
import numpy as np
import pytest
from elanus.cli.app import app
from elanus.cli.elsewhere import SOURCES
from elanus.cli.elsewhere.source import passage, the_one
from typer.testing import CliRunner, Result

ROWS, DIM = 2_345, 4
VECTORS = np.random.default_rng(1).standard_normal((ROWS, DIM), np.float32)
TEXTS = [f"note {n} about kites" for n in range(ROWS)]
METADATA = [{"page": n, "source": f"file-{n % 7}.txt"} for n in range(ROWS)]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def chroma(path: Path) -> None:
    chromadb = pytest.importorskip("chromadb")
    client = chromadb.PersistentClient(str(path), settings=chromadb.Settings(anonymized_telemetry=False))
    collection = client.create_collection("notes", metadata={"hnsw:space": "cosine"}, embedding_function=None)
    for start in range(0, ROWS, 1_000):
        part = slice(start, start + 1_000)
        ids = [f"id{n}" for n in range(ROWS)[part]]
        collection.add(ids=ids, embeddings=VECTORS[part], documents=TEXTS[part], metadatas=METADATA[part])


def lancedb(path: Path) -> None:
    database = pytest.importorskip("lancedb").connect(str(path))
    rows = [{"id": f"id{n}", "vector": VECTORS[n], "text": TEXTS[n], "metadata": METADATA[n]} for n in range(ROWS)]
    database.create_table("notes", rows)


def qdrant(path: Path) -> None:
    package = pytest.importorskip("qdrant_client")
    client = package.QdrantClient(path=str(path))
    params = package.models.VectorParams(size=DIM, distance=package.models.Distance.COSINE)
    client.create_collection("notes", vectors_config=params)
    points = [
        package.models.PointStruct(
            id=n, vector=VECTORS[n].tolist(), payload={"page_content": TEXTS[n], "metadata": METADATA[n]}
        )
        for n in range(ROWS)
    ]
    client.upsert("notes", points)
    client.close()


def milvus(path: Path) -> None:
    pytest.importorskip("milvus_lite")
    client = pytest.importorskip("pymilvus").MilvusClient(str(path))
    schema = client.create_schema(enable_dynamic_field=True)
    types = pytest.importorskip("pymilvus").DataType
    schema.add_field("pk", types.VARCHAR, is_primary=True, max_length=20)
    schema.add_field("text", types.VARCHAR, max_length=100)
    schema.add_field("vector", types.FLOAT_VECTOR, dim=DIM)
    indexes = client.prepare_index_params()
    indexes.add_index("vector", index_type="FLAT", metric_type="COSINE")
    client.create_collection("notes", schema=schema, index_params=indexes)
    rows = [{"pk": f"id{n}", "text": TEXTS[n], "vector": VECTORS[n].tolist(), **METADATA[n]} for n in range(ROWS)]
    client.insert("notes", rows)
    client.close()


def faiss(path: Path) -> None:
    package = pytest.importorskip("langchain_community.vectorstores")
    pairs = zip(TEXTS, VECTORS.tolist(), strict=True)
    ids = [f"id{n}" for n in range(ROWS)]
    embedding = pytest.importorskip("langchain_core.embeddings").FakeEmbeddings(size=DIM)
    package.FAISS.from_embeddings(pairs, embedding, METADATA, ids).save_local(str(path), "notes")


STORES: dict[str, Callable[[Path], None]] = {
    "chroma": chroma, "lancedb": lancedb, "qdrant": qdrant, "milvus": milvus, "faiss": faiss,
}  # fmt: skip


@pytest.fixture(params=STORES)
def other(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Another store with one collection, "notes": its kind and its place."""
    path = tmp_path / ("store.db" if request.param == "milvus" else "other")
    STORES[request.param](path)
    return request.param, str(path)


def test_a_collection_of_another_store_arrives_whole(other: tuple[str, str], tmp_path: Path) -> None:
    kind, path = other
    folder = str(tmp_path / "kb")
    for _ in range(2):  # again, as after an interruption
        done = run("import", path, folder, "--from", kind)
        assert done.stdout == f"notes, {ROWS:,} rows\n", done.output
    with elanus.connect(folder) as client:
        rows = client.query("notes", filter="page >= 0", output_fields=["*"])
        assert len(rows) == ROWS
        for row in rows:
            n = row["page"]
            assert row["pk"] == (str(n) if kind == "qdrant" else f"id{n}")
            assert (row["text"], row["source"]) == (TEXTS[n], f"file-{n % 7}.txt")
        stored = np.array([row["vector"] for row in sorted(rows, key=lambda row: row["page"])])
        assert np.allclose(stored, VECTORS, atol=1e-6)
        metric = "L2" if kind in ("lancedb", "faiss") else "COSINE"
        assert client.describe_index("notes", "vector")["metric_type"] == metric
        best = client.search("notes", [VECTORS[5]], anns_field="vector", limit=1, output_fields=["page"])[0][0]
        assert best["entity"]["page"] == 5
        assert (
            client.search("notes", ["note 77"], anns_field="sparse", limit=1, output_fields=["text"])[0][0]["entity"][
                "text"
            ]
            == TEXTS[77]
        )
    refused = run("import", path, folder, "--from", kind, "--source-collection", "nots")
    assert (refused.exit_code, "no collection 'nots'" in refused.stderr, "'notes'" in refused.stderr) == (1, True, True)


@pytest.mark.parametrize("kind", SOURCES)
def test_a_missing_package_is_named(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] in ("chromadb", "lancedb", "qdrant_client", "pymilvus"):
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    refused = run("import", str(tmp_path / "other"), str(tmp_path / "kb"), "--from", kind)
    assert (refused.exit_code, f"pip install {SOURCES[kind]}" in refused.stderr) == (1, True), refused.output


def test_a_rows_text_is_found_and_its_metadata_laid_flat() -> None:
    one = passage(7, [1.0], {"page_content": "kite", "metadata": {"a": 1, "b": None}, "c": "x"})
    assert (one.key, one.text, dict(one.metadata)) == ("7", "kite", {"c": "x", "a": 1})
    assert dict(passage("k", [1.0], {"metadata": "plain"}, "kite").metadata) == {"metadata": "plain"}
    with pytest.raises(elanus.InvalidArgument, match="row 7 has no vector"):
        passage(7, None, {})
    with pytest.raises(elanus.InvalidArgument, match="--source-collection: a, b"):
        the_one("Chroma", ["a", "b"], None)
