"""Candidates that nothing sound would propose, and streams in every order: no rule is broken.

A few of both with every run; 100,000 candidates and 10,000 streams by ``pytest -m nightly``.
"""

from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest
from drives import DT, LIMITS, SECOND, K, ego, noisy, truth
from hostile import MAKERS, sound
from loop import CONFIG, LATENCY, STEP, Loop, invariants

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.pipeline import decide
from alpamayo_ros.safety.scene import build_scene
from alpamayo_ros.safety.state import Mode, SafetyState, arm, disarm, rearm
from alpamayo_ros.types import Proposal, TrackedObject

BY_NIGHT = pytest.mark.nightly, pytest.mark.timeout(0)
CANDIDATES = [1920, pytest.param(100_000, marks=BY_NIGHT)]
STREAMS = [20, pytest.param(10_000, marks=BY_NIGHT)]
MAY_PUBLISH = (Mode.ACTIVE, Mode.DEGRADED, Mode.FALLBACK)
ROUND = 1e-6  # of limits that the roll-out reaches exactly


def drivable(plan) -> None:
    """The limits, worked out again from what a controller would receive."""
    t = plan.trajectory
    columns = (t.x_m, t.y_m, t.heading_rad, t.speed_mps, t.curvature_1pm, t.steering_rad)
    assert all(np.isfinite(np.float32(column)).all() for column in columns)
    xy = np.column_stack([t.x_m, t.y_m])
    steps = np.hypot(*np.diff(np.concatenate([[[0.0, 0.0]], xy]), axis=0).T)
    assert (t.speed_mps >= 0).all() and (t.speed_mps < 60).all()
    assert (steps < 1.02 * np.maximum(t.speed_mps, 0.3) * DT + 0.05 + 0.5 * 9 * DT**2).all()
    assert abs(t.curvature_1pm).max() <= LIMITS.curvature_1pm + ROUND
    assert abs(t.steering_rad).max() <= LIMITS.steering_rad + ROUND
    pull = t.speed_mps**2 * abs(t.curvature_1pm)
    assert pull.max() <= LIMITS.lateral_acceleration_mps2 + ROUND
    change = np.diff(np.concatenate([[plan.anchor.speed_mps], t.speed_mps])) / DT
    assert change.max() <= LIMITS.acceleration_mps2 + ROUND
    assert change.min() >= -LIMITS.deceleration_mps2 - ROUND
    if plan.source == 'fallback':  # the plan before it lives on for half a second
        assert change[6:].max() <= ROUND
    assert abs(np.diff(t.steering_rad)).max() <= LIMITS.steering_rate_rps * DT + ROUND


def judged(loop) -> None:
    invariants(loop)
    for decision in loop.decisions:
        assert Code.INTERNAL not in [f.code for f in decision.faults]
        if decision.plan is not None:
            assert decision.state.mode in MAY_PUBLISH
            drivable(decision.plan)


@pytest.mark.parametrize('count', CANDIDATES)
def test_hostile_candidates_leave_no_plan_that_breaks_a_limit(count):
    made, drive, driven, sources = 0, 0, 0, set()

    def raw(now, cycle):
        nonlocal made
        if cycle < 8 or rng.random() < 0.1:  # so that it drives at all
            return noisy(truth(now.speed_mps)[0], 0.02, cycle)
        chosen = rng.integers(len(MAKERS), size=K)
        made += int((chosen > 0).sum())  # the first of them is a sound one
        with np.errstate(over='ignore'):
            return np.stack([MAKERS[i](rng, now.speed_mps) for i in chosen]).astype(np.float32)

    while made < count:
        rng = np.random.default_rng(drive)
        loop = Loop(speed=float(rng.uniform(0, 12)))
        loop.run(60, raw)
        judged(loop)
        drive += 1
        driven += len(loop.plans)
        sources |= {p.source for p in loop.plans}
    print(f'{made} hostile candidates in {drive} drives, {driven} plans left')
    assert driven > count // (4 * K) and sources == {'model', 'fallback'}


@pytest.mark.parametrize('make', MAKERS[1:], ids=lambda make: make.__name__)
def test_eight_of_one_kind_are_a_stop_or_drivable(make):
    rng = np.random.default_rng(7)
    loop = Loop(speed=8.0)
    loop.run(8)

    def raw(now, cycle):
        with np.errstate(over='ignore'):
            return np.stack([make(rng, now.speed_mps) for _ in range(K)]).astype(np.float32)

    loop.run(20, raw)
    judged(loop)
    assert loop.plans[-1].source == 'fallback' or loop.plans[-1].trajectory.speed_mps.max() < 20


