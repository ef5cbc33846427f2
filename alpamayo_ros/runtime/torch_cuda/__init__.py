"""A model's cycle as CUDA graphs over buffers that are made once, by torch."""
