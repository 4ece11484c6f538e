"""`elanus import --from faiss`: what LangChain and LlamaIndex saved arrives, and a pickle runs no code."""

from __future__ import annotations

import datetime
import decimal
import json
import os
import pickle
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import elanus
import faiss
import numpy as np
import pytest
from elanus.cli.app import app
from typer.testing import CliRunner, Result

ROWS, DIM = 1_200, 4
VECTORS = np.random.default_rng(1).standard_normal((ROWS, DIM), np.float32)


class InMemoryDocstore:
    """Pickles as LangChain's class of the same name does."""

    def __init__(self, documents: dict[str, Any]) -> None:
        self._dict = documents


class Document:
    """Pickles as LangChain's class of the same name does, which is pydantic's."""

    def __init__(self, page_content: str, metadata: dict[str, Any]) -> None:
        self.fields = {"id": None, "metadata": metadata, "page_content": page_content, "type": "Document"}

    def __getstate__(self) -> dict[str, Any]:
        told = {"__pydantic_extra__": None, "__pydantic_fields_set__": {"metadata"}, "__pydantic_private__": None}
        return {"__dict__": self.fields, **told}


@pytest.fixture
def as_langchain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the two classes above be pickled under LangChain's names."""
    homes = {"langchain_community.docstore.in_memory": InMemoryDocstore, "langchain_core.documents.base": Document}
    for home, one in homes.items():
        parts = home.split(".")
        for end in range(1, len(parts) + 1):
            monkeypatch.setitem(sys.modules, ".".join(parts[:end]), ModuleType(".".join(parts[:end])))
        setattr(sys.modules[home], one.__name__, one)
        monkeypatch.setattr(one, "__module__", home)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def index(vectors: Any = VECTORS, kind: Any = faiss.IndexFlatL2) -> Any:
    made = kind(DIM)
    made.add(vectors)
    return made


def save(folder: Path, documents: Sequence[Any], name: str = "index", made: Any = None, more: int = 0) -> Path:
    """What LangChain's `save_local` writes."""
    folder.mkdir(exist_ok=True)
    faiss.write_index(index(VECTORS[: len(documents) + more]) if made is None else made, str(folder / f"{name}.faiss"))
    keys = {place: f"key{place}" for place in range(len(documents))}
    held = InMemoryDocstore(dict(zip(keys.values(), documents, strict=True)))
    (folder / f"{name}.pkl").write_bytes(pickle.dumps((held, keys)))
    return folder


def rows(store: Path, name: str) -> dict[str, dict[str, Any]]:
    with elanus.connect(store) as client:
        return {row["pk"]: row for row in client.query(name, "pk != ''", output_fields=["*"])}


@pytest.mark.usefixtures("as_langchain")
def test_langchains_documents_arrive_with_their_vectors(tmp_path: Path) -> None:
    documents = [Document(f"text {n}", {"page": n, "tags": ["a", n]}) for n in range(ROWS)]
    folder, store = str(save(tmp_path / "saved", documents)), tmp_path / "kb"
    for _ in range(2):
        done = run("import", folder, str(store), "notes", "--from", "faiss")
        assert done.stdout == f"notes, {ROWS:,} rows\n", done.output
    found = rows(store, "notes")
    assert len(found) == ROWS
    for n in range(ROWS):
        row = found[f"key{n}"]
        assert (row["text"], row["page"], row["tags"]) == (f"text {n}", n, ["a", n])
        assert np.array_equal(np.float32(row["vector"]), VECTORS[n])


@pytest.mark.usefixtures("as_langchain")
def test_values_that_json_has_not_arrive_as_text(tmp_path: Path) -> None:
    metadata = {
        "day": datetime.date(2024, 2, 29),
        "at": datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.timezone.utc),
        "id": uuid.UUID(int=5),
        "price": decimal.Decimal("1.50"),
        "set": {3},
        "deep": {"x": (1, None)},
        "nothing": None,
    }
    folder = save(tmp_path / "saved", [Document("t", metadata)])
    assert run("import", str(folder), str(tmp_path / "kb"), "--from", "faiss").exit_code == 0
    row = rows(tmp_path / "kb", "index")["key0"]
    assert (row["day"], row["at"], row["price"]) == ("2024-02-29", "2024-02-29T12:00:00+00:00", "1.50")
    assert (row["id"], row["set"], row["deep"]) == (str(uuid.UUID(int=5)), [3], {"x": [1, None]})
    assert "nothing" not in row


class Evil:
    """Unpickled in the usual way it would run a command."""

    def __reduce__(self) -> Any:
        return os.system, ("touch evil",)


