"""What one cycle of a model costs, side by side with slower ways to the same numbers."""
