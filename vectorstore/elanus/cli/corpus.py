"""The demo's corpus: the documentation that every Python installation carries, cut into passages.

Three sources: Python modules are parsed, never imported; modules written in C are imported, because their
documentation exists nowhere else; the language reference is `pydoc_data.topics`.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.machinery
import inspect
import pkgutil
import re
import sys
import sysconfig
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.abc import InspectLoader
from pathlib import Path
from typing import Any

from elanus.cli.splitting import split

# Tests, bundled programs and modules that act when imported: no documentation that answers a question.
SKIPPED = frozenset(
    {"__hello__", "__phello__", "_tkinter", "antigravity", "distutils", "ensurepip", "idlelib", "lib2to3", "pydoc_data",
     "test", "tests", "this", "turtledemo"}
)  # fmt: skip
# Modules that hold the documentation of another; `_pyio` and `_socket` for `io` and `socket` follow a rule.
PUBLIC_NAMES = {"_collections_abc": "collections.abc", "_thread": "threading", "nt": "os", "posix": "os"}
SHORTEST = 24  # characters; below it a docstring says no more than the name does
LONGEST_SIGNATURE = 160  # characters
BOUND_PARAMETER = re.compile(r"^\(\$\w+(, /)?(, )?")


@dataclass(frozen=True, slots=True)
class Document:
    """One piece of documentation: what it documents, and what it says."""

    title: str
    module: str
    kind: str
    heading: str
    body: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document that fits an embedding model's window; `id` is a hash of its content."""

    id: str
    title: str
    module: str
    kind: str
    text: str


def passages(limit: int | None = None) -> list[Passage]:
    """Return the corpus in a fixed order, without repeated texts; `limit` picks so many spread over it."""
    found: dict[str, Passage] = {}
    for document in documents():
        for body in split(document.body):
            key = hashlib.sha256(" ".join(body.casefold().split()).encode()).hexdigest()[:24]
            text = f"{document.heading}\n{body}"
            found.setdefault(key, Passage(key, document.title, document.module, document.kind, text))
    everything = list(found.values())
    if limit is None or limit >= len(everything):
        return everything
    return [everything[position * len(everything) // limit] for position in range(limit)]


def documents() -> Iterator[Document]:
    """Yield the documentation of Python modules, then of C modules, then of the language."""
    names = sorted(sys.stdlib_module_names - SKIPPED)
    specs = [spec for name in names if (spec := find(name)) is not None]
    for spec in specs:
        yield from read_package(spec)
    for spec in specs:
        name = public_name(spec.name)
        if name and (spec.origin == "built-in" or isinstance(spec.loader, importlib.machinery.ExtensionFileLoader)):
            yield from read_compiled(spec.name, name)
    yield from read_topics()


def find(name: str) -> importlib.machinery.ModuleSpec | None:
    """Find a top-level module in the interpreter's own folders, so that nothing else can take its name."""
    if name in sys.builtin_module_names:
        return importlib.machinery.BuiltinImporter.find_spec(name)
    pure = sysconfig.get_path("stdlib")
    platform = sysconfig.get_path("platstdlib", vars={"platbase": sys.base_exec_prefix})  # not a venv's own
    folders = [pure, platform, str(Path(platform) / "lib-dynload"), str(Path(sys.base_prefix) / "DLLs")]
    return importlib.machinery.PathFinder.find_spec(name, folders)


def public_name(module: str) -> str | None:
    """Return the name under which users know a module, or None for one that is nobody's business."""
    if module in PUBLIC_NAMES or not module.startswith("_"):
        return PUBLIC_NAMES.get(module, module)
    candidates = (module.removeprefix(prefix) for prefix in ("_py", "_") if module.startswith(prefix))
    return next((name for name in candidates if name in sys.stdlib_module_names), None)


def read_package(spec: importlib.machinery.ModuleSpec) -> Iterator[Document]:
    """Yield the documentation in a Python module and, if it is a package, in its public modules."""
    title = public_name(spec.name)
    source = spec.loader.get_source(spec.name) if isinstance(spec.loader, InspectLoader) else None
    if title and source:
        yield from read_source(source, title)
    for info in pkgutil.iter_modules(list(spec.submodule_search_locations or [])):
        if info.name.startswith("_") or info.name in SKIPPED:
            continue
        inner = info.module_finder.find_spec(f"{spec.name}.{info.name}", None)
        if inner is not None:
            yield from read_package(inner)


def read_source(source: str, module: str) -> Iterator[Document]:
    """Yield the docstrings of a module, its public classes, their public methods and its public functions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in somebody else's strings
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError):
            return
    if body := docstring(tree):
        yield Document(module, module, "module", f"{module} module", body)
    yield from read_body(tree.body, module, module)


def read_body(body: Iterable[ast.stmt], module: str, owner: str) -> Iterator[Document]:
    """Yield the documentation in a module's or a class's body, also below `if` and `try`."""
    for node in body:
        if isinstance(node, ast.If | ast.Try):
            yield from read_body([*node.body, *node.orelse], module, owner)
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            title = f"{owner}.{node.name}"
            if text := docstring(node):
                yield Document(title, module, "class", f"class {title}", text)
            yield from read_body(node.body, module, title)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            title = f"{owner}.{node.name}"
            kind = "function" if owner == module else "method"
            if text := docstring(node):
                yield Document(title, module, kind, title + signature(f"({ast.unparse(node.args)})"), text)


def docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return worth_reading(ast.get_docstring(node))


def worth_reading(text: object) -> str:
    """Return a documentation text, or nothing if there is none or it is too short to say anything."""
    return text if isinstance(text, str) and len(text.strip()) >= SHORTEST else ""


def signature(text: str) -> str:
    return text if len(text) <= LONGEST_SIGNATURE else "(...)"


def read_compiled(name: str, module: str) -> Iterator[Document]:
    """Yield the documentation of a module written in C, which must be imported to be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecated modules say so when imported
            loaded = importlib.import_module(name)
    except ImportError:
        return
    if body := worth_reading(loaded.__doc__):
        yield Document(module, module, "module", f"{module} module", body)
    for member, value in public_members(loaded):
        title = f"{module}.{member}"
        if inspect.isclass(value):
            if body := worth_reading(value.__doc__):
                yield Document(title, module, "class", f"class {title}", body)
            for method, inner in public_members(value):
                if inspect.isroutine(inner) and (body := worth_reading(inner.__doc__)):
                    heading = f"{title}.{method}{compiled_signature(inner)}"
                    yield Document(f"{title}.{method}", module, "method", heading, body)
        elif inspect.isroutine(value) and (body := worth_reading(value.__doc__)):
            yield Document(title, module, "function", title + compiled_signature(value), body)


def public_members(owner: object) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in sorted(vars(owner).items()) if not name.startswith("_")]


def compiled_signature(routine: object) -> str:
    """Return a C routine's parameters without the bound one; `inspect` would evaluate the defaults."""
    text = getattr(routine, "__text_signature__", None)
    return signature(BOUND_PARAMETER.sub("(", text)) if isinstance(text, str) else ""


def read_topics() -> Iterator[Document]:
    """Yield the pages of the language reference that `help()` shows."""
    try:
        from pydoc_data.topics import topics
    except ImportError:  # some distributions leave it out
        return
    for topic, page in sorted(topics.items()):
        lines = page.strip().splitlines()
        headed = len(lines) > 1 and set(lines[1]) in ({"*"}, {"="}, {"-"})
        heading, body = (lines[0], "\n".join(lines[2:])) if headed else (topic, page)
        yield Document(heading, f"help({topic!r})", "topic", heading, body)
