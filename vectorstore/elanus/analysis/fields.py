"""The analyzers of a schema's fields: checked with the schema, and made once."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TypeAlias

from elanus.analysis.analyzer import Analyzer, make_analyzer
from elanus.analysis.multi import MultiAnalyzer, make_multi_analyzer
from elanus.errors import InvalidArgument, SchemaError, did_you_mean
from elanus.schema.collection import CollectionSchema
from elanus.schema.fields import FieldSchema
from elanus.types import DataType

FieldAnalyzer: TypeAlias = "Analyzer | MultiAnalyzer"
"""What analyses the texts of a field; `by_field` is the field it also reads, if any."""


def analyzer_of(field: FieldSchema) -> FieldAnalyzer:
    """The analyzer of a text field, or all it has."""
    given = field.analyzer_params, field.multi_analyzer_params
    return _analyzer(*(json.dumps(params, sort_keys=True, default=dict) for params in given))


@lru_cache(maxsize=64)
def _analyzer(params: str, multi: str) -> FieldAnalyzer:
    return make_analyzer(json.loads(params)) if multi == "null" else make_multi_analyzer(json.loads(multi))


def check_analyzers(schema: CollectionSchema) -> None:
    """Refuse an analyzer that does not exist or is given wrong parameters.

    Raises:
        InvalidArgument, NotSupported, SchemaError: names the field.
    """
    for field in schema.fields:
        if not field.enable_analyzer:
            continue
        try:
            if field.multi_analyzer_params is None:
                make_analyzer(field.analyzer_params)
            else:
                _check_naming(schema, make_multi_analyzer(field.multi_analyzer_params).by_field)
        except InvalidArgument as error:
            raise type(error)(f"field '{field.name}': {error.message}") from None


def _check_naming(schema: CollectionSchema, name: str) -> None:
    """Refuse a field that cannot name the analyzers of rows."""
    names = schema.names()
    if name not in names:
        raise SchemaError(f"multi_analyzer_params: by_field: no field '{name}'{did_you_mean(name, names)}")
    dtype = schema.field(name).dtype
    if dtype != DataType.VARCHAR:
        raise SchemaError(f"multi_analyzer_params: by_field '{name}' must be VARCHAR, not {dtype.name}")
