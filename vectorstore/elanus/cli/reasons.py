"""Why passages were found, as a table: ranks on each route, shares of the fused score, terms, the reranker's effect."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from elanus.cli.show import terms
from elanus.knowledge.hits import Hit

SNIPPET = 160  # characters


def show_reasons(hits: Sequence[Hit]) -> None:
    """Print the hits of one question, each with its reasons."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("score", "reranked", "fused", "meaning", "words"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("passage", ratio=1)
    table.add_column("matched", max_width=24)
    for hit in hits:
        told = hit.explanation or {}
        routes = {route["metric"] == "BM25": route for route in told.get("routes", ())}
        words = routes.get(True, {})
        body = Text.assemble((hit.origin, "bold cyan"), "\n", textwrap.shorten(hit.text, SNIPPET, placeholder=" ..."))
        matched = Text(terms(words.get("terms") or {}), "green")
        table.add_row(
            f"{hit.score:.3f}", moved(told), share(told), place(routes.get(False)), place(words), body, matched
        )
    Console(highlight=False).print(table if hits else "nothing found")


def place(route: Mapping[str, Any] | None) -> str:
    """A route's rank and distance."""
    if not route or route.get("rank") is None:
        return "-"
    return f"{route['rank']} ({route['distance']:.2f})"


def moved(told: Mapping[str, Any]) -> str:
    """The ranks before and after the reranker."""
    effect = told.get("reranker")
    return f"{effect['rank_before']} > {effect['rank_after']}" if effect else "-"


def share(told: Mapping[str, Any]) -> str:
    """The fused score."""
    return f"{told['fusion']['score']:.4f}" if "fusion" in told else "-"
