"""Vehicles that drive: a hard-braking leader, a lost load, a cut-in, an oncoming car."""

from __future__ import annotations

import math

import numpy as np

from alpamayo_ros.simulation.actor_models import (
    BrakingLeader,
    CutIn,
    LostLoad,
    OncomingActor,
    knob,
)
from alpamayo_ros.simulation.actors.actor import BRAKE_LIGHT_MPS2, SIZES, EgoNow, Placed
from alpamayo_ros.simulation.actors.track import Track, slope, smooth
from alpamayo_ros.simulation.agents import paint
from alpamayo_ros.simulation.road import Road

PULL_MPS2 = 2.0
SET_OFF_MPS = 0.5  # the ego has set off
PATIENCE_M = 45.0  # a leader further ahead waits, so that the ego is near when it brakes
BEHIND_M = 30.0  # an overtaker appears so far behind the ego's bumper
CURVE_M = 160.0  # a leader goes no faster than the curves of the next so many metres allow


def _cruise(road: Road, arc_m: float, speed_mps: float) -> float:
    slowest = min(road.limit(arc_m + s) for s in range(0, int(CURVE_M), 4))
    return min(speed_mps, max(slowest, 3.0))


class BrakingLeaderActor:
    """See ``models.BrakingLeader``."""

    def __init__(
        self, model: BrakingLeader, road: Road, seed: int, severity: float, front_arc_m: float
    ) -> None:
        rng = np.random.default_rng([seed, 31])
        self.model, self.colour = model, paint(rng)
        self.half_m = SIZES[model.vehicle][0] / 2
        self.braking_mps2 = knob(model.brake_mps2, severity)
        self.cruise_mps = _cruise(road, front_arc_m, model.speed_mps)
        self.track = Track(front_arc_m + model.gap_m + self.half_m)
        self.began, self.next_m = False, model.trigger_m
        self.id = 500

    def notice(self, ego: EgoNow) -> None:
        """Set off with the ego, brake when it has driven far enough and is near."""
        now = ego.time_s
        if not self.began and ego.speed_mps > SET_OFF_MPS:
            self.track.reach(now, self.cruise_mps, PULL_MPS2)
            self.began = True
        near = self.track.at(now)[0] - ego.front_arc_m < PATIENCE_M
        if self.began and ego.driven_m >= self.next_m and near:
            slow = min(self.model.to_mps, self.cruise_mps)
            reached = self.track.reach(now, slow, self.braking_mps2)
            self.track.reach(reached + self.model.hold_s, self.cruise_mps, 1.5)
            self.next_m = ego.driven_m + self.model.again_m if self.model.again_m else math.inf

    def placed(self, time_s: float) -> list[Placed]:
        """The leader."""
        arc, speed, a = self.track.at(time_s)
        lit = self.model.lamps and (a < BRAKE_LIGHT_MPS2 or (self.began and speed < 0.05))
        kind = self.model.vehicle
        return [Placed(self.id, kind, arc, 0.0, 0.0, speed, a, self.colour, lit)]


class LostLoadActor:
    """See ``models.LostLoad``: a leader that does not brake, and what falls off it."""

    def __init__(
        self, model: LostLoad, road: Road, seed: int, severity: float, front_arc_m: float
    ) -> None:
        rng = np.random.default_rng([seed, 32])
        self.model, self.colour = model, paint(rng)
        self.half_m = SIZES[model.vehicle][0] / 2
        self.slides_mps2 = knob(model.slides_mps2, severity)
        self.cruise_mps = _cruise(road, front_arc_m, model.speed_mps)
        self.track = Track(front_arc_m + model.gap_m + self.half_m)
        self.began, self.load, self.fell_s = False, Track(0.0), math.inf

    def notice(self, ego: EgoNow) -> None:
        """Set off with the ego; lose the load when it has driven far enough."""
        now = ego.time_s
        if not self.began and ego.speed_mps > SET_OFF_MPS:
            self.track.reach(now, self.cruise_mps, PULL_MPS2)
            self.began = True
        near = self.track.at(now)[0] - ego.front_arc_m < PATIENCE_M
        if self.fell_s == math.inf and ego.driven_m >= self.model.trigger_m and near:
            arc, speed, _ = self.track.at(now)
            self.load = Track(arc - self.half_m - 0.6, speed, now)
            self.load.reach(now, 0.0, self.slides_mps2)
            self.fell_s = now
            self.track.reach(now + 2.0, self.cruise_mps + 2.0, 1.0)

    def placed(self, time_s: float) -> list[Placed]:
        """The vehicle, and its load once that has fallen."""
        arc, speed, a = self.track.at(time_s)
        out = [Placed(510, self.model.vehicle, arc, 0.0, 0.0, speed, a, self.colour)]
        if time_s >= self.fell_s:
            s, v, a = self.load.at(time_s)
            aside = self.model.offset_m * smooth((time_s - self.fell_s) / 0.8)
            what, still = self.model.what, v < 0.05
            detour = self.model.detour_m if still else 0.0
            out.append(Placed(511, what, s, aside, 0.4, v, a, self.colour, False, detour, still))
        return out


