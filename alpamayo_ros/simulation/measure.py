"""What a drive is measured by beside its outcome: comfort, words against truth, rules.

``look`` is called before a step of 0.1 s, ``note`` with its cycle; ``fields`` at the end.
"""

from __future__ import annotations

from typing import Any

from alpamayo_ros.simulation.rollout import Cycle, Drive


class Measure:
    """Gathers one drive's figures, step by step."""

    def __init__(self, drive: Drive) -> None:
        self._drive = drive

    def look(self) -> None:
        """Keep the truth about this instant, which the next proposal will speak about."""

    def note(self, cycle: Cycle) -> None:
        """Account for a step."""

    def fields(self) -> dict[str, Any]:
        """What the row gains."""
        return {}
