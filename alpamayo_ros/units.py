"""Factors between the units of this package; stamps are integers of nanoseconds."""

from __future__ import annotations

NS = 1_000_000_000  # nanoseconds in a second
MS = 1_000_000  # nanoseconds in a millisecond
