"""What the words of a chain of causation say, set against the plan that was driven.  Pure, no ROS.

The words are the model's and untrusted: nothing here ever changes a plan.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from alpamayo_ros.evaluation.metrics.agreement import speed_agreement
from alpamayo_ros.evaluation.metrics.words import PARTS, split, stated_intent

__all__ = ['MAX_BYTES', 'PARTS', 'agreement', 'printable', 'split']

MAX_BYTES = 4096  # FAULTS.md F33


def printable(text: str) -> str:
    """Printable UTF-8 of at most 4 kB; every other character is escaped as in ``\\x1b``."""
    safe = ''.join(
        c if c.isprintable() or c == '\n' else c.encode('unicode_escape').decode() for c in text
    )
    return safe.encode()[:MAX_BYTES].decode(errors='ignore')


def agreement(
    parts: Mapping[str, str], first_speed_mps: float, last_speed_mps: float
) -> tuple[float, str]:
    """How well the intent's words on speed fit the plan, 0 to 1, and what differs.

    NaN where the intent says nothing of speed.  Speeds: now and at the end of the horizon.
    """
    intent = parts.get('intent', '')
    value = speed_agreement(stated_intent(f'intent: {intent}'), first_speed_mps, last_speed_mps)
    if value is None:
        return math.nan, ''
    if value == 1.0:
        return 1.0, ''
    drive = f'{first_speed_mps:.1f} to {last_speed_mps:.1f} m/s'
    return value, f'The words say {intent!r}; the plan goes from {drive}.'
