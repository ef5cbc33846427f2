"""How a reference leaves the one being driven: the same place, direction and curvature, fading.

Beside the new plan's path at arc length s since the join the car is to keep the distance

    e(s) = (e0 + a s + b s^2) exp(-s / L),    L = fade * speed, at least FADE_M

with a and b such that e, e' and e'' at the join give the place, heading and curvature being driven
(Frenet frame: Werling et al., "Optimal trajectory generation", ICRA 2010, section III).  It is a
function of the way, not of time: a car at rest does not drift.  Speed that the old reference
lacked fades in over time; speed that it had too much is given up at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from alpamayo_ros.motion.plan import Plan, sample, to_odom

FADES_S = (0.3, 0.45, 0.7, 1.0, 1.5)  # time constants to try: three planning periods and longer
FADE_M = 1.0  # least length constant: slower than 3 m/s the way counts, not the time


@dataclass(frozen=True, slots=True)
class Join:
    """Where and how a plan took over: distance, its first and second derivative by the way.

    ``turn_rad``: heading against the plan's, of which ``slope`` is the tangent; ``slower_mps`` (at
    most 0): speed that was still lacking.
    """

    joined_ns: int
    offset_m: float
    turn_rad: float
    slope: float
    bend_1pm: float
    slower_mps: float
    fade_s: float
    length_m: float

    def beside(
        self, way_m: Float[np.ndarray, ' T']
    ) -> tuple[Float[np.ndarray, ' T'], Float[np.ndarray, ' T'], Float[np.ndarray, ' T']]:
        """e, e' and e'' after ``way_m`` since the join."""
        length = self.length_m
        a = self.slope + self.offset_m / length
        b = (self.bend_1pm + 2 * a / length - self.offset_m / length**2) / 2
        s = np.maximum(way_m, 0.0)
        shape, slope = self.offset_m + a * s + b * s**2, a + 2 * b * s
        fade = np.exp(-s / length)
        first = (slope - shape / length) * fade
        second = (2 * b - 2 * slope / length + shape / length**2) * fade
        return shape * fade, first, second


NO_JOIN = Join(0, 0.0, 0.0, 0.0, 0.0, 0.0, FADES_S[0], FADE_M)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a joined plan has the car at some times: pose in odom, speed, and how it moves."""

    x_m: Float[np.ndarray, ' T']
    y_m: Float[np.ndarray, ' T']
    heading_rad: Float[np.ndarray, ' T']
    speed_mps: Float[np.ndarray, ' T']
    acceleration_mps2: Float[np.ndarray, ' T']
    curvature_1pm: Float[np.ndarray, ' T']

    @classmethod
    def along(cls, plan: Plan, join: Join, time_s: Float[np.ndarray, ' T']) -> Place:
        """At times after the plan's t0, held at both of its ends."""
        joined_s = (join.joined_ns - plan.t0_ns) * 1e-9
        at = sample(plan.trajectory, plan.anchor, np.append(joined_s, time_s))
        e, first, second = join.beside(_way(plan, np.append(joined_s, time_s)))
        bend = at['curvature_1pm']
        turn, curvature = _frenet(bend, e, first, second)
        theta = at['heading_rad']
        pose = np.stack(
            [at['x_m'] - e * np.sin(theta), at['y_m'] + e * np.cos(theta), theta + turn], axis=-1
        )
        odom = to_odom(pose, plan.anchor)[1:]
        lacking = join.slower_mps * np.exp(-np.maximum(time_s - joined_s, 0.0) / join.fade_s)
        speed = np.maximum(at['speed_mps'][1:] + lacking, 0.0)
        push = np.where(speed > 0.0, at['acceleration_mps2'][1:] - lacking / join.fade_s, 0.0)
        push = push if join.slower_mps else at['acceleration_mps2'][1:]
        return cls(odom[:, 0], odom[:, 1], odom[:, 2], speed, push, curvature[1:])


@dataclass(frozen=True, slots=True)
class Spot:
    """One ``Place``."""

    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float
    curvature_1pm: float


def place(plan: Plan, join: Join, now_ns: int) -> Spot:
    """Where a joined plan has the car at ``now_ns``."""
    at = Place.along(plan, join, np.array([max((now_ns - plan.t0_ns) * 1e-9, 0.0)]))
    columns = (at.x_m, at.y_m, at.heading_rad, at.speed_mps, at.curvature_1pm)
    return Spot(*(float(column[0]) for column in columns))


def join_at(plan: Plan, old: Spot, now_ns: int, fade_s: float) -> Join:
    """How ``plan`` takes over at ``now_ns`` from a reference that has the car at ``old``."""
    new = place(plan, NO_JOIN, now_ns)
    dx, dy = old.x_m - new.x_m, old.y_m - new.y_m
    offset = float(dy * np.cos(new.heading_rad) - dx * np.sin(new.heading_rad))
    turn = float(np.remainder(old.heading_rad - new.heading_rad + np.pi, 2 * np.pi) - np.pi)
    kappa = new.curvature_1pm
    room = 1.0 - kappa * offset
    slope = room * np.tan(turn)
    bend = (old.curvature_1pm * room / np.cos(turn) - kappa) * room / np.cos(turn) ** 2
    bend -= kappa * slope * np.tan(turn)
    slower = min(old.speed_mps - new.speed_mps, 0.0)
    length = max(fade_s * new.speed_mps, FADE_M * fade_s / FADES_S[0])
    return Join(now_ns, offset, turn, float(slope), float(bend), slower, fade_s, length)


def _frenet(
    kappa: Float[np.ndarray, ' T'],
    e: Float[np.ndarray, ' T'],
    first: Float[np.ndarray, ' T'],
    second: Float[np.ndarray, ' T'],
) -> tuple[Float[np.ndarray, ' T'], Float[np.ndarray, ' T']]:
    """Heading against the path and curvature of a curve at distance ``e`` from it.

    The change of the path's own curvature is left out: it is small over the way of a fade.
    """
    room = 1.0 - kappa * e
    turn = np.arctan2(first, room)
    cos, tan = np.cos(turn), np.tan(turn)
    return turn, ((second + kappa * first * tan) * cos**2 / room + kappa) * cos / room


def _way(plan: Plan, time_s: Float[np.ndarray, ' T']) -> Float[np.ndarray, ' T']:
    """Arc length of the plan since the first of ``time_s`` [m]."""
    t = plan.trajectory
    legs = np.hypot(np.diff(t.x_m, prepend=0.0), np.diff(t.y_m, prepend=0.0))
    knots = np.arange(len(t.x_m) + 1) * t.dt_s
    at: Float[np.ndarray, ' T'] = np.interp(time_s, knots, np.append(0.0, np.cumsum(legs)))
    return np.asarray(at - at[0])
