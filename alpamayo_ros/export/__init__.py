"""From trained weights to a model folder: ONNX graphs, quantisation, manifest."""
