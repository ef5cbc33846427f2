"""A training run step by step: its recipe, the run in a folder, processes that collect."""
