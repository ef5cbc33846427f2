"""Signals of a recorded scene: where they stand, what they show, which of them rule the ego."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from alpamayo_ros.datasets.log_format import DT_S, Light, Log, Signal
from alpamayo_ros.simulation.agents import Agent
from alpamayo_ros.simulation.maps.log_road import LogRoad
from alpamayo_ros.simulation.scenery.town_scenery import LAMP_M, LAMP_RGB, LAMP_Z_M

ON_PATH_M, ALONG_COS = 1.8, 0.8  # a stop point so near to the path rules the ego
LANE_REACH_M = 3.0
ASIDE_M = (2.6, 14.0)  # a post stands right of its lane, and of all lanes beside that one
CLEAR_M, BEFORE_M = 1.0, 6.0  # from the lanes, where these are still beside each other
FIRST_ID = 10_000


@dataclass(frozen=True, slots=True)
class Head:
    """A signal with its post; ``arc_m`` of its stop line on the ego's road, None on another."""

    signal: Signal
    x_m: float
    y_m: float
    heading_rad: float
    arc_m: float | None

    def light(self, time_s: float) -> Light:
        """What it shows at a time of the log."""
        return self.signal.at(int(time_s / DT_S + 1e-6))


def heads(log: Log, road: LogRoad) -> list[Head]:
    """All signals; those of a lane that the map lacks take the path's heading."""
    return [_head(signal, road) for signal in log.signals]


def _head(signal: Signal, road: LogRoad) -> Head:
    at = np.array([signal.x_m, signal.y_m])
    arc = road.arc_of(signal.x_m, signal.y_m)
    arc, offset, along = road.locate(signal.x_m, signal.y_m, arc)
    heading = along
    if road.lanes.tree is not None:
        away, which = road.lanes.tree.query(at)
        heading = float(road.lanes.rows[which, 2]) if away < LANE_REACH_M else along
    mine = abs(offset) < ON_PATH_M and math.cos(heading - along) > ALONG_COS
    right = np.array([math.sin(heading), -math.cos(heading)])
    aside = np.arange(*ASIDE_M, 0.5)
    before = at - BEFORE_M * np.array([-right[1], right[0]])
    clear = ~road.lanes.cover(before + aside[:, None] * right, CLEAR_M)
    x, y = at + right * (aside[int(clear.argmax())] if clear.any() else ASIDE_M[0])
    return Head(signal, float(x), float(y), heading, arc if mine and 0 < arc else None)


def lamps(found: list[Head], time_s: float) -> list[Agent]:
    """The shining lamps."""
    out = []
    for k, head in enumerate(found):
        lit = head.light(time_s)[0]
        if lit not in LAMP_Z_M:
            continue
        x = head.x_m - 0.17 * math.cos(head.heading_rad)
        y = head.y_m - 0.17 * math.sin(head.heading_rad)
        pose, still, size = (x, y, head.heading_rad), (0.0, 0.0), (LAMP_M, LAMP_M)
        colour, z_m = LAMP_RGB[lit], LAMP_Z_M[lit]
        out.append(Agent(FIRST_ID + k, 'lamp', *pose, *still, *size, colour, False, z_m))
    return out


def ruling(found: list[Head], beyond_m: float) -> Head | None:
    """The first signal on the ego's road whose stop line lies beyond an arc."""
    ahead = [h for h in found if h.arc_m is not None and h.arc_m > beyond_m]
    return min(ahead, key=lambda h: h.arc_m or 0.0, default=None)
