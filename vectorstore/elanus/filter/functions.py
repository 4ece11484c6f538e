"""The functions of the filter language, and the parts of Milvus's grammar that are still to come."""

from __future__ import annotations

CONTAINS = {
    "json_contains": "one",
    "array_contains": "one",
    "json_contains_any": "any",
    "array_contains_any": "any",
    "json_contains_all": "all",
    "array_contains_all": "all",
}
LENGTH = "array_length"
ARGUMENTS = {**dict.fromkeys(CONTAINS, 2), LENGTH: 1}

LATER_FUNCTIONS = frozenset(
    {"text_match", "phrase_match", "random_sample", "element_filter"}
    | {"match_all", "match_any", "match_least", "match_most", "match_exact"}
    | {"st_equals", "st_touches", "st_overlaps", "st_crosses", "st_contains", "st_intersects"}
    | {"st_within", "st_dwithin", "st_isvalid"}
)
LATER_LITERALS = {"iso": "timestamp literals (ISO)", "interval": "time intervals (INTERVAL)"}
LATER_SIGNS = {
    "&": "bitwise & is not supported yet; a condition is joined by 'and' or '&&'",
    "|": "bitwise | is not supported yet; a condition is joined by 'or' or '||'",
    "^": "bitwise ^ is not supported yet; a power is written '**'",
    "~": "bitwise ~ is not supported yet; a condition is negated by 'not' or '!'",
    "<<": "the shift << is not supported yet",
    ">>": "the shift >> is not supported yet",
    "$": "'$' (the element of a struct array) is not supported yet",
}
