"""The optional compiled kernel of the inverted index.

`extension` is the module `elanus.index._postings`, or None where it was not built or `ELANUS_NO_EXTENSION` is set;
numpy then does the same work with the same results.
"""

from __future__ import annotations

import importlib
import os
from typing import Any


def _load() -> Any:
    if os.environ.get("ELANUS_NO_EXTENSION"):
        return None
    try:
        return importlib.import_module("elanus.index._postings")
    except ImportError:
        return None


extension: Any = _load()
