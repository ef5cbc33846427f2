"""NVIDIA's class with a tiny random model, under an interpreter that has its packages."""
