"""Training while the data comes in: simulators, policy server, ring of frames, trainer."""
