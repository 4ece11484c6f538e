"""ONNX files by name: those of transformers.js, one that is asked for, and the data that belong to a graph."""

from __future__ import annotations

import pytest
from elanus_models import ModelNotFound
from elanus_models.finding.onnx_choice import choose_onnx, data_of

TRANSFORMERS_JS = [f"onnx/model{kind}.onnx" for kind in ("", "_bnb4", "_fp16", "_int8", "_q4", "_quantized", "_uint8")]


@pytest.mark.parametrize("machine", ["x86_64", "arm64", "riscv64"])
def test_of_eight_bit_files_for_any_cpu_one_is_taken(machine: str) -> None:
    found = choose_onnx(TRANSFORMERS_JS, int8=True, machine=machine, flags=frozenset())
    assert found is not None
    assert (found.name, found.int8) == ("onnx/model_int8.onnx", True)
    assert "depends on its neighbours" in found.reason


def test_a_file_asked_for_is_taken_on_any_cpu() -> None:
    names = ["onnx/model.onnx", "onnx/model_qint8_arm64.onnx"]
    found = choose_onnx(names, names[1], machine="x86_64", flags=frozenset())
    assert found is not None
    assert (found.name, found.reason, found.int8) == (names[1], "asked for", True)
    with pytest.raises(ModelNotFound, match=r"no file 'model\.onnx'; ONNX files: onnx/model\.onnx"):
        choose_onnx(names, "model.onnx")


def test_a_graph_brings_the_data_that_lie_beside_it() -> None:
    names = ["LICENSE", "model.onnx", "model.onnx.data", "onnx/Constant_7_attr__value", "onnx/config.json"]
    names += ["onnx/model.onnx", "onnx/model.onnx_data", "onnx/model_fp16.onnx", "onnx/model_fp16.onnx_data"]
    assert data_of("onnx/model.onnx", names) == ["onnx/Constant_7_attr__value", "onnx/model.onnx_data"]
    assert data_of("model.onnx", names) == ["model.onnx.data"]
