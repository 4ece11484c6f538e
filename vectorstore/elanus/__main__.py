"""`python -m elanus` is the `elanus` command."""

from __future__ import annotations

from elanus.cli import main

main()
