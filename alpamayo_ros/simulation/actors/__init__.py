"""Adversarial agents: scripted overrides with a severity knob (see ``models`` for the kinds)."""
