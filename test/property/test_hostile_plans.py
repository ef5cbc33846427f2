"""Candidates that nothing sound would propose, and streams in every order: no rule is broken.

A few of both with every run; 100,000 candidates and 10,000 streams by ``pytest -m nightly``, in
tenths, each of which ends in minutes, says what it counted, and can be run by itself (``-k``).
"""

from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np
import pytest
from drives import DT, LIMITS, SECOND, K, ego, noisy, truth
from hostile import MAKERS
from loop import CONFIG, LATENCY, STEP, Loop, invariants

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.pipeline import decide
from alpamayo_ros.safety.scene import Scene, build_scene
from alpamayo_ros.safety.state import Mode, SafetyState, arm, disarm, rearm
from alpamayo_ros.types import Proposal, TrackedObject

BY_NIGHT = pytest.mark.nightly, pytest.mark.timeout(0)


def tenths(quick: int, nightly: int) -> list:
    """First and number of what one test tries: a few, and the ten tenths of a night."""
    size = nightly // 10
    parts = [(i * size, size) for i in range(10)]
    night = [pytest.param(*part, marks=BY_NIGHT, id=f'{part[0]}-of-{nightly}') for part in parts]
    return [pytest.param(0, quick, id=f'first-{quick}'), *night]


MAY_PUBLISH = (Mode.ACTIVE, Mode.DEGRADED, Mode.FALLBACK)
ROUND = 1e-6  # of limits that the roll-out reaches exactly


def drivable(plan, aside_m: float = 0.0) -> None:
    """The limits, worked out again from what a controller would receive.

    ``aside_m``: how far from the car a stop may begin, where the car jumps beside its path.
    """
    t = plan.trajectory
    columns = (t.x_m, t.y_m, t.heading_rad, t.speed_mps, t.curvature_1pm, t.steering_rad)
    assert all(np.isfinite(np.float32(column)).all() for column in columns)
    xy = np.column_stack([t.x_m, t.y_m])
    steps = np.hypot(*np.diff(np.concatenate([[[0.0, 0.0]], xy]), axis=0).T)
    steps[0] -= aside_m if plan.source == 'fallback' else 0.0
    assert (t.speed_mps >= 0).all() and (t.speed_mps < 60).all()
    assert (steps < 1.02 * np.maximum(t.speed_mps, 0.3) * DT + 0.05 + 0.5 * 9 * DT**2).all()
    assert abs(t.curvature_1pm).max() <= LIMITS.curvature_1pm + ROUND
    assert abs(t.steering_rad).max() <= LIMITS.steering_rad + ROUND
    pull = t.speed_mps**2 * abs(t.curvature_1pm)
    assert pull.max() <= LIMITS.lateral_acceleration_mps2 + ROUND
    change = np.diff(np.concatenate([[plan.anchor.speed_mps], t.speed_mps])) / DT
    assert change.max() <= LIMITS.acceleration_mps2 + ROUND
    assert change.min() >= -LIMITS.deceleration_mps2 - ROUND
    if plan.source == 'fallback':  # the plan before it lives on for half a second, then lets go
        held = max(change[5], 0.0) - LIMITS.hard_stop_jerk_mps3 * DT * np.arange(len(change) - 6)
        assert (change[6:] <= np.maximum(held, 0.0) + ROUND).all()
    assert abs(np.diff(t.steering_rad)).max() <= LIMITS.steering_rate_rps * DT + ROUND


def judged(loop) -> None:
    invariants(loop)
    for decision in loop.decisions:
        assert Code.INTERNAL not in [f.code for f in decision.faults]
        if decision.plan is not None:
            assert decision.state.mode in MAY_PUBLISH
            drivable(decision.plan)


@pytest.mark.parametrize(('first', 'count'), tenths(1920, 100_000))
def test_hostile_candidates_leave_no_plan_that_breaks_a_limit(first, count, capsys):
    made, drive, driven, sources = 0, first, 0, set()

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
    with capsys.disabled():
        print(f'\n{made} hostile candidates in {drive - first} drives, {driven} plans left')
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


CALLS = 50
QUIET = 14  # calls: the inputs are whole for a second, it is armed and drives
STEPS = (0, 7 * STEP, -3 * STEP, -50 * SECOND, STEP, STEP)
LATE = (0, -SECOND, 9 * STEP, LATENCY, LATENCY)


