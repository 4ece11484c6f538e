"""`elanus model`: what models there are, what one is, and conversion.

Results go to standard output, errors to standard error with exit code 1.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from elanus_models.errors import ModelError
from elanus_models.export import export, own_head
from elanus_models.finding.card import ModelCard
from elanus_models.finding.catalogue import CARDS
from elanus_models.finding.resolve import Wish, installed, locate, resolve

app = typer.Typer(no_args_is_help=True, help="Embedding and reranking models: list, inspect, download, convert.")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the models that are known by name, and those that are here."""
    with messages():
        here = {name: origin for name, origin, _ in installed()}
        rows = [{**known(card), "here": here.get(card.name) or here.get(card.hub, "")} for card in CARDS]
        others = here.keys() - {name for card in CARDS for name in (card.name, card.hub)}
        rows += [{"name": name, "kind": "", "dim": None, "license": "", "here": here[name]} for name in sorted(others)]
        if as_json:
            print(json.dumps(rows, indent=2))
            return
        lines = [list(rows[0]), *([str(value or "") for value in row.values()] for row in rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            print("  ".join(value.ljust(width) for value, width in zip(line, widths, strict=True)).rstrip())


def known(card: ModelCard) -> dict[str, Any]:
    """Return the columns of a card; a reranker has no dimension of its own."""
    dim = None if card.kind == "reranker" else card.dim
    return {"name": card.name, "kind": card.kind, "dim": dim, "license": card.license}


@app.command("download")
def download(
    model: Annotated[str, typer.Argument(help="The name of a card, or org/name on the hub; @revision may follow.")],
    file: Annotated[
        str | None, typer.Option(help="One of its ONNX files, in place of its weights.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch a model, verified, so that it can be used without a network."""
    with messages():
        place = locate(model, Wish(file=file))
        if as_json:
            print(json.dumps({"model": model, "origin": place.origin, "folder": str(place.files.folder)}, indent=2))
            return
        print(f"{model}: {place.origin}, in {place.files.folder}")


@app.command("info")
def info(
    model: Annotated[str, typer.Argument(help="A folder or a model's name.")],
    precision: Annotated[str, typer.Option(help="auto, int8 or float32.")] = "auto",
    as_json: AsJson = False,
) -> None:
    """Say where a model is found, which of its files run on this CPU, and why."""
    with messages():
        found = opened(model, precision).info()
        if as_json:
            print(json.dumps(found, indent=2))
            return
        width = max(map(len, found))
        for name, value in found.items():
            print(f"{name:<{width}}  {value}".rstrip())


@app.command("convert")
def convert(
    source: Annotated[str, typer.Argument(help="A folder or a model's name, with model.safetensors.")],
    destination: Annotated[Path, typer.Argument(help="The new folder.")],
    int8: Annotated[bool, typer.Option("--int8", help="Quantise to row-wise int8; without it float32.")] = False,
    head: Annotated[
        str | None,
        typer.Option(help="hidden, tokens, classifier or terms; by default what the model says.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Convert safetensors to ONNX without torch, and compare with the original on the spot."""
    with messages():
        made = export(source, destination, precision="int8" if int8 else "float32", head=head)  # type: ignore[arg-type]
        sides = {"before": made.before, "after": made.after}
        if as_json:
            rows: dict[str, Any] = {name: vars(side) for name, side in sides.items()}
            worst, mean = made.likeness
            print(
                json.dumps({"folder": str(made.folder), **rows, made.measure: {"worst": worst, "mean": mean}}, indent=2)
            )
            return
        table = Table(box=None, pad_edge=False, header_style="dim")
        for name in ("", "form", "MB", "texts/s (one thread)"):
            table.add_column(name, justify="right" if name[:1] in "Mt" else "left")
        for name, side in sides.items():
            table.add_row(name, side.form, f"{side.size / 1e6:.1f}", f"{side.texts_per_second:.0f}")
        Console(highlight=False).print(table)
        worst, mean = made.likeness
        print(f"{made.measure} of the two over sample texts: mean {mean:.5f}, worst {worst:.5f}")
        print(f"{made.folder} can be named wherever a model can")


def opened(model: str, precision: str) -> Any:
    """Return the embedder or reranker that fits what the model's files say it gives."""
    import elanus_models as models

    kinds = {"terms": models.SpladeEmbedding, "classifier": models.OnnxReranker, "tokens": models.TokenEmbedding}
    kind: Any = kinds.get(own_head(resolve(model).files.folder), models.OnnxEmbedding)
    return kind(model, precision=precision)


@contextlib.contextmanager
def messages() -> Iterator[None]:
    """Turn the errors a user can act on into a line on standard error and exit code 1."""
    try:
        yield
    except (ModelError, OSError) as error:
        typer.echo(f"elanus: {error}", err=True)
        raise typer.Exit(1) from error
