"""Stops are checked as plans are: where they start, what they ask of the car; who forgets what."""

from dataclasses import replace

import numpy as np
import pytest
from drives import LIMITS, SECOND, VEHICLE, ego, plan, proposal, truth

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.motion import fallback
from alpamayo_ros.motion.stop_check import check_stop
from alpamayo_ros.pipeline import PlanConfig, SafetyState, Scene, decide
from alpamayo_ros.safety.state import Mode, arm, disarm
from alpamayo_ros.types import EgoState

CONFIG = PlanConfig.from_files()
LATER = SECOND // 20


def active(speed: float = 8.0, t0_ns: int = SECOND) -> SafetyState:
    """ACTIVE with the plan of going straight on from the origin of odom."""
    start = ego(speed, t0_ns)
    state = SafetyState(mode=Mode.ACTIVE, since_ns=0, proposed_ns=t0_ns)
    scene = Scene(start, start, observed_ns=t0_ns)
    decision = decide(proposal(truth(speed)[0], t0_ns), scene, state, CONFIG, t0_ns + LATER)
    assert decision.plan is not None and decision.plan.source == 'model'
    return decision.state


def stop_from(state: SafetyState, here: EgoState, *codes: Code):
    """The decision without a proposal while ``codes`` hold."""
    faults = tuple(Fault(c) for c in codes)
    scene = Scene(here, here, faults=faults, observed_ns=here.stamp_ns)
    return decide(None, scene, state, CONFIG, here.stamp_ns + LATER)


def inside(decision) -> bool:
    """Whether the stop begins at the car and keeps every limit of a plan."""
    stop = decision.plan
    return bool(check_stop(stop.trajectory, stop.anchor, LIMITS).ok[0])


