"""FAISS beside a docstore: a folder that LangChain's `FAISS.save_local` or LlamaIndex's `persist` wrote."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any

from elanus.cli.elsewhere.source import Passage, Source, passage, the_one
from elanus.errors import InvalidArgument, NotFound

BATCH = 1_000
WHOLE = ("IndexFlat", "IndexFlatL2", "IndexFlatIP", "IndexHNSWFlat", "IndexIVFFlat")
"""The indexes that keep vectors as they were given."""

LLAMA_STORE, LLAMA_INDEXES, LLAMA_TEXTS = "default__vector_store.json", "index_store.json", "docstore.json"

Text = tuple[str, Mapping[str, Any]]
"""A text and its metadata."""


@dataclass(frozen=True)
class Saved:
    """Where the vectors are, the key of each in their order, and what the keys stand for."""

    vectors: Path
    keys: Sequence[str]
    texts: Mapping[str, Text]


def open_collection(path: str, wanted: str | None) -> Source:
    """Open the index of a folder; LangChain's are named by their files, LlamaIndex's by their ids.

    Raises:
        NotFound, InvalidArgument: there is none, or its vectors or texts cannot be read.
    """
    folder = Path(path)
    pairs = {file.stem: file for file in sorted(folder.glob("*.faiss")) if file.with_suffix(".pkl").exists()}
    if not pairs and not (folder / LLAMA_STORE).exists():
        raise NotFound(f"FAISS: no *.faiss with its *.pkl, and no {LLAMA_STORE}, in '{path}'")
    name, saved = _langchain(pairs, wanted) if pairs else _llama_index(folder, wanted)
    index, metric = _read(saved.vectors)
    if index.ntotal != len(saved.keys):
        raise InvalidArgument(f"FAISS: '{saved.vectors}' has {index.ntotal} vectors for {len(saved.keys)} texts")
    return Source(name, len(saved.keys), metric, _batches(index, saved))


def _langchain(pairs: Mapping[str, Path], wanted: str | None) -> tuple[str, Saved]:
    name = the_one("FAISS", list(pairs), wanted)
    file = pairs[name].with_suffix(".pkl")
    try:
        with open(file, "rb") as opened:
            docstore, keys = _Reader(opened).load()
        texts = {key: (one.__dict__["page_content"], one.__dict__["metadata"]) for key, one in docstore._dict.items()}
        return name, Saved(pairs[name], [keys[place] for place in range(len(keys))], texts)
    except (pickle.UnpicklingError, EOFError, AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise InvalidArgument(f"FAISS: '{file}' is no docstore that LangChain wrote: {error}") from None


def _llama_index(folder: Path, wanted: str | None) -> tuple[str, Saved]:
    try:
        structs = json.loads((folder / LLAMA_INDEXES).read_text("utf-8"))["index_store/data"]
        found = {
            name: json.loads(one["__data__"]) for name, one in structs.items() if one["__type__"] == "vector_store"
        }
        name = the_one("FAISS", list(found), wanted)
        nodes = json.loads((folder / LLAMA_TEXTS).read_text("utf-8"))["docstore/data"]
        places: Mapping[str, str] = found[name]["nodes_dict"]
        texts = {key: (nodes[key]["__data__"]["text"], nodes[key]["__data__"]["metadata"]) for key in places.values()}
        return "llama_index", Saved(folder / LLAMA_STORE, [places[str(n)] for n in range(len(places))], texts)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidArgument(f"FAISS: '{folder}' holds no index that LlamaIndex wrote: {error!r}") from None


def _read(path: Path) -> tuple[Any, str]:
    """The index of a file, and its metric."""
    import faiss

    try:
        index = faiss.read_index(str(path))
    except RuntimeError as error:
        raise InvalidArgument(f"FAISS: '{path}' is no index: {str(error).splitlines()[0]}") from None
    if type(index).__name__ not in WHOLE:
        raise InvalidArgument(
            f"FAISS: '{path}' is an {type(index).__name__}, whose vectors cannot be read back; there are "
            f"{', '.join(WHOLE)}. Embed the texts anew: elanus add"
        )
    if hasattr(index, "make_direct_map"):
        index.make_direct_map()
    return index, "IP" if index.metric_type == faiss.METRIC_INNER_PRODUCT else "L2"


def _batches(index: Any, saved: Saved) -> Iterator[list[Passage]]:
    for start in range(0, len(saved.keys), BATCH):
        keys = saved.keys[start : start + BATCH]
        vectors = index.reconstruct_n(start, len(keys))
        yield [_passage(key, vector, saved.texts) for key, vector in zip(keys, vectors, strict=True)]


def _passage(key: str, vector: Any, texts: Mapping[str, Text]) -> Passage:
    if key not in texts:
        raise InvalidArgument(f"FAISS: the docstore has no text for '{key}'")
    text, metadata = texts[key]
    return passage(key, vector, {name: _plain(value) for name, value in metadata.items()}, text)


def _plain(value: Any) -> Any:
    """A value of metadata as JSON has it: times in ISO form, what else has a name as that."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(inner) for inner in value]
    return str(value)


class _Anything:
    """Stands for a class of LangChain's, whose code a docstore needs none of."""

    _dict: Mapping[str, Any]

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__dict__.update(state.get("__dict__", state))


STANDINS = frozenset(("InMemoryDocstore", "Document"))
PLAIN = frozenset(
    (
        *(("datetime", name) for name in ("date", "datetime", "time", "timedelta", "timezone")),
        *(("uuid", "UUID"), ("decimal", "Decimal"), ("builtins", "set"), ("builtins", "frozenset")),
        *(("collections", "OrderedDict"), ("copyreg", "_reconstructor"), ("builtins", "object")),
    )
)
"""Besides LangChain's own, what the metadata of a document may be made of: nothing that runs code of others."""


class _Reader(pickle.Unpickler):
    """Reads a pickled docstore without running what the file says: it knows a few harmless types, and no functions."""

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0].startswith("langchain") and name in STANDINS:
            return _Anything
        if (module, name) in PLAIN:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(
            f"it holds a {module}.{name}, which is not read, since a pickle can run code; save the store without it"
        )
