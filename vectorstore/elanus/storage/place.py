"""Where a store lies: a folder made ready, a private temporary one, or a place that cannot be trusted with one."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from elanus.errors import InvalidArgument, NotSupported, StoreFormatError
from elanus.storage.files import sync_folder

MEMORY = ":memory:"
CATALOG = "catalog.sqlite"
OURS = frozenset({"segments", "write.lock", "maintenance.lock", "graphs.lock"})
NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "fuse.gcsfuse", "fuse.s3fs"})


@dataclass(frozen=True)
class Place:
    """Where a store lies.

    Attributes:
        folder: of the rows.
        home: of the catalogue and the locks: the same, or a temporary one where the folder may only be read.
        private: whether the folder is temporary too, and nobody else's.
    """

    folder: Path
    home: Path
    private: bool = False

    @property
    def writable(self) -> bool:
        """Whether the store may be changed."""
        return self.home == self.folder

    @property
    def temporary(self) -> bool:
        """Whether its home goes when it is closed."""
        return self.private or not self.writable


def prepare(path: str | os.PathLike[str] | None) -> Place:
    """Return the store's place, its folder made if need be.

    Raises:
        InvalidArgument: the path cannot be a folder.
        NotSupported: it lies on a network file system, whose locks cannot be relied on.
        StoreFormatError: the folder holds other things and no store.
    """
    if path is not None and (not isinstance(path, (str, os.PathLike)) or not os.fspath(path)):
        raise InvalidArgument(f"path must name a folder (or be ':memory:' or None), not {path!r}")
    if path is None or path == MEMORY:
        folder, private = Path(tempfile.mkdtemp(prefix="elanus-")), True
    else:
        folder, private = Path(os.path.abspath(os.path.expanduser(os.fspath(path)))), False
    if folder.exists() and not folder.is_dir():
        raise InvalidArgument(f"{folder} is a file; a store is a folder")
    if folder.is_dir() and _foreign(folder):
        raise StoreFormatError(f"{folder} is not empty and holds no Elanus store; choose a new or empty folder")
    kind = file_system(folder)
    if kind in NETWORK_FILE_SYSTEMS:
        raise NotSupported(f"{folder} lies on a network file system ({kind}); use a local disk")
    if _is_only_read(folder):
        return Place(folder, Path(tempfile.mkdtemp(prefix="elanus-")))
    try:
        (folder / "segments").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidArgument(f"cannot make a store at {folder}: {error}") from None
    sync_folder(folder)
    sync_folder(folder.parent)
    return Place(folder, folder, private)


def remove(folder: Path) -> None:
    """Remove a private temporary store."""
    shutil.rmtree(folder, ignore_errors=True)


def file_system(folder: Path) -> str:
    """The type of the file system below a path, where the system tells it (Linux), else an empty string."""
    if not sys.platform.startswith("linux"):
        return ""
    try:
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return ""
    real = os.path.realpath(folder)
    best, kind = "", ""
    for line in mounts:
        fields = line.split()
        point = fields[4].replace("\\040", " ")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, fields[fields.index("-") + 1]
    return kind


def _is_only_read(folder: Path) -> bool:
    """Whether a folder holds a store that this process may read and not change: on read-only media, say."""
    catalog = folder / CATALOG
    return catalog.exists() and not (os.access(folder, os.W_OK) and os.access(catalog, os.W_OK))


def _foreign(folder: Path) -> bool:
    """Whether a folder holds other things and no store, by one listing: others may be making the store meanwhile."""
    names = os.listdir(folder)
    others = [name for name in names if name not in OURS and not name.startswith((".", CATALOG))]
    return CATALOG not in names and bool(others)