@pytest.mark.usefixtures("as_langchain")
def test_a_pickle_runs_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = save(tmp_path / "saved", [Document("t", {"x": Evil()})])
    refused = run("import", str(folder), str(tmp_path / "kb"), "--from", "faiss")
    assert refused.exit_code == 1
    assert "which is not read, since a pickle can run code" in refused.stderr
    assert "system" in refused.stderr
    assert not (tmp_path / "evil").exists()


@pytest.mark.usefixtures("as_langchain")
def test_what_cannot_be_moved_is_named(tmp_path: Path) -> None:
    documents = [Document(f"text {n}", {}) for n in range(300)]
    several = save(tmp_path / "several", documents, "a")
    save(several, documents, "b")
    fewer = save(tmp_path / "fewer", documents, more=5)
    quantised = faiss.IndexIVFPQ(faiss.IndexFlatL2(DIM), DIM, 2, 2, 4)
    quantised.train(VECTORS)
    quantised.add(VECTORS[:300])
    packed = save(tmp_path / "packed", documents, made=quantised)
    damaged = save(tmp_path / "damaged", documents)
    (damaged / "index.pkl").write_bytes((damaged / "index.pkl").read_bytes()[:500])
    broken = save(tmp_path / "broken", documents)
    (broken / "index.faiss").write_bytes(b"nothing")
    (tmp_path / "empty").mkdir()
    for folder, message in (
        (several, "--source-collection: a, b"),
        (fewer, "has 305 vectors for 300 texts"),
        (packed, "IndexIVFPQ, whose vectors cannot be read back"),
        (damaged, "is no docstore that LangChain wrote"),
        (broken, "is no index"),
        (tmp_path / "empty", "no *.faiss with its *.pkl"),
        (tmp_path / "none", "no *.faiss with its *.pkl"),
    ):
        refused = run("import", str(folder), str(tmp_path / "kb"), "--from", "faiss")
        assert refused.exit_code == 1, folder
        assert message in " ".join(refused.stderr.split()), refused.output
    done = run("import", str(several), str(tmp_path / "kb"), "--from", "faiss", "--source-collection", "b")
    assert done.stdout == "b, 300 rows\n"


@pytest.mark.usefixtures("as_langchain")
@pytest.mark.parametrize("kind", ["IndexHNSWFlat", "IndexIVFFlat"])
def test_other_indexes_that_keep_their_vectors_are_read(tmp_path: Path, kind: str) -> None:
    made = (
        faiss.IndexHNSWFlat(DIM, 8)
        if kind == "IndexHNSWFlat"
        else faiss.IndexIVFFlat(faiss.IndexFlatIP(DIM), DIM, 4, faiss.METRIC_INNER_PRODUCT)
    )
    made.train(VECTORS)
    made.add(VECTORS[:300])
    folder = save(tmp_path / "saved", [Document(f"t{n}", {}) for n in range(300)], made=made)
    assert run("import", str(folder), str(tmp_path / "kb"), "--from", "faiss").exit_code == 0
    found = rows(tmp_path / "kb", "index")
    assert all(np.array_equal(np.float32(found[f"key{n}"]["vector"]), VECTORS[n]) for n in range(300))
    with elanus.connect(tmp_path / "kb") as client:
        metric = client.describe_index("index", "vector")["metric_type"]
    assert metric == ("L2" if kind == "IndexHNSWFlat" else "IP")


def test_llama_indexs_nodes_arrive_with_their_vectors(tmp_path: Path) -> None:
    folder = tmp_path / "storage"
    folder.mkdir()
    faiss.write_index(index(VECTORS[:20], faiss.IndexFlatIP), str(folder / "default__vector_store.json"))
    places = {str(n): f"node{n}" for n in range(20)}
    struct = {"__type__": "vector_store", "__data__": json.dumps({"index_id": "i", "nodes_dict": places})}
    (folder / "index_store.json").write_text(json.dumps({"index_store/data": {"i": struct}}))
    nodes = {
        f"node{n}": {"__type__": "1", "__data__": {"id_": f"node{n}", "text": f"text {n}", "metadata": {"page": n}}}
        for n in range(20)
    }
    (folder / "docstore.json").write_text(json.dumps({"docstore/data": nodes}))
    done = run("import", str(folder), str(tmp_path / "kb"), "--from", "faiss", "--json")
    assert json.loads(done.stdout) == {"collection": "llama_index", "rows": 20}
    found = rows(tmp_path / "kb", "llama_index")
    assert all((found[f"node{n}"]["text"], found[f"node{n}"]["page"]) == (f"text {n}", n) for n in range(20))
    assert np.array_equal(np.float32(found["node7"]["vector"]), VECTORS[7])
    (folder / "docstore.json").write_text("{}")
    refused = run("import", str(folder), str(tmp_path / "kb"), "--from", "faiss")
    assert "holds no index that LlamaIndex wrote" in refused.stderr
