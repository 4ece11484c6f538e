"""How every command ends: with results on standard output, or one line on standard error and an exit code.

0 done, 1 refused with a message, 2 wrong arguments, 130 interrupted.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator

import typer

from elanus.errors import ElanusError

INTERRUPTED = 130


@contextlib.contextmanager
def messages(say: Callable[[str], object] = lambda text: typer.echo(text, err=True)) -> Iterator[None]:
    """Turn the errors a user can act on into a line on standard error and an exit code."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError as error:  # whoever read the results has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from error
    except (ElanusError, OSError) as error:
        say(f"elanus: {error}")
        raise typer.Exit(1) from error
    except KeyboardInterrupt as error:
        say("elanus: interrupted; what is done is kept, and the same command goes on from there")
        raise typer.Exit(INTERRUPTED) from error


@contextlib.contextmanager
def replacing_unprintable() -> Iterator[None]:
    """Print a question mark for what the terminal's encoding lacks, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    yield
