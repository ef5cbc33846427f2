"""Where and how long the recorded driver stood: places that nobody drives past meanwhile.

A log rarely says why its driver stopped.  Whoever drives past the place while the driver brakes
for it or stands there has not seen the reason: a stop line overrun (``simulation.road_rules``).
Who is there before the driver begins to brake may not have had that reason, and is not judged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from alpamayo_ros.datasets.log_format import DT_S, Log
from alpamayo_ros.simulation.agents import LaneCar
from alpamayo_ros.simulation.maps.log_road import LogRoad
from alpamayo_ros.simulation.sim_rig import SimVehicle
from alpamayo_ros.simulation.worlds.expert import GAP_M

STANDS_MPS = 0.3  # recorded speeds of somebody who stands jitter below this
LEAST_S = 1.5  # shorter is no stop
OVERRUN_M = 2.0  # so far beyond the recorded bumper is past the place
BRAKES_WITHIN_S, CRUISES = 12.0, 0.95  # braking begins at the last cruising speed before the stop


@dataclass(slots=True)
class LogStop:
    """Arc of the recorded bumper; from braking to driving on [s], ``until_s`` inf: to the end."""

    bumper_m: float
    from_s: float
    until_s: float
    overrun: bool = False


class LogStops:
    """All stops of a recorded driver."""

    def __init__(self, log: Log, road: LogRoad, vehicle: SimVehicle) -> None:
        states = log.ego.states()
        standing = states[:, 3] < STANDS_MPS
        edges = np.flatnonzero(np.diff(np.concatenate([[False], standing, [False]])))
        reach = vehicle.rear_axle_to_front_m - vehicle.centre_m
        self.all: list[LogStop] = []
        arc_m = 0.0
        for first, after in edges.reshape(-1, 2).tolist():
            if (after - first) * DT_S < LEAST_S:
                continue
            arc_m = road.locate(float(states[first, 0]), float(states[first, 1]), arc_m)[0]
            until_s = math.inf if after == len(states) else after * DT_S
            from_s = _brakes(states[:, 3], first) * DT_S
            self.all.append(LogStop(arc_m + reach, from_s, until_s))

    @property
    def ends_standing(self) -> bool:
        """Whether the record ends with a driver who stands."""
        return bool(self.all) and self.all[-1].until_s == math.inf

    def reset(self) -> None:
        """Nobody has driven past."""
        for stop in self.all:
            stop.overrun = False

    def waits(self, time_s: float, bumper_m: float) -> list[LaneCar]:
        """The places ahead where the driver still stands, or will, as standing cars."""
        places = [
            s.bumper_m for s in self.all if time_s < s.until_s and bumper_m <= s.bumper_m + 0.5
        ]
        return [LaneCar(place + GAP_M, 0.0, 0.0, 0.0) for place in places]

    def passed(self, time_s: float, before_m: float, bumper_m: float) -> int:
        """Stops that the bumper has just driven past while the driver stood there."""
        found = _passed(self.all, time_s, before_m, bumper_m)
        for stop in found:
            stop.overrun = True
        return len(found)


def _brakes(speed_mps: Float[np.ndarray, ' n'], first: int) -> int:
    """The step at which a driver who stands from ``first`` on began to brake."""
    before = speed_mps[max(first - round(BRAKES_WITHIN_S / DT_S), 0) : first]
    if not len(before):
        return first
    cruising = np.flatnonzero(before >= CRUISES * before.max())
    return first - len(before) + int(cruising[-1])


def _passed(
    stops: Sequence[LogStop], time_s: float, before_m: float, bumper_m: float
) -> list[LogStop]:
    return [
        s
        for s in stops
        if not s.overrun
        and s.from_s <= time_s < s.until_s
        and before_m <= s.bumper_m + OVERRUN_M < bumper_m
    ]
