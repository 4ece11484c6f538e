"""From a filter to the few rows that may match it, by looking values up instead of reading whole columns.

What is found is a superset, cheap to have; the evaluator then decides about those rows alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from elanus.filter.conditions import (
    And,
    Compare,
    Condition,
    Const,
    Contains,
    Field,
    In,
    Like,
    Or,
    Path,
    PhraseMatch,
    TextMatch,
)
from elanus.filter.numeric import single
from elanus.filter.pattern import EXACT, INNER, PREFIX, SUFFIX
from elanus.index.grams import Grams
from elanus.index.inverted import Postings
from elanus.index.lookup import Lookup, Span
from elanus.types import DataType

Int64s = np.ndarray[Any, np.dtype[np.int64]]

FEW, FEW_OF_LISTS = 128, 16
"""One row in so many is few.

Measured at 1,000,000 rows, CPU ms by lookup against the whole column: an integer 0.5 against 1.2 at one row in 1,000,
1.1 against 0.6 at one in 100; a list's element 2.2 against 24 at one in 500; `like '%text%'` 1 against 95.
"""

NO_ROWS = np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of an operand's values: lookups that together have every row but those of `rest`; grams; terms."""

    lookups: Sequence[Lookup] = ()
    grams: Grams | None = None
    terms: Postings | None = None
    rest: Int64s = field(default_factory=lambda: NO_ROWS)


KnownOf: TypeAlias = "Callable[[Field | Path | TextMatch | PhraseMatch], Known | None]"
"""Asked for terms by the condition on a text, which names the field and its analyzer."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Rows that may match: at most `count` of them, and how to have them, ascending.

    `pays_from` is the share of rows, as one in so many, from which on downwards they cost less than the whole column.
    """

    count: int
    read: Callable[[], Int64s]
    pays_from: int = FEW


def narrow(condition: Condition, known_of: KnownOf) -> Candidates | None:
    """The rows outside of which the condition is nowhere true; None if no lookup tells."""
    if isinstance(condition, And):
        found = [c for part in condition.parts if (c := narrow(part, known_of)) is not None]
        return min(found, key=lambda candidates: candidates.count, default=None)
    if isinstance(condition, Or):
        either = [narrow(part, known_of) for part in condition.parts]
        told = [c for c in either if c is not None]
        return _union(told) if len(told) == len(either) else None
    if isinstance(condition, Contains):
        return _containing(condition, known_of)
    if isinstance(condition, (TextMatch, PhraseMatch)):
        return _having_terms(condition, known_of)
    return _leaf(condition, known_of)


def _having_terms(condition: TextMatch | PhraseMatch, known_of: KnownOf) -> Candidates | None:
    """Texts with any of the terms, or of a phrase with the rarest; words like them are only looked for once, later."""
    if isinstance(condition, TextMatch) and not condition.is_exact:
        return None
    known = known_of(condition)
    if known is None or known.terms is None:
        return None
    rows, found = known.terms.rows, map(known.terms.find, set(condition.terms))
    each = [NO_ROWS if run is None else rows[run.start : run.stop] for run in found]
    if isinstance(condition, PhraseMatch):
        each = [min(each, key=len, default=NO_ROWS)]
    return Candidates(sum(map(len, each)), lambda: _joined([run.astype(np.int64) for run in each]), FEW_OF_LISTS)


def _leaf(leaf: Condition, known_of: KnownOf) -> Candidates | None:
    if isinstance(leaf, In) and isinstance(leaf.operand, (Field, Path)):
        return _looked_up(leaf.operand, known_of, lambda lookup, of: [lookup.equal(of(v)) for v in leaf.values])
    if isinstance(leaf, Like):
        return _like(leaf, known_of)
    if not isinstance(leaf, Compare) or leaf.op == "!=" or not isinstance(leaf.right, Const):
        return None
    operand, op, value = leaf.left, leaf.op, leaf.right.value
    if not isinstance(operand, (Field, Path)) or isinstance(value, tuple):
        return None
    return _looked_up(operand, known_of, lambda lookup, of: [lookup.compared(op, of(value))])


def _like(leaf: Like, known_of: KnownOf) -> Candidates | None:
    operand, how, literal = leaf.operand, leaf.pattern.how, leaf.pattern.text
    if not isinstance(operand, (Field, Path)):
        return None
    found = None
    if how in (EXACT, PREFIX):
        spans = Lookup.equal if how == EXACT else Lookup.starting
        found = _looked_up(operand, known_of, lambda lookup, _: [spans(lookup, literal)])
    if found is None and how in (EXACT, PREFIX, INNER, SUFFIX):
        known = known_of(operand)
        grams = None if known is None else known.grams
        span = None if grams is None else grams.containing(literal)
        if grams is not None and span is not None:
            return Candidates(grams.count(span), partial(grams.rows, span), FEW_OF_LISTS)
    return found


def _containing(leaf: Contains, known_of: KnownOf) -> Candidates | None:
    """Lists with any of the values, or with the rarest where every one is asked for."""
    operand = leaf.operand
    each = [_looked_up(operand, known_of, lambda lookup, of, v=v: [lookup.equal(of(v))]) for v in leaf.values]  # type: ignore[misc]
    told = [c for c in each if c is not None]
    if not told:
        return None
    found = min(told, key=lambda candidates: candidates.count) if leaf.every else _union(told)
    return replace(found, pays_from=FEW_OF_LISTS)


def _looked_up(
    operand: Field | Path,
    known_of: KnownOf,
    spans_in: Callable[[Lookup, Callable[[Any], Any]], list[Span]],
) -> Candidates | None:
    known = known_of(operand)
    if known is None or not known.lookups:
        return None
    spans = [(lookup, spans_in(lookup, lambda value: _as_kept(operand, value))) for lookup in known.lookups]
    count = sum(lookup.count(found) for lookup, found in spans) + len(known.rest)

    def read() -> Int64s:
        return _joined([known.rest, *(lookup.rows(found) for lookup, found in spans)])

    return Candidates(count, read)


def _as_kept(operand: Field | Path, value: Any) -> Any:
    """A constant as the column has it: rounded for a FLOAT field, as the comparison itself does."""
    if isinstance(operand, Field) and operand.dtype == DataType.FLOAT and isinstance(value, (int, float)):
        return float(single(value))
    return value


def _union(several: Sequence[Candidates]) -> Candidates:
    pays_from = max((c.pays_from for c in several), default=FEW)
    return Candidates(sum(c.count for c in several), lambda: _joined([c.read() for c in several]), pays_from)


def _joined(pieces: Iterable[Int64s]) -> Int64s:
    filled = [piece for piece in pieces if len(piece)]
    if len(filled) <= 1:
        return filled[0] if filled else NO_ROWS
    return np.unique(np.concatenate(filled))
