"""The `elanus` command and its demo; other commands have files of their own."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import elanus
from elanus.cli import knowledge, looking, moving
from elanus.cli.running import messages, replacing_unprintable
from elanus.cli.show import Progress, as_json, show_answer, show_ready

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
for own in (knowledge.add, knowledge.sync, knowledge.ask, looking.inspect, looking.query):
    app.command()(own)
app.command("export")(moving.export)
app.command("import")(moving.import_)
for command in entry_points(group="elanus.commands"):  # of packages that bring commands of their own
    app.add_typer(command.load(), name=command.name)

QUESTIONS = (
    "how do I compress a file?",
    "parse command line arguments",
    "run another program and read its output",
    "wait until several asynchronous tasks are done",
    "temporary directory that removes itself",
    "what does the with statement do?",
)


def show_version(wanted: bool) -> None:
    if wanted:
        print(f"elanus {elanus.__version__}")
        raise typer.Exit


@app.callback()
def elanus_command(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Elanus: an embedded vector store for RAG with the Milvus API."""


@app.command()
def demo(
    questions: Annotated[
        list[str] | None,
        typer.Argument(help="What to ask; without any, a set of examples.", show_default=False),
    ] = None,
    path: Annotated[Path, typer.Option(help="The folder of the knowledge base.")] = Path("demo-kb"),
    limit: Annotated[int, typer.Option(min=1, max=100, help="Passages shown per question.")] = 5,
    interactive: Annotated[
        bool, typer.Option("--interactive", "-i", help="Read questions from standard input, one a line.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
    passages: Annotated[
        int | None, typer.Option(min=1, help="Build from this many passages only.", show_default="all")
    ] = None,
) -> None:
    """Ask Python's documentation: made into a knowledge base once, then searched by meaning and by words."""
    out, progress = Console(highlight=False), Progress(Console(stderr=True, highlight=False))
    with replacing_unprintable(), contextlib.closing(progress), messages(progress.say):
        from elanus.cli.library import open_library

        if interactive and questions:
            raise typer.BadParameter("give questions or --interactive, not both", param_hint="--interactive")
        with open_library(path, passages, progress) as library:
            progress.close()
            if not json:
                show_ready(out, library, path)
            asked = typed(out) if interactive else questions or QUESTIONS
            answers = (library.ask(question, limit) for question in asked if question.strip())
            if json:
                print(as_json(library, path, list(answers)))
                return
            for answer in answers:
                show_answer(out, answer)
            if not (questions or interactive):
                out.print('Ask your own: elanus demo "your question", or elanus demo -i', style="dim")


def typed(out: Console) -> Iterator[str]:
    """Yield the lines of standard input, after a prompt if somebody sits there."""
    if not sys.stdin.isatty():
        yield from map(str.strip, sys.stdin)
        return
    with contextlib.suppress(EOFError):
        while True:
            yield out.input("[bold]question>[/bold] ")
