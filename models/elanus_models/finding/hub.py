"""Models of the Hugging Face hub: what its cache has already, else a verified download into it.

`HF_ENDPOINT`, `HF_HOME`, `HF_HUB_CACHE`, `HF_TOKEN` and `HF_HUB_OFFLINE` mean what they mean to `huggingface_hub`;
`ELANUS_OFFLINE` forbids the network to this package alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from elanus_models.cache import default_cache_dir, keep
from elanus_models.errors import DownloadFailed, ModelNotFound, ModelUnsupported, missing
from elanus_models.finding.catalogue import near_names
from elanus_models.finding.digests import check_blob, git_blob_of, sha256_once
from elanus_models.finding.folder import is_convertible, read_config
from elanus_models.finding.onnx_choice import choose_onnx, data_of

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
    """Return the hub's address as it may be shown, without a user's name and password."""
    return _plain(_address())


def _address() -> str:
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def _plain(text: str) -> str:
    return re.sub(r"//[^/@\s]+@", "//", text)


def cached(repository: Repository) -> Path | None:
    """Return the folder of a repository in the hub's cache, complete or not, without asking the network."""
    folder = cache_folder() / f"models--{repository.name.replace('/', '--')}"
    reference = folder / "refs" / repository.revision
    commit = reference.read_text(encoding="ascii").strip() if reference.is_file() else repository.revision
    snapshot = folder / "snapshots" / commit
    return snapshot if snapshot.is_dir() else None


def is_settled(
    repository: Repository, folder: Path, file: str | None = None, *, int8: bool = False, described: bool = False
) -> bool:
    """Whether a folder of the cache has all that is needed, as far as can be told without asking the network.

    What `download` fetched is known exactly. Of what other programs fetched, `modules.json` must be there, or known
    not to be on the hub: without it, pooling would be guessed, unless a card has `described` the model.

    Raises ModelCorrupt if a file is not what its name in the cache promises; ModelUnsupported.
    """
    for pattern in (*_SETTINGS, _WEIGHTS):
        for path in folder.glob(pattern):
            check_blob(path)
    config = read_config(folder, "config.json")
    try:
        names = json.loads(_listing(repository, folder.name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        absent = folder.parent.parent / ".no_exist" / folder.name / "modules.json"
        is_clear = described or (folder / "modules.json").is_file() or absent.is_file()
        return is_clear and (not int8 or is_convertible(config))
    wanted = [*filter(_is_setting, names), *_weights(repository, config, names, file, int8)]
    return all((folder / name).is_file() for name in wanted)


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
        api = hub.HfApi(endpoint=_address())
        listed = api.model_info(repository.name, revision=repository.revision, files_metadata=True)
        announced = {entry.rfilename: entry for entry in listed.siblings or ()}
        folder: Path | None = None
        for name in filter(_is_setting, sorted(announced)):
            folder = _fetch(hub, repository, announced[name])
        if folder is None or not (folder / "config.json").is_file():
            raise ModelUnsupported(
                f"{repository} on {endpoint()} has no config.json, so it is no model that can run here"
            )
        config = read_config(folder, "config.json")
        for name in _weights(repository, config, list(announced), file, int8):
            _fetch(hub, repository, announced[name])
        keep(_listing(repository, str(listed.sha)), lambda: json.dumps(sorted(announced), indent=1).encode())
        return folder


def _is_setting(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in _SETTINGS)


def _takes_weights(config: dict[str, Any], names: list[str]) -> bool:
    return _WEIGHTS in names and (is_convertible(config) or config.get("model_type") == _STATIC)


def _weights(
    repository: Repository, config: dict[str, Any], names: list[str], file: str | None, int8: bool
) -> list[str]:
    """Return the files that hold the weights, the graph after its data: where a graph is, its data are too."""
    if file is None and _takes_weights(config, names):
        return [_WEIGHTS]
    chosen = choose_onnx(names, file, int8=int8)
    if chosen is None:
        has = ", ".join(name for name in names if name.endswith((".safetensors", ".bin", ".onnx"))) or "no weights"
        raise ModelUnsupported(
            f"{repository} on {endpoint()}: an architecture '{config.get('model_type')}' needs an ONNX graph, "
            f"and there is none (it has {has}); SentenceTransformerEmbedding may run it"
        )
    return [*data_of(chosen.name, names), chosen.name]


def _fetch(hub: Any, repository: Repository, entry: Any) -> Path:
    """Fetch one file, hold it against what was announced, and return the snapshot's folder."""
    name = entry.rfilename
    with _translated(repository, name):
        path = Path(
            hub.hf_hub_download(
                repository.name, name, revision=repository.revision, cache_dir=cache_folder(), endpoint=_address()
            )
        )
    _check(path, name, repository, entry)
    snapshot: Path = path.parents[name.count("/")]
    return snapshot


def _check(path: Path, name: str, repository: Repository, entry: Any) -> None:
    """Hold a file against the announced size and digest, or remove it and raise DownloadFailed."""
    size = path.stat().st_size
    wanted, found = (entry.lfs.sha256, sha256_once(path)) if entry.lfs else (entry.blob_id, git_blob_of(path))
    if wanted not in (None, found) or entry.size not in (None, size):
        path.resolve().unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        raise DownloadFailed(
            f"{name} of {repository} came with {size} bytes and digest {found}, but {endpoint()} announces "
            f"{entry.size} bytes and {wanted}; it is removed, try again"
        )


def _listing(repository: Repository, commit: str) -> Path:
    """Return where the names of a commit's files are kept."""
    return default_cache_dir() / "hub" / f"{repository.name.replace('/', '--')}-{commit}.json"


@contextlib.contextmanager
def _translated(repository: Repository, file: str = "") -> Iterator[None]:
    """Turn the library's errors into ours, once, at this border."""
    from huggingface_hub import errors

    where = f"{repository} on {endpoint()}"
    what = f"{file} of {where}" if file else where
    try:
        yield
    except errors.GatedRepoError as error:
        raise DownloadFailed(
            f"{where} is open to those who accepted its terms: accept them on its page and set HF_TOKEN"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise ModelNotFound(f"{repository.name} on {endpoint()} has no revision '{repository.revision}'") from error
    except errors.RepositoryNotFoundError as error:
        close = " or ".join(repr(name) for name in near_names(repository.name))
        hint = f"; did you mean {close}?" if close else ""
        raise ModelNotFound(f"there is no {where}, or it is private; for a private one set HF_TOKEN{hint}") from error
    except errors.HFValidationError as error:
        raise ModelNotFound(f"no repository can be named '{repository.name}': {error}") from error
    except (errors.HfHubHTTPError, errors.LocalEntryNotFoundError, OSError) as error:
        reason = _plain(str(error).strip().partition("\n")[0]) or type(error).__name__
        raise DownloadFailed(
            f"could not fetch {what}: {reason}; try again while online, or give a folder that holds the model"
        ) from error
    except Exception as error:
        if not type(error).__module__.startswith(("httpx", "httpcore", "requests", "huggingface_hub")):
            raise
        raise DownloadFailed(
            f"could not reach {what}: {_plain(str(error))}; "
            "try again while online, or give a folder that holds the model"
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
