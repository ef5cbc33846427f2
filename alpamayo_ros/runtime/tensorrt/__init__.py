"""TensorRT and TensorRT for RTX by one code path: engines on disk, buffers, CUDA graphs."""
