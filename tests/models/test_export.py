"""Conversion into a folder of its own, in Python and on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from elanus_models import InvalidInput, ModelUnsupported, OnnxEmbedding, OnnxReranker, SpladeEmbedding
from elanus_models.cli import app
from elanus_models.export import export
from typer.testing import CliRunner

from tests.models.families import write_family

TEXTS = ["a kite hovers over the field", "the mouse"]


@pytest.mark.parametrize("precision", ["int8", "float32"])
def test_the_folder_gives_the_vectors_and_the_fingerprint_of_the_checkpoint(precision: str, tmp_path: Path) -> None:
    source = write_family(tmp_path / "m", "mpnet", "hidden")
    made = export(source, tmp_path / "made", precision=precision)  # type: ignore[arg-type]
    original = OnnxEmbedding(source, precision=precision, cache_dir=tmp_path / "cache")  # type: ignore[arg-type]
    converted = OnnxEmbedding(tmp_path / "made")
    np.testing.assert_array_equal(converted.embed_documents(TEXTS), original.embed_documents(TEXTS))
    assert converted.fingerprint == original.fingerprint
    assert (made.before.form, made.after.form, made.measure) == ("float32", precision, "cosine")
    assert made.likeness[0] > 0.99
    assert made.after.size == (tmp_path / "made" / "model.onnx").stat().st_size
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "m", "made"]


def test_the_head_follows_the_architecture(tmp_path: Path) -> None:
    for family, head in (("bert", "classifier"), ("distilbert", "terms")):
        made = export(write_family(tmp_path / head, family, head), tmp_path / f"{head}-int8")
        assert made.head == head
        assert made.measure == ("difference" if head == "classifier" else "cosine")
    assert len(OnnxReranker(tmp_path / "classifier-int8").scores("a kite", TEXTS)) == 2
    assert SpladeEmbedding(tmp_path / "terms-int8").embed_queries(TEXTS)[0]
    with pytest.raises(ModelUnsupported, match="head 'terms', not 'hidden'"):
        OnnxEmbedding(tmp_path / "terms-int8")
    with pytest.raises(ModelUnsupported, match="converted to int8 and has no float32"):
        SpladeEmbedding(tmp_path / "terms-int8", precision="float32")


def test_nothing_is_left_of_a_conversion_that_fails(tmp_path: Path) -> None:
    source = write_family(tmp_path / "m", "bert", "hidden")
    (tmp_path / "there").mkdir()
    with pytest.raises(InvalidInput, match="exists; name a new folder"):
        export(source, tmp_path / "there")
    with pytest.raises(InvalidInput, match="head must be one of hidden"):
        export(source, tmp_path / "made", head="nose")  # type: ignore[arg-type]
    (source / "model.safetensors").write_bytes(b"12345678 not a model")
    with pytest.raises(Exception, match="not a whole safetensors file"):
        export(source, tmp_path / "made")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m", "there"]


def test_the_command_line_converts_and_tells(tmp_path: Path) -> None:
    run = CliRunner().invoke
    source, made = str(write_family(tmp_path / "m", "bert", "hidden")), str(tmp_path / "made")
    said = run(app, ["convert", source, made, "--int8"])
    assert said.exit_code == 0, said.output
    assert "float32" in said.output
    assert "cosine of the two over sample texts" in said.output
    again = run(app, ["convert", source, made, "--int8"])
    assert (again.exit_code, again.stderr) == (1, f"elanus: {made} exists; name a new folder\n")
    told = json.loads(run(app, ["info", made, "--json"]).stdout)
    assert (told["precision"], told["dim"]) == ("int8", 32)
    plain = run(app, ["info", made]).stdout
    assert f"graph             {made}" in plain
    report = json.loads(run(app, ["convert", source, str(tmp_path / "float"), "--json"]).stdout)
    assert report["after"]["form"] == "float32"
    assert report["cosine"]["worst"] > 0.9999


def test_the_command_line_shows_each_kind_of_model(tmp_path: Path) -> None:
    for head, told in (("terms", "max_terms"), ("classifier", "scale"), ("hidden", "pooling")):
        folder = write_family(tmp_path / head, "bert", head)
        assert told in json.loads(CliRunner().invoke(app, ["info", str(folder), "--json"]).stdout)
