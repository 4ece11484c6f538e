"""A part: an immutable set of rows with one face, whether it lies in mapped files or in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from elanus.analysis import Analyzer, FieldAnalyzer
from elanus.filter.columns import PathValues, TextIndex
from elanus.index.inverted import Postings
from elanus.index.inverted_build import from_texts, merge
from elanus.index.metric import norms
from elanus.schema.buffers import clean_matrix, from_numbers
from elanus.schema.reading import Reader, reader
from elanus.storage.encoding import extent, plain
from elanus.storage.keys import Keys, KeyTable
from elanus.storage.shred import Shredded, shred

T = TypeVar("T")
RID = "$rid"
Invert = Callable[..., Postings]
"""Makes an inverted index of columns, given as arrays."""

Floats = np.ndarray[Any, np.dtype[np.float32]]
Int64s = np.ndarray[Any, np.dtype[np.int64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]


class Part:
    """Rows that never change; their row numbers (rids) ascend.

    What can be computed from them (norms, shredded JSON, postings, masks) is computed once, by `derive`.
    """

    sealed = False

    def __init__(self, columns: dict[str, pa.Array], rids: Int64s) -> None:
        self._columns = columns
        self._derived: dict[Hashable, Any] = {}
        self._deriving = threading.RLock()
        self.rids = rids
        self.rows = len(rids)
        self._first = int(rids[0]) if len(rids) else 0
        self._gapless = bool(len(rids)) and int(rids[-1]) - self._first + 1 == len(rids)

    def __len__(self) -> int:
        return self.rows

    def column(self, name: str) -> pa.Array:
        """One stored column, contiguous; strings may be dictionary-encoded."""
        return self._columns[name]

    def matrix(self, name: str) -> Floats:
        """A dense vector column as a matrix (rows, width) of its stored dtype; zeros where it is null."""
        return self.derive(("matrix", name), lambda: clean_matrix(self.column(name)))

    def norms(self, name: str) -> Floats:
        """The L2 norms of a dense vector column, float32 (rows,)."""
        return self.derive(("norms", name), lambda: norms(self.matrix(name)))

    def shredded(self, name: str) -> Shredded:
        """A JSON column by its paths."""
        return self.derive(("json", name), lambda: shred(self.column(name)))

    def reader(self, name: str) -> Reader:
        """The quick way from row numbers to a column's Python values."""
        return self.derive(("reader", name), lambda: reader(self.column(name)))

    def taken(self, rows: Int64s, schema: pa.Schema) -> pa.RecordBatch:
        """Some rows as a batch of these columns, as it could have come from the log."""
        at = from_numbers(rows)
        columns = [plain(self.column(field.name).take(at)).cast(field.type) for field in schema]
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    def extents(self) -> dict[str, int]:
        """What the offsets of each column would have to count in a plain array; see `extent`."""
        return self.derive("extents", lambda: {name: extent(column) for name, column in self._columns.items()})

    def path(self, field: str, keys: tuple[str | int, ...]) -> PathValues:
        """The values at one JSON path."""
        return self.shredded(field).path(keys)

    def derive(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` returns, made once per part and key."""
        try:
            return self._derived[key]  # type: ignore[no-any-return]
        except KeyError:
            with self._deriving:
                if key not in self._derived:
                    self._derived[key] = make()
                return self._derived[key]  # type: ignore[no-any-return]

    def derived(self, key: Hashable) -> Any:
        """What `derive` has made for the key, or None."""
        return self._derived.get(key)

    def find(self, keys: Keys, key_field: str) -> tuple[Int64s, Int64s]:
        """Return positions in `keys` and the rows that hold those keys, dead or alive."""
        return self.key_table(key_field).find(keys, self.column(key_field))

    def key_table(self, key_field: str) -> KeyTable:
        """The part's keys, sorted for `find`."""
        return self.derive("keys", lambda: KeyTable.build(Keys(self.column(key_field))))

    def tag(self, name: str) -> str:
        """What the files of a column's indexes bear in their names, in a part that has files."""
        return name

    def file(self, name: str) -> Path | None:
        """The path of a file that is not mapped with the rest and may be gone, in a part that has files."""
        return None

    def arrays(self, name: str) -> dict[str, np.ndarray[Any, Any]] | None:
        """The flat arrays of an index file beside the rows, or None if the part has no such file."""
        return None

    def inverted(self, columns: tuple[str, ...], file: str, invert: Invert) -> Postings:
        """The inverted index of the first of the columns: from the file that a segment has it in, or made of them."""
        return self.derive(("postings", columns[0]), lambda: self._inverted(columns, file, invert))

    def _inverted(self, columns: tuple[str, ...], file: str, invert: Invert) -> Postings:
        arrays = self.arrays(file)
        return invert(*map(self.column, columns)) if arrays is None else Postings.from_arrays(arrays)

    def postings(self, name: str, analyzer: FieldAnalyzer) -> Postings:
        """The inverted index of a text field."""
        columns = (name,) if analyzer.by_field is None else (name, analyzer.by_field)

        def invert(*arrays: pa.Array) -> Postings:
            return from_texts(analyzer.encode(*(array.to_pylist() for array in arrays)))

        return self.inverted(columns, text_name(self.tag(name)), invert)

    def text_index(self, field: str, analyzer: Analyzer) -> TextIndex:
        """The inverted index of a text field, for a filter."""
        return TextIndex(self.postings(field, analyzer))

    def locate(self, rids: Int64s) -> tuple[Int64s, Int64s]:
        """Return positions in `rids` and the rows of this part that bear those numbers."""
        if self._gapless:
            rows = rids - self._first
            which = ((rows >= 0) & (rows < self.rows)).nonzero()[0]
            return which, rows[which]
        places = np.searchsorted(self.rids, rids)
        inside = places < self.rows
        inside[inside] = self.rids[places[inside]] == rids[inside]
        which = np.flatnonzero(inside)
        return which, places[which]


class TailBlock(Part):
    """Committed rows that no segment holds yet, in memory.

    `sources` remembers, for each stretch of rows, the part it was made from, if that part had derived anything
    worth keeping (postings); so that text is analysed once however often blocks grow together.
    """

    def __init__(self, batch: pa.RecordBatch, rids: Int64s, nbytes: int) -> None:
        super().__init__(dict(zip(batch.schema.names, batch.columns, strict=True)), rids)
        self.batch = batch
        self.nbytes = nbytes
        self.sources: list[tuple[int, dict[Hashable, Any]]] = []

    @classmethod
    def joined(cls, blocks: list[TailBlock]) -> TailBlock:
        """One block with the rows of several, in order."""
        batch = pa.concat_batches([b.batch for b in blocks])
        block = cls(batch, np.concatenate([b.rids for b in blocks]), sum(b.nbytes for b in blocks))
        block.sources = [source for b in blocks for source in b.kept()]
        return block

    def _inverted(self, columns: tuple[str, ...], file: str, invert: Invert) -> Postings:
        pieces, start = [], 0
        for rows, derived in self.kept():
            made = derived.get(("postings", columns[0]))
            if made is None:
                made = invert(*(self.column(name).slice(start, rows) for name in columns))
            pieces.append((made, None))
            start += rows
        return pieces[0][0] if len(pieces) == 1 else merge(pieces)

    def after(self, first_rid: int) -> TailBlock:
        """The block without the rows numbered below `first_rid`."""
        start = int(np.searchsorted(self.rids, first_rid))
        if start == 0:
            return self
        share = self.nbytes * (self.rows - start) // max(self.rows, 1)
        return TailBlock(self.batch.slice(start), self.rids[start:], share)

    def kept(self) -> list[tuple[int, dict[Hashable, Any]]]:
        """What the block, or what it was joined from, derived that a larger block can reuse."""
        derived = list(self._derived.items())
        postings: dict[Hashable, Any] = {
            key: made for key, made in derived if isinstance(key, tuple) and key[0] == "postings"
        }
        if postings or not self.sources:
            return [(self.rows, postings)]
        return self.sources


def text_name(tag: str) -> str:
    """The name of the file of a text field's inverted index."""
    return f"text-{tag}"
