"""A small builder of ONNX graphs; the onnx package is imported only to serialise one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from elanus_models.errors import missing

MICROSOFT = "com.microsoft"
OPSET = 17
IR_VERSION = 8


@dataclass(frozen=True)
class Node:
    """One operator with a single output."""

    kind: str
    inputs: tuple[str, ...]
    output: str
    domain: str
    attributes: dict[str, Any]


class Graph:
    """Collects nodes and constants; every method returns the name of the value it added."""

    def __init__(self) -> None:
        self._nodes: list[Node] = []
        self._constants: dict[str, npt.NDArray[Any]] = {}
        self._small: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def op(self, kind: str, *inputs: str, domain: str = "", output: str = "", **attributes: Any) -> str:
        """Add a node; an empty input name leaves an optional input out, an array attribute is a tensor."""
        name = output or f"v{len(self._nodes)}"
        self._nodes.append(Node(kind, inputs, name, domain, attributes))
        return name

    def to_float(self, x: str) -> str:
        """Cast to float32 (number 1 among ONNX's element types)."""
        return self.op("Cast", x, to=1)

    def to_bool(self, x: str) -> str:
        """Cast to bool (number 9 among ONNX's element types)."""
        return self.op("Cast", x, to=9)

    def constant(self, value: npt.NDArray[Any] | np.generic) -> str:
        """Add a constant; small equal ones are shared."""
        array = np.asarray(value)
        key = (array.dtype.str, array.shape, array.tobytes() if array.size <= 16 else b"")
        if key in self._small:
            return self._small[key]
        name = f"c{len(self._constants)}"
        self._constants[name] = array
        if key[2]:
            self._small[key] = name
        return name

    def ints(self, *values: int) -> str:
        """Add a vector of int64 constants."""
        return self.constant(np.array(values, dtype=np.int64))

    def model(self, name: str, inputs: dict[str, list[str]], outputs: dict[str, list[str | int]]) -> bytes:
        """Return the serialised model with int64 inputs and float32 outputs of the given axes."""
        try:
            from onnx import TensorProto, helper, numpy_helper
        except ImportError as error:
            raise missing("onnx") from error

        def attribute(value: Any) -> Any:
            return numpy_helper.from_array(value, "value") if isinstance(value, np.ndarray) else value

        nodes = [
            helper.make_node(
                node.kind,
                node.inputs,
                [node.output],
                domain=node.domain,
                **{key: attribute(value) for key, value in node.attributes.items()},
            )
            for node in self._nodes
        ]
        tensors = [
            numpy_helper.from_array(np.ascontiguousarray(a).reshape(a.shape), n) for n, a in self._constants.items()
        ]
        ins = [helper.make_tensor_value_info(n, TensorProto.INT64, axes) for n, axes in inputs.items()]
        outs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, axes) for n, axes in outputs.items()]
        model = helper.make_model(
            helper.make_graph(nodes, name, ins, outs, tensors),
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)],
            ir_version=IR_VERSION,
            producer_name="elanus_models",
        )
        data: bytes = model.SerializeToString(deterministic=True)
        return data
