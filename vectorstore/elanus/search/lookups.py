"""The lookups of a part: from their files, or built once where a segment is older than the index that asks for them."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from elanus.filter.conditions import Field, Path, PhraseMatch, TextMatch
from elanus.filter.narrowing import Known
from elanus.index.grams import Grams
from elanus.index.lookup import Lookup
from elanus.storage.part import Part

GRAMS = "$grams"


def known_of(part: Part, operand: Field | Path | TextMatch | PhraseMatch, lookups: frozenset[Hashable]) -> Known | None:
    """What a part knows of an operand's values, or of the words in a text field.

    `lookups` has the names of the indexed fields, (field, keys) for JSON paths, and (GRAMS, field, size) for grams.
    """
    if isinstance(operand, (TextMatch, PhraseMatch)):
        return Known(terms=part.postings(operand.field, operand.analyzer))
    if isinstance(operand, Field):
        sizes = [key[2] for key in lookups if isinstance(key, tuple) and key[:2] == (GRAMS, operand.name)]
        if operand.name not in lookups and not sizes:
            return None
        by_value = (_of_field(part, operand.name),) if operand.name in lookups else ()
        return Known(by_value, _grams_of(part, operand.name, sizes[0]) if sizes else None)
    key = (operand.field, operand.keys)
    return part.derive(("known", key), lambda: _of_path(part, operand)) if key in lookups else None


def _of_field(part: Part, name: str) -> Lookup:
    def make() -> Lookup:
        arrays = part.arrays(lookup_name(part.tag(name)))
        return Lookup.build(part.column(name)) if arrays is None else Lookup.from_arrays(arrays)

    return part.derive(("lookup", name), make)


def _grams_of(part: Part, name: str, size: int) -> Grams:
    def make() -> Grams:
        arrays = part.arrays(grams_name(part.tag(name)))
        return Grams.build(part.column(name), size) if arrays is None else Grams.from_arrays(arrays)

    return part.derive(("grams", name), make)


def _of_path(part: Part, path: Path) -> Known:
    found = part.path(path.field, path.keys)
    rest = np.array(sorted(found.residual), np.int64)
    return Known(tuple(Lookup.build(column) for column in found.columns), rest=rest)


def lookup_name(tag: str) -> str:
    """The name of the file of a field's lookup."""
    return f"lookup-{tag}"


def grams_name(tag: str) -> str:
    """The name of the file of a field's grams."""
    return f"grams-{tag}"
