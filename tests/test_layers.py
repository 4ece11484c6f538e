"""Imports only point left in the list of layers, and what stands outside the engine uses its public names only."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import elanus
import pytest

ROOT = Path(__file__).resolve().parent.parent
ENGINE = ROOT / "vectorstore" / "elanus"
MODELS = ROOT / "models" / "elanus_models"
LANGCHAIN = ROOT / "integrations" / "langchain" / "langchain_elanus"
LLAMAINDEX = ROOT / "integrations" / "llamaindex" / "llama_index" / "vector_stores" / "elanus"
LAYERS = (
    *("errors", "types", "models", "schema", "analysis", "index", "filter", "rank", "storage", "search", "engine"),
    *("client", "aio", "knowledge", "server", "cli"),
)
PACKAGES_OF_THE_CORE = {"numpy", "pyarrow", "apsw"}


def sources(folder: Path) -> list[Path]:
    """The Python files below a folder."""
    return sorted(folder.rglob("*.py"))


def imports(path: Path, *, at_import: bool = False) -> Iterator[tuple[str, str, int]]:
    """(module, name or "", line) of each import; with `at_import` only those that run when the module is imported."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    for node in _outer(tree) if at_import else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "", node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from ((module, alias.name, node.lineno) for alias in node.names)


def _outer(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run at import: no function bodies, nothing under `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _outer(child)


def layer_of(module: str) -> str:
    """The layer of a module of the engine: the first name below `elanus`."""
    return module.split(".")[1] if "." in module else ""


def where(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def test_every_module_of_the_engine_is_in_a_layer() -> None:
    found = {path.relative_to(ENGINE).parts[0].removesuffix(".py") for path in sources(ENGINE)}
    assert found - {"__init__", "__main__"} <= set(LAYERS)


def test_imports_within_the_engine_point_left() -> None:
    wrong = []
    for path in sources(ENGINE):
        own = path.relative_to(ENGINE).parts[0].removesuffix(".py")
        if own in ("__init__", "__main__"):
            continue
        for module, name, line in imports(path):
            if module.split(".")[0] != "elanus":
                continue
            layer = layer_of(module) or (name if name in LAYERS else "")
            if layer and LAYERS.index(layer) > LAYERS.index(own):
                wrong.append(f"{where(path, line)}: {own} imports {layer}")
    assert wrong == []


def test_the_engine_names_its_modules_in_full() -> None:
    wrong = [
        where(path, line)
        for root in (ENGINE, MODELS)
        for path in sources(root)
        for module, _, line in imports(path)
        if module.startswith(".")
    ]
    assert wrong == []


def test_the_engine_knows_no_model_and_no_framework_and_the_models_no_engine() -> None:
    strangers = {
        ENGINE: {"elanus_models", "langchain_elanus", "llama_index", "langchain_core", "torch", "onnxruntime"},
        MODELS: {"elanus", "langchain_elanus", "llama_index", "langchain_core"},
    }
    wrong = [
        f"{where(path, line)}: {module}"
        for root, banned in strangers.items()
        for path in sources(root)
        for module, _, line in imports(path)
        if module.split(".")[0] in banned and "cli" not in path.relative_to(root).parts
    ]
    assert wrong == []


def test_server_and_cli_speak_to_the_clients_surface_to_models_and_to_analysis_only() -> None:
    allowed = {"errors", "types", "models", "analysis", "client", "aio", "knowledge"}
    wrong = [
        f"{where(path, line)}: {module}"
        for layer in ("knowledge", "server", "cli")
        for path in [*sources(ENGINE / layer), *ENGINE.glob(f"{layer}.py")]
        for module, _, line in imports(path)
        if module.startswith("elanus.") and layer_of(module) not in {*allowed, layer}
    ]
    assert wrong == []


@pytest.mark.parametrize("folder", [LANGCHAIN, LLAMAINDEX], ids=["langchain", "llamaindex"])
def test_an_adapter_uses_public_names_only(folder: Path) -> None:
    public = {"elanus": set(elanus.__all__)}
    wrong = []
    for path in sources(folder):
        for module, name, line in imports(path):
            top = module.split(".")[0]
            if top not in ("elanus", "elanus_models"):
                continue
            if module != top or (top in public and name and name not in public[top]):
                wrong.append(f"{where(path, line)}: {module} {name}")
    assert wrong == []


def test_the_engine_imports_no_optional_and_no_slow_package_when_it_is_imported() -> None:
    known = sys.stdlib_module_names | PACKAGES_OF_THE_CORE | {"elanus"}
    wrong = [
        f"{where(path, line)}: {module}"
        for path in sources(ENGINE)
        if path.relative_to(ENGINE).parts[0] not in ("cli", "server") and path != ENGINE / "client" / "remote.py"
        for module, _, line in imports(path, at_import=True)
        if module.split(".")[0] not in known
    ]
    assert wrong == []


@pytest.mark.parametrize("package", ["elanus", "elanus_models"])
def test_importing_a_package_imports_the_standard_library_only(package: str) -> None:
    code = f"import sys, {package}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(str(path.parent) for path in (ENGINE, MODELS))}
    output = subprocess.run([sys.executable, "-S", "-c", code], env=env, capture_output=True, text=True, check=True)
    assert set(output.stdout.split()) - sys.stdlib_module_names <= {package, "__main__", "__mp_main__"}


@pytest.mark.parametrize("name", ["utils", "common", "helpers", "util", "misc"])
def test_every_module_has_a_subject(name: str) -> None:
    assert [path for root in (ENGINE, MODELS) for path in sources(root) if path.stem == name] == []


def test_nothing_is_pickled() -> None:
    others = ENGINE / "cli" / "elsewhere" / "faiss.py"  # reads what LangChain pickled, and runs nothing of it
    pickles = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve"}
    wrong = [
        where(path, line)
        for root in (ENGINE, MODELS, LANGCHAIN, LLAMAINDEX)
        for path in sources(root)
        for module, _, line in imports(path)
        if module.split(".")[0] in pickles and path != others
    ]
    assert wrong == []
