"""Every check of a plan, a stop and a reference: just inside holds, just outside does not.

At five speeds and to both sides, at the warning and at the rejection, one table for all three.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from drives import DT, LIMITS, SECOND, TIME, P, ego, plan, rollout

from alpamayo_ros.motion.reference_check import check_reference
from alpamayo_ros.motion.stop_check import check_stop
from alpamayo_ros.motion.validate import NO_WARNING, CheckResult, validate

SPEEDS = (1.0, 3.0, 5.0, 8.0, 12.0)
IN, OUT = 0.999, 1.001
LATE = TIME > 2.0
NAMED = {
    'above_speed_cap_mps': LIMITS.speed_tolerance_mps,
    'dt_error_s': LIMITS.dt_tolerance_s,
    'reversing_mps': 1e-9,
    'path_short_m': 0.01,
    'jump_forward_m': NO_WARNING,
}


def level(name: str, warn: bool) -> float:
    """The entry of the limits that a check is held against, found by its name."""
    quantity, unit = name.rsplit('_', 1)
    warned = getattr(LIMITS, f'{quantity}_warn_{unit}', NO_WARNING)
    if warn:
        return warned
    return NAMED[name] if name in NAMED else getattr(LIMITS, name)


@dataclass
class Drive:
    """A steady drive of which some columns are others, and what it is held against."""

    speed: float
    columns: dict[str, np.ndarray] = field(default_factory=dict)
    raw: np.ndarray | None = None
    cap: float = 50.0
    dt_s: float = DT
    jumped: bool = False
    apart: tuple[float, float] = (0.0, 0.0)

    @property
    def rollout(self):
        made = {
            k: np.broadcast_to(v, (1, P)).copy() for k, v in self.columns.items() if k != 'poses'
        }
        made |= {k: v for k, v in self.columns.items() if k == 'poses'}
        return replace(rollout(self.speed), dt_s=self.dt_s, **made)


Bend = Callable[[float, float], Drive]  # (speed, value with its sign) -> a drive with that value


def column(name: str, scale: Callable[[float], np.ndarray | float]) -> Bend:
    return lambda v, x: Drive(v, {name: np.asarray(x * scale(v))})


def poses(change: Callable[[np.ndarray, float, float], None]) -> Bend:
    """The driven path is another, the model's is not."""

    def make(v: float, x: float) -> Drive:
        moved, raw = rollout(v).poses.copy(), rollout(v).poses
        change(moved, v, x)
        return Drive(v, {'poses': moved}, raw)

    return make


def waypoints(change: Callable[[np.ndarray, float, float], None]) -> Bend:
    """The model's path is another, the driven one is not."""

    def make(v: float, x: float) -> Drive:
        raw = rollout(v).poses.copy()
        change(raw, v, x)
        return Drive(v, {}, raw)

    return make


def put(index: object, axis: int) -> Callable[[np.ndarray, float, float], None]:
    def change(path: np.ndarray, v: float, x: float) -> None:
        path[:, index, axis] += x

    return change


def stretch(path: np.ndarray, v: float, x: float) -> None:
    path[..., 0] *= 1 + x / (v * P * DT)


def crumple(path: np.ndarray, v: float, x: float) -> None:
    """Shorter by x than the way in which the hardest brake stops."""
    path[..., 0] *= (v**2 / (2 * LIMITS.deceleration_mps2) - x) / (v * P * DT)


def faster(v: float, x: float) -> Drive:
    """The model goes x faster than the car is; slower than backwards it cannot."""
    v = v if v + x >= 0 else v - x
    return Drive(v, {}, rollout(v + x).poses)


def jumps(steps: int, axis: int) -> Bend:
    def make(v: float, x: float) -> Drive:
        moved = rollout(v).poses.copy()
        moved[:, steps - 1, axis] += x
        return Drive(v, {'poses': moved}, rollout(v).poses, jumped=True)

    return make


