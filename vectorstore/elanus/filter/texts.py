"""Full-text conditions: which rows have the terms, from an inverted index; and where in their texts, read again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from elanus.analysis import Analyzer, PlacedWords
from elanus.filter.columns import Bools, Columns, TextIndex
from elanus.filter.conditions import PhraseMatch, TextMatch
from elanus.filter.vectors import Array
from elanus.index.inverted import Postings
from elanus.index.spelling import rows_like
from elanus.schema.buffers import from_numbers

READ_AT_ONCE = 32_768
"""Texts that are analysed together to verify a phrase."""


def where_text(condition: TextMatch | PhraseMatch, rows: Columns, truth: bool) -> Bools:
    """Return where a text condition is definitely `truth`; for a null it is unknown."""
    index = rows.text_index(condition.field, condition.analyzer)
    if isinstance(condition, TextMatch):
        mask = _with_enough(index, _matched(index.postings, condition), condition.minimum)
    else:
        distinct = set(condition.terms)
        mask = _with_enough(index, [_rows_of(index.postings, term) for term in distinct], len(distinct))
        if len(condition.terms) > 1:
            mask = _verified(mask, condition, rows)
    if truth:
        return mask
    lengths = index.postings.lengths if index.rows is None else index.postings.lengths[index.rows]
    return ~mask & (lengths >= 0)


def _matched(postings: Postings, condition: TextMatch) -> list[Array]:
    """For each term the rows that have it, or a word like it."""
    if condition.is_exact:
        return [_rows_of(postings, term) for term in condition.terms]
    return [rows_like(postings, term, condition.prefix, condition.edits) for term in condition.terms]


def _rows_of(postings: Postings, term: str) -> Array:
    run = postings.find(term)
    return postings.rows[:0] if run is None else postings.rows[run.start : run.stop]


def _with_enough(index: TextIndex, matched: Sequence[Array], minimum: int) -> Bools:
    """Return the rows that are in at least `minimum` of the runs of ascending rows, bool (n,); none is in no runs."""
    postings, rows = index
    size = postings.row_count if rows is None else len(rows)
    runs = [run for run in matched if len(run)]
    if len(runs) < max(minimum, 1):
        return np.zeros(size, np.bool_)
    mask = np.zeros(size, np.bool_)
    if minimum == len(runs) and rows is None:
        mask[_common(runs)] = True
        return mask
    counts = np.zeros(size if minimum > 1 else 0, np.int32)
    for run in runs:
        here = run if rows is None else _among(run, rows)
        if minimum > 1:
            counts[here] += 1
        else:
            mask[here] = True
    return counts >= minimum if minimum > 1 else mask


def _common(runs: Sequence[Array]) -> Array:
    """The rows that are in every run, from the shortest to the longest."""
    common, *others = sorted(runs, key=len)
    for run in others:
        common = common[_among(run, common)]
    return common


def _among(run: Array, rows: Array) -> Bools:
    """Which rows are in a term's run; both ascend."""
    rows = rows.astype(run.dtype, copy=False)
    places = np.minimum(run.searchsorted(rows), len(run) - 1)
    return np.asarray(run[places] == rows, np.bool_)


def _verified(mask: Bools, condition: PhraseMatch, rows: Columns) -> Bools:
    """Those of the rows whose text has the phrase."""
    candidates = np.flatnonzero(mask)
    column, found = rows.column(condition.field), np.zeros(len(mask), np.bool_)
    for start in range(0, len(candidates), READ_AT_ONCE):
        some = candidates[start : start + READ_AT_ONCE]
        texts = column.take(from_numbers(some)).to_pylist()
        found[some[has_phrase(condition.analyzer.place(texts), condition)]] = True
    return found


def has_phrase(texts: PlacedWords, phrase: PhraseMatch) -> Bools:
    """Return which texts have the phrase, bool (n,).

    Tantivy's rule: one occurrence of each term can be chosen such that their distances from their places in the phrase
    differ by at most the slop; one occurrence may stand for two equal terms. So two words the other way round need 2.
    """
    row_of = np.repeat(np.arange(len(texts.lengths), dtype=np.int64), texts.lengths)
    width = int(texts.positions.max(initial=0)) + max(phrase.places) + phrase.slop + 2
    rows, shifts, owners = [], [], []
    for number, (term, place) in enumerate(zip(phrase.terms, phrase.places, strict=True)):
        has_term = np.array([term in terms for terms in texts.terms], np.bool_)
        at = np.flatnonzero(has_term[texts.ids])
        rows.append(row_of[at])
        shifts.append(texts.positions[at].astype(np.int64) + (max(phrase.places) - place) + phrase.slop + 1)
        owners.append(np.full(len(at), number))
    events = np.concatenate(rows) * width + np.concatenate(shifts)
    order = np.argsort(events, kind="stable")
    events, owner = events[order], np.concatenate(owners)[order]
    earliest = _earliest_of_latest(events, owner, len(phrase.terms))
    found = np.zeros(len(texts.lengths), np.bool_)
    found[events[earliest >= events - phrase.slop] // width] = True
    return found


def _earliest_of_latest(events: Array, owner: Array, terms: int) -> Any:
    """For each event, the earliest of the latest events so far of every term; -1 until all terms had one."""
    earliest = events
    for number in range(terms):
        latest = np.maximum.accumulate(np.where(owner == number, events, -1))
        earliest = np.minimum(earliest, latest)
    return earliest


def placed_terms(analyzer: Analyzer, text: str) -> list[tuple[int, str]]:
    """Return a text's terms with their positions."""
    placed = analyzer.place([text])
    return [
        (position, term)
        for word, position in zip(placed.ids.tolist(), placed.positions.tolist(), strict=True)
        for term in placed.terms[word]
    ]
