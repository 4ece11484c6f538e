"""The site builds without a warning, and what it builds loads nothing from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOADED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc=["']?(?:https?:)?//|<link\b(?=[^>]*\brel=["']?(?:stylesheet|preconnect"""
    r"""|preload|icon))[^>]*\bhref=["']?(?:https?:)?//|@import\s+(?:url\()?["']?(?:https?:)?//|url\(["']?(?:https?:)?//""",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (find_spec("material") and find_spec("mkdocstrings")):
        pytest.skip("the docs extra is not installed")
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    assert "WARNING" not in built.stderr
    return folder


def test_every_page_and_every_tutorial_is_there(site: Path) -> None:
    written = [path.stem for path in (ROOT / "docs").glob("*.md")]
    tutorials = [f"tutorials/{path.stem}" for path in (ROOT / "tutorials").glob("*.ipynb")]
    for name in written + tutorials:
        assert (site / f"{name}.html").is_file(), name


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for path in [*site.rglob("*.html"), *site.rglob("*.css")]:
        found = LOADED.search(path.read_text(encoding="utf-8"))
        assert found is None, f"{path.relative_to(site)}: {found}"


def test_every_name_of_the_package_is_in_the_reference(site: Path) -> None:
    import elanus

    told = "".join(path.read_text(encoding="utf-8") for path in (site / "reference").glob("*.html"))
    errors = (site / "errors.html").read_text(encoding="utf-8")
    assert [name for name in elanus.__all__ if f'id="elanus.{name}"' not in told and f">{name}<" not in errors] == []