@pytest.mark.parametrize(('y', 'heading'), [(5.0, 0.0), (100.0, 0.0), (0.0, 0.5), (0.0, 3.14)])
def test_after_a_jump_of_odometry_the_stop_begins_at_the_car(y, heading):
    here = ego(8.0, SECOND + SECOND // 10, x=0.8, y=y, heading=heading)
    decision = stop_from(active(), here, Code.ODOM_JUMP)
    t = decision.plan.trajectory
    assert decision.state.mode is Mode.FALLBACK and inside(decision)
    assert (t.x_m[0], t.y_m[0]) == pytest.approx((0.8, 0.0), abs=0.05)
    assert Code.STOP_PATH in {f.code for f in decision.faults}


def test_braking_goes_on_while_the_jump_is_reported():
    """The ramp does not begin anew with every call."""
    state, speeds = active(), []
    for n in range(1, 30):
        here = ego(8.0, SECOND + n * SECOND // 10, y=5.0)
        decision = stop_from(state, here, Code.ODOM_JUMP)
        state = decision.state
        speeds.append(decision.plan.trajectory.acceleration_mps2[0])
    assert speeds[-1] == pytest.approx(-LIMITS.hard_stop_deceleration_mps2, abs=0.05)
    assert all(later <= earlier + 1e-6 for earlier, later in zip(speeds, speeds[1:], strict=False))


@pytest.mark.parametrize(
    ('speed', 'yaw_rate'),
    [(8.0, 0.0), (8.0, 0.6), (8.0, 3.0), (14.0, 1.0), (1.1, 2.0), (10.0, 30.0)],
)
@pytest.mark.parametrize('sign', [-1, 1])
def test_a_stop_without_a_plan_is_a_circle_that_the_car_can_drive(speed, yaw_rate, sign):
    here = replace(ego(speed, SECOND), yaw_rate_rps=sign * yaw_rate, steering_rad=float('nan'))
    decision = stop_from(SafetyState(mode=Mode.ACTIVE, since_ns=SECOND), here, Code.MODEL_ABSENT)
    t = decision.plan.trajectory
    assert inside(decision)
    assert np.abs(t.steering_rad).max() <= VEHICLE.steer_max_rad
    assert yaw_rate == 0 or np.sign(t.curvature_1pm[0]) == sign


@pytest.mark.parametrize('number', [1e16, 1e38, 1e160, 1e300])
@pytest.mark.parametrize('field', ['x_m', 'speed_mps'])
def test_absurd_numbers_make_no_plan_that_is_absurd(field, number):
    here = replace(ego(8.0, SECOND), **{field: number})
    decision = stop_from(SafetyState(mode=Mode.ACTIVE, since_ns=SECOND), here, Code.MODEL_ABSENT)
    assert decision.state.mode is Mode.FALLBACK
    assert decision.plan is None or inside(decision)
    assert Code.STOP_PATH in {f.code for f in decision.faults}


def test_no_finite_state_and_no_plan_is_fallback_and_not_an_internal_fault():
    here = replace(ego(3.0, SECOND), x_m=float('nan'))
    decision = stop_from(SafetyState(mode=Mode.ACTIVE, since_ns=SECOND), here)
    assert decision.state.mode is Mode.FALLBACK and decision.plan is None


def test_rolling_backwards_no_plan_goes_forward():
    here = ego(-3.5, SECOND)
    state = SafetyState(mode=Mode.ACTIVE, since_ns=0, proposed_ns=SECOND)
    poses = truth(0.0, 0.5)[0]
    decision = decide(
        proposal(poses, SECOND), Scene(here, here, observed_ns=SECOND), state, CONFIG,
        SECOND + LATER,
    )  # fmt: skip
    assert decision.plan is None or decision.plan.source == 'fallback'


def test_who_arms_after_a_takeover_does_not_get_the_plan_from_before():
    state = disarm(active(), SECOND + SECOND // 5, 'the driver has taken over')
    assert state.previous_plan is None
    for n in range(12):
        here = ego(8.0, 13 * SECOND + n * LATER, x=60.0, y=80.0, heading=1.57)
        state = arm(state, here.stamp_ns) if n == 4 else state
        decision = stop_from(state, here)
        state = decision.state
        assert decision.plan is None
    assert state.mode is Mode.ACTIVE


def test_stamps_go_on_increasing_after_a_disarm():
    state = arm(disarm(active(), SECOND + LATER), SECOND + LATER)
    here = ego(8.0, SECOND)
    scene = Scene(here, here, observed_ns=SECOND)
    decision = decide(proposal(truth(8.0)[0], SECOND), scene, state, CONFIG, SECOND + 2 * LATER)
    assert decision.plan is None and Code.PLAN_STAMP in {f.code for f in decision.faults}


@pytest.mark.parametrize('auto_arm', [False, True])
def test_nothing_is_driven_while_the_driver_has_taken_over(auto_arm):
    state, config = active(), replace(CONFIG, auto_arm=auto_arm)
    for n in range(1, 30):
        t0 = SECOND + n * SECOND // 10
        here = ego(8.0, t0)
        state = arm(state, t0)
        scene = Scene(here, here, faults=(Fault(Code.TAKEOVER),), observed_ns=t0)
        decision = decide(proposal(truth(8.0)[0], t0), scene, state, config, t0 + LATER)
        state = decision.state
        assert decision.plan is None and state.mode in (Mode.READY, Mode.INIT)


def test_disarming_is_no_way_round_the_wait_in_fallback():
    state = stop_from(active(10.0), ego(10.0, SECOND + LATER), Code.ODOM_GAP).state
    assert state.mode is Mode.FALLBACK
    assert arm(disarm(state, 2 * SECOND), 2 * SECOND).mode is Mode.INIT


@pytest.mark.parametrize('back_s', [0.006, 0.2, 50.0])
def test_a_clock_that_steps_back_empties_the_memory(back_s):
    state = active(t0_ns=1000 * SECOND)
    now = state.decided_ns - round(back_s * SECOND)
    here = ego(8.0, now)
    decision = decide(None, Scene(here, here, observed_ns=now), state, CONFIG, now)
    assert decision.plan is None and decision.state.mode is Mode.INIT
    assert decision.state.previous_plan is None
    assert Code.CLOCK_BACK in {f.code for f in decision.faults}


def test_jitter_of_the_clock_is_none():
    state = active(t0_ns=1000 * SECOND)
    now = state.decided_ns - SECOND // 250
    here = ego(8.0, now)
    decision = decide(None, Scene(here, here, observed_ns=now), state, CONFIG, now)
    assert decision.state.mode is Mode.ACTIVE


@pytest.mark.parametrize('t0_ns', [SECOND, 1_764_000_000 * SECOND + 100_000_000])
def test_a_stop_is_never_softer_than_the_plan_whatever_the_epoch(t0_ns):
    own = np.where(np.arange(60) % 4 < 2, -3.0, 0.0)
    braking = plan(10.0, t0_ns=t0_ns)
    braking = replace(braking, trajectory=replace(braking.trajectory, acceleration_mps2=own))
    for step in range(1, 20):
        now = t0_ns + step * SECOND // 10
        stop = fallback.begin(braking, ego(10.0, t0_ns), now, VEHICLE, LIMITS)
        times = now + np.arange(10, dtype=np.int64) * (SECOND // 10)
        assert (fallback.stop_acceleration(stop, times, LIMITS) <= own[step : step + 10]).all()


def test_dead_reckoning_of_a_day_costs_no_more_than_that_of_a_minute():
    stop = fallback.begin(plan(8.0), ego(8.0), 0, VEHICLE, LIMITS)
    minute, day = (
        fallback.dead_reckon(stop, ego(8.0), VEHICLE, LIMITS, s * SECOND) for s in (60, 86_400)
    )
    assert day.speed_mps == 0.0 and (day.x_m, day.y_m) == (minute.x_m, minute.y_m)
