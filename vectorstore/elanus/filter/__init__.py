"""Milvus's filter language: text to tokens, to a frozen tree, to checked conditions, to a mask over columns."""

from elanus.filter.columns import Columns, PathValues
from elanus.filter.dialects import translate_filter
from elanus.filter.evaluate import matches
from elanus.filter.expression import Expression, F, split_filter
from elanus.filter.predicate import Predicate, compile_filter

__all__ = [
    "Columns",
    "Expression",
    "F",
    "PathValues",
    "Predicate",
    "compile_filter",
    "matches",
    "split_filter",
    "translate_filter",
]
