"""The lookups of a part: from their files, or built once where a segment is older than the index that asks for them."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from elanus.filter.conditions import Field, Path
from elanus.filter.narrowing import Known
from elanus.index.lookup import Lookup
from elanus.storage.part import Part


def known_of(part: Part, operand: Field | Path, lookups: frozenset[Hashable]) -> Known | None:
    """What a part knows of an operand's values; `lookups` has the names of fields and the paths that are indexed."""
    if isinstance(operand, Field):
        if operand.name not in lookups:
            return None
        return part.derive(("known", operand.name), lambda: Known((_of_field(part, operand.name),)))
    key = (operand.field, operand.keys)
    return part.derive(("known", key), lambda: _of_path(part, operand)) if key in lookups else None


def _of_field(part: Part, name: str) -> Lookup:
    arrays = part.arrays(lookup_name(part.tag(name)))
    return Lookup.build(part.column(name)) if arrays is None else Lookup.from_arrays(arrays)


def _of_path(part: Part, path: Path) -> Known:
    found = part.path(path.field, path.keys)
    rest = np.array(sorted(found.residual), np.int64)
    return Known(tuple(Lookup.build(column) for column in found.columns), rest)


def lookup_name(tag: str) -> str:
    """The name of the file of a field's lookup."""
    return f"lookup-{tag}"
