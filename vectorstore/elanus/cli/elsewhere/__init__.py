"""Other stores, as they are read for `elanus import --from`: each in the one file that knows its package."""

from __future__ import annotations

import importlib

from elanus.cli.elsewhere.source import Source
from elanus.errors import NotSupported

SOURCES = {"chroma": "chromadb", "lancedb": "lancedb", "qdrant": "qdrant-client", "milvus": "pymilvus"}
"""The package that each needs; FAISS is installed with Elanus."""


def open_source(kind: str, path: str, collection: str | None) -> Source:
    """Open a collection of another store; of the only one if none is named.

    Raises:
        NotSupported: its package is not installed.
        NotFound, InvalidArgument: there is no such collection, or it holds nothing that can be moved.
    """
    module = importlib.import_module(f"elanus.cli.elsewhere.{kind}")
    try:
        return module.open_collection(path, collection)  # type: ignore[no-any-return]
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.startswith("elanus"):
            raise
        raise NotSupported(f"reading from {kind} needs its package: pip install {SOURCES[kind]}") from None
