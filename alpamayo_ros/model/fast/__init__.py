"""One cycle of a family member in static shapes, to be recorded as a CUDA graph."""
