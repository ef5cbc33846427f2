"""Which stop leaves in FALLBACK, when one is due, and where it starts."""

from dataclasses import replace

import numpy as np
import pytest
from drives import LIMITS, SECOND, VEHICLE, ego, noisy, plan, truth

from alpamayo_ros.faults import Code
from alpamayo_ros.motion import fallback
from alpamayo_ros.motion.plan import Plan
from alpamayo_ros.safety.acceptance import Judgement
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.safety.scene import Scene
from alpamayo_ros.safety.state import Mode, SafetyState
from alpamayo_ros.safety.stopping import choose_stop, known_ego
from alpamayo_ros.types import Proposal, Trajectory

CONFIG = PlanConfig.from_files()
T0, MS = 10 * SECOND, SECOND // 1000
HERE = ego(8.0, T0)
STOP = fallback.begin(None, HERE, T0, VEHICLE, LIMITS)
STOPPING = SafetyState(mode=Mode.FALLBACK, stop=STOP)
JUDGED = Judgement(Proposal(T0, noisy(truth(8.0)[0]), ''), ())
LOST = replace(HERE, x_m=float('nan'))


def chosen(state=STOPPING, judgement=None, at_t0=HERE, newest=HERE, after_ms=50, config=CONFIG):
    """State and stop ``after_ms`` after t0."""
    return choose_stop(state, judgement, Scene(at_t0, newest), config, T0 + after_ms * MS)


def anchor(*args, **options):
    """Where the stop starts; None when none is due."""
    _, stop = chosen(*args, **options)
    return None if stop is None else stop.anchor


@pytest.mark.parametrize('mode', [m for m in Mode if m is not Mode.FALLBACK])
def test_only_fallback_stops(mode):
    state = replace(STOPPING, mode=mode)
    assert chosen(state) == (state, None)
    state = SafetyState(mode=Mode.FALLBACK)
    assert chosen(state) == (state, None)


def test_the_stop_that_was_begun_goes_on_where_it_keeps_the_limits():
    state, stop = chosen()
    assert state.stop is STOP and stop.faults == () and stop.anchor == HERE
    assert stop.trajectory.t0_ns == T0 and len(stop.trajectory.x_m) == 60
    assert stop.trajectory.speed_mps[-1] < 8.0


def test_a_path_beside_the_car_is_left_for_the_cars_own_circle():
    aside = replace(HERE, y_m=5.0)
    state, stop = chosen(at_t0=aside, newest=aside)
    assert (state.stop.path[0, :2] == (0.0, 5.0)).all() and state.stop.hard_ns is None
    assert state.stop.began_ns == STOP.began_ns and stop.trajectory is not None
    (fault,) = stop.faults
    gentle, hard = fault.message.split('; ')
    assert fault.code is Code.STOP_PATH and gentle.startswith('stop_start_m 5')
    assert hard.startswith('stop_start_m 5') and 'curvature' not in fault.message


@pytest.mark.parametrize('heading', [0.0, 2.0])
@pytest.mark.parametrize('side', [-1, 1])
@pytest.mark.parametrize(
    ('beside_m', 'how'),
    [(0.29, 'its path'), (0.31, 'beside it'), (0.99, 'beside it'), (1.01, 'its circle')],
)
def test_a_stop_begins_at_the_car(beside_m, how, side, heading):
    """Within 0.3 m of it along the path as it is; farther off the path begins at the car.

    The road bends and the wheels are straight, so that the car's own circle leaves the road.
    """
    last = plan(8.0, 0.0, 1 / 50, T0, x=5.0, y=20.0, heading=heading)
    begun = fallback.begin(last, HERE, T0, VEHICLE, LIMITS)
    aside = np.array([5.0, 20.0]) + side * beside_m * np.array([-np.sin(heading), np.cos(heading)])
    here = replace(HERE, x_m=aside[0], y_m=aside[1], heading_rad=heading)
    state, stop = chosen(replace(STOPPING, stop=begun), at_t0=here, newest=here)
    t = stop.trajectory
    first_m = np.hypot(t.x_m[0] - t.speed_mps[0] * t.dt_s, t.y_m[0])
    assert first_m == pytest.approx(beside_m if how == 'its path' else 0.0, abs=0.01)
    bends = pytest.approx(0.0 if how == 'its circle' else 1 / 50, abs=1e-6)
    assert t.curvature_1pm[0] == bends and t.curvature_1pm[-1] == bends
    assert state.stop.hard_ns is None and (state.stop is begun) is (how == 'its path')
    assert [f.code for f in stop.faults] == ([] if how == 'its path' else [Code.STOP_PATH])


def test_where_no_stop_keeps_the_limits_nothing_leaves():
    absurd = replace(HERE, x_m=1e38)
    state, stop = chosen(at_t0=absurd, newest=absurd)
    assert state is not None and stop.trajectory is None and stop.anchor == absurd
    (fault,) = stop.faults
    assert fault.code is Code.STOP_PATH and fault.message.count(';') == 3
    assert fault.message.startswith('no stop keeps the limits')


def test_beside_a_proposal_a_stop_has_its_t0():
    assert anchor(judgement=JUDGED) == HERE
    assert anchor(judgement=JUDGED, at_t0=replace(HERE, stamp_ns=T0 - 1)) is None
    assert anchor(judgement=JUDGED, at_t0=None) is None
    assert anchor(judgement=JUDGED, at_t0=LOST) is None


