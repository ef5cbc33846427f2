"""Simulated time step by step: each timestep gets exactly one reply."""
