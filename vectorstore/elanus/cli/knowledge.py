"""`elanus add`, `sync` and `ask`: a knowledge base from the command line."""

from __future__ import annotations

import dataclasses
import json as json_text
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from elanus.cli.running import messages, replacing_unprintable

if TYPE_CHECKING:
    from elanus.knowledge import KnowledgeBase

Where = Annotated[str, typer.Option("--kb", help="The folder of the knowledge base, or a Milvus server's URL.")]
Model = Annotated[str, typer.Option(help="The embedding model: a name or a folder.")]
Language = Annotated[
    str | None,
    typer.Option(help="Of the texts of a new knowledge base: english, german, ...", show_default="english"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
MODEL = "all-MiniLM-L6-v2"


def add(
    paths: Annotated[
        list[Path], typer.Argument(help="Files and folders; - reads one text a line from standard input.")
    ],
    kb: Where = "kb",
    model: Model = MODEL,
    language: Language = None,
    json: AsJson = False,
) -> None:
    """Put files into a knowledge base: text, Markdown, HTML, PDF; what is there already is left alone."""
    with replacing_unprintable(), messages(), opened(kb, model, language) as base:
        texts: list[Any] = [line for path in paths if str(path) == "-" for line in map(str.strip, sys.stdin) if line]
        told(base.add([*texts, *(path for path in paths if str(path) != "-")]), json)


def sync(
    path: Annotated[Path, typer.Argument(help="A folder or a file.")],
    kb: Where = "kb",
    model: Model = MODEL,
    language: Language = None,
    json: AsJson = False,
) -> None:
    """Make a knowledge base agree with a folder: add what is new, replace what changed, remove what is gone."""
    with replacing_unprintable(), messages(), opened(kb, model, language) as base:
        told(base.sync(path), json)


def ask(
    question: Annotated[str, typer.Argument(help="What to ask.")],
    kb: Where = "kb",
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="Passages shown.")] = 5,
    filter: Annotated[str, typer.Option(help="A Milvus expression over the metadata.", show_default=False)] = "",
    mode: Annotated[str, typer.Option(help="hybrid, dense or text.")] = "hybrid",
    rerank: Annotated[bool, typer.Option(help="Let a model order the best passages.")] = True,
    explain: Annotated[bool, typer.Option("--explain", help="Show why each passage is where it is.")] = False,
    model: Model = MODEL,
    json: AsJson = False,
) -> None:
    """Ask a knowledge base, and see the passages that answer."""
    with replacing_unprintable(), messages(), opened(kb, model, None, existing=True) as base:
        options: dict[str, Any] = {"filter": filter or None, "mode": mode, "rerank": rerank, "explain": explain}
        show, highlight = (None, json) if json or explain or not sys.stdout.isatty() else marking()
        hits = base.search(question, k, highlight=highlight, **options)
        if show is not None:
            show(hits)
        elif json:
            rows = [{**dataclasses.asdict(hit), "metadata": dict(hit.metadata)} for hit in hits]
            print(json_text.dumps({"question": question, "hits": rows}, indent=1, default=str))
        elif explain:
            from elanus.cli.reasons import show_reasons

            show_reasons(hits)
        else:
            print(hits)


def marking() -> tuple[Any, Any]:
    """How passages are shown on a terminal, and how their words are marked for it."""
    from elanus.cli.marked import WHOLE, show_hits

    return show_hits, WHOLE


def opened(path: str, model: str, language: str | None, *, existing: bool = False) -> KnowledgeBase:
    """Return a knowledge base, which shows its progress on a terminal."""
    from elanus.errors import NotFound
    from elanus.knowledge import KnowledgeBase

    if existing and "://" not in path and not Path(path).is_dir():
        raise NotFound(f"there is no knowledge base '{path}'; fill one with: elanus add PATH --kb {path}")
    return KnowledgeBase(path, embedder=model, language=language, show_progress=sys.stderr.isatty())


def told(filled: Any, json: bool) -> None:
    """Print what was done."""
    counts = dataclasses.asdict(filled)
    passages = counts.pop("passages")
    if json:
        print(json_text.dumps({**counts, "passages": passages}))
        return
    done = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    print(f"documents: {done or 'none'}; {passages} passages embedded")
