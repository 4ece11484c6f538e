"""The functions of the filter language."""

from __future__ import annotations

from typing import NamedTuple

CONTAINS = {
    "json_contains": "one",
    "array_contains": "one",
    "json_contains_any": "any",
    "array_contains_any": "any",
    "json_contains_all": "all",
    "array_contains_all": "all",
}
LENGTH = "array_length"
TEXT_MATCH, PHRASE_MATCH = "text_match", "phrase_match"
MINIMUM, PREFIX, FUZZINESS = "minimum_should_match", "prefix", "fuzziness"
OWN_OPTIONS = (PREFIX, FUZZINESS)
"""Options that Milvus does not have."""
RANDOM_SAMPLE = "random_sample"
SPATIAL = {
    "st_equals": "equals",
    "st_touches": "touches",
    "st_overlaps": "overlaps",
    "st_crosses": "crosses",
    "st_contains": "within",
    "st_intersects": "intersects",
    "st_within": "contains",
    "st_dwithin": "distance",
    "st_isvalid": "is_valid",
}
"""The spatial functions, and shapely's for them, asked of the shape in the filter, which it can prepare."""
COUNTED = ("match_least", "match_most", "match_exact")
QUANTIFIED = ("element_filter", "match_any", "match_all", *COUNTED)
"""The functions that ask how many elements of a list match; some compare it with a number."""
THRESHOLD = "threshold"
DISTANCE, VALID = "st_dwithin", "st_isvalid"


class Signature(NamedTuple):
    """How many arguments a function takes, and the names of those that may follow them as `name=value`."""

    least: int
    most: int
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        count = str(self.least) if self.least == self.most else f"{self.least} or {self.most}"
        options = f", and {self.named}" if self.options else ""
        return f"{count} argument{'s'[: self.most > 1]}{options}"

    @property
    def named(self) -> str:
        """The options as they are written."""
        return ", ".join(f"{option}=..." for option in self.options)


SIGNATURES = {
    **dict.fromkeys(CONTAINS, Signature(2, 2)),
    LENGTH: Signature(1, 1),
    TEXT_MATCH: Signature(2, 2, (MINIMUM, PREFIX, FUZZINESS)),
    PHRASE_MATCH: Signature(2, 3),
    RANDOM_SAMPLE: Signature(1, 1),
    **dict.fromkeys(QUANTIFIED, Signature(2, 2)),
    **dict.fromkeys(COUNTED, Signature(2, 2, (THRESHOLD,))),
    **dict.fromkeys(SPATIAL, Signature(2, 2)),
    DISTANCE: Signature(3, 3),
    VALID: Signature(1, 1),
}
