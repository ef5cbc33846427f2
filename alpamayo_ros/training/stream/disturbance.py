"""Pushes on steering and pedals, so that training sees states beside the expert's own path."""

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
ROLLING_MPS = 1.0  # a standing car is pushed forwards alone


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


class Disturbance:
    """What is added to the commands of one drive; nothing where it is ``gentle``.

    ``room``: the share of a push on the steering, see :func:`room`.
    """

    def __init__(self, rng: np.random.Generator, gentle: bool) -> None:
        self._rng, self._gentle, self._noise = rng, gentle, 0.0
        self._pulse = _Pulse(PULSE_SHARE, PULSE_STEPS, 0.0, PULSE_RAD)
        self._push = _Pulse(PUSH_SHARE, PUSH_STEPS, PUSH_MEAN_MPS2, PUSH_MPS2)

    def of_expert(
        self, steering: float, acceleration: float, speed_mps: float, room: float
    ) -> tuple[float, float]:
        """The expert's command with pulses of both."""
        if self._gentle:
            return steering, acceleration
        push = self._push.next(self._rng)
        if speed_mps > ROLLING_MPS or push > 0:
            acceleration = max(acceleration + push, HARDEST_MPS2)
        return steering + room * self._pulse.next(self._rng), acceleration

    def of_policy(self, steering: float, room: float) -> float:
        """The policy's steering with an offset that changes now and then."""
        if self._gentle:
            return steering
        if self._rng.random() < NOISE_CHANGES:
            pushed = self._rng.random() < NOISE_SHARE
            self._noise = float(self._rng.normal(0.0, NOISE_RAD)) if pushed else 0.0
        return steering + room * self._noise
