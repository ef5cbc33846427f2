"""When timesteps are due: the beat of the slowest cameras, kept through lost frames.

A reference camera that is faster than the sets has several frames a timestep; t0 is the one
nearest to the time at which the slowest cameras expose.  Where that one is lost, t0 is another
camera's and the beat goes on: it never moves to the reference's frame beside it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from statistics import median_low

from alpamayo_ros.sensing.synchronisation.synced_set import Frame, SyncCamera

SAME = 0.05  # periods this close to each other, or to a multiple, are one rate
EARLY = 0.4  # of a camera's period: a frame so long before the due time belongs to it


class Beat:
    """Due times of sets.  ``locked``: whether every camera fires a whole number of times a set."""

    def __init__(self, cameras: Sequence[SyncCamera], reference: int, set_period_ns: int) -> None:
        """``set_period_ns``: the shortest time between sets of cameras that are faster."""
        self._reference = reference
        self._periods_ns = [camera.period_ns for camera in cameras]
        longest_ns = max(set_period_ns, cameras[reference].period_ns)
        watched = [c.period_ns for i, c in enumerate(cameras) if c.watched or i == reference]
        slowest_ns = max(period for period in watched if period <= longest_ns)
        self.period_ns = slowest_ns * max(1, math.ceil(set_period_ns / slowest_ns - EARLY))
        least_ns = (1 - SAME) * slowest_ns
        self._pacers = [i for i, p in enumerate(self._periods_ns) if least_ns <= p <= slowest_ns]
        self.locked = all(_divides(self.period_ns, period) for period in watched)
        self.reset()

    def reset(self) -> None:
        """Forget the beat."""
        self._due_ns: int | None = None

    def here(self, rings: Sequence[deque[Frame]]) -> list[bool]:
        """Camera by camera, whether its newest frame is as new as the timestep that is due."""
        if self._due_ns is None:
            return [bool(ring) for ring in rings]
        pairs = zip(rings, self._periods_ns, strict=True)
        return [bool(r) and r[-1][0] > self._due_ns - EARLY * period for r, period in pairs]

    def passed(self, newest_ns: int) -> bool:
        """Whether the timestep after has begun."""
        return self._due_ns is not None and newest_ns > self._due_ns + self.period_ns * 3 // 4

    def begin(self, rings: Sequence[deque[Frame]]) -> bool:
        """Learn the beat from the first frames; True where it was not known."""
        if self._due_ns is not None:
            self.skip(rings)
            return False
        firsts = [next((stamp for stamp, _ in ring), None) for ring in rings]
        pacers = [s for i in self._pacers if (s := firsts[i]) is not None]
        reference = firsts[self._reference]
        if reference is not None and (self._reference in self._pacers or not pacers):
            self._due_ns = reference
        else:
            self._due_ns = median_low(pacers or [s for s in firsts if s is not None])
        return True

    def skip(self, rings: Sequence[deque[Frame]]) -> None:
        """Over timesteps of which no camera has a frame."""
        assert self._due_ns is not None  # learned by ``begin``
        pairs = zip(rings, self._periods_ns, strict=True)
        due_ns = self._due_ns
        new = [s for ring, p in pairs for s, _ in ring if s > due_ns - EARLY * p]
        away_ns = min(new) - due_ns
        if away_ns > self.period_ns // 2:
            self._due_ns += self.period_ns * max(1, round(away_ns / self.period_ns))

    def anchor(self, rings: Sequence[deque[Frame]], last_t0: int | None) -> int | None:
        """t0: the reference's frame at the due time, or else the frame closest to it."""
        earliest = None if last_t0 is None else last_t0 + self.period_ns // 2
        reference = self._nearest(rings[self._reference], earliest)
        reach_ns = (1 - EARLY) * self._periods_ns[self._reference]
        if reference is not None and self._away(reference) <= reach_ns:
            return reference
        found = [s for ring in rings if (s := self._nearest(ring, earliest)) is not None]
        return min(found, key=lambda stamp: (self._away(stamp), stamp), default=None)

    def step(self, rings: Sequence[deque[Frame]]) -> None:
        """On to the next timestep, a period after what the slowest cameras show of this one."""
        assert self._due_ns is not None  # learned by ``begin``
        near = {i: s for i in self._pacers if (s := self._nearest(rings[i])) is not None}
        # A frame half a period of its camera away is another timestep's: this one's was lost.
        near = {i: s for i, s in near.items() if self._away(s) < EARLY * self._periods_ns[i]}
        phase_ns = median_low(near.values()) if near else self._due_ns
        self._due_ns = near.get(self._reference, phase_ns) + self.period_ns

    def _away(self, stamp_ns: int) -> int:
        assert self._due_ns is not None  # learned by ``begin``
        return abs(stamp_ns - self._due_ns)

    def _nearest(self, ring: deque[Frame], earliest_ns: int | None = None) -> int | None:
        """Stamp of the frame after ``earliest_ns`` nearest to the due time."""
        stamps = (s for s, _ in ring if earliest_ns is None or s > earliest_ns)
        return min(stamps, key=lambda stamp: (self._away(stamp), stamp), default=None)


def _divides(period_ns: int, other_ns: int) -> bool:
    """Whether one is a multiple of the other, within ``SAME``."""
    ratio = max(period_ns, other_ns) / min(period_ns, other_ns)
    return abs(ratio - round(ratio)) <= SAME * ratio
