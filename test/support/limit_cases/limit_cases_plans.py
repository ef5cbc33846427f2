"""A case for each limit of a plan: through ``validate``, ``roll_out``, ``gate`` and ``decide``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from drives import DT, SECOND, TIME, VEHICLE, P, ego, noisy, plan, rollout, truth
from limit_case import Cases, Follows, Threshold

from alpamayo_ros.limits import Limits
from alpamayo_ros.motion.fallback import (
    at_rest,
    begin,
    escalate,
    stop_acceleration,
    stop_trajectory,
)
from alpamayo_ros.motion.rollout import Rollout, roll_out
from alpamayo_ros.motion.splice import splice
from alpamayo_ros.motion.validate import validate
from alpamayo_ros.pipeline import decide
from alpamayo_ros.profile import load_profile
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.safety.gate import gate
from alpamayo_ros.safety.scene import Scene
from alpamayo_ros.safety.state import Mode, SafetyState
from alpamayo_ros.safety.stopping import choose_stop
from alpamayo_ros.types import Proposal

SPEED = 8.0
LATE = TIME > 2.0
PROFILE = load_profile('nano')


def config(limits: Limits) -> PlanConfig:
    """The shipped profile under other limits."""
    return PlanConfig(PROFILE, limits, VEHICLE)


def checked(
    name: str,
    build: Callable[[float], tuple[np.ndarray, Rollout]],
    speed: float = SPEED,
    margin: float = 0.02,
    jump: bool = False,
) -> Threshold:
    """Verdict of the check ``name`` about the raw waypoints and the roll-out that ``build`` makes.

    ``jump``: 0.1 s after a plan that drives straight on.
    """
    t0_ns = SECOND // 10 if jump else 0
    start = ego(speed, t0_ns, x=speed * 0.1 if jump else 0.0)
    previous = plan(speed) if jump else None

    def verdict(limits: Limits, x: float) -> tuple[bool, bool]:
        raw, feasible = build(x)
        feasible = replace(feasible, t0_ns=t0_ns)
        checks = validate(raw, feasible, start, previous, limits, 50.0, DT)
        (row,) = [c for c in checks.of(0) if c.name == name]
        return row.ok, row.warned

    return Threshold(verdict, margin)


def driven(speed: float = SPEED, **arrays: np.ndarray | float) -> tuple[np.ndarray, Rollout]:
    """A straight drive at constant speed of which the named arrays are others."""
    base = rollout(speed)
    changed = {k: np.broadcast_to(np.asarray(v), (1, P)).copy() for k, v in arrays.items()}
    return base.poses.copy(), replace(base, **changed)


def raw_moved(index: object, column: int) -> Callable[[float], tuple[np.ndarray, Rollout]]:
    """The raw waypoints at ``index`` lie x beside (column 1) or are turned by x (column 2)."""

    def build(x: float) -> tuple[np.ndarray, Rollout]:
        raw, feasible = driven()
        raw[:, index, column] += x
        return raw, feasible

    return build


def off_after(x: float) -> tuple[np.ndarray, Rollout]:
    """The model's path leaves the driven one by 2 m after x seconds."""
    return raw_moved(TIME > x, 1)(2.0)


def jumps(column: int, at_s: float) -> Callable[[float], tuple[np.ndarray, Rollout]]:
    """The roll-out lies x forward (0) or aside (1) of the previous plan, ``at_s`` after t0."""

    def build(x: float) -> tuple[np.ndarray, Rollout]:
        raw, feasible = driven()
        feasible.poses[:, round(at_s / DT) - 1, column] += x
        return raw, feasible

    return build


def jumps_at(column: int) -> Callable[[float], tuple[np.ndarray, Rollout]]:
    """The roll-out jumps by 5 m at x seconds."""
    return lambda x: jumps(column, x)(5.0)


def stretched(x: float) -> tuple[np.ndarray, Rollout]:
    """The path is x longer than the speeds say."""
    raw, feasible = driven()
    feasible.poses[..., 0] *= 1 + x / (SPEED * 6.0)
    return raw, feasible


