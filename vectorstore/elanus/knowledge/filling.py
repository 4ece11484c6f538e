"""Putting documents in: what is new or has changed is embedded, what is as it was is left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from elanus.knowledge.documents import Document
from elanus.knowledge.shelf import Known, Shelf
from elanus.knowledge.splitting import Piece, split

_DOCUMENTS = 64
_PASSAGES = 256
"""Passages embedded and committed at a time: what an interruption can cost."""

Passage = tuple[Document, Piece, int, int, str]
Report = Callable[[int], object]


@dataclass(frozen=True)
class Filled:
    """How many documents were added, replaced, left as they were and removed, and how many passages were embedded."""

    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    removed: int = 0
    passages: int = 0


@dataclass(frozen=True)
class Chunking:
    """How long passages are at most and how much of the one before each begins with, in characters."""

    size: int
    overlap: int


def fill(shelf: Shelf, documents: Iterable[Document], chunking: Chunking, root: str, report: Report) -> Filled:
    """Store documents, in batches; a later one of the same id replaces an earlier one.

    Interrupted, it goes on when it is called again: a document counts as stored once its first passage is, which is
    written last.
    """
    filled = Filled()
    stream = iter(documents)
    while group := list(islice(stream, _DOCUMENTS)):
        latest = {document.id: document for document in group}
        known = shelf.known(list(latest))
        fresh = [d for d in latest.values() if not _is_stored(d, known.get(d.id), root)]
        passages = _store(shelf, fresh, known, chunking, root)
        replaced = sum(document.id in known for document in fresh)
        filled = replace(
            filled,
            added=filled.added + len(fresh) - replaced,
            replaced=filled.replaced + replaced,
            unchanged=filled.unchanged + len(latest) - len(fresh),
            passages=filled.passages + passages,
        )
        report(len(group))
    return filled


def _is_stored(document: Document, known: Known | None, root: str) -> bool:
    """Whether nothing is to be done for a document: it is there as it is, or has no words to be there with."""
    if known is None:
        return not document.text.strip()
    return known.hash == document.hash and root in ("", known.root)


def _store(shelf: Shelf, fresh: list[Document], known: dict[str, Known], chunking: Chunking, root: str) -> int:
    """Store the passages of documents, then remove what older versions had beyond them."""
    counts: dict[str, int] = {}
    passages = _passages(fresh, chunking, root, counts)
    stored = 0
    while batch := list(islice(passages, _PASSAGES)):
        shelf.put(batch)
        stored += len(batch)
    shelf.remove((one, range(count, known[one].chunks)) for one, count in counts.items() if one in known)
    return stored


def _passages(
    documents: Iterable[Document], chunking: Chunking, root: str, counts: dict[str, int]
) -> Iterator[Passage]:
    for document in documents:
        pieces = split(document.text, chunking.size, chunking.overlap)
        counts[document.id] = len(pieces)
        numbered = list(enumerate(pieces))
        for chunk, piece in [*numbered[1:], *numbered[:1]]:
            yield document, piece, chunk, len(pieces), root


def sync(shelf: Shelf, documents: Iterable[Document], chunking: Chunking, root: str, report: Report) -> Filled:
    """Store what is new or has changed of a source, and remove what is gone from it."""
    seen: set[str] = set()

    def noted() -> Iterator[Document]:
        for document in documents:
            seen.add(document.id)
            yield document

    filled = fill(shelf, noted(), chunking, root, report)
    gone = {one: known for one, known in shelf.of_root(root).items() if one not in seen}
    shelf.remove((one, range(known.chunks)) for one, known in gone.items())
    return replace(filled, removed=len(gone))
