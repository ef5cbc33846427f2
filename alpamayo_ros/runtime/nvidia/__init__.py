"""NVIDIA's released checkpoints in a process of their own, under an interpreter of the user's."""
