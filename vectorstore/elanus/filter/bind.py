"""Templates: the values of filter_params, checked and put where their names stand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from elanus.errors import FilterError, did_you_mean
from elanus.filter.excerpt import wrong
from elanus.filter.literals import INT64_MAX, INT64_MIN, valid_text
from elanus.filter.moments import Moment, moment
from elanus.filter.tree import Binary, Call, Chain, ListOf, Logic, Member, Node, Template, Unary

TYPES = "a bool, an int, a float, a str, a datetime, or a list of them"
MAX_LIST_DEPTH = 8


def bind(text: str, tree: Node, params: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the value of every template in the tree, lists as tuples.

    Raises:
        FilterError: a template without a value, a value without a template, or a value of another type.
    """
    values = dict(params or {})
    wanted = {template.name: template for template in templates(tree)} if "{" in text else {}
    for name, template in wanted.items():
        if name not in values:
            hint = did_you_mean(name, values) or "; give it in filter_params"
            raise wrong(text, template.span, f"no value for the template {{{name}}}{hint}")
    for name in values:
        if name not in wanted:
            hint = did_you_mean(str(name), wanted) or "; remove it"
            raise FilterError(f"filter_params has '{name}', which the filter {text!r} does not use{hint}")
    return {name: _plain(name, values[name]) for name in wanted}


def templates(tree: Node) -> Iterator[Template]:
    """The templates in a tree."""
    waiting: list[Node] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Template):
            yield node
        waiting += _children(node)


def _children(node: Node) -> tuple[Node, ...]:
    if isinstance(node, Logic):
        return node.parts
    if isinstance(node, Binary):
        return node.left, node.right
    if isinstance(node, Chain):
        return node.first, node.middle, node.last
    if isinstance(node, Member):
        return node.operand, node.values
    if isinstance(node, Unary):
        return (node.operand,)
    if isinstance(node, Call):
        return *node.args, *(value for _, value in node.options)
    return node.items if isinstance(node, ListOf) else ()


def _plain(name: str, value: Any, depth: int = 0) -> Any:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Moment):
        return value
    if isinstance(value, datetime):
        return _moment(name, value)
    if isinstance(value, (list, tuple, set, frozenset)) and depth < MAX_LIST_DEPTH:
        return _plain_list(name, tuple(value), depth)
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            _check(name, value)
            return kind(value)
    raise FilterError(f"filter_params['{name}'] is a {type(value).__name__}; a template takes {TYPES}")


def _moment(name: str, value: datetime) -> Moment:
    try:
        return moment(value)
    except ValueError as error:
        raise FilterError(f"filter_params['{name}']: {error}") from None


def _plain_list(name: str, values: tuple[Any, ...], depth: int) -> tuple[Any, ...]:
    """A list by its extremes, if all its items are of one type; lists of ten thousand ids are common."""
    kinds = set(map(type, values))
    if kinds == {int}:
        _check(name, min(values))
        _check(name, max(values))
    elif kinds == {str}:
        _check(name, "".join(values))
    else:
        return tuple(_plain(name, item, depth + 1) for item in values)
    return values


def _check(name: str, value: bool | int | float | str) -> None:
    if isinstance(value, str):
        try:
            valid_text(value)
        except ValueError as error:
            raise FilterError(f"filter_params['{name}']: {error}") from None
    elif isinstance(value, int) and not INT64_MIN <= value <= INT64_MAX:
        raise FilterError(f"filter_params['{name}']: an integer must fit 64 bits, {value} does not")
    elif isinstance(value, float) and not math.isfinite(value):
        raise FilterError(f"filter_params['{name}'] must be a finite number, not {value}")
