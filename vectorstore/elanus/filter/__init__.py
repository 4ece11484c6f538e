"""Milvus's filter language: text to tokens, to a frozen tree, to checked conditions, to a mask over columns."""

from elanus.filter.columns import Columns, PathValues
from elanus.filter.conditions import Path
from elanus.filter.dialects import translate_filter
from elanus.filter.evaluate import matches
from elanus.filter.expression import Expression, split_filter
from elanus.filter.fields import F
from elanus.filter.names import named_path
from elanus.filter.predicate import Predicate, compile_filter, present, within
from elanus.filter.writing import written_path

__all__ = [
    "Columns",
    "Expression",
    "F",
    "Path",
    "PathValues",
    "Predicate",
    "compile_filter",
    "matches",
    "named_path",
    "present",
    "split_filter",
    "translate_filter",
    "within",
    "written_path",
]
