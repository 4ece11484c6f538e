"""Clocks and meters: CPU and wall time per call, memory, disk, fresh processes."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

BLOCKS = 3  # times every query is asked; the CPU figure is the median block
QUIET = 0.5  # seconds
MB = 1e6


@dataclass
class Span:
    """Seconds that passed, and seconds of CPU time the process's threads used."""

    wall: float = 0.0
    cpu: float = 0.0


@contextmanager
def span() -> Iterator[Span]:
    """Measure a block; the figures are there when it ends."""
    measured, wall, cpu = Span(), time.perf_counter(), time.process_time()
    try:
        yield measured
    finally:
        measured.wall, measured.cpu = time.perf_counter() - wall, time.process_time() - cpu


@dataclass(frozen=True)
class Latency:
    """Milliseconds per call."""

    cpu: float
    p50: float
    p99: float


def latency(call: Callable[[Any], object], inputs: Sequence[Any]) -> Latency:
    """Call with every input, `BLOCKS` times over."""
    walls, cpus = [], []
    for _ in range(BLOCKS):
        started = time.process_time()
        for value in inputs:
            before = time.perf_counter_ns()
            call(value)
            walls.append(time.perf_counter_ns() - before)
        cpus.append((time.process_time() - started) / len(inputs))
    p50, p99 = np.percentile(walls, (50, 99)) / 1e6
    return Latency(1e3 * statistics.median(cpus), float(p50), float(p99))


def settle(most: float = 120.0) -> float:
    """Wait until background work is done: half a second with almost no CPU time; returns the idle seconds."""
    deadline = time.perf_counter() + most
    while time.perf_counter() < deadline:
        before = time.process_time()
        time.sleep(QUIET)
        if time.process_time() - before < 0.02:
            break
    return QUIET


def disk_mb(folder: Path) -> float:
    """Return what the files of a folder occupy, as `du` counts it."""
    sizes = [getattr(path.stat(), "st_blocks", -(-path.stat().st_size // 512)) * 512 for path in folder.rglob("*")]
    return sum(sizes) / MB


def memory_mb() -> dict[str, float]:
    """Return this process's resident set, its proportional share, and what no other process could share."""
    try:
        lines = Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return {}
    kilobytes = {name: int(value.split()[0]) for name, value in (line.split(":") for line in lines)}
    private = kilobytes["Private_Clean"] + kilobytes["Private_Dirty"]
    return {name: value * 1024 / MB for name, value in
            (("rss", kilobytes["Rss"]), ("pss", kilobytes["Pss"]), ("private", private),
             ("anonymous", kilobytes["Anonymous"]))}  # fmt: skip


def in_fresh_process(*arguments: str) -> dict[str, Any]:
    """Run `benchmarks.fresh` in a new interpreter; its report with the parent's view of its time."""
    before, wall = os.times(), time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.fresh", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    after = os.times()
    report: dict[str, Any] = json.loads(done.stdout)
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {**report, "process_wall": time.perf_counter() - wall, "process_cpu": cpu}
