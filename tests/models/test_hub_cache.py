"""What the hub's cache holds: whole, partial, damaged, or put there by other programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from elanus_models import DownloadFailed, ModelCorrupt, ModelNotFound, OnnxEmbedding
from elanus_models.finding import digests
from elanus_models.finding.resolve import Wish, resolve

from tests.models.hub_stand_in import COMMIT, Hub, serving
from tests.models.test_ready_graphs import write_graph
from tests.models.tiny import write_tiny

DATA = ["onnx/Constant_7_attr__value", "onnx/model.onnx_data"]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    bird = tmp_path / "hub" / "bird"
    write_tiny(bird)
    graph = large_graph(tmp_path / "hub" / "graph")
    (bird / "onnx").mkdir()
    for name in ("model.onnx", *(Path(name).name for name in DATA)):
        (bird / "onnx" / name).write_bytes((graph / "onnx" / name).read_bytes())
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf"))
    monkeypatch.setenv("ELANUS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("ELANUS_OFFLINE")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with serving({"kites/bird": bird, "kites/graph": graph}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def large_graph(folder: Path) -> Path:
    """Write a graph whose tables are in files of their own, as those of 2 GB are."""
    onnx = pytest.importorskip("onnx")
    write_graph(folder, {"last_hidden_state": ("Identity", {"inputs": ["tokens"]})})
    model = onnx.load(folder / "model.onnx")
    (folder / "model.onnx").unlink()
    (folder / "onnx").mkdir()
    for tensor, name in zip(model.graph.initializer[:2], DATA, strict=True):
        onnx.external_data_helper.set_external_data(tensor, Path(name).name)
    onnx.save(model, folder / "onnx" / "model.onnx")
    return folder


def snapshot(tmp_path: Path, name: str = "bird") -> Path:
    return tmp_path / "hf" / f"models--kites--{name}" / "snapshots" / COMMIT


def test_a_graph_is_fetched_after_all_of_its_data(hub: Hub) -> None:
    from_hub = OnnxEmbedding("kites/graph")
    assert hub.fetched()[-3:] == [*DATA, "onnx/model.onnx"]
    from_folder = OnnxEmbedding(hub.repositories["kites/graph"])
    assert from_hub.fingerprint == from_folder.fingerprint
    assert np.array_equal(from_hub.embed_documents(["a kite"]), from_folder.embed_documents(["a kite"]))


def test_a_fetch_that_ended_before_the_graph_is_taken_up_again(hub: Hub, tmp_path: Path) -> None:
    hub.damaged = {"onnx/model.onnx_data"}
    with pytest.raises(DownloadFailed, match=r"onnx/model\.onnx_data of kites/graph came with"):
        OnnxEmbedding("kites/graph")
    assert not (snapshot(tmp_path, "graph") / "onnx" / "model.onnx").exists()
    hub.damaged = set()
    assert OnnxEmbedding("kites/graph").dim == 4


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_file_that_changed_in_the_cache_is_refused(name: str, hub: Hub, tmp_path: Path) -> None:
    resolve("kites/bird")
    blob = (snapshot(tmp_path) / name).resolve()
    blob.write_bytes(blob.read_bytes()[:-1] + b" ")
    with pytest.raises(ModelCorrupt, match=rf"{name} has the digest .*: remove .*{blob.name} and try again"):
        resolve("kites/bird")
    blob.unlink()
    assert resolve("kites/bird").card.dim == 32


def test_large_files_of_the_cache_are_hashed_once(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    first = resolve("kites/bird").weights_sha256
    monkeypatch.setattr(digests, "sha256_of", lambda *_: pytest.fail("hashed again"))
    assert resolve("kites/bird").weights_sha256 == first


def test_a_memory_of_digests_that_cannot_be_read_is_made_anew(hub: Hub, tmp_path: Path) -> None:
    first = resolve("kites/bird").weights_sha256
    for number, path in enumerate(sorted((tmp_path / "cache" / "digests").iterdir())):
        path.write_text(["{", "[]", "{}"][number % 3])
    assert resolve("kites/bird").weights_sha256 == first


def test_weights_go_before_a_graph_that_was_fetched_earlier(hub: Hub) -> None:
    graph = resolve("kites/bird", Wish(file="onnx/model.onnx"))
    assert (graph.files.weights, graph.choice) == (None, "asked for")
    hub.asked.clear()
    weights = resolve("kites/bird")
    assert weights.choice == "bert weights, converted here"
    assert hub.fetched() == ["model.safetensors"]


def test_eight_bits_where_there_are_none_need_no_network_afterwards(hub: Hub) -> None:
    assert resolve("kites/graph", Wish(int8=True)).choice == "the float32 graph"
    hub.asked.clear()
    assert resolve("kites/graph", Wish(int8=True)).choice == "the float32 graph"
    assert hub.asked == []


def test_what_another_program_fetched_in_part_is_completed(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    write_tiny(hub.repositories["kites/bird"], pooling="pooling_mode_cls_token")
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        huggingface_hub.hf_hub_download("kites/bird", name, cache_dir=tmp_path / "hf", endpoint=hub.url)
    hub.asked.clear()
    assert resolve("kites/bird").card.pooling == "cls"
    assert "model.safetensors" not in hub.fetched()
    hub.asked.clear()
    assert resolve("kites/bird").card.pooling == "cls"
    assert hub.asked == []


def test_a_damaged_configuration_on_the_hub_is_named(hub: Hub) -> None:
    (hub.repositories["kites/bird"] / "config.json").write_text("{")
    with pytest.raises(ModelCorrupt, match=r"config\.json is not valid JSON"):
        resolve("kites/bird")


def test_jinas_bert_takes_its_graph(hub: Hub) -> None:
    path = hub.repositories["kites/bird"] / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"position_embedding_type": "alibi"}))
    assert resolve("kites/bird").files.onnx is not None
    assert "model.safetensors" not in hub.fetched()


def test_the_endpoints_password_and_the_token_are_never_shown(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_very_secret_token")
    for address, name in ((hub.url, "none"), (hub.url, "bird"), ("http://127.0.0.1:9", "none")):
        monkeypatch.setenv("HF_ENDPOINT", address.replace("//", "//bird:s3cret@"))
        try:
            shown = resolve(f"kites/{name}").origin
        except (DownloadFailed, ModelNotFound) as error:
            shown = str(error)
        assert "http://127.0.0.1" in shown
        assert "s3cret" not in shown
        assert "secret" not in shown


def test_a_mistyped_repository_brings_the_nearest_names(hub: Hub) -> None:
    with pytest.raises(ModelNotFound, match="did you mean 'all-MiniLM-L6-v2' or 'all-MiniLM-L12-v2'"):
        resolve("sentence-transformers/all-MiniLM-L7-v2")
    with pytest.raises(ModelNotFound, match=r"no repository can be named 'kites/\.bird'"):
        resolve("kites/.bird")


def test_a_failed_transfer_names_the_file(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(repository: str, name: str, **_: object) -> str:
        raise OSError("no space left")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", refuse)
    with pytest.raises(DownloadFailed, match=r"could not fetch .*config\.json of kites/bird on http.*: no space left"):
        resolve("kites/bird")
