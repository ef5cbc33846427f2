"""What the words of a chain of causation say, set against the plan that was driven.  Pure, no ROS.

The words are the model's and untrusted: nothing here ever changes a plan.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

PARTS = ('perception', 'situation', 'rationale', 'intent')
MAX_BYTES = 4096  # FAULTS.md F33
STOPPED_MPS = 0.5  # a speed below this counts as standing
SPEED_BAND_MPS = 1.0  # change of speed within the horizon that still counts as 'keep speed'

# Words of the intent and the change they announce: -1 slower, 0 the same, 1 faster.
_SPEED_WORDS: tuple[tuple[str, int], ...] = (
    (r'\bstop\b|\bslow down\b|\bbrake\b', -1),
    (r'\bwait\b|\bkeep speed\b', 0),
    (r'\bspeed up\b|\baccelerate\b|\bdrive on\b', 1),
)


def printable(text: str) -> str:
    """Printable UTF-8 of at most 4 kB; every other character is escaped as in ``\\x1b``."""
    safe = ''.join(
        c if c.isprintable() or c == '\n' else c.encode('unicode_escape').decode() for c in text
    )
    return safe.encode()[:MAX_BYTES].decode(errors='ignore')


def split(text: str) -> dict[str, str]:
    """The parts of ``text`` by name, from lines ``name: ...``; a missing part is absent."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, rest = line.partition(':')
        if colon and name.strip() in PARTS and name.strip() not in found:
            found[name.strip()] = rest.strip()
    return found


def agreement(
    parts: Mapping[str, str], first_speed_mps: float, last_speed_mps: float
) -> tuple[float, str]:
    """How well the intent's words on speed fit the plan: 1, 0.5 (undecided) or 0, and what
    differs.

    NaN where the intent says nothing of speed.  Speeds: now and at the end of the horizon.
    """
    intent = parts.get('intent', '')
    said = next((change for words, change in _SPEED_WORDS if re.search(words, intent)), None)
    if said is None or not (math.isfinite(first_speed_mps) and math.isfinite(last_speed_mps)):
        return math.nan, ''
    change = last_speed_mps - first_speed_mps
    done = 0 if abs(change) <= SPEED_BAND_MPS else int(math.copysign(1, change))
    standing = max(first_speed_mps, last_speed_mps) < STOPPED_MPS
    if said == done or (standing and said <= 0):
        return 1.0, ''
    drive = f'{first_speed_mps:.1f} to {last_speed_mps:.1f} m/s'
    text = f'The words say {intent!r}; the plan goes from {drive}.'
    return (0.5 if 0 in (said, done) else 0.0), text
