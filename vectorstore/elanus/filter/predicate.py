"""A filter ready to be asked of rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from random import SystemRandom
from typing import Any, NamedTuple

from elanus.errors import FilterError
from elanus.filter.bind import bind
from elanus.filter.check import Checker
from elanus.filter.conditions import Always, And, Condition, Field, In, IsNull, Not
from elanus.filter.parse import parse
from elanus.schema.arrow import PARTITION
from elanus.schema.collection import CollectionSchema
from elanus.schema.fields import FieldSchema
from elanus.types import DataType

MAX_KEY = 256
randbits = SystemRandom().getrandbits


class Sample(NamedTuple):
    """A share of rows, and the number of the draw: one predicate draws the same rows of a view each time."""

    share: float
    draw: int


@dataclass(frozen=True, eq=False)
class Predicate:
    """A parsed, bound and checked filter.

    Attributes:
        text: the filter as it was written.
        condition: what it asks.
        fields: the declared fields it reads.
        paths: the JSON paths it reads, as (field, keys); dynamic keys belong to the field `$meta`.
        values: its parameters, by name.
        sample: the share of the matching rows that it asks for, and which draw of them; None for all of them.
    """

    text: str
    condition: Condition
    fields: frozenset[str]
    paths: frozenset[tuple[str, tuple[str | int, ...]]]
    values: tuple[tuple[str, Any], ...] = ()
    sample: Sample | None = None

    @cached_property
    def key(self) -> str:
        """A string that is equal exactly for filters of one text, one set of parameters and one meaning."""
        key = repr((self.text, self.values, sorted(self.fields), sorted(self.paths, key=repr), self.sample))
        return key if len(key) <= MAX_KEY else hashlib.blake2b(key.encode(), digest_size=32).hexdigest()

    @property
    def is_always(self) -> bool:
        """Whether every row matches, whatever it holds."""
        return self.condition == Always(True) and self.sample is None

    @property
    def unsampled(self) -> Predicate:
        """The same filter, asking for all rows that match."""
        return replace(self, sample=None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Predicate) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


def compile_filter(text: str, schema: CollectionSchema, params: Mapping[str, Any] | None = None) -> Predicate:
    """Return a filter as a predicate; a blank one matches every row.

    Args:
        text: an expression of Milvus's filter language.
        params: the values of its `{templates}`; each must be used, and each template must have one.

    Raises:
        FilterError: it does not parse, or does not fit the schema; the message shows the place.
        NotSupported: it uses a part of Milvus's language that this version does not have.
    """
    if not isinstance(text, str):
        raise FilterError(f"a filter must be a str, not {type(text).__name__}")
    if not text or text.isspace():
        if params:
            raise FilterError(f"filter_params {sorted(map(str, params))} are given without a filter that uses them")
        return Predicate(text, Always(True), frozenset(), frozenset())
    tree = parse(text)
    values = bind(text, tree, params)
    checker = Checker(text, schema, values)
    condition, share = checker.whole(tree)
    sample = None if share is None else Sample(share, randbits(64))
    fields, paths = frozenset(checker.fields), frozenset(checker.paths)
    return Predicate(text, condition, fields, paths, tuple(sorted(values.items())), sample)


def present(predicate: Predicate | None, field: FieldSchema) -> Predicate:
    """A filter (None: no filter) on the rows only in which a field is not null."""
    there, text = Not(IsNull(Field(field.name, field.dtype))), f"{field.name} is not null"
    if predicate is None:
        return Predicate(text, there, frozenset({field.name}), frozenset())
    condition, fields = And((predicate.condition, there)), predicate.fields | {field.name}
    return replace(predicate, text=f"({predicate.text}) and {text}", condition=condition, fields=fields)


def within(predicate: Predicate | None, partitions: tuple[int, ...] | None) -> Predicate | None:
    """A filter (None: no filter) on the rows of some partitions only (None: of all)."""
    if partitions is None:
        return predicate
    inside = In(Field(PARTITION, DataType.INT32), partitions)
    name = (PARTITION, partitions)
    if predicate is None:
        return Predicate("", inside, frozenset({PARTITION}), frozenset(), (name,))
    condition = And((inside, predicate.condition))
    return replace(
        predicate, condition=condition, fields=predicate.fields | {PARTITION}, values=(*predicate.values, name)
    )
