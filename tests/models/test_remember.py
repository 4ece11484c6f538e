"""Embeddings that are remembered: once per text, across processes, within a bound, and never an obstacle."""

from __future__ import annotations

import logging
import multiprocessing
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elanus_models import CachedEmbedding, Embedder, InvalidInput
from elanus_models.remembering import memory as memory_module

DENSE = {"dense": 4, "tokens": 4, "sparse": 100}


class Counting(Embedder[Any]):
    """Embeds a text as numbers made from it, and counts the texts it was given."""

    def __init__(self, gives: Any = "dense", name: str = "one", size: int = 4) -> None:
        self.gives, self._name, self._size = gives, name, size
        self.seen: list[str] = []

    @property
    def dim(self) -> int:
        return self._size

    @property
    def fingerprint(self) -> str:
        return self._name

    def _identity(self) -> dict[str, Any]:
        return {}

    def info(self) -> dict[str, Any]:
        return {"name": self._name}

    def _embed(self, texts: list[str], role: Any) -> Any:
        self.seen += texts
        vectors = [self._vector(f"{role} {text}") for text in texts]
        if self.gives == "dense":
            return np.array(vectors, np.float32).reshape(len(texts), self._size)
        if self.gives == "tokens":
            lengths = [len(text.split()) for text in texts]
            return [np.float32([v] * n).reshape(n, self._size) for v, n in zip(vectors, lengths, strict=True)]
        return [{n: x for n, x in enumerate(v) if x > 40} for v in vectors]

    def _vector(self, text: str) -> list[float]:
        return [sum(map(ord, text)) * (n + 1) % 97 + 0.1 for n in range(self._size)]


def same(a: Any, b: Any) -> bool:
    if isinstance(a, list) and a and isinstance(a[0], dict):
        return bool(a == b)
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("gives", DENSE)
def test_a_text_is_embedded_once_across_objects(gives: str, tmp_path: Path) -> None:
    texts = ["a kite", "the mouse", "a kite", "", "naïve 🪁"]
    expected = Counting(gives)._embed(texts, "document")
    for turn in range(2):
        inner = Counting(gives)
        model = CachedEmbedding(inner, tmp_path / "c.sqlite")
        for _ in range(2):
            found = model.embed_documents(texts)
            assert same(found, expected)
            assert type(found) is type(expected)
        assert inner.seen == (["a kite", "the mouse", "", "naïve 🪁"] if turn == 0 else [])
        assert (model.info()["rows"], model.info()["hits"] + model.info()["misses"]) == (4, 10)
        model.close()


def test_queries_documents_and_models_are_kept_apart(tmp_path: Path) -> None:
    one, two = (CachedEmbedding(Counting(name=name), tmp_path / "c.sqlite") for name in ("one", "two"))
    one.embed_documents(["a"])
    assert not same(one.embed_queries(["a"]), one.embed_documents(["a"]))
    two.embed_documents(["a"])
    assert one.info()["rows"] == 3
    assert (one.dim, one.fingerprint, one.gives) == (4, "one", "dense")
    assert one.embed_documents([]).shape == (0, 4)
    one.clear()
    assert (two.info()["rows"], two.info()["bytes"]) == (0, 0)


def test_what_was_used_longest_ago_is_forgotten_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hour = iter(range(1000))
    now = [0]
    monkeypatch.setattr(memory_module, "_now", lambda: now[0])
    row = 4 * 256 + memory_module.ROW_BYTES
    inner = Counting(size=256)
    model = CachedEmbedding(inner, tmp_path / "c.sqlite", max_bytes=10 * row)
    for number in range(10):
        now[0] = next(hour)
        model.embed_documents([f"text {number}"])
    now[0] = next(hour)
    model.embed_documents(["text 0"])
    now[0] = next(hour)
    model.embed_documents(["text 10"])
    assert model.info()["bytes"] <= 9 * row
    inner.seen.clear()
    model.embed_documents(["text 0", "text 10", "text 9"])
    assert inner.seen == []
    model.embed_documents(["text 1", "text 2"])
    assert inner.seen == ["text 1", "text 2"]


def test_a_damaged_file_is_put_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "c.sqlite"
    path.write_bytes(b"this is no database " * 500)
    model = CachedEmbedding(Counting(), path)
    expected = model.embed_documents(["a", "b"])
    assert same(CachedEmbedding(Counting(), path).embed_documents(["a", "b"]), expected)
    assert model.info()["rows"] == 2
    assert (tmp_path / "c.sqlite.damaged").exists()
    assert "is damaged; it is put aside" in caplog.text


def test_a_place_that_cannot_be_written_costs_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    model = CachedEmbedding(Counting(), tmp_path / "file" / "c.sqlite")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert model.embed_documents(["a"]).shape == (1, 4)
    assert caplog.text.count("embeddings are not remembered in") == 1


def embed_many(path: str, start: int) -> None:
    model = CachedEmbedding(Counting(), path)
    for number in range(start, start + 40):
        found = model.embed_documents([f"text {number}", f"text {number + 1}"])
        assert same(found, Counting()._embed([f"text {number}", f"text {number + 1}"], "document"))


def test_processes_share_one_file(tmp_path: Path) -> None:
    path = str(tmp_path / "c.sqlite")
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=embed_many, args=(path, start)) for start in (0, 0, 20)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    model = CachedEmbedding(Counting(), path)
    assert model.info()["rows"] == 61
    assert model.info()["bytes"] == 61 * (16 + memory_module.ROW_BYTES)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_uses_the_file_as_well(tmp_path: Path) -> None:
    model = CachedEmbedding(Counting(), tmp_path / "c.sqlite")
    model.embed_documents(["a"])
    child = os.fork()
    if child == 0:
        status = 1
        try:
            model.embed_documents(["a", "b"])
            status = 0 if model.info()["rows"] == 2 else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert model.embed_documents(["b"]).shape == (1, 4)
    assert model.info()["rows"] == 2


def test_several_kinds_of_vectors_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="several kinds of vectors"):
        CachedEmbedding(Counting("multi"), tmp_path / "c.sqlite")
