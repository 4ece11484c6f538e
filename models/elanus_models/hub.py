"""Models of the Hugging Face hub: what its cache has already, else a verified download into it.

`HF_ENDPOINT`, `HF_HOME`, `HF_HUB_CACHE`, `HF_TOKEN` and `HF_HUB_OFFLINE` mean what they mean to `huggingface_hub`;
`ELANUS_OFFLINE` forbids the network to this package alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from elanus_models.architecture import FAMILIES
from elanus_models.cache import default_cache_dir, keep
from elanus_models.errors import DownloadFailed, ModelNotFound, ModelUnsupported, missing
from elanus_models.onnx_choice import choose_onnx

_SETTINGS = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "artifact.metadata",
    "*_Pooling/config.json",
)
_WEIGHTS = "model.safetensors"
_STATIC = "model2vec"
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_YES = {"1", "true", "yes", "on"}


@dataclass(frozen=True)
class Repository:
    """A repository and a revision of it: a branch, a tag or a commit."""

    name: str
    revision: str = "main"

    def __str__(self) -> str:
        return self.name if self.revision == "main" else f"{self.name}@{self.revision}"


def as_repository(name: str) -> Repository | None:
    """Read "org/name" or "org/name@revision"; None if it is neither."""
    name, _, revision = name.partition("@")
    return Repository(name, revision or "main") if _REPOSITORY.fullmatch(name) else None


def is_offline() -> bool:
    """Whether the environment forbids the network."""
    return any(os.environ.get(name, "").lower() in _YES for name in ("ELANUS_OFFLINE", "HF_HUB_OFFLINE"))


def cache_folder() -> Path:
    """Return the hub's cache folder."""
    if chosen := os.environ.get("HF_HUB_CACHE"):
        return Path(chosen).expanduser()
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "huggingface"
    return Path(home).expanduser() / "hub"


def endpoint() -> str:
    """Return the hub's address."""
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def cached(repository: Repository) -> Path | None:
    """Return the folder of a repository in the hub's cache, complete or not, without asking the network."""
    folder = cache_folder() / f"models--{repository.name.replace('/', '--')}"
    reference = folder / "refs" / repository.revision
    commit = reference.read_text(encoding="ascii").strip() if reference.is_file() else repository.revision
    snapshot = folder / "snapshots" / commit
    return snapshot if snapshot.is_dir() else None


def download(
    repository: Repository, file: str | None = None, *, int8: bool = False, show_progress: bool = True
) -> Path:
    """Fetch what is needed of a repository into the hub's cache and return its folder.

    Needed are the settings, and either `model.safetensors`, where that is converted, or one ONNX graph: `file`, or what
    `choose_onnx` takes. What a transfer had before it was interrupted is not fetched again. Every file is held against
    the size and the digest that the hub announces.

    Raises DownloadFailed, ModelNotFound, ModelUnsupported, MissingDependency.
    """
    hub = _library()
    with _translated(repository), _bars(hub, show_progress):
        api = hub.HfApi(endpoint=endpoint())
        listed = api.model_info(repository.name, revision=repository.revision, files_metadata=True)
        announced = {entry.rfilename: entry for entry in listed.siblings or ()}
        checked = Checked(repository, str(listed.sha))
        folder: Path | None = None
        for name in (name for name in sorted(announced) if any(fnmatch(name, pattern) for pattern in _SETTINGS)):
            folder = _fetch(hub, repository, announced[name], checked)
        if folder is None or not (folder / "config.json").is_file():
            raise ModelUnsupported(
                f"{repository} on {endpoint()} has no config.json, so it is no model that can run here"
            )
        kind = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
        for name in _weights(repository, str(kind), list(announced), file, int8):
            _fetch(hub, repository, announced[name], checked)
        checked.remember()
        return folder


