"""The analyzer of a field, made once."""

from __future__ import annotations

import json
from functools import lru_cache

from elanus.analysis.analyzer import Analyzer, make_analyzer
from elanus.schema.fields import FieldSchema


def analyzer_of(field: FieldSchema) -> Analyzer:
    """The analyzer of a text field."""
    return _analyzer(json.dumps(field.analyzer_params, sort_keys=True, default=dict))


@lru_cache(maxsize=64)
def _analyzer(params: str) -> Analyzer:
    return make_analyzer(json.loads(params))