@dataclass
class Car:
    """Where the car is as a stream goes on: it drives along x as fast as the plans say."""

    now_ns: int
    speed_mps: float
    x_m: float = 0.0
    y_m: float = 0.0

    def call(self, rng, odd: bool, share: float) -> tuple[Proposal | None, Scene]:
        """What the next call is given; where it is ``odd``, anything of it may be wrong."""
        self.now_ns += int(rng.choice(STEPS)) if odd else STEP
        self.x_m += self.speed_mps * DT
        self.y_m += float(rng.normal() * 5) if odd and rng.random() < 0.3 else 0.0
        t0_ns = self.now_ns - (int(rng.choice(LATE)) if odd else LATENCY)
        here = seen = ego(self.speed_mps, t0_ns, x=self.x_m, y=self.y_m)
        if not odd or rng.random() < 0.9:
            seen = replace(here, stamp_ns=self.now_ns, x_m=self.x_m + self.speed_mps * DT)
        if odd and rng.random() < 0.3:
            here, seen = None, seen if rng.random() < 0.5 else None
        objects = None
        if odd and rng.random() < share:
            here, seen = (s and absurd(rng, s) for s in (here, seen))
            objects = around(rng, t0_ns)
        faults = HAPPENINGS[rng.integers(len(HAPPENINGS))] if odd else ()
        scene = build_scene(here, seen, objects, faults)
        if odd and rng.random() < 0.3:
            return None, scene
        if not odd or rng.random() < 0.4:
            agreed = noisy(truth(self.speed_mps, rng.normal() * 0.3)[0], 0.02, int(t0_ns % 997))
            return Proposal(t0_ns, agreed, 'x'), scene
        made = MAKERS[rng.integers(len(MAKERS))]
        with np.errstate(over='ignore'):
            paths = [made(rng, self.speed_mps) for _ in range(K)]
            return Proposal(t0_ns, np.stack(paths).astype(np.float32), 'x'), scene


def stream(seed: int, share: float = 0.0) -> int:
    """Random calls to a car that drives, and how many plans left in spite of them.

    Clock jumps, late and future proposals, missing odometry, faults, takeover, arming; few calls
    of one stream are odd, half of those of another.  ``share`` of the odd ones have a car in an
    absurd state, and objects around it.
    """
    rng = np.random.default_rng(seed)
    state, config = SafetyState(), replace(CONFIG, auto_arm=bool(seed % 2))
    car, newest, left = Car(100 * SECOND, float(rng.uniform(0, 12))), None, 0
    often = float(rng.choice([0.05, 0.2, 0.5]))
    for call in range(CALLS):
        proposal, scene = car.call(rng, call > QUIET and rng.random() < often, share)
        before, decision = state, decide(proposal, scene, state, config, car.now_ns)
        state, plan = decision.state, decision.plan
        assert state.sequence == call + 1 == decision.health.sequence
        assert Code.INTERNAL not in [f.code for f in decision.faults]
        if plan is not None:
            drivable(plan, LIMITS.stop_start_m)
            assert state.mode in MAY_PUBLISH
            assert Code.TAKEOVER not in [f.code for f in scene.faults]
            assert car.now_ns <= plan.valid_until_ns <= plan.t0_ns + SECOND // 2
            restarted = before.newest_t0_ns is None
            assert restarted or newest is None or plan.t0_ns > newest
            newest, left = plan.t0_ns, left + 1
            car.speed_mps = float(plan.trajectory.speed_mps[0])
        act = rng.integers(24) if call > QUIET else 0
        state = arm(state, car.now_ns) if act < 2 else state
        state = disarm(state, car.now_ns) if act == 2 else state
        state = rearm(state) if act in (3, 4) else state
    return left


def streams(first: int, count: int, share: float = 0.0) -> str:
    """So many of them, on every core; the first that breaks a rule ends it."""
    with get_context('fork').Pool() as pool:
        seeds = [(seed, share) for seed in range(first, first + count)]
        left = sum(pool.starmap(stream, seeds, chunksize=5))
    assert left > 10 * count  # they drive: else nothing is shown
    return f'\n{count} streams of {CALLS} calls, {left} plans left'


@pytest.mark.parametrize(('first', 'count'), tenths(20, 10_000))
def test_streams_in_every_order_break_no_rule(first, count, capsys):
    said = streams(first, count)
    with capsys.disabled():
        print(said)


@pytest.mark.filterwarnings('ignore::RuntimeWarning')  # of arithmetic with what is refused
@pytest.mark.parametrize(('first', 'count'), tenths(10, 2_000))
def test_absurd_states_of_the_car_and_of_others_break_no_rule(first, count, capsys):
    said = streams(first, count, share=0.2)
    with capsys.disabled():
        print(said)