def _weights(repository: Repository, kind: str, names: list[str], file: str | None, int8: bool) -> list[str]:
    """Return the files that hold the weights."""
    if file is None and _WEIGHTS in names and (kind in FAMILIES or kind == _STATIC):
        return [_WEIGHTS]
    chosen = choose_onnx(names, file, int8=int8)
    if chosen is None:
        has = ", ".join(name for name in names if name.endswith((".safetensors", ".bin", ".onnx"))) or "no weights"
        raise ModelUnsupported(
            f"{repository} on {endpoint()}: an architecture '{kind}' needs an ONNX graph, and there is none "
            f"(it has {has}); SentenceTransformerEmbedding may run it"
        )
    return [chosen.name, *(name for name in names if name.startswith(chosen.name) and name != chosen.name)]


def _fetch(hub: Any, repository: Repository, entry: Any, checked: Checked) -> Path:
    """Fetch one file, hold it against what was announced, and return the snapshot's folder."""
    name = entry.rfilename
    path = Path(
        hub.hf_hub_download(
            repository.name, name, revision=repository.revision, cache_dir=cache_folder(), endpoint=endpoint()
        )
    )
    checked.check(path, entry)
    snapshot: Path = path.parents[name.count("/")]
    return snapshot


class Checked:
    """Which files of a commit were held against their digests before, kept in a file so that it is done once."""

    def __init__(self, repository: Repository, commit: str) -> None:
        self._repository = repository
        self._path = default_cache_dir() / "hub" / f"{repository.name.replace('/', '--')}-{commit}.json"
        try:
            self._sizes: dict[str, int] = dict(json.loads(self._path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            self._sizes = {}

    def check(self, path: Path, entry: Any) -> None:
        """Hold a file against the announced size and digest, or remove it and raise DownloadFailed."""
        name, size = entry.rfilename, path.stat().st_size
        if self._sizes.get(name) == size:
            return
        wanted, found = (entry.lfs.sha256, _sha256(path)) if entry.lfs else (entry.blob_id, _git_blob(path))
        if wanted not in (None, found) or entry.size not in (None, size):
            path.resolve().unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            raise DownloadFailed(
                f"{name} of {self._repository} came with {size} bytes and digest {found}, but {endpoint()} announces "
                f"{entry.size} bytes and {wanted}; it is removed, try again"
            )
        self._sizes[name] = size

    def remember(self) -> None:
        """Keep what was checked."""
        keep(self._path, lambda: json.dumps(self._sizes, indent=1).encode())


def _sha256(path: Path) -> str:
    return _digest(path, hashlib.sha256())


def _git_blob(path: Path) -> str:
    """Return the name that git gives to a file's content."""
    return _digest(path, hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False))


def _digest(path: Path, digest: Any) -> str:
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return str(digest.hexdigest())


@contextlib.contextmanager
def _translated(repository: Repository) -> Iterator[None]:
    """Turn the library's errors into ours, once, at this border."""
    from huggingface_hub import errors

    where = f"{repository} on {endpoint()}"
    try:
        yield
    except errors.GatedRepoError as error:
        raise DownloadFailed(
            f"{where} is open to those who accepted its terms: accept them on its page and set HF_TOKEN"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise ModelNotFound(f"{repository.name} on {endpoint()} has no revision '{repository.revision}'") from error
    except errors.RepositoryNotFoundError as error:
        raise ModelNotFound(f"there is no {where}, or it is private; for a private one set HF_TOKEN") from error
    except (errors.HfHubHTTPError, errors.LocalEntryNotFoundError, OSError) as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise DownloadFailed(
            f"could not fetch {where}: {reason}; try again while online, or give a folder that holds the model"
        ) from error
    except Exception as error:
        if not type(error).__module__.startswith(("httpx", "httpcore", "requests", "huggingface_hub")):
            raise
        raise DownloadFailed(
            f"could not reach {where}: {error}; try again while online, or give a folder that holds the model"
        ) from error


@contextlib.contextmanager
def _bars(hub: Any, shown: bool) -> Iterator[None]:
    """Show the library's progress bars or not."""
    hidden = hub.utils.are_progress_bars_disabled()
    if not shown and not hidden:
        hub.utils.disable_progress_bars()
    try:
        yield
    finally:
        if not shown and not hidden:
            hub.utils.enable_progress_bars()


def _library() -> Any:
    try:
        import huggingface_hub
        import huggingface_hub.utils
    except ImportError as error:
        raise missing("huggingface-hub") from error
    return huggingface_hub
