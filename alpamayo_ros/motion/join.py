"""How a reference leaves the one being driven: the wheel neither steps nor turns otherwise.

Beside the new plan's path at arc length s since the join the car is to keep the distance

    e(s) = (e0 + a s + b s^2 + c s^3) exp(-s / L),    L = fade * speed, at least FADE_M

with a, b and c such that e, e', e'' and e''' at the join give the place, heading, curvature and
change of curvature being driven (Frenet frame: Werling et al., "Optimal trajectory generation",
ICRA 2010, section III).  It is a function of the way, not of time: a car at rest does not drift.
Speed that the old reference lacked fades in over time; speed that it had too much is given up at
once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from alpamayo_ros.motion.plan import Plan, sample, to_odom

# Time constants to try: three planning periods and longer.  To begin with 0.7 s halves the small
# steps of a tracker's command between nano's plans (0.11 deg), and in a roundabout the expert's
# wheel then turns more and a reference is refused.
FADES_S = (0.3, 0.45, 0.7, 1.0, 1.5)
FADE_M = 1.0  # least length constant: slower than 3 m/s the way counts, not the time
STEP_M = 0.1  # over a step shorter than this curvature has no slope: slower than 1 m/s


@dataclass(frozen=True, slots=True)
class Join:
    """Where and how a plan took over: distance, and its first three derivatives by the way.

    ``turn_rad``: heading against the plan's, of which ``slope`` is the tangent; ``slower_mps`` (at
    most 0): speed that was still lacking.
    """

    joined_ns: int
    offset_m: float
    turn_rad: float
    slope: float
    bend_1pm: float
    sharpness_1pm2: float
    slower_mps: float
    fade_s: float
    length_m: float

    def beside(
        self, way_m: Float[np.ndarray, ' T']
    ) -> tuple[Float[np.ndarray, ' T'], Float[np.ndarray, ' T'], Float[np.ndarray, ' T']]:
        """e, e' and e'' after ``way_m`` since the join."""
        offset, length = self.offset_m, self.length_m
        a = self.slope + offset / length
        b = (self.bend_1pm + 2 * a / length - offset / length**2) / 2
        c = (self.sharpness_1pm2 + 6 * b / length - 3 * a / length**2 + offset / length**3) / 6
        s = np.maximum(way_m, 0.0)
        shape, slope = offset + s * (a + s * (b + s * c)), a + s * (2 * b + s * 3 * c)
        fade = np.exp(-s / length)
        first = (slope - shape / length) * fade
        second = (2 * b + 6 * c * s - 2 * slope / length + shape / length**2) * fade
        return shape * fade, first, second


NO_JOIN = Join(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, FADES_S[0], FADE_M)


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


def join_at(plan: Plan, driven: tuple[Plan, Join], now_ns: int, fade_s: float) -> Join:
    """How ``plan`` takes over at ``now_ns`` from a joined plan.

    A step later, at the first point of a reference, the curvature is still the one being driven.
    """
    step_ns = round(plan.trajectory.dt_s * 1e9)
    old, later = place(*driven, now_ns), place(*driven, now_ns + step_ns)
    new, after = place(plan, NO_JOIN, now_ns), place(plan, NO_JOIN, now_ns + step_ns)
    slower = min(old.speed_mps - new.speed_mps, 0.0)
    length = max(fade_s * new.speed_mps, FADE_M * fade_s / FADES_S[0])
    join = Join(now_ns, *_beside(new, old), 0.0, slower, fade_s, length)
    way = float(np.hypot(after.x_m - new.x_m, after.y_m - new.y_m))
    if way < STEP_M:
        return join
    missing = _beside(after, later)[3] - float(join.beside(np.array([way]))[2][0])
    gain = (way - way**2 / length + way**3 / (6 * length**2)) * np.exp(-way / length)
    return replace(join, sharpness_1pm2=float(missing / gain))


def _beside(new: Spot, old: Spot) -> tuple[float, float, float, float]:
    """Distance of ``old`` beside the path at ``new``, turn against it, and e' and e'' of it."""
    dx, dy = old.x_m - new.x_m, old.y_m - new.y_m
    offset = float(dy * np.cos(new.heading_rad) - dx * np.sin(new.heading_rad))
    turn = float(np.remainder(old.heading_rad - new.heading_rad + np.pi, 2 * np.pi) - np.pi)
    kappa = new.curvature_1pm
    room = 1.0 - kappa * offset
    slope = float(room * np.tan(turn))
    bend = (old.curvature_1pm * room / np.cos(turn) - kappa) * room / np.cos(turn) ** 2
    return offset, turn, slope, float(bend - kappa * slope * np.tan(turn))


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
