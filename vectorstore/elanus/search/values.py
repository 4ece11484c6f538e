"""Values of rows by a name, as columns to group, order and calculate by: a declared field, or a place in JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from elanus.errors import FieldNotFound, FilterError, InvalidArgument, did_you_mean
from elanus.filter.conditions import Field, Path
from elanus.filter.names import resolve
from elanus.filter.parse import parse
from elanus.filter.tree import Name
from elanus.schema.buffers import bits, from_numbers, numbers
from elanus.schema.collection import CollectionSchema
from elanus.search.matching import Matching
from elanus.storage.encoding import plain
from elanus.storage.part import Int64s, Part
from elanus.storage.view import View
from elanus.types import DataType

BOOLS, NUMBERS, TEXTS = 1, 2, 3
"""The kinds of JSON values that can be told apart and ordered, in their order; 0 is none of them."""

EXACT_DOUBLE = 2.0**63


@dataclass(frozen=True)
class Named:
    """A name that the caller gave, and what it stands for."""

    name: str
    operand: Field | Path

    @property
    def dtype(self) -> DataType:
        """The declared type of its values; JSON for a place in JSON."""
        return DataType.JSON if isinstance(self.operand, Path) else self.operand.dtype

    @property
    def nested(self) -> bool:
        """Whether the values are arrays, or whole JSON objects."""
        return not self.operand.keys if isinstance(self.operand, Path) else self.operand.is_array

    @property
    def width(self) -> int:
        """How many columns the values take."""
        return 4 if isinstance(self.operand, Path) else 1

    def columns(self, part: Part, rows: Int64s | None = None) -> list[pa.Array]:
        """The values of some rows (None: of all), as columns that are equal where values are, and ordered as they are.

        A field is one column. A place in JSON is four: the kind (null where there is none), as a double, exactly, as
        text; numbers are equal by value, and a bool is none.
        """
        if isinstance(self.operand, Field):
            column = part.column(self.operand.name)
            return [plain(column if rows is None else column.take(from_numbers(rows)))]
        return _json_columns(part, self.operand, np.arange(part.rows) if rows is None else rows)


def named(schema: CollectionSchema, option: str, text: object) -> Named:
    """Find what a name stands for, as a filter would: a field, `field["key"]`, or a dynamic key.

    Raises:
        FieldNotFound, InvalidArgument: it names nothing; the message names the option.
    """
    if not isinstance(text, str) or not text:
        raise InvalidArgument(f"{option} must name a field, not {text!r}")
    field = next((f for f in schema.fields if f.name == text), None)
    if field is not None:
        if field.dtype == DataType.JSON:
            return Named(text, Path(text, ()))
        is_array = field.dtype == DataType.ARRAY
        return Named(text, Field(text, field.element_type or field.dtype if is_array else field.dtype, is_array))
    try:
        node = parse(text)
        operand = resolve(text, node, schema) if isinstance(node, Name) else None
    except FilterError:
        operand = None
    if not isinstance(operand, Path):
        known = [f.name for f in schema.fields if not f.is_vector]
        raise FieldNotFound(f"{option}: no field '{text}'{did_you_mean(text, known)}")
    return Named(text, operand)


def at_rids(view: View, rids: Int64s, names: Sequence[Named]) -> list[pa.Array]:
    """The columns of some rows' values by all the names, in the rows' order."""
    order, pieces = [np.empty(0, np.int64)], []
    for s in view.slices:
        which, rows = s.part.locate(rids)
        if len(which):
            order.append(which)
            pieces.append([column for one in names for column in one.columns(s.part, rows)])
    back = np.empty(len(rids), np.int64)
    back[np.concatenate(order)] = np.arange(len(rids))
    at = from_numbers(back)
    return [joined(same).take(at) for same in zip(*pieces, strict=True)]


def of_rows(view: View, chosen: Matching, names: Sequence[Named]) -> tuple[Int64s, list[pa.Array]]:
    """The rids of the chosen rows, ascending, and the columns of their values by all the names."""
    rids, pieces = [np.empty(0, np.int64)], []
    for s, choice in zip(view.slices, chosen.choices, strict=True):
        rows = None if choice is None else choice.rows
        rids.append(s.part.rids if rows is None else s.part.rids[rows])
        if len(rids[-1]):
            pieces.append([column for one in names for column in one.columns(s.part, rows)])
    return np.concatenate(rids), [joined(same) for same in zip(*pieces, strict=True)]


def joined(pieces: Sequence[pa.Array]) -> pa.Array:
    """Several stretches of a column as one."""
    return pieces[0] if len(pieces) == 1 else pa.concat_arrays(list(pieces))


def numbered(columns: Sequence[pa.Array]) -> Int64s:
    """A number for each row, equal where all columns are, from 0 on in the order of first appearance; null is a value.

    Args:
        columns: at least one, all of one length.
    """
    codes = _codes(columns[0])
    for column in columns[1:]:
        more = _codes(column)
        codes = _codes(from_numbers(codes * (int(more.max(initial=0)) + 1) + more))
    return codes


def _codes(column: pa.Array) -> Int64s:
    encoded = pc.dictionary_encode(column, null_encoding="encode")
    return np.asarray(numbers(encoded.indices), np.int64)


def _json_columns(part: Part, path: Path, rows: Int64s) -> list[pa.Array]:
    """Kind, double, exact and text of each row's value; see `Named.columns`."""
    values, at = part.path(path.field, path.keys), from_numbers(rows)
    kinds, doubles, exact = np.zeros(len(rows), np.int8), np.zeros(len(rows)), np.zeros(len(rows), np.int64)
    texts = pa.nulls(len(rows), pa.string())
    for column in values.columns:
        read = READERS.get(column.type.id) or (_read_text if pa.types.is_dictionary(column.type) else None)
        if read is None:
            continue
        taken = column.take(at)
        here = bits(taken.is_valid())
        kind, number, whole, text = read(taken)
        kinds[here] = kind
        if text is not None:
            texts = pc.if_else(taken.is_valid(), text, texts)
        if number is not None:
            doubles[here], exact[here] = number[here], whole[here]
    for row, value in values.residual.items():
        if type(value) is int:  # beyond 64 bits
            here = rows == row
            kinds[here], doubles[here] = NUMBERS, float(value)
    known = pc.if_else(pa.array(kinds > 0), from_numbers(kinds), pa.scalar(None, pa.int8()))
    return [known, from_numbers(doubles), from_numbers(exact), texts]


Read = tuple[int, Any, Any, Any]


def _read_bool(column: pa.Array) -> Read:
    return BOOLS, bits(column).astype(np.float64), bits(column).astype(np.int64), None


def _read_int(column: pa.Array) -> Read:
    return NUMBERS, numbers(column).astype(np.float64), numbers(column), None


def _read_double(column: pa.Array) -> Read:
    """Doubles that are whole have the same exact value as the integer has."""
    doubles = numbers(column) + 0.0
    whole = (doubles == np.floor(doubles)) & (np.abs(doubles) < EXACT_DOUBLE)
    return NUMBERS, doubles, np.where(whole, doubles, 0).astype(np.int64), None


def _read_text(column: pa.Array) -> Read:
    return TEXTS, None, None, plain(column)


READERS: dict[int, Callable[[pa.Array], Read]] = {
    pa.bool_().id: _read_bool,
    pa.int64().id: _read_int,
    pa.float64().id: _read_double,
    pa.string().id: _read_text,
}
