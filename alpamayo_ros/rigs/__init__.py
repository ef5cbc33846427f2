"""Rig tools: a rig file from a recording, and a rig checked against a profile and a recording."""
