"""Monitors, the state machine and the gate; called by pipeline.decide."""
