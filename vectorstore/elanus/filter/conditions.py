"""What a filter asks, its names resolved and its types checked: conditions over operands.

A condition is true, false or unknown for a row: a null or a missing key makes it unknown. A JSON value of another kind
than the condition asks for does not fit it: `year > 5` is false for "abc", and `year != 5` true.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from elanus.analysis import Analyzer
from elanus.filter.moments import Interval
from elanus.filter.pattern import Pattern
from elanus.types import DataType


@dataclass(frozen=True)
class Const:
    """A bool, int, float, str, moment, or a tuple of such values."""

    value: Any


@dataclass(frozen=True)
class Field:
    """A declared scalar or ARRAY field; `dtype` is the type of the elements in an ARRAY.

    A field of the structs in the array `struct` is an array of its own, named "array[field]".
    """

    name: str
    dtype: DataType
    is_array: bool = False
    struct: str = ""


@dataclass(frozen=True)
class Element:
    """One element of an ARRAY field; unknown where the array is shorter."""

    array: Field
    index: int

    @property
    def dtype(self) -> DataType:
        return self.array.dtype


@dataclass(frozen=True)
class Path:
    """A place in a JSON field, or in the dynamic field; no keys mean the whole value."""

    field: str
    keys: tuple[str | int, ...]


@dataclass(frozen=True)
class Length:
    """The number of elements of a list."""

    array: Field | Path


@dataclass(frozen=True)
class Arith:
    """A calculation with numbers."""

    op: str
    left: Operand
    right: Operand


@dataclass(frozen=True)
class Moved:
    """A TIMESTAMPTZ field, moved by an interval."""

    field: Field
    by: Interval


Operand: TypeAlias = "Const | Field | Element | Path | Length | Arith | Moved"


@dataclass(frozen=True)
class Always:
    """A constant."""

    value: bool


@dataclass(frozen=True)
class And:
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Or:
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    part: Condition


@dataclass(frozen=True)
class Compare:
    """`left op right`; a constant stands on the right."""

    op: str
    left: Operand
    right: Operand


@dataclass(frozen=True)
class In:
    """Whether an operand is one of some constants."""

    operand: Operand
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Like:
    """Whether a string fits a LIKE pattern or a regular expression."""

    operand: Operand
    pattern: Pattern


@dataclass(frozen=True)
class IsNull:
    """Whether a field is null, or a path leads nowhere or to a JSON null; never unknown."""

    operand: Field | Path


@dataclass(frozen=True)
class Contains:
    """Whether a list has any, or every, one of some constants."""

    operand: Field | Path
    values: tuple[Any, ...]
    every: bool


@dataclass(frozen=True)
class TextMatch:
    """Whether a text has at least `minimum` of some terms; a term given twice counts twice.

    With `prefix` a word has a term if it begins with it, with `edits` also if it is so few typing errors away.
    """

    field: str
    analyzer: Analyzer
    terms: tuple[str, ...]
    minimum: int
    prefix: bool = False
    edits: int = 0

    @property
    def is_exact(self) -> bool:
        """Whether only the terms themselves count."""
        return not self.prefix and not self.edits


@dataclass(frozen=True)
class PhraseMatch:
    """Whether a text has every term, each at its place in the phrase, give or take `slop` positions in all."""

    field: str
    analyzer: Analyzer
    terms: tuple[str, ...]
    places: tuple[int, ...]
    slop: int


@dataclass(frozen=True)
class Spatial:
    """How a geometry lies to another, in well-known text; at most so many metres away; or whether it is valid."""

    field: str
    function: str
    shape: str | None = None
    distance: float | None = None


@dataclass(frozen=True)
class Quantified:
    """Whether as many elements of a list match a condition as the function says; in it, fields are the element's."""

    array: str
    function: str
    condition: Condition
    threshold: int = 0


Leaf: TypeAlias = "Compare | In | Like | Contains"
Condition: TypeAlias = (
    "Always | And | Or | Not | Compare | In | Like | IsNull | Contains | TextMatch | PhraseMatch | Spatial | Quantified"
)


def path_of(operand: Operand) -> Path | None:
    """Return the JSON path that an operand reads, if it reads one."""
    if isinstance(operand, Path):
        return operand
    if isinstance(operand, Length):
        return path_of(operand.array)
    if isinstance(operand, Arith):
        return path_of(operand.left) or path_of(operand.right)
    return None


def subject(leaf: Leaf) -> Operand:
    """Return the operand that a leaf tests; of a comparison the left one."""
    return leaf.left if isinstance(leaf, Compare) else leaf.operand