HAPPENINGS = (
    (), (Fault(Code.TAKEOVER),), (Fault(Code.ODOM_GAP),), (Fault(Code.CAM_LOST),),
    (Fault(Code.MODEL_ABSENT),), (Fault(Code.CLOCK_BACK),), (Fault(Code.DUP_PUBLISHER),),
    (Fault(Code.CAM_LOST), Fault(Code.TAKEOVER)),
)  # fmt: skip


ABSURD = (np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324, -1.0, -20.0, 1e12, 3.0)
FIELDS = ('x_m', 'y_m', 'heading_rad', 'speed_mps', 'yaw_rate_rps', 'steering_rad')


def absurd(rng, state):
    """A state of the car with a number that no sensor should give."""
    return replace(state, **{FIELDS[rng.integers(len(FIELDS))]: float(rng.choice(ABSURD))})


def around(rng, t0_ns):
    """Objects, one in twenty of their numbers absurd."""
    numbers = rng.normal(size=(rng.integers(4), 4)) * [20, 5, 2, 5]
    wrong = rng.random(numbers.shape) < 0.05
    numbers[wrong] = rng.choice(ABSURD, wrong.sum())
    made = enumerate(numbers.tolist())
    return tuple(TrackedObject(i, 'car', t0_ns, *row, 4.0, 2.0) for i, row in made)


def stream(seed: int, length: int = 40, share: float = 0.0) -> None:
    """Random calls: clock jumps, late and future proposals, missing odometry, takeover, arming.

    ``share`` of the calls have a car in an absurd state, and objects around it.
    """
    rng = np.random.default_rng(seed)
    state, config = SafetyState(), replace(CONFIG, auto_arm=bool(seed % 2))
    now_ns, speed, newest, sequence = 100 * SECOND, float(rng.uniform(0, 12)), None, 0
    for _ in range(length):
        now_ns += int(rng.choice([STEP, STEP, STEP, STEP, 0, 7 * STEP, -3 * STEP, -50 * SECOND]))
        t0_ns = now_ns - int(rng.choice([LATENCY, LATENCY, LATENCY, 0, -SECOND, 9 * STEP]))
        here = ego(speed, t0_ns, 0.0, float(rng.normal() * 5)) if rng.random() < 0.9 else None
        seen = replace(here, stamp_ns=now_ns) if here is not None and rng.random() < 0.9 else here
        objects = None
        if share and rng.random() < share:
            here, seen = (s and absurd(rng, s) for s in (here, seen))
            objects = around(rng, t0_ns)
        faults = HAPPENINGS[rng.integers(len(HAPPENINGS))] if rng.random() < 0.3 else ()
        proposal = None
        if rng.random() < 0.7:
            made = MAKERS[rng.integers(len(MAKERS))] if rng.random() < 0.4 else sound
            with np.errstate(over='ignore'):
                paths = np.stack([made(rng, speed) for _ in range(K)]).astype(np.float32)
            proposal = Proposal(t0_ns, paths, 'x')
        before = state
        scene = build_scene(here, seen, objects, faults)
        decision = decide(proposal, scene, state, config, now_ns)
        state, plan = decision.state, decision.plan
        sequence += 1
        assert state.sequence == sequence and decision.health.sequence == sequence
        assert Code.INTERNAL not in [f.code for f in decision.faults]
        if plan is not None:
            drivable(plan)
            assert state.mode in MAY_PUBLISH
            assert Code.TAKEOVER not in [f.code for f in faults]
            assert now_ns <= plan.valid_until_ns <= plan.t0_ns + SECOND // 2
            restarted = before.newest_t0_ns is None
            assert restarted or newest is None or plan.t0_ns > newest
            newest = plan.t0_ns
            speed = float(plan.trajectory.speed_mps[0])
        act = rng.integers(12)
        state = arm(state, now_ns) if act == 0 else state
        state = disarm(state, now_ns) if act == 1 else state
        state = rearm(state) if act == 2 else state


def streams(count: int, share: float = 0.0) -> None:
    """So many of them, on every core; the first that breaks a rule ends it."""
    with get_context('fork').Pool() as pool:
        pool.starmap(stream, [(seed, 40, share) for seed in range(count)], chunksize=5)


@pytest.mark.parametrize('count', STREAMS)
def test_streams_in_every_order_break_no_rule(count):
    streams(count)


@pytest.mark.filterwarnings('ignore::RuntimeWarning')  # of arithmetic with what is refused
@pytest.mark.parametrize('count', [10, pytest.param(2_000, marks=BY_NIGHT)])
def test_absurd_states_of_the_car_and_of_others_break_no_rule(count):
    streams(count, share=0.2)
