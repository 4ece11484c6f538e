"""What a search notes about itself while it runs, if it is asked to explain; nothing is noted otherwise."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Trace:
    """Milliseconds by stage, in the order of the stages, and further facts of one search or of one of its routes."""

    milliseconds: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    routes: list[Trace] = field(default_factory=list)

    def route(self) -> Trace:
        """A trace for a further route."""
        self.routes.append(Trace())
        return self.routes[-1]

    def plan(self) -> dict[str, Any]:
        """What was noted, as plain data."""
        rounded = {stage: round(ms, 3) for stage, ms in self.milliseconds.items()}
        own = {**self.facts, "milliseconds": rounded}
        return {**own, "routes": [route.plan() for route in self.routes]} if self.routes else own


@contextmanager
def _timed(trace: Trace, stage: str) -> Iterator[None]:
    began = time.perf_counter()
    try:
        yield
    finally:
        taken = 1e3 * (time.perf_counter() - began)
        trace.milliseconds[stage] = trace.milliseconds.get(stage, 0.0) + taken


def stage(trace: Trace | None, name: str) -> AbstractContextManager[None]:
    """Note how long a block takes; without a trace nothing is done."""
    return nullcontext() if trace is None else _timed(trace, name)
