"""From a checkpoint to an ONNX graph, without torch."""
