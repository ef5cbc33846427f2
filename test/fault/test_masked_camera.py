"""Row F02 where a camera may be masked: driving goes on without it, slower, for three seconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from matrix import scenario

from alpamayo_ros.faults import Code
from alpamayo_ros.limits import load_limits
from alpamayo_ros.profile import ModelProfile, load_profile
from alpamayo_ros.safety.state import Mode
from alpamayo_ros.simulation.drive.drive import Drive
from alpamayo_ros.simulation.drive.planners import StraightPlanner
from alpamayo_ros.types import PlannerInput

LIMITS = load_limits()
CAMERA, FIRST_S = 'front_left', 3.0


def profile() -> ModelProfile:
    """nano, were it evaluated without one of its cameras."""
    nano = load_profile('nano')
    cameras = tuple(
        c.model_copy(update={'maskable': True}) if c.name == CAMERA else c for c in nano.cameras
    )
    return nano.model_copy(update={'cameras': cameras})


@dataclass(frozen=True, slots=True)
class Step:
    """One cycle; ``seen``: whether the camera's view stands in the model's input, None: none."""

    at_s: float
    codes: frozenset[Code]
    mode: Mode
    cap_mps: float
    seen: bool | None


def drive(length_s: float) -> list[Step]:
    """A drive whose camera is lost from 3 s on, watched until 4 s after it is back."""
    made = profile()
    view = [v.name for v in made.views].index(CAMERA)
    world = Drive(scenario(f'F02@{FIRST_S:g}s:{length_s:g}s'), 3, StraightPlanner(made))
    out = []
    for _ in range(round((FIRST_S + length_s + 4.0) * 10)):
        at_s = world.sim.outcome.duration_s
        cycle = world.step()
        decision, inputs = cycle.decision, cycle.inputs
        codes = frozenset(f.code for f in (*decision.faults, *world.sensors.said))
        seen = bool(inputs.frames.valid[0, view]) if isinstance(inputs, PlannerInput) else None
        cap_mps = decision.plan.speed_cap_mps if decision.plan is not None else np.nan
        out.append(Step(at_s, codes, decision.state.mode, cap_mps, seen))
    world.close()
    return out


def between(steps: list[Step], first_s: float, last_s: float) -> list[Step]:
    return [step for step in steps if first_s - 1e-6 <= step.at_s <= last_s + 1e-6]


def test_f02_a_camera_that_may_be_masked_is_and_driving_goes_on_slower():
    steps = drive(2.0)
    before = between(steps, 2.0, 2.9)
    assert {s.mode for s in before} == {Mode.ACTIVE} and all(s.seen for s in before)
    named = next(s for s in steps if Code.CAM_LOST in s.codes)
    assert named.mode is Mode.DEGRADED and named.at_s - FIRST_S <= 0.5
    beside = between(steps, FIRST_S + 0.5, FIRST_S + 1.9)
    assert {s.mode for s in beside} == {Mode.DEGRADED}
    assert not any(s.seen for s in beside)
    slow_mps = LIMITS.degraded_speed_ratio * profile().max_speed_mps
    assert all(s.cap_mps <= slow_mps for s in beside) and before[-1].cap_mps > slow_mps
    after = between(steps, FIRST_S + 4.0, FIRST_S + 5.9)
    assert {s.mode for s in after} == {Mode.ACTIVE} and all(s.seen for s in after)


def test_f02_without_it_for_longer_than_the_limit_is_fallback():
    steps = drive(LIMITS.soft_degraded_s + 1.5)
    degraded = [s.at_s for s in steps if s.mode is Mode.DEGRADED]
    stopped = [s.at_s for s in steps if s.mode is Mode.FALLBACK]
    assert stopped and stopped[0] - degraded[0] == pytest.approx(LIMITS.soft_degraded_s, abs=0.11)
    assert steps[-1].mode is Mode.ACTIVE
