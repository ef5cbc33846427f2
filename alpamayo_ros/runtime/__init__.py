"""Running the model: torch, ONNX Runtime, TensorRT, and the child process around them."""