def mistimed(x: float) -> tuple[np.ndarray, Rollout]:
    """The roll-out's time step is off by x."""
    raw, feasible = driven()
    return raw, replace(feasible, dt_s=DT + x)


def above_cap(limits: Limits, x: float) -> bool:
    """Driving x faster than the cap."""
    raw, feasible = driven()
    checks = validate(raw, feasible, ego(SPEED), None, limits, SPEED - x, DT)
    return next(c.ok for c in checks.of(0) if c.name == 'above_speed_cap_mps')


def aside(limits: Limits, x: float) -> bool:
    """Whether a reference takes over a plan that lies x beside what is driven."""
    start, now_ns = ego(SPEED), SECOND // 10
    driven_now = splice(plan(SPEED), None, start, 0, VEHICLE, limits)
    other = replace(plan(SPEED, y=x, number=2), valid_until_ns=SECOND)
    return hasattr(splice(other, driven_now, start, now_ns, VEHICLE, limits), 'trajectory')


def spread_codes(limits: Limits, x: float) -> set[str]:
    """Two candidates straight on, six end x / sqrt(6/8) to either side: the deviation is x."""
    raw = noisy(truth(SPEED)[0], 0.0)
    raw[:6, -1, 1] += x * np.sqrt(8 / 6) * np.array([1, -1, 1, -1, 1, -1])
    scene = Scene(ego(SPEED), ego(SPEED))
    active = SafetyState(Mode.ACTIVE)
    decision = decide(Proposal(0, raw, ''), scene, active, config(limits), SECOND // 10)
    return {f.code.name for f in decision.faults if 'SPREAD' in f.code.name}


def hardest_jerk(limits: Limits) -> float:
    """Of a roll-out whose waypoints brake all at once."""
    raw = noisy(truth(SPEED, -8.0)[0], 0.0, k=1)
    a = roll_out(raw, ego(SPEED), VEHICLE, limits, 10.0, DT).acceleration_mps2[0]
    return float(np.abs(np.diff(a)).max() / DT)


def gate_code(limits: Limits, age_s: float) -> str:
    """What the last check says of a plan of this age."""
    fault = gate(plan(SPEED, t0_ns=SECOND), None, True, limits, SECOND + round(age_s * 1e9))
    return fault.code.name if fault else ''


def stopping(after_s: float, hard: bool = False) -> Callable[[Limits], float]:
    """Acceleration of a stop, so long after its profile (or the harder one) has begun."""

    def number(limits: Limits) -> float:
        stop = begin(None, ego(SPEED), 0, VEHICLE, limits)
        stop = escalate(stop, 0) if hard else stop
        return float(stop_acceleration(stop, np.array([round(after_s * 1e9)]), limits)[0])

    return number


def path_of_a_stop(limits: Limits, x: float) -> str:
    """How a stop leaves whose path, a bend, lies x beside a car that goes straight."""
    start = ego(SPEED)
    begun = begin(plan(SPEED, 0.0, 1 / 50, y=x), start, 0, VEHICLE, limits)
    state = SafetyState(mode=Mode.FALLBACK, stop=begun)
    _, found = choose_stop(state, None, Scene(start, start), config(limits), SECOND // 20)
    assert found is not None and found.trajectory is not None
    if not found.trajectory.curvature_1pm.any():
        return 'on the circle'
    return 'from the car' if found.faults else 'as it is'


def creeping(limits: Limits, speed_mps: float) -> bool:
    """Whether a stop from this speed is no more than standing."""
    start = ego(speed_mps)
    path = stop_trajectory(begin(None, start, 0, VEHICLE, limits), start, VEHICLE, limits, P, DT)
    return at_rest(path, limits)


def resting(limits: Limits, speed_mps: float) -> bool:
    """Whether a plan at this speed counts as standstill."""
    return at_rest(plan(speed_mps).trajectory, limits)


POSITION = raw_moved(0, 1)
YAW = raw_moved(slice(0, 3), 2)
DEVIATION = raw_moved(slice(None), 1)
PULL = 1 / SPEED**2


def start_speed(x: float) -> tuple[np.ndarray, Rollout]:
    """The model plans x faster than the car is."""
    return rollout(SPEED + x).poses, rollout(SPEED)


CASES: Cases = {
    'start_position_warn_m': (checked('start_position_m', POSITION),),
    'start_position_m': (checked('start_position_m', POSITION), Threshold(path_of_a_stop)),
    'start_yaw_warn_rad': (checked('start_yaw_rad', YAW),),
    'start_yaw_rad': (checked('start_yaw_rad', YAW),),
    'start_speed_warn_mps': (checked('start_speed_mps', start_speed),),
    'start_speed_mps': (checked('start_speed_mps', start_speed),),
    **{
        name: (checked('lateral_acceleration_mps2', lambda x: driven(curvature_1pm=x * PULL)),)
        for name in ('lateral_acceleration_warn_mps2', 'lateral_acceleration_mps2')
    },
    **{
        name: (checked('lateral_jerk_mps3', lambda x: driven(curvature_1pm=x * DT * PULL * LATE)),)
        for name in ('lateral_jerk_warn_mps3', 'lateral_jerk_mps3')
    },
    **{
        name: (checked('acceleration_mps2', lambda x: driven(acceleration_mps2=x)),)
        for name in ('acceleration_warn_mps2', 'acceleration_mps2')
    },
    **{
        name: (checked('deceleration_mps2', lambda x: driven(acceleration_mps2=-x)),)
        for name in ('deceleration_warn_mps2', 'deceleration_mps2')
    },
    'longitudinal_jerk_mps3': (Follows(hardest_jerk),),
    'curvature_1pm': (checked('curvature_1pm', lambda x: driven(1.0, curvature_1pm=x), 1.0),),
    'steering_rad': (checked('steering_rad', lambda x: driven(steering_rad=x)),),
    'steering_rate_rps': (
        checked('steering_rate_rps', lambda x: driven(steering_rad=x * DT * LATE)),
    ),
    'path_length_error_m': (checked('path_length_error_m', stretched),),
    'raw_deviation_warn_m': (checked('raw_deviation_m', DEVIATION),),
    'raw_deviation_m': (checked('raw_deviation_m', DEVIATION),),
    'raw_deviation_horizon_s': (checked('raw_deviation_m', off_after, margin=0.2),),
    'dt_tolerance_s': (checked('dt_error_s', mistimed),),
    'jump_lateral_warn_m': (checked('jump_lateral_m', jumps(1, 2.0), jump=True),),
    'jump_lateral_m': (checked('jump_lateral_m', jumps(1, 2.0), jump=True), Threshold(aside)),
    'jump_forward_warn_m': (checked('jump_forward_m', jumps(0, 0.5), jump=True),),
    'jump_horizon_s': (checked('jump_lateral_m', jumps_at(1), margin=0.2, jump=True),),
    'jump_forward_horizon_s': (checked('jump_forward_m', jumps_at(0), margin=0.2, jump=True),),
    'spread_warn_m': (Threshold(spread_codes),),
    'spread_m': (Threshold(spread_codes),),
    'speed_tolerance_mps': (Threshold(above_cap),),
    'plan_age_s': (Threshold(gate_code),),
    'stop_start_m': (Threshold(path_of_a_stop, margin=0.1),),
    'stop_deceleration_mps2': (Follows(stopping(9.0)),),
    'stop_jerk_mps3': (Follows(stopping(1.0)),),
    'hard_stop_deceleration_mps2': (Follows(stopping(9.0, hard=True)),),
    'hard_stop_jerk_mps3': (Follows(stopping(1.0, hard=True)),),
    'rest_speed_mps': (Threshold(creeping), Threshold(resting)),
}
FUTURE = Threshold(lambda limits, x: gate_code(limits, -x))
