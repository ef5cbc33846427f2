"""FrameRing: the frame sets of the last 1.2 s, where the model's past timesteps come from."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.types import FrameSet, FrameStack
from alpamayo_ros.units import MS, NS

JITTER_NS = 5 * MS  # docs/faults.md, "Limits": jitter that is not a jump


class FrameRing:
    """Chooses by capture time: nearest to t0 - k * spacing, at most half a camera period away.

    Less than half a spacing too, so that no set serves two timesteps.  Ties take the older frame.
    ``period_ns``: time between frame sets, the camera period.
    """

    def __init__(self, period_ns: int = 100 * MS, keep_ns: int = 1200 * MS) -> None:
        """``keep_ns``: how long a frame set stays available."""
        self.period_ns = period_ns
        self.keep_ns = keep_ns
        self._sets: deque[FrameSet] = deque()

    def __len__(self) -> int:
        """Number of frame sets held."""
        return len(self._sets)

    def reset(self) -> None:
        """Forget everything, as after a clock jump."""
        self._sets.clear()

    def push(self, frame_set: FrameSet) -> Fault | None:
        """Add the newest set.  A repeated or late one is refused; a jump back empties the ring."""
        newest = self._sets[-1].t0_ns if self._sets else None
        fault = None
        if newest is not None and frame_set.t0_ns <= newest:
            step_ns = frame_set.t0_ns - newest
            back = -step_ns > self.keep_ns
            late = Code.STAMP_DUP if step_ns == 0 else Code.STAMP_LATE
            message = f'frame set at {frame_set.t0_ns} ns after one at {newest} ns'
            fault = Fault(Code.CLOCK_BACK if back else late, message, {'step_ns': float(step_ns)})
            if not back:
                return fault
            self._sets.clear()
        self._sets.append(frame_set)
        while frame_set.t0_ns - self._sets[0].t0_ns > self.keep_ns:
            self._sets.popleft()
        return fault

    def choose(self, t0_ns: int, profile: ModelProfile) -> list[FrameSet] | Fault:
        """The sets of the T timesteps, newest first, or FRAME_HISTORY naming the missing one."""
        spacing_ns = round(profile.frames.spacing_s * NS)
        limit_ns = min(self.period_ns // 2 + JITTER_NS, (spacing_ns - 1) // 2)
        chosen = []
        for k in range(profile.frames.count):
            wanted = t0_ns - k * spacing_ns
            best = min(self._sets, key=lambda s: (abs(s.t0_ns - wanted), s.t0_ns), default=None)
            away_ns = abs(best.t0_ns - wanted) if best is not None else None
            if best is None or away_ns is None or away_ns > (limit_ns if k else 0):
                nearest = 'none' if away_ns is None else f'{away_ns / 1e6:.0f} ms away'
                return Fault(
                    Code.FRAME_HISTORY,
                    f'timestep {k} wants a frame set at t0 - {k * spacing_ns / 1e6:.0f} ms within '
                    f'{limit_ns / 1e6:.0f} ms; the nearest is {nearest}',
                    {
                        'timestep': float(k),
                        'away_ns': float('nan' if away_ns is None else away_ns),
                    },
                )
            chosen.append(best)
        return chosen

    def stack(self, t0_ns: int, profile: ModelProfile) -> FrameStack | Fault:
        """The model's visual input for the set captured at ``t0_ns``, or FRAME_HISTORY."""
        chosen = self.choose(t0_ns, profile)
        return chosen if isinstance(chosen, Fault) else compose(t0_ns, chosen)


def compose(t0_ns: int, chosen: Sequence[FrameSet]) -> FrameStack:
    """Stack the chosen sets, newest first, with the true age of every view in seconds."""
    stamps = np.stack([s.stamps_ns for s in chosen])
    return FrameStack(
        t0_ns,
        np.stack([s.images for s in chosen]),
        ((t0_ns - stamps) / NS).astype(np.float32),
        np.stack([s.valid for s in chosen]),
    )
