"""What an analyzer does, as plain data: a tokenizer and the filters after it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """A tokenizer or a token filter by the name it has in `steps.py`, and the argument, if it takes one."""

    name: str
    argument: Hashable = None


@dataclass(frozen=True)
class Recipe:
    """A tokenizer and the filters after it, in order."""

    tokenizer: Step
    steps: tuple[Step, ...]
