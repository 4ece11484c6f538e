"""Models from the hub: fetched once, held against their digests, used without a network afterwards."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import pytest
from elanus_models import DownloadFailed, InvalidInput, ModelNotFound, ModelUnsupported, OnnxEmbedding, StaticEmbedding
from elanus_models.cli import app
from elanus_models.finding.hub import Repository, download
from elanus_models.finding.resolve import Wish, installed, resolve
from typer.testing import CliRunner

from tests.models.hub_stand_in import COMMIT, Hub, serving
from tests.models.test_ready_graphs import write_graph
from tests.models.test_static import write_model2vec
from tests.models.tiny import write_tiny

TEXTS = ["a kite hovers over the field"]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    folder = tmp_path / "hub" / "bird"
    write_tiny(folder, prompts={"query": "the "})
    for name in ("pytorch_model.bin", "onnx/model_qint8_avx512_vnni.onnx", "README.md", "openvino/model.bin"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(name.encode())
    graph = write_graph(tmp_path / "hub" / "graph", {"last_hidden_state": ("Identity", {"inputs": ["tokens"]})})
    (graph / "onnx").mkdir()
    (graph / "model.onnx").rename(graph / "onnx" / "model.onnx")
    (graph / "onnx" / "model_quantized.onnx").write_bytes((graph / "onnx" / "model.onnx").read_bytes())
    static = write_model2vec(tmp_path / "hub" / "static")
    (tmp_path / "hub" / "empty").mkdir()
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf"))
    monkeypatch.setenv("ELANUS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("ELANUS_OFFLINE")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    repositories = {"kites/bird": folder, "kites/graph": graph, "kites/static": static}
    with serving(repositories | {"kites/empty": tmp_path / "hub" / "empty"}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def test_only_what_is_needed_is_fetched_and_once(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    model = OnnxEmbedding("kites/bird", precision="float32")
    vectors = model.embed_queries(TEXTS)
    assert set(hub.fetched()) == {
        "1_Pooling/config.json",
        "config.json",
        "config_sentence_transformers.json",
        "model.safetensors",
        "modules.json",
        "sentence_bert_config.json",
        "tokenizer.json",
    }
    assert model.info()["origin"] == f"kites/bird on {hub.url}"
    assert model.info()["query_prefix"] == "the "
    hub.asked.clear()
    again = OnnxEmbedding("kites/bird", precision="float32")
    assert (again.embed_queries(TEXTS) == vectors).all()
    assert (hub.asked, again.info()["origin"]) == ([], "hub cache")
    monkeypatch.setenv("ELANUS_OFFLINE", "1")
    assert OnnxEmbedding("kites/bird@main", precision="float32").fingerprint == model.fingerprint


def test_a_graph_is_taken_where_the_architecture_is_not_converted(hub: Hub) -> None:
    source = resolve("kites/graph")
    assert source.files.onnx is not None
    assert source.files.onnx.name == "model.onnx"
    assert "onnx/model_quantized.onnx" not in hub.fetched()
    assert source.files.reason == "the float32 graph"
    eight = resolve("kites/graph", Wish(int8=True))
    assert eight.files.onnx is not None
    assert (eight.files.onnx.name, eight.files.int8) == ("model_quantized.onnx", True)
    assert "depends on its neighbours" in eight.files.reason
    named = resolve("kites/graph", Wish(file="onnx/model_quantized.onnx"))
    assert named.files.reason == "asked for"
    with pytest.raises(ModelNotFound, match=r"no file 'onnx/none\.onnx'; ONNX files: onnx/model\.onnx"):
        resolve("kites/graph", Wish(file="onnx/none.onnx"))


def test_static_models_are_found_by_name(hub: Hub) -> None:
    assert StaticEmbedding("kites/static").embed_documents(TEXTS).shape == (1, 6)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_what_differs_from_its_digest_is_refused_and_removed(name: str, hub: Hub, tmp_path: Path) -> None:
    hub.damaged = {name}
    with pytest.raises(DownloadFailed, match=rf"{name} of kites/bird came with .* announces .*; it is removed"):
        OnnxEmbedding("kites/bird")
    assert not list((tmp_path / "hf").rglob(name))
    hub.damaged = set()
    hub.asked.clear()
    assert OnnxEmbedding("kites/bird").dim == 32
    assert name in hub.fetched()
    assert "config.json" not in hub.fetched()


def test_a_transfer_that_broke_off_goes_on_where_it_stopped(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1000)
    hub.breaking["model.safetensors"] = 5500
    with contextlib.suppress(DownloadFailed):
        OnnxEmbedding("kites/bird")
    assert OnnxEmbedding("kites/bird").dim == 32
    assert [wanted for wanted in hub.ranges() if wanted.startswith("bytes=5")]


def test_what_the_hub_does_not_give_is_named(hub: Hub) -> None:
    with pytest.raises(ModelNotFound, match=r"there is no kites/none on http.*for a private one set HF_TOKEN"):
        OnnxEmbedding("kites/none")
    with pytest.raises(ModelNotFound, match="has no revision 'v9'"):
        OnnxEmbedding("kites/bird@v9")
    with pytest.raises(ModelUnsupported, match=r"no config\.json"):
        OnnxEmbedding("kites/empty")
    hub.gated.add("kites/bird")
    with pytest.raises(DownloadFailed, match="accept them on its page and set HF_TOKEN"):
        OnnxEmbedding("kites/bird")
    with pytest.raises(InvalidInput, match="names a revision"):
        resolve("kites/bird@main", Wish(revision="v2"))


def test_without_the_hub_the_ways_out_are_named(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DownloadFailed) as caught:
        resolve("kites/bird")
    assert "give a folder that holds the model" in str(caught.value)
    assert "http://127.0.0.1:9" in str(caught.value)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelNotFound, match="elanus model download kites/bird"):
        resolve("kites/bird")


def fetch(name: str) -> None:
    assert download(Repository(name), show_progress=False).name == COMMIT


def test_processes_fetch_one_model_together(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=fetch, args=("kites/bird",)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert hub.fetched().count("model.safetensors") == 1
    monkeypatch.setenv("ELANUS_OFFLINE", "1")
    assert OnnxEmbedding("kites/bird").dim == 32
    assert ("kites/bird", "hub cache") in [(name, origin) for name, origin, _ in installed()]


def test_the_command_line_fetches_and_lists(hub: Hub) -> None:
    run = CliRunner().invoke
    fetched = run(app, ["download", "kites/bird"])
    assert (fetched.exit_code, fetched.stdout.startswith(f"kites/bird: kites/bird on {hub.url}, in ")) == (0, True)
    assert "hub cache" in run(app, ["download", "kites/bird"]).stdout
    told = json.loads(run(app, ["download", "kites/bird", "--json"]).stdout)
    assert (told["model"], Path(told["folder"]).is_dir()) == ("kites/bird", True)
    rows = {row["name"]: row for row in json.loads(run(app, ["list", "--json"]).stdout)}
    assert rows["kites/bird"]["here"] == "hub cache"
    assert rows["bge-m3"] == {"name": "bge-m3", "kind": "dense", "dim": 1024, "license": "MIT", "here": ""}
    assert any(line.split() == ["kites/bird", "hub", "cache"] for line in run(app, ["list"]).stdout.splitlines())
    refused = run(app, ["download", "kites/none"])
    assert (refused.exit_code, refused.stderr.startswith("elanus: there is no kites/none on")) == (1, True)


def test_options_of_the_model_reach_the_hub(hub: Hub) -> None:
    eight = OnnxEmbedding("kites/graph", precision="int8", revision=COMMIT)
    assert (eight.info()["precision"], "neighbours" in eight.info()["precision_reason"]) == ("int8", True)
    named = OnnxEmbedding("kites/graph", file="onnx/model_quantized.onnx")
    assert (named.info()["precision"], named.info()["chosen"]) == ("int8", "asked for")
    with pytest.raises(ModelUnsupported, match="is int8; precision='float32' needs"):
        OnnxEmbedding("kites/graph", file="onnx/model_quantized.onnx", precision="float32")
    assert OnnxEmbedding("kites/graph").fingerprint != named.fingerprint
