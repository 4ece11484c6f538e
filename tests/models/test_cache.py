"""Converted models are kept, by several processes, and never needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from elanus_models import OnnxEmbedding
from elanus_models.cache import default_cache_dir

from tests.models.tiny import write_tiny

OPEN = """
import sys
from elanus_models import OnnxEmbedding
model = OnnxEmbedding(sys.argv[1], precision="int8", cache_dir=sys.argv[2])
print(model.info()["graph"], model.embed_queries(["a kite"]).sum())
"""


def test_a_conversion_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tiny(tmp_path / "tiny")
    first = OnnxEmbedding(tmp_path / "tiny", precision="int8", cache_dir=tmp_path / "cache")
    monkeypatch.setattr("elanus_models.encoder.convert", None)
    second = OnnxEmbedding(tmp_path / "tiny", precision="int8", cache_dir=tmp_path / "cache")
    assert first.info()["graph"] == second.info()["graph"]
    np.testing.assert_array_equal(first.embed_queries(["a kite"]), second.embed_queries(["a kite"]))


def test_processes_may_convert_into_one_cache_at_once(tmp_path: Path) -> None:
    write_tiny(tmp_path / "tiny")
    cache = tmp_path / "cache"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", OPEN, str(tmp_path / "tiny"), str(cache)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(2)]
    answers = [process.communicate(timeout=60)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert answers[0] == answers[1]
    assert [path.suffix for path in cache.iterdir()] == [".onnx"]


@pytest.mark.parametrize("damage", [b"", b"not a graph"])
def test_a_damaged_file_in_the_cache_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    write_tiny(tmp_path / "tiny")
    model = OnnxEmbedding(tmp_path / "tiny", precision="int8", cache_dir=tmp_path / "cache")
    Path(model.info()["graph"]).write_bytes(damage)
    again = OnnxEmbedding(tmp_path / "tiny", precision="int8", cache_dir=tmp_path / "cache")
    assert Path(again.info()["graph"]).stat().st_size > 1000
    np.testing.assert_array_equal(model.embed_queries(["a kite"]), again.embed_queries(["a kite"]))


def test_without_a_writable_cache_the_model_is_held_in_memory(tmp_path: Path) -> None:
    write_tiny(tmp_path / "tiny")
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    model = OnnxEmbedding(tmp_path / "tiny", precision="int8", cache_dir=blocked / "cache")
    assert model.info()["graph"] == "in memory"
    assert model.embed_queries(["a kite"]).shape == (1, 32)


def test_the_environment_names_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELANUS_CACHE", str(tmp_path / "here"))
    assert default_cache_dir() == tmp_path / "here"


@pytest.mark.parametrize(
    ("system", "variable", "tail"),
    [
        ("Linux", "XDG_CACHE_HOME", ("elanus",)),
        ("Windows", "LOCALAPPDATA", ("elanus", "cache")),
        ("Darwin", "HOME", ("Library", "Caches", "elanus")),
    ],
)
def test_each_platform_has_its_cache_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str, variable: str, tail: tuple[str, ...]
) -> None:
    monkeypatch.delenv("ELANUS_CACHE", raising=False)
    monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setattr("platform.system", lambda: system)
    assert default_cache_dir() == tmp_path.joinpath(*tail)
