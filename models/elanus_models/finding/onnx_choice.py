"""Which of a repository's ONNX files to run on this CPU."""

from __future__ import annotations

import platform
from collections.abc import Collection
from dataclasses import dataclass

from elanus_models.cpu import cpu_flags
from elanus_models.errors import ModelNotFound

_PLAIN = ("model.onnx", "onnx/model.onnx")
_REDUCED = ("int8", "uint8", "quant", "q4", "bnb4", "fp16", "_O4")
_X86 = ("x86_64", "amd64")
_ARM = ("arm64", "aarch64")


@dataclass(frozen=True)
class Int8File:
    """A file name's part, and the machines and CPU flags it is made for; none means any."""

    mark: str
    machines: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


_INT8 = (
    Int8File("qint8_avx512_vnni", _X86, ("avx512_vnni", "avx512vnni")),
    Int8File("qint8_avx512", _X86, ("avx512f",)),
    Int8File("quint8_avx2", _X86, ("avx2",)),
    Int8File("qint8_arm64", _ARM),
    Int8File("model_int8"),
    Int8File("model_quantized"),
    Int8File("model_uint8"),
)
"""The best first."""


@dataclass(frozen=True)
class OnnxChoice:
    """The name of a file, why it was taken, and whether its numbers are 8-bit."""

    name: str
    reason: str
    int8: bool = False


def choose_onnx(
    names: Collection[str],
    wanted: str | None = None,
    *,
    int8: bool = False,
    flags: frozenset[str] | None = None,
    machine: str | None = None,
) -> OnnxChoice | None:
    """Choose among file names relative to the model's folder; None if there is no fit one.

    Without a wish it is the float32 graph. Ready-made int8 graphs take one scale from the whole batch, so that a text's
    vector depends on its neighbours: they are only taken when `int8` is asked for and one fits, or by their name.

    Raises ModelNotFound if `wanted` is not among the names.
    """
    graphs = [name for name in sorted(names) if name.endswith(".onnx")]
    if wanted is not None:
        if wanted not in graphs:
            raise ModelNotFound(f"there is no file '{wanted}'; ONNX files: {', '.join(graphs) or 'none'}")
        return OnnxChoice(wanted, "asked for", _is_int8(wanted))
    if int8:
        found = _int8_file(graphs, cpu_flags() if flags is None else flags, (machine or platform.machine()).lower())
        if found is not None:
            return found
    plain = [name for name in _PLAIN if name in graphs] or [name for name in graphs if _is_plain(name)]
    return OnnxChoice(plain[0], "the float32 graph") if plain else None


def data_of(name: str, names: Collection[str]) -> list[str]:
    """Return the files in which a graph keeps its large tensors: named after it, or beside it without an ending.

    The first is `model.onnx_data`; the second is how exporters name a single tensor, as `onnx/Constant_7_attr__value`.
    """
    folder, slash, _ = name.rpartition("/")
    beside = [other for other in sorted(names) if other.rpartition("/")[0] == folder and other != name]
    return [other for other in beside if other.startswith(name) or (slash and "." not in other.rpartition("/")[2])]


def _int8_file(graphs: list[str], flags: frozenset[str], machine: str) -> OnnxChoice | None:
    for kind in _INT8:
        fits = (not kind.machines or machine in kind.machines) and (not kind.flags or not flags.isdisjoint(kind.flags))
        found = [name for name in graphs if kind.mark in name] if fits else []
        if found:
            made_for = f"made for {machine} with {kind.flags[0]}" if kind.flags else f"fit for {machine}"
            reason = f"{made_for}; it scales by the batch, so that a text's result depends on its neighbours"
            return OnnxChoice(found[0], reason, True)
    return None


def _is_plain(name: str) -> bool:
    return name.startswith(("model", "onnx/model")) and not any(mark in name for mark in _REDUCED)


def _is_int8(name: str) -> bool:
    return any(kind.mark in name for kind in _INT8)