ACROSS, ALONG = (round(s / DT) for s in (LIMITS.jump_horizon_s, LIMITS.jump_forward_horizon_s))
RIDE: dict[str, Bend] = {
    'lateral_acceleration_mps2': column('curvature_1pm', lambda v: 1 / v**2),
    'lateral_jerk_mps3': column('curvature_1pm', lambda v: DT / v**2 * LATE),
    'acceleration_mps2': lambda v, x: Drive(v, {'acceleration_mps2': np.asarray(abs(x))}),
    'deceleration_mps2': lambda v, x: Drive(v, {'acceleration_mps2': np.asarray(-abs(x))}),
    'curvature_1pm': column('curvature_1pm', lambda v: 1.0),
    'steering_rad': column('steering_rad', lambda v: 1.0),
    'steering_rate_rps': column('steering_rad', lambda v: DT * LATE),
    'reversing_mps': lambda v, x: Drive(v, {'speed_mps': np.asarray(-abs(x))}),
    'above_speed_cap_mps': lambda v, x: Drive(v, {'speed_mps': np.asarray(v + abs(x))}, cap=v),
}
PLAN = RIDE | {
    'start_position_m': waypoints(put(0, 1)),
    'start_yaw_rad': waypoints(put(slice(0, 3), 2)),
    'start_speed_mps': faster,
    'raw_deviation_m': waypoints(put(slice(None), 1)),
    'path_length_error_m': poses(stretch),
    'path_short_m': lambda v, x: poses(crumple)(v, abs(x)),
    'dt_error_s': lambda v, x: Drive(v, dt_s=DT + x),
    'jump_lateral_m': jumps(ACROSS, 1),
    'jump_forward_m': jumps(ALONG, 0),
}
STOP = RIDE | {
    'stop_start_m': poses(put(0, 1)),
    'start_yaw_rad': poses(put(0, 2)),
    'path_length_error_m': poses(stretch),
}
REFERENCE = RIDE | {
    'start_position_m': lambda v, x: Drive(v, apart=(abs(x), 0.0)),
    'start_yaw_rad': lambda v, x: Drive(v, apart=(0.0, abs(x))),
}
BOOLEAN = {'not_finite', 'points_missing', 'dt_not_positive'}  # test_validate has those


def of_plan(d: Drive) -> list[CheckResult]:
    t0_ns = SECOND // 10 if d.jumped else 0
    start = ego(d.speed, t0_ns, x=d.speed * t0_ns * 1e-9)
    made = replace(d.rollout, t0_ns=t0_ns)
    raw = made.poses if d.raw is None else d.raw
    return validate(raw, made, start, plan(d.speed) if d.jumped else None, LIMITS, d.cap, DT).of(0)


def of_stop(d: Drive) -> list[CheckResult]:
    return check_stop(d.rollout.trajectory(0), ego(d.speed), LIMITS).of(0)


def of_reference(d: Drive) -> list[CheckResult]:
    return check_reference(d.rollout.trajectory(0), ego(d.speed), d.apart, d.cap, LIMITS).of(0)


SUBJECTS = {
    'plan': (of_plan, PLAN),
    'stop': (of_stop, STOP),
    'reference': (of_reference, REFERENCE),
}
ROWS = [(who, name) for who, (_, cases) in SUBJECTS.items() for name in cases]


def row(who: str, name: str, speed: float, value: float) -> CheckResult:
    check, cases = SUBJECTS[who]
    (found,) = [c for c in check(cases[name](speed, value)) if c.name == name]
    return found


@pytest.mark.parametrize('sign', [-1, 1])
@pytest.mark.parametrize('speed', SPEEDS)
@pytest.mark.parametrize(('who', 'name'), ROWS)
def test_just_inside_holds_and_just_outside_does_not(who, name, speed, sign):
    limit = level(name, warn=False)
    if limit == NO_WARNING:
        assert row(who, name, speed, sign * 10.0).ok, 'it only warns'
        return
    inside, outside = (row(who, name, speed, sign * f * limit) for f in (IN, OUT))
    assert inside.ok and not outside.ok, (inside, outside)
    assert inside.limit == outside.limit == limit


@pytest.mark.parametrize('sign', [-1, 1])
@pytest.mark.parametrize('speed', SPEEDS)
@pytest.mark.parametrize(('who', 'name'), [r for r in ROWS if level(r[1], True) != NO_WARNING])
def test_the_warning_begins_at_its_level(who, name, speed, sign):
    inside, outside = (row(who, name, speed, sign * f * level(name, True)) for f in (IN, OUT))
    assert not inside.warned and outside.warned and outside.ok, (inside, outside)


@pytest.mark.parametrize('who', SUBJECTS)
def test_every_check_is_in_the_table(who):
    check, cases = SUBJECTS[who]
    assert {c.name for c in check(Drive(5.0))} - BOOLEAN == set(cases)


@pytest.mark.parametrize('speed', SPEEDS)
@pytest.mark.parametrize('who', SUBJECTS)
def test_a_steady_drive_holds_every_check_without_a_warning(who, speed):
    found = SUBJECTS[who][0](Drive(speed))
    assert all(c.ok and not c.warned for c in found)
