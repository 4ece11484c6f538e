"""Which arithmetic this CPU is fast and exact at."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Precision = Literal["int8", "float32"]

_X86 = {"x86_64", "amd64", "i386", "i686"}
_ARM = {"arm64", "aarch64"}
_VNNI = ("avx512_vnni", "avx_vnni", "avx512vnni")
_DOT = ("asimddp",)


@dataclass(frozen=True)
class Choice:
    """A precision and the reason for it."""

    precision: Precision
    reason: str


@functools.cache
def cpu_flags() -> frozenset[str]:
    """Return the CPU's feature flags, lower case; empty where the system does not tell."""
    system = platform.system()
    if system == "Linux":
        return frozenset(_proc_cpuinfo())
    if system == "Darwin":
        return frozenset(_sysctl())
    return frozenset()


def _proc_cpuinfo() -> list[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() in ("flags", "Features"):
            return value.lower().split()
    return []


def _sysctl() -> list[str]:
    names = ["hw.optional.arm.FEAT_DotProd", "hw.optional.avx512vnni", "hw.optional.avx_vnni"]
    flags = ["asimddp", "avx512_vnni", "avx_vnni"]
    found: list[str] = []
    for name, flag in zip(names, flags, strict=True):
        try:
            out = subprocess.run(["sysctl", "-n", name], capture_output=True, timeout=5, check=False).stdout
        except (OSError, subprocess.SubprocessError):
            return found
        if out.strip() == b"1":
            found.append(flag)
    return found


def usable_cpus() -> int:
    """Return how many CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


def choose_precision(flags: frozenset[str] | None = None, machine: str | None = None) -> Choice:
    """Choose int8 where the CPU multiplies 8-bit integers in one instruction, else float32."""
    flags = cpu_flags() if flags is None else flags
    machine = (machine or platform.machine()).lower()
    wanted = _VNNI if machine in _X86 else _DOT if machine in _ARM else ()
    for flag in wanted:
        if flag in flags:
            return Choice("int8", f"{machine} CPU with {flag}")
    if not wanted:
        return Choice("float32", f"no int8 kernel known for {machine}")
    missing = " or ".join(wanted[:2])
    return Choice("float32", f"{machine} CPU does not report {missing}, so int8 may be slower")


def signed_weights_saturate(flags: frozenset[str] | None = None, machine: str | None = None) -> bool:
    """Return whether 8-bit products of signed weights are summed in 16 bits, which overflow.

    x86 before VNNI multiplies unsigned by signed bytes that way (`vpmaddubsw`); unsigned weights take
    another, exact kernel there.
    """
    flags = cpu_flags() if flags is None else flags
    machine = (machine or platform.machine()).lower()
    return machine in _X86 and not any(flag in flags for flag in _VNNI)
