"""What analyzers can be made of, told from the tables that read them."""

from __future__ import annotations

from typing import Any

from elanus.analysis.filters import FILE_OPTIONS, FILTERS, LATER_FILTERS, PLAIN_FILTERS, STEMMERS, STOP_LISTS
from elanus.analysis.packages import PACKAGES
from elanus.analysis.params import BUILT_IN, LATER_OPTIONS
from elanus.analysis.tokenizers import LATER_TOKENIZERS, TOKENIZERS


def capabilities() -> dict[str, Any]:
    """Return, as plain data, the built-in types, tokenizers and filters with their options, languages and packages."""
    plain: dict[str, list[str]] = {name: [] for name in PLAIN_FILTERS}
    filters = plain | {name: list(options) for name, (_, _, options) in FILTERS.items()}
    return {
        "types": sorted({*BUILT_IN, *STEMMERS}),
        "tokenizers": {name: list(options) for name, (_, options) in TOKENIZERS.items()},
        "filters": filters,
        "stemmers": sorted(STEMMERS),
        "stop_words": sorted(f"_{language}_" for language in STOP_LISTS),
        "packages": {name: needed.install for name, needed in PACKAGES.items()},
        "unsupported": {**LATER_TOKENIZERS, **LATER_FILTERS, **LATER_OPTIONS, **FILE_OPTIONS},
    }
