"""Makes a page of each notebook in tutorials/, as it was saved; nothing is executed. Files beside them go along."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

FOLDER = "tutorials"
ELSEWHERE = {
    "](../README.md": "](../index.md",
    "](../models/README.md": "](../models.md",
    "](../integrations/langchain/README.md": "](../langchain.md",
    "](../integrations/llamaindex/README.md": "](../llamaindex.md",
}
"""The project's own pages, and those of the site that stand for them."""
LINK = re.compile(r"(\]\([\w.-]+)\.ipynb([)#])")
"""A link from one notebook to another, which becomes one between their pages."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the tutorials, if there are any, after the guide."""
    if pages := [_page(path) for path in _notebooks(config)]:
        places = [place for place, entry in enumerate(config.nav or []) if "Guide" in entry]
        config.nav.insert(places[0] + 1, {"Tutorials": pages})
    config.watch.append(str(_root(config) / FOLDER))
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    notebooks = _notebooks(config)
    for path in notebooks:
        page = LINK.sub(r"\1.md\2", as_markdown(json.loads(path.read_text("utf-8"))))
        for link, here in ELSEWHERE.items():
            page = page.replace(link, here)
        files.append(File.generated(config, _page(path), content=page))
    for path in sorted({*(_root(config) / FOLDER).glob("[!.]*.*")} - {*notebooks}):
        files.append(File.generated(config, f"{FOLDER}/{path.name}", abs_src_path=str(path)))
    return files


def as_markdown(notebook: dict[str, Any]) -> str:
    """A notebook (format 4) as Markdown: texts as they are, code fenced, each output below its code."""
    return "\n\n".join(block for cell in notebook["cells"] for block in _blocks(cell)) + "\n"


def _root(config: MkDocsConfig) -> Path:
    return Path(config.docs_dir).parent


def _notebooks(config: MkDocsConfig) -> list[Path]:
    return sorted((_root(config) / FOLDER).glob("*.ipynb"))


def _page(notebook: Path) -> str:
    return f"{FOLDER}/{notebook.stem}.md"


def _blocks(cell: dict[str, Any]) -> Iterator[str]:
    source = "".join(cell["source"]).strip("\n")
    if cell["cell_type"] != "code":
        yield source
    elif source:
        yield _fenced(source, "python")
        for output in cell["outputs"]:
            yield from _output(output)


def _output(output: dict[str, Any]) -> Iterator[str]:
    data = output.get("data", {})
    if "image/png" in data:
        yield f"![output](data:image/png;base64,{''.join(data['image/png']).replace(chr(10), '')})"
    elif text := "".join(output.get("text", data.get("text/plain", ""))).rstrip():
        yield _fenced(text, "text")


def _fenced(text: str, language: str) -> str:
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"
