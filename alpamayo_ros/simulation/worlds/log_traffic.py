"""Agents that do again what they did: functions of time alone, they react to nobody."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from alpamayo_ros.datasets.log_format import DT_S, Kind, Log, Track
from alpamayo_ros.simulation.agents import Agent, Colour, paint

BRAKES_MPS2 = -0.7  # slowing down harder than this shows brake lights
AVERAGED = 5  # steps over which accelerations are averaged
FIRST_ID = 100
DRAWN_AS: dict[Kind, str] = {'bus': 'truck', 'motorcycle': 'cyclist', 'other': 'debris_box'}


@dataclass(frozen=True, slots=True)
class _Replayed:
    """A track made ready: states and accelerations, a row each step."""

    track: Track
    states: Float[np.ndarray, 'n 4']
    acceleration: Float[np.ndarray, ' n']
    colour: Colour
    number: int


class LogTraffic:
    """Everybody of a log; ``leave`` takes one out of it."""

    def __init__(self, log: Log, seed: int) -> None:
        rng = np.random.default_rng([seed, 81])
        self._all = [
            _replayed(track, paint(rng), FIRST_ID + k) for k, track in enumerate(log.agents)
        ]
        self._gone: set[int] = set()

    def leave(self, number: int) -> None:
        """Take the agent with this id out for the rest of the drive."""
        self._gone.add(number)

    def return_all(self) -> None:
        """Everybody is there again."""
        self._gone.clear()

    def agents(self, time_s: float) -> list[Agent]:
        """Who is there, between the steps by interpolation."""
        out = []
        for r in self._all:
            f = time_s / DT_S - r.track.first
            if -1e-6 <= f <= len(r.states) - 1 + 1e-6 and r.number not in self._gone:
                out.append(_agent(r, max(f, 0.0)))
        return out


def _replayed(track: Track, colour: Colour, number: int) -> _Replayed:
    states = track.states()
    if len(states) < 2:
        return _Replayed(track, states, np.zeros(len(states)), colour, number)
    raw = np.gradient(states[:, 3], DT_S)
    window = np.ones(min(AVERAGED, len(raw)))
    smooth = np.convolve(raw, window, 'same') / np.convolve(np.ones(len(raw)), window, 'same')
    return _Replayed(track, states, smooth, colour, number)


def _agent(r: _Replayed, f: float) -> Agent:
    i = min(int(f + 1e-6), len(r.states) - 1)
    j = min(i + 1, len(r.states) - 1)
    share = min(max(f - i, 0.0), 1.0)
    x, y, heading, speed = (r.states[i] * (1 - share) + r.states[j] * share).tolist()
    t, acceleration = r.track, float(r.acceleration[i])
    braking = acceleration < BRAKES_MPS2 and speed > 0.0
    motion, size = (speed, acceleration), (t.length_m, t.width_m)
    if t.kind == 'barrier' and t.length_m > t.width_m:
        size, heading = (t.width_m, t.length_m), heading + math.pi / 2  # its mesh lies across
    kind = DRAWN_AS.get(t.kind, t.kind)
    return Agent(r.number, kind, x, y, heading, *motion, *size, r.colour, braking)
