"""A person's caps on speed and acceleration: kept, without a fault, whatever the model wants."""

import numpy as np
import pytest

from alpamayo_ros import pipeline
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.safety.scene import build_scene
from alpamayo_ros.safety.state import Mode, SafetyState
from alpamayo_ros.types import EgoState, Proposal

SHIPPED = PlanConfig.from_files(auto_arm=True)
STEP_S, POINTS = 0.1, 60


def eager(speed_mps: float, t0_ns: int) -> Proposal:
    """Eight equal candidates: straight on, faster by 1.5 m/s2 up to 9.5 m/s."""
    times = STEP_S * np.arange(1, POINTS + 1)
    x = np.cumsum(np.minimum(speed_mps + 1.5 * times, 9.5)) * STEP_S
    one = np.stack([x, 0 * x, 0 * x], axis=-1).astype(np.float32)
    return Proposal(t0_ns, np.stack([one] * 8), '', (), False, text_t0_ns=t0_ns)


def drive(schedule: dict[int, PlanConfig], steps: int) -> list[tuple[Mode, float, float]]:
    """Mode, speed and acceleration after each step of a car that does what the plan says."""
    state, config, out = SafetyState(), SHIPPED, []
    t0_ns, x, speed, acceleration = 10**12, 0.0, 0.0, 0.0
    for i in range(steps):
        config = schedule.get(i, config)
        ego = EgoState(t0_ns, x, 0.0, 0.0, speed, 0.0, acceleration, 0.0)
        scene = build_scene(ego, ego)
        decision = pipeline.decide(eager(speed, t0_ns), scene, state, config, t0_ns + 50_000_000)
        state = decision.state
        if decision.plan is not None:
            after = float(decision.plan.trajectory.speed_mps[0])
            acceleration, x = (after - speed) / STEP_S, x + STEP_S * (speed + after) / 2
            speed = after
        out.append((state.mode, speed, acceleration))
        t0_ns += 100_000_000
    return out


def test_a_lowered_speed_is_reached_comfortably_and_kept() -> None:
    found = drive({110: SHIPPED.lowered(5.0)}, 200)
    assert found[109][1] > 9.0
    assert {mode for mode, *_ in found[20:]} == {Mode.ACTIVE}
    braking = min(a for *_, a in found[110:])
    assert -1.01 * SHIPPED.limits.stop_deceleration_mps2 < braking < -0.5
    assert all(speed == pytest.approx(5.0, abs=0.05) for _, speed, _ in found[165:])


def test_a_lowered_acceleration_is_kept() -> None:
    found = drive({0: SHIPPED.lowered(acceleration_mps2=0.4)}, 120)
    assert {mode for mode, *_ in found[20:]} == {Mode.ACTIVE}
    assert 0.35 < max(a for *_, a in found) <= 0.4


def test_a_cap_of_zero_is_a_stop() -> None:
    found = drive({60: SHIPPED.lowered(0.0)}, 180)
    assert found[59][1] > 5.0 and found[-1][1] == 0.0
    assert {mode for mode, *_ in found[20:]} == {Mode.ACTIVE}


def test_what_is_lowered_stays_lowered() -> None:
    twice = SHIPPED.lowered(5.0, 1.0).lowered(50.0, 50.0)
    assert twice.speed_cap_mps == 5.0 and twice.limits.acceleration_mps2 == 1.0
