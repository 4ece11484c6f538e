"""How the demo looks: progress, the table of hits, and the same as JSON."""

from __future__ import annotations

import dataclasses
import json
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from elanus.cli.answer import Answer, Hit, Rank
    from elanus.cli.library import Library

NARROW = 76  # columns; below it hits are stacked instead of tabled
SNIPPET = 130  # characters of a passage shown


class Progress:
    """Progress on standard error: a bar on a terminal, a line every tenth elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Bar | None = None
        self._task = TaskID(0)
        self._tenth = -1

    def say(self, text: str) -> None:
        """Print a line of its own, below a bar that stood there."""
        self.close()
        self._console.print(Text(text), soft_wrap=True)

    def step(self, done: int, total: int) -> None:
        """Show how many of how many passages are stored."""
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            if self._bar is None:
                self._bar = self._start(total)
            self._bar.update(self._task, completed=done)
        elif (tenth := 10 * done // max(total, 1)) > self._tenth:
            self._tenth = tenth
            self.say(f"{done} of {total} passages")

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _start(self, total: int) -> Bar:
        columns = (TextColumn("embedding"), BarColumn(None), MofNCompleteColumn(), TimeRemainingColumn())
        bar = Bar(*columns, console=self._console)
        self._task = bar.add_task("embedding", total=total)
        bar.start()
        return bar


def show_ready(out: Console, library: Library, path: Path) -> None:
    """Say which knowledge base answers, and whether it had to be built."""
    seconds = f"{library.seconds:.1f} s"
    how = f"built in {seconds} ({library.embedded} embedded)" if library.embedded else f"opened in {seconds}"
    out.print(Text(f"{path}: {library.passages} passages, {how}"))


def show_answer(out: Console, answer: Answer) -> None:
    """Print the hits of one question with their ranks side by side."""
    times = f"embedded in {answer.embed_ms:.1f} ms, searched in {answer.search_ms:.1f} ms"
    out.print(Text.assemble("\n", (answer.question, "bold"), ("   " + times, "dim")))
    if not answer.hits:
        out.print("  nothing found")
    elif out.width < NARROW:
        for hit in answer.hits:
            out.print(stacked(hit))
    else:
        out.print(table(answer.hits))


def table(hits: Sequence[Hit]) -> Table:
    found = Table(box=None, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("fused", "dense", "BM25"):
        found.add_column(name, justify="right", no_wrap=True)
    found.add_column("passage", ratio=1)
    found.add_column("matched", max_width=18)
    for hit in hits:
        ranks = [place(rank) for rank in (hit.fused, hit.dense, hit.bm25)]
        found.add_row(*ranks, passage(hit), Text(terms(hit.matched), "green"))
    return found


def stacked(hit: Hit) -> Group:
    ranks = f"fused {place(hit.fused)}, dense {place(hit.dense)}, BM25 {place(hit.bm25)}"
    matched = f"; matched: {terms(hit.matched)}" if hit.matched else ""
    return Group(passage(hit), Text(ranks + matched, "dim"))


def terms(matched: Mapping[str, float]) -> str:
    """Terms with what each adds to the score, the weightiest first."""
    return " ".join(f"{term} {weight:.1f}" for term, weight in sorted(matched.items(), key=lambda item: -item[1]))


def passage(hit: Hit) -> Text:
    body = hit.text.partition("\n")[2]
    return Text.assemble((hit.title, "bold cyan"), "\n", textwrap.shorten(body, SNIPPET, placeholder=" ..."))


def place(rank: Rank | None) -> str:
    return "-" if rank is None else str(rank.rank)


def as_json(library: Library, path: Path, answers: Sequence[Answer]) -> str:
    """Return everything the tables show, with whole passages and scores, as one JSON document."""
    document: dict[str, Any] = {
        "path": str(path),
        "collection": library.collection,
        "passages": library.passages,
        "embedded": library.embedded,
        "seconds": round(library.seconds, 3),
        "answers": [dataclasses.asdict(answer) for answer in answers],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)
