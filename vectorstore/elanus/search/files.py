"""The index files of a new segment, written beside its columns while nothing lists it yet."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from pathlib import Path

from elanus.analysis import analyzer_of
from elanus.index.grams import Grams
from elanus.index.inverted_build import merge
from elanus.index.lookup import Lookup
from elanus.index.metric import Metric
from elanus.index.recall import scan_calibration
from elanus.index.registry import IndexSpec
from elanus.schema.collection import CollectionSchema
from elanus.schema.fields import FLOAT_VECTORS, FieldSchema
from elanus.search.calibrating import keep, recall_name
from elanus.search.lookups import GRAMS, grams_name, lookup_name
from elanus.search.sparse import sparse_name, sparse_postings
from elanus.search.vectors import OWN_CODES_ROWS, build_codes, codes_name
from elanus.storage.files import write_arrays
from elanus.storage.part import text_name
from elanus.storage.segment import Kept, field_tags, joined_column, written_vectors
from elanus.types import DataType


class IndexWriter:
    """Writes each searchable field's index file into a segment's folder; `stop` is asked between fields."""

    def __init__(
        self,
        schema: CollectionSchema,
        specs: Mapping[str, IndexSpec],
        lookups: Iterable[Hashable],
        kept: Kept,
        stop: Callable[[], bool],
        sync: bool,
    ) -> None:
        self._schema, self._specs, self._kept = schema, specs, kept
        self._looked_up = [name for name in lookups if isinstance(name, str)]
        self._grams = [key[1:] for key in lookups if isinstance(key, tuple) and key[0] == GRAMS]
        self._stop, self._sync = stop, sync
        self._tags = dict(field_tags(schema))

    def write(self, folder: Path, rows: int) -> None:
        """Write the files; `folder` holds the columns of the segment's `rows` rows already."""
        for field in self._schema.vector_fields:
            if self._stop():
                return
            if self._schema.bm25_input(field.name) is not None:
                continue
            if field.dtype == DataType.SPARSE_FLOAT_VECTOR:
                self._write_sparse(folder, field)
            elif field.name in self._specs and field.dtype in FLOAT_VECTORS and rows >= OWN_CODES_ROWS:
                self._write_codes(folder, field, Metric(self._specs[field.name].metric))
        for source in self._schema.inverted_fields:
            if self._stop():
                return
            self._write_text(folder, source)
        for name in self._looked_up:
            if self._stop():
                return
            self._write_lookup(folder, name)
        for name, size in self._grams:
            if self._stop():
                return
            grams = Grams.build(joined_column(self._kept, name), size)
            write_arrays(folder / f"{grams_name(self._tags[name])}.arrow", grams.to_arrays(), self._sync)

    def _write_lookup(self, folder: Path, name: str) -> None:
        lookup = Lookup.build(joined_column(self._kept, name))
        write_arrays(folder / f"{lookup_name(self._tags[name])}.arrow", lookup.to_arrays(), self._sync)

    def _write_text(self, folder: Path, source: FieldSchema) -> None:
        analyzer = analyzer_of(source)
        postings = merge([(part.postings(source.name, analyzer), keep) for part, keep in self._kept])
        name = text_name(self._tags[source.name])
        write_arrays(folder / f"{name}.arrow", postings.to_arrays(), self._sync)

    def _write_sparse(self, folder: Path, field: FieldSchema) -> None:
        postings = merge([(sparse_postings(part, field.name), keep) for part, keep in self._kept])
        name = sparse_name(self._tags[field.name])
        write_arrays(folder / f"{name}.arrow", postings.to_arrays(), self._sync)

    def _write_codes(self, folder: Path, field: FieldSchema, metric: Metric) -> None:
        tag = self._tags[field.name]
        vectors, name = written_vectors(folder, tag), codes_name(tag, metric)
        codes = build_codes(*vectors, metric)
        write_arrays(folder / f"{name}.arrow", codes.to_arrays(), self._sync)
        keep(scan_calibration(codes, [vectors]), folder / recall_name(name))
