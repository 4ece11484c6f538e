"""A notebook in tutorials/ becomes a page as it was saved, found in the navigation."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

HOOK = Path(__file__).resolve().parents[2] / "docs" / "notebooks.py"
SETTINGS = """
site_name: Test
theme: {name: material, font: false}
use_directory_urls: false
nav: [{Home: index.md}, {Guide: [guide.md]}]
markdown_extensions: [pymdownx.superfences]
hooks: [HOOK]
"""
pytestmark = pytest.mark.skipif(not find_spec("material"), reason="the docs extra is not installed")


def code(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {"cell_type": "code", "source": source.splitlines(keepends=True), "outputs": list(outputs)}


def build(folder: Path, **notebooks: list[dict[str, Any]]) -> None:
    (folder / "docs").mkdir()
    (folder / "docs" / "index.md").write_text("# Home")
    (folder / "docs" / "guide.md").write_text("# Guide")
    (folder / "mkdocs.yml").write_text(SETTINGS.replace("HOOK", HOOK.as_posix()))
    for name, cells in notebooks.items():
        (folder / "tutorials").mkdir(exist_ok=True)
        (folder / "tutorials" / f"{name}.ipynb").write_text(json.dumps({"cells": cells, "nbformat": 4}))
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr


def shown(page: Path) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")))


def test_texts_code_and_outputs_are_shown_and_nothing_is_run(tmp_path: Path) -> None:
    printed = {"output_type": "stream", "name": "stdout", "text": ["  indented\n", "``` ticks\n"]}
    given = {"output_type": "execute_result", "data": {"text/plain": ["[1, 2]"], "text/html": ["<b>no</b>"]}}
    drawn = {"output_type": "display_data", "data": {"image/png": "aGVy\nb24=\n", "text/plain": ["<Figure>"]}}
    cells = [
        {"cell_type": "markdown", "source": ["# First steps\n", "With **words**."]},
        code("open('ran', 'w')\nprint('``` ticks')", printed),
        code("[1, 2]", given),
        code("draw()", drawn),
        code(""),
    ]
    build(tmp_path, first=cells)
    page = tmp_path / "site" / "tutorials" / "first.html"
    text = shown(page)
    for piece in ("With words.", "print('``` ticks')", "  indented\n``` ticks", "[1, 2]"):
        assert piece in text, piece
    assert 'src="data:image/png;base64,aGVyb24="' in page.read_text(encoding="utf-8")
    assert "<Figure>" not in text
    assert not (tmp_path / "ran").exists()


def test_tutorials_stand_after_the_guide_in_the_order_of_their_names_and_find_each_other(tmp_path: Path) -> None:
    titled: dict[str, list[dict[str, Any]]] = {
        name: [{"cell_type": "markdown", "source": [f"# Lesson {name}"]}] for name in ("b2", "a1")
    }
    titled["a1"][0]["source"].append("\nNext: [b2](b2.ipynb), over [words](words.json).")
    (tmp_path / "tutorials").mkdir()
    (tmp_path / "tutorials" / "words.json").write_text("[]")
    build(tmp_path, **titled)
    assert 'href="b2.html"' in (tmp_path / "site" / "tutorials" / "a1.html").read_text(encoding="utf-8")
    assert (tmp_path / "site" / "tutorials" / "words.json").read_text() == "[]"
    text = shown(tmp_path / "site" / "index.html")
    assert text.index("Guide") < text.index("Tutorials") < text.index("Lesson a1") < text.index("Lesson b2")


def test_without_tutorials_there_is_no_such_chapter(tmp_path: Path) -> None:
    build(tmp_path)
    assert "Tutorials" not in shown(tmp_path / "site" / "index.html")
