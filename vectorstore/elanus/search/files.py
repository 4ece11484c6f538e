"""The index files of a new segment, written beside its columns while nothing lists it yet."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from pathlib import Path

from elanus.analysis import analyzer_of
from elanus.index.inverted_build import merge
from elanus.index.lookup import Lookup
from elanus.index.metric import Metric
from elanus.index.registry import IndexSpec
from elanus.schema.arrow import PARTITION
from elanus.schema.collection import CollectionSchema
from elanus.schema.fields import FieldSchema
from elanus.search.lookups import lookup_name
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
        self._looked_up = [name for name in lookups if isinstance(name, str) and name in self._columns()]
        self._stop, self._sync = stop, sync
        self._tags = dict(field_tags(schema))

    def write(self, folder: Path, rows: int) -> None:
        """Write the files; `folder` holds the columns of the segment's `rows` rows already."""
        for field in self._schema.vector_fields:
            if self._stop():
                return
            if self._schema.bm25_input(field.name) is None and field.name in self._specs and rows >= OWN_CODES_ROWS:
                self._write_codes(folder, field, Metric(self._specs[field.name].metric))
        for source in self._schema.inverted_fields:
            if self._stop():
                return
            self._write_text(folder, source)
        for name in self._looked_up:
            if self._stop():
                return
            self._write_lookup(folder, name)

    def _columns(self) -> set[str]:
        """The columns that have a lookup's file; JSON paths are looked up in memory."""
        return {PARTITION, *(f.name for f in self._schema.fields if f.dtype != DataType.JSON)}

    def _write_lookup(self, folder: Path, name: str) -> None:
        lookup = Lookup.build(joined_column(self._kept, name))
        write_arrays(folder / f"{lookup_name(self._tags[name])}.arrow", lookup.to_arrays(), self._sync)

    def _write_text(self, folder: Path, source: FieldSchema) -> None:
        analyzer = analyzer_of(source)
        postings = merge([(part.postings(source.name, analyzer), keep) for part, keep in self._kept])
        name = text_name(self._tags[source.name])
        write_arrays(folder / f"{name}.arrow", postings.to_arrays(), self._sync)

    def _write_codes(self, folder: Path, field: FieldSchema, metric: Metric) -> None:
        tag = self._tags[field.name]
        codes = build_codes(*written_vectors(folder, tag), metric)
        write_arrays(folder / f"{codes_name(tag, metric)}.arrow", codes.to_arrays(), self._sync)
