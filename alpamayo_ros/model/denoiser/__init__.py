"""From noise and hidden states to trajectories: the denoisers."""
