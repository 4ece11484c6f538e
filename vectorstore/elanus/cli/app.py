"""The commands: what they take, where they print, and how they end.

Exit codes: 0 done, 1 refused with a message, 2 wrong arguments, 130 interrupted. Results go to standard
output, progress and errors to standard error.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import elanus
from elanus.cli.show import Progress, as_json, show_answer, show_ready

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
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
INTERRUPTED = 130


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
    with replacing_unprintable(), messages(progress):
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


@contextlib.contextmanager
def messages(progress: Progress) -> Iterator[None]:
    """Turn the errors a user can act on into a line on standard error and an exit code."""
    from elanus.errors import ElanusError

    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError as error:  # whoever read the results has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from error
    except (ElanusError, OSError) as error:
        progress.say(f"elanus: {error}")
        raise typer.Exit(1) from error
    except KeyboardInterrupt as error:
        progress.say("elanus: interrupted; what is done is kept, and the same command goes on from there")
        raise typer.Exit(INTERRUPTED) from error
    finally:
        progress.close()


@contextlib.contextmanager
def replacing_unprintable() -> Iterator[None]:
    """Print a question mark for what the terminal's encoding lacks, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    yield
