"""Pushes on steering and pedals, so that training sees states beside the expert's own path.

And starts that are held back: whoever has only seen those who leave at once takes standing itself
for a reason to stand.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from alpamayo_ros.types import TrackedObject

HARDEST_MPS2 = -5.0
PULSE_RAD, PULSE_SHARE, PULSE_STEPS = 0.1, 0.025, (4, 10)
PUSH_MPS2, PUSH_MEAN_MPS2, PUSH_SHARE, PUSH_STEPS = 1.5, 0.3, 0.02, (4, 14)
NOISE_RAD, NOISE_CHANGES, NOISE_SHARE = 0.05, 0.08, 0.3
TIGHT = 0.2  # of the push on the steering where something stands beside the way
BEHIND_M, AHEAD_M = -4.0, 18.0  # where that is, along
BESIDE_M, STANDS_MPS = (0.6, 2.6), 0.3  # ... and across
ROLLING_MPS, NUDGE_MPS2 = 1.0, 0.5  # a standing car is pushed forwards alone, and not over a line
STANDING_MPS = 0.05
STARTS_MPS2, STOOD_STEPS = 0.3, 5  # a start from rest, and after how long
HELD_STEPS = (8, 41)  # for so long it can be held back; after 6 s a drive ends as stalled


class _Pulse:
    """A value that now and then differs from 0 for some steps."""

    def __init__(self, share: float, steps: tuple[int, int], mean: float, spread: float) -> None:
        self._share, self._steps, self._normal = share, steps, (mean, spread)
        self._left, self._value = 0, 0.0

    def next(self, rng: np.random.Generator) -> float:
        """The value of the next step."""
        self._left -= 1
        if self._left <= 0:
            starts = rng.random() < self._share
            self._left = int(rng.integers(*self._steps)) if starts else 0
            self._value = float(rng.normal(*self._normal)) if starts else 0.0
        return self._value


def room(objects: Sequence[TrackedObject]) -> float:
    """The share of a push on the steering that does not end the drive: little between cones.

    A whole push moves the car by half a metre and more; works leave as much on either side.
    """
    beside = any(
        BEHIND_M < o.x_m < AHEAD_M
        and BESIDE_M[0] < abs(o.y_m) < BESIDE_M[1]
        and o.speed_mps < STANDS_MPS
        for o in objects
    )
    return TIGHT if beside else 1.0


class _Brake:
    """Holds back a share of the starts from rest, each once, for some seconds."""

    def __init__(self, share: float) -> None:
        self._share, self._stood, self._left, self._drawn = share, 0, 0, False

    def pressed(self, acceleration: float, speed_mps: float, rng: np.random.Generator) -> bool:
        """Whether this step is held; ``acceleration``: what the driver wants."""
        self._stood = self._stood + 1 if speed_mps < STANDING_MPS else 0
        if speed_mps > ROLLING_MPS:
            self._drawn = False
        starts = self._stood >= STOOD_STEPS and acceleration > STARTS_MPS2
        if self._share and starts and not self._drawn:
            self._drawn = True
            self._left = int(rng.integers(*HELD_STEPS)) if rng.random() < self._share else 0
        self._left -= 1
        return self._left >= 0


class Disturbance:
    """What is added to the commands of one drive; nothing where it is ``gentle``.

    ``held_back``: the share of the starts from rest that are.  ``room``: the share of a push on
    the steering, see :func:`room`.
    """

    def __init__(self, rng: np.random.Generator, gentle: bool, held_back: float = 0.0) -> None:
        self._rng, self._gentle, self._noise = rng, gentle, 0.0
        self._brake = _Brake(held_back)
        self._pulse = _Pulse(PULSE_SHARE, PULSE_STEPS, 0.0, PULSE_RAD)
        self._push = _Pulse(PUSH_SHARE, PUSH_STEPS, PUSH_MEAN_MPS2, PUSH_MPS2)

    def of_expert(
        self, steering: float, acceleration: float, speed_mps: float, room: float
    ) -> tuple[float, float]:
        """The expert's command with pulses of both."""
        if self._gentle:
            return steering, acceleration
        held = self._brake.pressed(acceleration, speed_mps, self._rng)
        push = self._push.next(self._rng)
        if held:
            acceleration = min(acceleration, 0.0)
        elif speed_mps > ROLLING_MPS:
            acceleration = max(acceleration + push, HARDEST_MPS2)
        elif push > 0:
            acceleration += min(push, NUDGE_MPS2)
        return steering + room * self._pulse.next(self._rng), acceleration

    def of_policy(
        self, steering: float, acceleration: float, speed_mps: float, room: float
    ) -> tuple[float, float]:
        """The policy's command, its steering with an offset that changes now and then."""
        if self._gentle:
            return steering, acceleration
        if self._brake.pressed(acceleration, speed_mps, self._rng):
            acceleration = min(acceleration, 0.0)
        if self._rng.random() < NOISE_CHANGES:
            pushed = self._rng.random() < NOISE_SHARE
            self._noise = float(self._rng.normal(0.0, NOISE_RAD)) if pushed else 0.0
        return steering + room * self._noise, acceleration