class CutInActor:
    """See ``models.CutIn``."""

    def __init__(
        self, model: CutIn, seed: int, severity: float, front_arc_m: float, number: int
    ) -> None:
        rng = np.random.default_rng([seed, 33, number])
        self.model, self.colour, self.id = model, paint(rng), 4000 + 10 * number
        self.half_m = SIZES[model.vehicle][0] / 2
        self.gap_m, self.ahead_s = knob(model.gap_m, severity), knob(model.ahead_s, severity)
        self.move_s = knob(model.move_s, severity)
        self.move_at_s, self.began = math.inf, False
        if model.side == 'right':
            self.from_m, start = -model.lane_m, model.at_m + self.half_m
        else:
            self.from_m, start = model.lane_m, front_arc_m - BEHIND_M
        self.track = Track(start)

    def notice(self, ego: EgoNow) -> None:
        """Begin to overtake or to pull out, and to change lanes."""
        if self.model.side == 'right':
            self._pull_out(ego)
        else:
            self._overtake(ego)

    def _pull_out(self, ego: EgoNow) -> None:
        rear = self.track.at(ego.time_s)[0] - self.half_m
        if not self.began and ego.reaches_in_s(rear) <= self.ahead_s:
            self.began, self.move_at_s = True, ego.time_s
            self.track.reach(ego.time_s, self.model.then_mps, PULL_MPS2)

    def _overtake(self, ego: EgoNow) -> None:
        now, model = ego.time_s, self.model
        arc, speed, _ = self.track.at(now)
        if self.move_at_s < math.inf:
            return
        if not self.began and ego.driven_m >= model.trigger_m:
            self.track = Track(ego.front_arc_m - BEHIND_M, ego.speed_mps + model.faster_mps, now)
            self.began = True
            return
        if self.began:
            gap = arc - self.half_m - ego.front_arc_m
            faster = model.faster_mps
            if model.returns:
                faster = min(faster, max(0.6 * (self.gap_m - gap), 1.0))
            wanted = max(ego.speed_mps, 3.0) + faster
            if abs(wanted - speed) > 0.3:
                self.track.reach(now, wanted, 3.0)
            if gap >= self.gap_m and model.returns:
                self.move_at_s = now
                self.track.reach(now + self.move_s / 2, model.then_mps, model.brake_mps2)

    def placed(self, time_s: float) -> list[Placed]:
        """The vehicle, once it is on the scene."""
        if not self.began and self.model.side == 'left':
            return []
        arc, speed, a = self.track.at(time_s)
        x = (time_s - self.move_at_s) / self.move_s if self.move_at_s < math.inf else 0.0
        offset = self.from_m * (1.0 - smooth(x))
        across = -self.from_m * slope(x) / self.move_s
        turned = math.atan2(across, speed) if speed > 0.3 else 0.0
        kind, lit = self.model.vehicle, a < BRAKE_LIGHT_MPS2
        over = x >= 1.0 and speed < 0.05 and not self.model.then_mps
        place = (arc, offset, turned, speed, a)
        return [Placed(self.id, kind, *place, self.colour, lit or over, final=over)]


class OncomingVehicle:
    """See ``models.OncomingActor``."""

    def __init__(self, model: OncomingActor, seed: int, severity: float, number: int) -> None:
        rng = np.random.default_rng([seed, 34, number])
        self.model, self.colour, self.id = model, paint(rng), 5000 + 10 * number
        self.offset_m = knob(model.offset_m, severity)
        self.start: tuple[float, float] | None = None

    def notice(self, ego: EgoNow) -> None:
        """Appear ahead of the ego."""
        if self.start is None and ego.driven_m >= self.model.trigger_m:
            self.start = ego.time_s, ego.front_arc_m + self.model.meet_m

    def placed(self, time_s: float) -> list[Placed]:
        """The vehicle, from its appearance on."""
        if self.start is None:
            return []
        arc = self.start[1] - self.model.speed_mps * (time_s - self.start[0])
        place = (arc, self.offset_m, math.pi, self.model.speed_mps, 0.0)
        return [
            Placed(self.id, self.model.vehicle, *place, self.colour, False, self.model.detour_m)
        ]