@pytest.mark.parametrize('judgement', [None, JUDGED])
def test_an_old_pose_is_no_start(judgement):
    limits = LIMITS.model_copy(update={'frame_age_s': 0.25})
    config = replace(CONFIG, limits=limits)
    assert anchor(judgement=judgement, after_ms=249, config=config) == HERE
    assert anchor(judgement=judgement, after_ms=250, config=config) != HERE
    assert anchor(judgement=JUDGED, after_ms=250, config=config) is None


@pytest.mark.parametrize(('behind_ns', 'newer'), [(1, True), (0, False), (-1, False)])
def test_a_stop_is_newer_than_the_last_plan(behind_ns, newer):
    state = replace(STOPPING, previous_plan=plan(8.0, t0_ns=T0 - behind_ns))
    assert (anchor(state, JUDGED) == HERE) is newer
    assert (anchor(state) == HERE) is newer  # else it starts at a later place


def test_between_proposals_a_stop_starts_where_the_car_must_be_by_now():
    old = ego(8.0, T0 - SECOND // 2)
    reckoned = anchor(at_t0=old, newest=replace(old, stamp_ns=T0))
    assert reckoned.stamp_ns == T0 + 50 * MS
    assert reckoned.x_m == pytest.approx(0.4, abs=0.01)
    for unknown in (None, LOST):
        reckoned = anchor(at_t0=unknown, newest=HERE)
        assert reckoned.x_m == pytest.approx(0.4, abs=0.01)


def test_without_odometry_it_starts_from_the_last_plan_and_without_that_nowhere():
    state = replace(STOPPING, previous_plan=plan(8.0, t0_ns=T0 - 50 * MS))
    for unknown in (None, LOST):
        reckoned = anchor(state, at_t0=unknown, newest=unknown)
        assert reckoned.stamp_ns == T0 + 50 * MS
        assert reckoned.x_m == pytest.approx(0.8, abs=0.01)
        assert anchor(at_t0=unknown, newest=unknown) is None
        assert anchor(at_t0=HERE, newest=unknown, after_ms=500) is None  # known, but too old


def last_stop(left_ms=450, quiet_ms=50, valid_plans=0, source='fallback', after_ms=50):
    """A state whose last plan is valid for ``left_ms`` more and left ``quiet_ms`` ago."""
    now_ns = T0 + after_ms * MS
    last = replace(
        plan(8.0, t0_ns=T0 - 50 * MS, source=source), valid_until_ns=now_ns + left_ms * MS
    )
    return replace(
        STOPPING, previous_plan=last, published_ns=now_ns - quiet_ms * MS, valid_plans=valid_plans
    )


@pytest.mark.parametrize(
    ('state', 'due'),
    [
        (last_stop(), False),
        (last_stop(quiet_ms=79), False),
        (last_stop(quiet_ms=80), True),
        (last_stop(quiet_ms=1000, valid_plans=1), False),
        (last_stop(left_ms=81, quiet_ms=0), False),
        (last_stop(left_ms=80, quiet_ms=0), True),
        (last_stop(left_ms=80, valid_plans=1), True),
        (last_stop(left_ms=-100), True),
        (last_stop(source='model'), True),
        (replace(last_stop(), published_ns=None), True),
    ],
)
def test_the_timer_leaves_the_word_to_the_last_stop_while_it_holds(state, due):
    assert (anchor(state) is not None) is due
    assert anchor(state, JUDGED) == HERE


def test_the_newest_finite_state_is_known():
    state = replace(STOPPING, previous_plan=plan(8.0))
    newest = ego(3.0, T0 + 5)
    assert known_ego(Scene(HERE, newest), state) == newest
    for unknown in (None, LOST):
        assert known_ego(Scene(HERE, unknown), state) is state.previous_plan.anchor
        assert known_ego(Scene(HERE, unknown), STOPPING) is None


def test_a_stop_that_escalated_stays_so():
    hard = replace(STOPPING, stop=fallback.escalate(STOP, T0))
    state, stop = chosen(hard)
    assert state.stop is hard.stop and np.min(stop.trajectory.acceleration_mps2) < -2.0


@pytest.mark.parametrize('speed_mps', [2.0, 6.0, 9.0])
def test_a_stop_out_of_a_plan_that_accelerates_is_the_gentle_one(speed_mps):
    speeding = Trajectory(
        T0,
        0.1,
        *(column := np.linspace(0.1, 6.0, 60), 0 * column, 0 * column),
        speed_mps + 1.5 * column,
        np.full(60, 1.5),
        0 * column,
        0 * column,
        0 * column,
    )
    car = replace(ego(speed_mps, T0), acceleration_mps2=1.5)
    last = Plan(1, T0, car, along(speeding, speed_mps), T0 + SECOND // 2, 'model', 14.0, ())
    begun = fallback.begin(last, car, T0 + 50 * MS, VEHICLE, LIMITS)
    state = SafetyState(mode=Mode.FALLBACK, stop=begun)
    newest = replace(car, stamp_ns=T0 + 50 * MS)
    after, stop = chosen(state, at_t0=newest, newest=newest)
    assert stop.faults == () and after.stop is begun
    rise = fallback.rise_mps(begun, newest.stamp_ns, LIMITS)
    assert 0.5 < stop.trajectory.speed_mps.max() - speed_mps <= (rise + LIMITS.speed_tolerance_mps)
    assert rise < 2.0


def along(plan_of, speed_mps):
    """The same speeds, with the places that they lead to."""
    before = np.append(speed_mps, plan_of.speed_mps[:-1])
    return replace(plan_of, x_m=np.cumsum((before + plan_of.speed_mps) / 2 * plan_of.dt_s))


def test_a_stop_of_a_steady_plan_rises_by_nothing():
    assert fallback.rise_mps(STOP, T0, LIMITS) == 0.0
