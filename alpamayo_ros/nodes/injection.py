"""Faults to inject into what a source publishes, written as text.  Pure, no ROS.

``drop:front:5:7`` silences the camera ``front`` from 5 to 7 s after the start; ``drop:odometry:5:7``
the odometry.  Several are separated by commas.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

KINDS = ('drop',)


@dataclass(frozen=True, slots=True)
class Injection:
    """One fault: ``target`` is a camera or ``odometry``; seconds since the start of the source."""

    kind: str
    target: str
    start_s: float
    stop_s: float


def parse(text: str, targets: Collection[str]) -> list[Injection]:
    """The injections of ``text``; ValueError says what was expected."""
    out = []
    for part in filter(None, (p.strip() for p in text.split(','))):
        words = part.split(':')
        if len(words) != 4 or words[0] not in KINDS or words[1] not in targets:
            names = ', '.join(sorted(targets))
            raise ValueError(f'{part!r}: expected drop:TARGET:START_S:STOP_S, TARGET of {names}')
        start_s, stop_s = float(words[2]), float(words[3])
        if not 0 <= start_s < stop_s:
            raise ValueError(f'{part!r}: expected 0 <= START_S < STOP_S')
        out.append(Injection(words[0], words[1], start_s, stop_s))
    return out


def dropped(injections: Collection[Injection], target: str, time_s: float) -> bool:
    """Whether ``target`` is silent at ``time_s``."""
    return any(
        i.kind == 'drop' and i.target == target and i.start_s <= time_s < i.stop_s
        for i in injections
    )
