"""The syntax tree: what a filter says, before anybody asks whether it fits a schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from elanus.filter.excerpt import Span
from elanus.filter.moments import Interval


@dataclass(frozen=True)
class Literal:
    """A bool, int, float, str, moment, or a tuple of them; `exact` is false for a string that only LIKE may have."""

    value: Any
    span: Span
    exact: bool = True


@dataclass(frozen=True)
class Duration:
    """`INTERVAL '...'`."""

    value: Interval
    span: Span


@dataclass(frozen=True)
class Template:
    """`{name}`, to be replaced by a value of filter_params."""

    name: str
    span: Span


@dataclass(frozen=True)
class ListOf:
    """`[a, b, ...]`."""

    items: tuple[Node, ...]
    span: Span


@dataclass(frozen=True)
class Name:
    """A field, a dynamic key, or a path: `name`, `name[0]`, `name["a"]["b"]`; or `name[inner]`, `name[0][inner]`."""

    name: str
    keys: tuple[str | int, ...]
    span: Span
    inner: str = ""


@dataclass(frozen=True)
class EachElement:
    """`$`, the element of a list, or `$[field]`, a field of the struct that it is."""

    field: str | None
    span: Span


@dataclass(frozen=True)
class Unary:
    """`not x`, `-x`, `+x` or `~x`."""

    op: str
    operand: Node
    span: Span


@dataclass(frozen=True)
class Binary:
    """A comparison, an arithmetic operation, `like`, `=~` or `!~`."""

    op: str
    left: Node
    right: Node
    span: Span


@dataclass(frozen=True)
class Chain:
    """`low < x <= high`, or the same downwards."""

    first: Node
    op1: str
    middle: Node
    op2: str
    last: Node
    span: Span


@dataclass(frozen=True)
class Logic:
    """`and` or `or` between two or more conditions."""

    op: str
    parts: tuple[Node, ...]
    span: Span


@dataclass(frozen=True)
class Member:
    """`x in [...]` or `x not in [...]`."""

    operand: Node
    values: Node
    negated: bool
    span: Span


@dataclass(frozen=True)
class NullTest:
    """`x is null`, `x is not null`, and `exists x`, which means the latter and is for JSON paths only."""

    operand: Name
    negated: bool
    exists: bool
    span: Span


@dataclass(frozen=True)
class Call:
    """A function's name, in lower case, its arguments, and those that were given by name, with these in lower case."""

    name: str
    args: tuple[Node, ...]
    span: Span
    options: tuple[tuple[str, Node], ...] = ()

    def option(self, name: str) -> Node | None:
        """The argument given by that name."""
        return dict(self.options).get(name)


Node: TypeAlias = (
    "Literal | Duration | Template | ListOf | Name | EachElement | Unary | Binary | Chain | Logic | Member | NullTest"
    " | Call"
)
