"""The `elanus` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; without its packages, say which to install."""
    try:
        from elanus.cli.app import app
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        print(f"elanus: the command line needs '{error.name}': pip install 'elanus[cli]'", file=sys.stderr)
        sys.exit(1)
    app(prog_name="elanus")
