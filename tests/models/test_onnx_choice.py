"""Which of a repository's ONNX files runs on which CPU."""

from __future__ import annotations

import pytest
from elanus_models.finding.onnx_choice import choose_onnx

FILES = [
    "README.md",
    "onnx/model.onnx",
    "onnx/model_O3.onnx",
    "onnx/model_O4.onnx",
    "onnx/model_fp16.onnx",
    "onnx/model_qint8_arm64.onnx",
    "onnx/model_qint8_avx512.onnx",
    "onnx/model_qint8_avx512_vnni.onnx",
    "onnx/model_quint8_avx2.onnx",
]


@pytest.mark.parametrize(
    ("machine", "flags", "expected"),
    [
        ("x86_64", {"avx2", "avx512f", "avx512_vnni"}, "onnx/model_qint8_avx512_vnni.onnx"),
        ("AMD64", {"avx2", "avx512f"}, "onnx/model_qint8_avx512.onnx"),
        ("x86_64", {"avx2"}, "onnx/model_quint8_avx2.onnx"),
        ("x86_64", {"sse4_2"}, "onnx/model.onnx"),
        ("arm64", set(), "onnx/model_qint8_arm64.onnx"),
        ("aarch64", {"asimddp"}, "onnx/model_qint8_arm64.onnx"),
        ("riscv64", set(), "onnx/model.onnx"),
    ],
)
def test_int8_files_are_taken_by_the_cpu(machine: str, flags: set[str], expected: str) -> None:
    chosen = choose_onnx(FILES, int8=True, flags=frozenset(flags), machine=machine)
    assert chosen is not None
    assert (chosen.name, chosen.int8) == (expected, "int8" in expected)
    if chosen.int8:
        assert machine.lower() in chosen.reason
        assert "neighbours" in chosen.reason


def test_without_a_wish_the_float_graph_is_taken() -> None:
    for names, expected in (
        (FILES, "onnx/model.onnx"),
        (["onnx/model_fp16.onnx", "onnx/model_O2.onnx", "onnx/model_O4.onnx"], "onnx/model_O2.onnx"),
        (["model.onnx", "onnx/model.onnx"], "model.onnx"),
        (["onnx/model_quantized.onnx", "decoder.onnx"], None),
        ([], None),
    ):
        chosen = choose_onnx(names)
        assert (chosen and chosen.name) == expected


def test_a_plain_int8_file_fits_every_cpu() -> None:
    chosen = choose_onnx(["onnx/model_quantized.onnx"], int8=True, flags=frozenset(), machine="riscv64")
    assert chosen is not None
    assert chosen.name == "onnx/model_quantized.onnx"
