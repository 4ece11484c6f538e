"""Fixtures of all tests, and hypothesis made repeatable."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import elanus
import pytest
from elanus.models import finding
from hypothesis import HealthCheck, settings

from tests import fakes

settings.register_profile(
    "elanus", derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
settings.load_profile("elanus")

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("ELANUS_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that does not exist yet, for a store."""
    return tmp_path / "store"


@pytest.fixture
def client(folder: Path) -> Iterator[elanus.Client]:
    """A client of a new store in `folder`."""
    with elanus.connect(folder, durability="os") as opened:
        yield opened


@pytest.fixture(scope="session")
def judged_english() -> Path:
    """The folder of the judged English retrieval set (ELANUS_DATA overrides where it is looked for)."""
    return _judged("squad-dev")


@pytest.fixture(scope="session")
def judged_indonesian() -> Path:
    """The folder of the judged Indonesian retrieval set."""
    return _judged("squad-id")


def _judged(name: str) -> Path:
    path = DATA / name
    if not path.is_dir():
        pytest.skip(f"no judged set at {path}")
    return path


@pytest.fixture
def fake_models(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The models of `tests.fakes`, registered by entry points, unused so far; the folder that registers them."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(finding, "_made", {})
    for name, value in (("made", 0), ("calls", []), ("version", 1)):
        monkeypatch.setattr(fakes.Words, name, value)
    monkeypatch.setattr(fakes.Overlap, "calls", [])
    return fakes.register(tmp_path_factory.mktemp("packages"))
