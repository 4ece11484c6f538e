"""Ranking hits anew by boosts: their filters are asked of the candidates alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from elanus.errors import FilterError, InvalidArgument
from elanus.filter import Predicate, compile_filter, matches
from elanus.filter.subset import Subset
from elanus.rank.boost import Bools, Boost, Boosts
from elanus.schema.buffers import numbers
from elanus.schema.collection import CollectionSchema
from elanus.schema.fields import INTEGERS
from elanus.search.found import Found
from elanus.storage.part import Int64s
from elanus.storage.view import View


@dataclass(frozen=True, eq=False)
class Booster:
    """Boosts with their filters compiled for a schema."""

    boosts: Boosts
    predicates: Sequence[Predicate | None]

    def boosted(self, view: View, hits: Found) -> Found:
        """One query's hits by boosted score."""
        fitting = [_matching(view, predicate, hits.rids) for predicate in self.predicates]
        weights = [boost.weights(_values(view, boost, hits.rids)) for boost in self.boosts.boosts]
        return Found(*self.boosts.ranked(hits.rids, hits.scores, weights, fitting))


def make_booster(schema: CollectionSchema, boosts: Boosts) -> Booster:
    """Check boosts against a schema.

    Raises:
        FilterError: a filter does not fit; InvalidArgument: a field of random_score does not. Both name the function.
    """
    integers = [field.name for field in schema.fields if field.dtype in INTEGERS]
    predicates = []
    for boost in boosts.boosts:
        if boost.field is not None and boost.field not in integers:
            raise InvalidArgument(f"{boost.who}: random_score goes by an integer field, not {boost.field!r}")
        try:
            predicates.append(None if boost.filter is None else compile_filter(boost.filter, schema))
        except FilterError as error:
            raise FilterError(f"{boost.who}: {error.message}") from None
    return Booster(boosts, predicates)


def _matching(view: View, predicate: Predicate | None, rids: Int64s) -> Bools:
    fits = np.ones(len(rids), np.bool_)
    if predicate is None:
        return fits
    for s in view.slices:
        which, rows = s.part.locate(rids)
        if len(which):
            order = np.argsort(rows)
            fits[which[order]] = matches(predicate, Subset(s.part, rows[order]))
    return fits


def _values(view: View, boost: Boost, rids: Int64s) -> Int64s:
    """What chance goes by: the values of a field, or the rows' own numbers."""
    if not boost.random or boost.field is None:
        return rids
    values = np.zeros(len(rids), np.int64)
    for s in view.slices:
        which, rows = s.part.locate(rids)
        values[which] = numbers(s.part.column(boost.field))[rows]
    return values
