"""Kinematic bicycle, limits, validation, cost, selection, splicing and the fallback stop."""
