"""Fills the pages' `<!-- generated: name -->` lines with tables told by the code itself."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import elanus
from elanus import errors
from elanus.cli.app import app
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from typer.main import get_command

MARK = re.compile(r"^<!-- generated: (\S+) -->$", re.MULTILINE)


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put each table in its place; a name that nobody makes ends the build."""

    def made(match: re.Match[str]) -> str:
        if match[1] not in TABLES:
            raise PluginError(f"{page.file.src_uri}: nothing is generated as '{match[1]}'; known: {', '.join(TABLES)}")
        return TABLES[match[1]]()

    return MARK.sub(made, markdown)


def methods() -> str:
    return _listed(_told("methods", "supported"))


def missing_methods() -> str:
    return _reasons(_told("methods", "unsupported"))


def missing_arguments() -> str:
    return _reasons(_told("arguments", "unsupported"))


def types() -> str:
    told = _told("types")
    missing = told["unsupported"]
    return _listed(told["supported"]) + (f"\n\nNot supported: {_listed(missing)}" if missing else "")


def field_options() -> str:
    return _listed(_told("field_options", "supported")) + "\n\n" + _reasons(_told("field_options", "unsupported"))


def filter_functions() -> str:
    return _table(("function", "takes"), ((f"`{name}`", said) for name, said in _told("filter_functions").items()))


def indexes() -> str:
    """One row for each index and the fields that take it alike."""
    alike: dict[tuple[str, str, str, str], list[str]] = {}
    for kind, entries in _told("indexes", "supported").items():
        for name, entry in entries.items():
            said = (f"`{name}`", ", ".join(entry["metrics"]), _params(entry["params"]), _params(entry["search_params"]))
            alike.setdefault(said, []).append(kind)
    rows = ((name, _listed(kinds), *said) for (name, *said), kinds in alike.items())
    return _table(("index", "fields", "metrics", "parameters", "search parameters"), rows)


def missing_indexes() -> str:
    return _reasons(_told("indexes", "unsupported"))


def scalar_indexes() -> str:
    rows = (
        (f"`{name}`", ", ".join(entry["types"]), ", ".join(entry["elements"]), "yes" if entry["json_paths"] else "")
        for name, entry in _told("scalar_indexes").items()
    )
    return _table(("index", "fields", "elements of arrays", "JSON paths"), rows)


def properties() -> str:
    known = _table(("property", "value"), ((f"`{n}`", said) for n, said in _told("properties", "supported").items()))
    return known + "\n\nNot supported:\n\n" + _reasons(_told("properties", "unsupported"))


def analyzers() -> str:
    told = _told("analyzers")
    parts = (
        "Built-in types: " + _listed(told["types"]),
        _table(("tokenizer", "options"), ((f"`{n}`", _listed(options)) for n, options in told["tokenizers"].items())),
        _table(("filter", "options"), ((f"`{n}`", _listed(options)) for n, options in told["filters"].items())),
        "Stemmers: " + _listed(told["stemmers"]),
        "Lists of stop words: " + _listed(told["stop_words"]),
        _table(("needs a package", "install"), ((f"`{n}`", _code(said)) for n, said in told["packages"].items())),
        _reasons(told["unsupported"]),
    )
    return "\n\n".join(parts)


def commands() -> str:
    return "\n\n".join(_commands(get_command(app), "elanus"))


def error_codes() -> str:
    found = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.ElanusError)]
    found.sort(key=lambda kind: [parent.__name__ for parent in reversed(kind.__mro__)])
    rows = ((f"`{k.__name__}`", f"`{k.__mro__[1].__name__}`", str(k.code), k.__doc__ or "") for k in found)
    return _table(("error", "is a", "code", "when"), rows)


TABLES: dict[str, Callable[[], str]] = {
    made.__name__.replace("_", "-"): made
    for made in (
        methods,
        missing_methods,
        missing_arguments,
        types,
        analyzers,
        commands,
        field_options,
        filter_functions,
        indexes,
        missing_indexes,
        scalar_indexes,
        properties,
        error_codes,
    )
}


def _told(*path: str) -> Any:
    with elanus.connect(":memory:") as client:
        told: Any = client.capabilities()
    for key in path:
        told = told[key]
    return told


def _commands(command: Any, name: str) -> Iterator[str]:
    """The pages of a command: its words, and a table of what it takes; then those below it."""
    if below := getattr(command, "commands", None):
        for word, one in sorted(below.items()):
            yield from _commands(one, f"{name} {word}")
        return
    taken = [param for param in command.params if param.name != "help"]
    usage = [_shown(param) for param in taken if param.param_type_name == "argument"]
    rows = ((f"`{_written(param)}`", param.help or "", _default(param)) for param in taken)
    yield f"## {name}"
    yield inspect.cleandoc(command.help or "")
    yield f"`{' '.join((name, *usage))}`"
    yield _table(("argument or option", "means", "default"), rows)


def _written(param: Any) -> str:
    return _shown(param) if param.param_type_name == "argument" else ", ".join((*param.opts, *param.secondary_opts))


def _shown(argument: Any) -> str:
    name = argument.name.upper()
    return name if argument.required else f"[{name}]"


def _default(param: Any) -> str:
    shown = param.show_default if isinstance(param.show_default, str) else param.default
    return "" if shown in (None, False, (), []) or param.show_default is False else f"`{shown}`"


def _code(text: str) -> str:
    """A reason that begins with a command, the command as code."""
    command, comma, more = text.partition(",")
    return f"`{command}`{comma}{more}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _params(params: Mapping[str, str]) -> str:
    return "; ".join(f"`{name}`: {said}" for name, said in params.items())


def _reasons(why: Mapping[str, str]) -> str:
    """What is missing, those with one way out together."""
    together: dict[str, list[str]] = {}
    for name, reason in why.items():
        together.setdefault(reason, []).append(name)
    return _table(("not supported", "instead"), ((_listed(names), reason) for reason, names in together.items()))


def _table(head: tuple[str, ...], rows: Iterable[Iterable[str]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines
    )
