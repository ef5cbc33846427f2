"""Which of the frames so far stand for the timesteps of a model in training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from alpamayo_ros.profile import Frames

Item = TypeVar('Item')
NEAR_S = 0.15  # further from the wanted time, a frame stands in as absent


def nearest_frames(
    past: Iterable[tuple[float, Item]], now_s: float, frames: Frames
) -> list[tuple[Item, float, float]]:
    """What is nearest to ``now_s - k * spacing``, its age in seconds, and 1 where it exists.

    ``past``: times in seconds and what was kept of them.  Ties take the older; where nothing is
    near, the age is 0.
    """
    known, found = list(past), []
    for k in range(frames.count):
        wanted = now_s - k * frames.spacing_s
        t, item = min(known, key=lambda one: (round(abs(one[0] - wanted), 3), one[0]))
        near = abs(t - wanted) <= NEAR_S
        found.append((item, now_s - t if near else 0.0, float(near)))
    return found
