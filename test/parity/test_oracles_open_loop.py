"""Every plan and stop that leaves, driven open loop in commonroad's kinematic single-track model.

Steering and acceleration of each step are held over it, from the car's own place and speed on:
what the model of somebody else then does must keep the limits and end where the plan ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from drives import DT, LIMITS, VEHICLE, K, noisy, truth
from hostile import MAKERS, sound
from loop import Loop

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.motion.plan import Plan

DRIVES, CYCLES = 12, 40
END_M, FIRST_M = 0.05, 0.3
ROUND = 1e-6
HAPPENINGS = (Code.MODEL_ABSENT, Code.ODOM_GAP, Code.CAMS_LOST)
SUBSTEPS = 4  # of the Runge-Kutta formula in a step of 0.1 s: 1e-9 m


@pytest.fixture(scope='module')
def single_track():
    """f(state, controls) of x, y, steering, speed, heading; controls: steering rate, push."""
    ks = pytest.importorskip('vehiclemodels.vehicle_dynamics_ks').vehicle_dynamics_ks
    parameters = pytest.importorskip('vehiclemodels.parameters_vehicle2').parameters_vehicle2()
    parameters.a = VEHICLE.wheelbase_m - parameters.b
    return lambda state, push: np.array(ks(state, [0.0, push], parameters))


@dataclass(frozen=True)
class Driven:
    """States before the first step and after each: x, y, steering, speed, heading."""

    states: np.ndarray
    push_mps2: np.ndarray


def drive(plan: Plan, single_track) -> Driven:
    t = plan.trajectory
    speed0 = t.speed_mps[0] - t.acceleration_mps2[0] * t.dt_s  # slower than rest speed stands
    state = np.array([0.0, 0.0, t.steering_rad[0], speed0, 0.0])
    out, h = [state], t.dt_s / SUBSTEPS
    for angle, push in zip(t.steering_rad, t.acceleration_mps2, strict=True):
        state = state.copy()
        state[2] = angle
        for _ in range(SUBSTEPS):
            k1 = single_track(state, push)
            k2 = single_track(state + h / 2 * k1, push)
            k3 = single_track(state + h / 2 * k2, push)
            k4 = single_track(state + h * k3, push)
            state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        out.append(state)
    return Driven(np.array(out), np.asarray(t.acceleration_mps2))


def inside(d: Driven) -> dict[str, float]:
    """What of the limits it breaks, and by how much; empty for none."""
    steering, speed = d.states[1:, 2], d.states[1:, 3]
    bend = np.tan(steering) / VEHICLE.wheelbase_m
    pull = speed**2 * bend
    over = {
        'lateral_acceleration_mps2': np.abs(pull).max() - LIMITS.lateral_acceleration_mps2,
        'lateral_jerk_mps3': np.abs(np.diff(pull)).max() / DT - LIMITS.lateral_jerk_mps3,
        'acceleration_mps2': d.push_mps2.max() - LIMITS.acceleration_mps2,
        'deceleration_mps2': -d.push_mps2.min() - LIMITS.deceleration_mps2,
        'curvature_1pm': np.abs(bend).max() - LIMITS.curvature_1pm,
        'steering_rad': np.abs(steering).max() - LIMITS.steering_rad,
        'steering_rate_rps': np.abs(np.diff(steering)).max() / DT - LIMITS.steering_rate_rps,
        'reversing_mps': -speed.min(),
    }
    return {name: float(by) for name, by in over.items() if not by <= ROUND}


def plans(seed: int) -> list[Plan]:
    """What leaves in a drive of hostile and sound candidates, with stops in between."""
    rng = np.random.default_rng(seed)
    loop = Loop(speed=float(rng.uniform(0, 12)))

    def raw(now, cycle):
        if cycle < 8 or rng.random() < 0.5:
            path = truth(now.speed_mps)[0] if cycle < 8 else sound(rng, now.speed_mps)
            return noisy(path, 0.03, cycle)
        made = [MAKERS[rng.integers(len(MAKERS))](rng, now.speed_mps) for _ in range(K)]
        with np.errstate(over='ignore'):
            return np.stack(made).astype(np.float32)

    bad = 0
    for cycle in range(CYCLES):
        bad = 6 if cycle > 8 and not bad and rng.random() < 0.1 else max(bad - 1, 0)
        code = HAPPENINGS[seed % len(HAPPENINGS)]
        loop.step(raw, faults=(Fault(code),) if bad else ())
    return [d.plan for d in loop.decisions if d.plan is not None]


@pytest.fixture(scope='module')
def driven(single_track) -> list[tuple[Plan, Driven]]:
    found = [plan for seed in range(DRIVES) for plan in plans(seed)]
    return [(plan, drive(plan, single_track)) for plan in found]


@pytest.mark.parametrize('source', ['model', 'fallback'])
def test_what_leaves_keeps_every_limit_and_ends_where_it_says(driven, source):
    mine = [(p, d) for p, d in driven if p.source == source]
    assert len(mine) > 60
    broken = [found for _, d in mine if (found := inside(d))]
    assert not broken
    ends = [
        np.hypot(p.trajectory.x_m[-1] - d.states[-1, 0], p.trajectory.y_m[-1] - d.states[-1, 1])
        for p, d in mine
    ]
    print(f'{source}: {len(ends)} driven, farthest end {max(ends):.4f} m')
    assert max(ends) < END_M


def test_a_stop_begins_at_the_car(driven):
    first = [
        np.hypot(p.trajectory.x_m[0] - d.states[1, 0], p.trajectory.y_m[0] - d.states[1, 1])
        for p, d in driven
        if p.source == 'fallback'
    ]
    print(f'farthest first point of {len(first)} stops: {max(first):.4f} m')
    assert max(first) < FIRST_M
