"""What stands or lies: stopped vehicles, debris, the cones and barriers of road works.

A vehicle may stand behind a bend, hidden by a parked van; debris may roll.
"""

from __future__ import annotations

import math

import numpy as np

from alpamayo_ros.simulation.actor_models import Debris, Stopped, knob
from alpamayo_ros.simulation.actors.actor import SIZES, EgoNow, Placed
from alpamayo_ros.simulation.actors.track import smooth
from alpamayo_ros.simulation.agents import paint
from alpamayo_ros.simulation.road import LANE_M, Road
from alpamayo_ros.simulation.scenario import Closure

BEND_M = 80.0  # where the sharpest bend is looked for, after ``at_m``
BEHIND_BEND_M = 12.0
VERGE_M = 3.6  # middle of a van on the verge, beside the lane centre
SHARP_1PM = 0.004  # a road that bends less has no inside
QUEUE_GAP_M = 2.0
CONE_M = 4.0
TAPER_CONES = 6
WHITE = (0.85, 0.85, 0.85)


def bend(road: Road, from_m: float) -> tuple[float, float]:
    """Arc and curvature of the sharpest place within 80 m after ``from_m``."""
    arcs = np.arange(from_m, from_m + BEND_M, 1.0)
    curvature = road.at(arcs)[2]
    k = int(np.abs(curvature).argmax())
    return float(arcs[k]), float(curvature[k])


class StoppedActor:
    """See ``models.Stopped``."""

    def __init__(
        self, model: Stopped, road: Road, seed: int, severity: float, number: int
    ) -> None:
        rng = np.random.default_rng([seed, 35, number])
        half, inside, rear = SIZES[model.vehicle][0] / 2, -1.0, model.at_m
        if model.bend:
            apex, curvature = bend(road, model.at_m)
            rear = apex + BEHIND_BEND_M
            inside = 1.0 if curvature > SHARP_1PM else -1.0
        self.rear_arc_m = rear
        pose = (knob(model.offset_m, severity), model.turned_rad, 0.0, 0.0)
        self._all = [
            Placed(
                1000 + 10 * number + k, model.vehicle, rear + half + k * (2 * half + QUEUE_GAP_M),
                *pose, paint(rng), model.lamps, model.detour_m, True,
            )
            for k in range(model.count)
        ]  # fmt: skip
        if model.occluder_m is not None:
            arc = rear - knob(model.occluder_m, severity) - SIZES['van'][0] / 2
            aside = VERGE_M if inside < 0 else VERGE_M + LANE_M
            place = (arc, inside * aside, 0.0, 0.0, 0.0)
            self._all.append(Placed(1009 + 10 * number, 'van', *place, WHITE, final=True))

    def notice(self, ego: EgoNow) -> None:
        """It stands, whatever happens."""

    def placed(self, time_s: float) -> list[Placed]:
        """The vehicle, and the van that hides it."""
        del time_s
        return self._all


class DebrisActor:
    """See ``models.Debris``."""

    def __init__(self, model: Debris, seed: int, severity: float, number: int) -> None:
        rng = np.random.default_rng([seed, 36, number])
        self.model, self.began_s, self.first = model, math.inf, 2000 + 10 * number
        self.offset_m, self.ahead_s = (
            knob(knob(model.offset_m, severity), severity),
            knob(model.ahead_s, severity),
        )
        self.turned = rng.uniform(-0.6, 0.6, model.count).tolist()

    def notice(self, ego: EgoNow) -> None:
        """What rolls sets off when the ego is near enough in time."""
        if self.began_s == math.inf and ego.reaches_in_s(self.model.at_m) <= self.ahead_s:
            self.began_s = ego.time_s

    def placed(self, time_s: float) -> list[Placed]:
        """All pieces."""
        m, colour = self.model, (0.5, 0.4, 0.3)
        rolled = m.rolls_mps * max(time_s - self.began_s, 0.0)
        rolling = m.rolls_mps != 0.0 and time_s >= self.began_s
        speed, across = (abs(m.rolls_mps), math.copysign(math.pi / 2, -m.rolls_mps))
        out = []
        for k, turned in enumerate(self.turned):
            arc, offset = m.at_m + k * m.apart_m, self.offset_m + k * m.aside_m - rolled
            motion: tuple[float, float, float]
            motion = (across, speed, 0.0) if rolling else (turned, 0.0, 0.0)
            still = m.rolls_mps == 0.0
            out.append(
                Placed(
                    self.first + k, m.what, arc, offset, *motion, colour, False, m.detour_m, still
                )
            )
        return out


class RoadWorksActor:
    """Cones and barriers of a ``scenario.Closure``."""

    def __init__(self, model: Closure, severity: float, number: int) -> None:
        self.model, self._next = model, 7000 + 100 * number
        self._all: list[Placed] = []
        self.half_m = knob(model.width_m, severity) / 2
        if model.shift_m:
            self._taper()
        if model.kind == 'lane_closure':
            self._barriers()
        if model.shift_m or model.kind == 'construction':
            self._row(model.shift_m - math.copysign(self.half_m, model.shift_m))
        if model.kind == 'construction':
            self._row(model.shift_m + math.copysign(self.half_m, model.shift_m))

    def _add(self, kind: str, arc_m: float, offset_m: float) -> None:
        place = (arc_m, offset_m, 0.0, 0.0, 0.0)
        self._all.append(Placed(self._next, kind, *place, WHITE, final=True))
        self._next += 1

    def _taper(self) -> None:
        """Cones beside the way over to the other side."""
        m = self.model
        for k in range(1, TAPER_CONES):
            x = k / TAPER_CONES
            aside = m.shift_m * smooth(x) - math.copysign(self.half_m, m.shift_m)
            self._add('cone', m.from_m - m.taper_m * (1.0 - x), aside)

    def _barriers(self) -> None:
        """Across the ego's lane, or across the whole road where there is no way on."""
        for offset in (0.0,) if self.model.shift_m else (-0.9, 1.4, 3.7):
            self._add('barrier', self.model.from_m + 3.0, offset)

    def _row(self, offset_m: float) -> None:
        length = self.model.to_m - self.model.from_m
        count = max(round(length / CONE_M), 1)
        for k in range(count + 1):
            self._add('cone', self.model.from_m + length * k / count, offset_m)

    def notice(self, ego: EgoNow) -> None:
        """It stands, whatever happens."""

    def placed(self, time_s: float) -> list[Placed]:
        """All cones and barriers."""
        del time_s
        return self._all
