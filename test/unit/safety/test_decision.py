"""What leaves with a decision: the plan of its state, what is remembered, the health beside it."""

from dataclasses import replace

import numpy as np
import pytest
from drives import LIMITS, SECOND, ego, proposal, truth

from alpamayo_ros import pipeline
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.pipeline import PlanConfig, SafetyState, Scene, decide
from alpamayo_ros.safety import decision as module
from alpamayo_ros.safety.state import Mode

CONFIG = PlanConfig.from_files()
T0, NOW = SECOND, SECOND + SECOND // 20
HERE = ego(8.0, T0)
DRIVING = SafetyState(
    mode=Mode.ACTIVE, since_ns=T0 - 5, proposed_ns=T0 - 5, sequence=4, plan_id=6, valid_plans=2
)
GOOD = proposal(truth(8.0)[0], T0)


def decided(
    state=DRIVING, given=GOOD, here=HERE, config=CONFIG, now_ns=NOW, faults=(), at_t0=HERE
):
    """A decision in a straight drive at 8 m/s, 50 ms after t0."""
    scene = Scene(at_t0, here, faults=tuple(Fault(c) for c in faults), observed_ns=T0)
    return decide(given, scene, state, config, now_ns)


def codes(decision):
    return [f.code for f in decision.faults]


def test_the_plan_is_the_chosen_candidate_of_t0():
    out = decided(faults=(Code.SKEW_WARN, Code.NODE_LOST))
    plan, judged = out.plan, out.judgement
    assert (plan.id, plan.t0_ns, plan.anchor, plan.source) == (7, T0, HERE, 'model')
    assert plan.valid_until_ns == T0 + SECOND // 2 == T0 + round(LIMITS.plan_age_s * SECOND)
    assert plan.fault_mask == ('NODE_LOST', 'SKEW_WARN')
    assert plan.speed_cap_mps == out.speed_cap_mps == pytest.approx(7.0)
    assert (plan.trajectory.x_m == judged.feasible.poses[judged.chosen, :, 0]).all()


def test_what_left_is_remembered():
    out = decided()
    after = out.state
    assert (after.sequence, after.plan_id, after.valid_plans) == (5, 7, 3)
    assert after.previous_plan is out.plan and after.stop is None
    assert (after.published_ns, after.newest_t0_ns) == (NOW, T0)
    assert (after.proposed_ns, after.decided_ns) == (NOW, NOW)


def test_a_call_of_the_timer_is_remembered_too():
    before = replace(DRIVING, published_ns=3, newest_t0_ns=2)
    out = decided(before, None)
    assert out.plan is None and out.judgement is None
    assert (out.state.sequence, out.state.plan_id) == (5, 6)
    assert (out.state.published_ns, out.state.newest_t0_ns) == (3, 2)
    assert (out.state.proposed_ns, out.state.decided_ns) == (T0 - 5, NOW)


def test_health_of_a_plan():
    health = decided(faults=(Code.SKEW_WARN,)).health
    assert (health.sequence, health.stamp_ns, health.t0_ns) == (5, NOW, T0)
    assert (health.mode, health.previous_mode, health.plan_id) == (Mode.ACTIVE, Mode.ACTIVE, 7)
    assert [f.code for f in health.faults] == [Code.SKEW_WARN]
    assert health.speed_cap_mps == 10.0 and 0 <= health.spread_m < 0.1
    assert (health.candidates, health.rejected) == (8, {})
    assert health.plan_age_s == pytest.approx(0.05)
    assert health.armed and not health.rearm_required


def test_health_without_a_proposal():
    out = decided(given=None)
    health = out.health
    assert (health.t0_ns, health.plan_id, health.candidates, health.rejected) == (0, 0, 0, {})
    assert np.isnan(health.spread_m) and np.isnan(health.plan_age_s)
    assert out.faults == () and not out.standstill


def test_health_says_what_rejected_how_many():
    raw = GOOD.candidates.copy()
    raw[2, :, 1] += 30.0
    out = decided(given=replace(GOOD, candidates=raw))
    assert out.plan is not None and out.health.rejected['start_position_m'] == 1


@pytest.mark.parametrize('mode', list(Mode))
def test_armed_is_who_drives_or_stops(mode):
    out = decided(SafetyState(mode=mode, since_ns=T0), None)
    assert out.health.armed is (mode in (Mode.ACTIVE, Mode.DEGRADED, Mode.FALLBACK))
    assert out.health.previous_mode is mode and out.health.mode is out.state.mode
    assert out.health.rearm_required is (mode is Mode.FALLBACK)


def test_nothing_leaves_before_arming():
    for mode in (Mode.INIT, Mode.READY, Mode.FAULT):
        out = decided(SafetyState(mode=mode))
        assert out.plan is None and out.state.previous_plan is None


def test_arming_by_itself_is_the_configurations():
    ready = SafetyState(mode=Mode.READY)
    assert decided(ready, config=replace(CONFIG, auto_arm=True)).state.mode is Mode.ACTIVE
    assert decided(ready).state.mode is Mode.READY


def test_rearming_by_itself_is_the_configurations():
    stopping = SafetyState(mode=Mode.FALLBACK, valid_plans=9)
    out = decided(stopping)
    assert out.state.mode is Mode.FALLBACK and codes(out) == [Code.REARM_NEEDED]
    assert out.plan.source == 'fallback'
    out = decided(stopping, config=replace(CONFIG, auto_rearm=True))
    assert out.state.mode is Mode.ACTIVE and out.plan.source == 'model' and not codes(out)


def test_at_walking_pace_a_stop_ends_by_itself():
    slow = ego(1.0, T0)
    given = proposal(truth(1.0)[0], T0)
    stopping = SafetyState(mode=Mode.FALLBACK, valid_plans=9)
    assert decided(stopping, given, here=slow, at_t0=slow).state.mode is Mode.ACTIVE


def test_a_speed_that_nobody_knows_is_not_walking_pace(monkeypatch):
    """Even where the missing odometry itself were forgiven, a person would have to re-arm."""
    monkeypatch.setattr(pipeline.monitors, 'watch', lambda *args: [])
    stopping = SafetyState(mode=Mode.FALLBACK, valid_plans=9, since_ns=T0)
    assert decided(stopping, here=None).state.mode is Mode.FALLBACK


def test_standing_still_is_said():
    rest = ego(0.0, T0)
    out = decided(given=proposal(np.zeros((60, 3)), T0), here=rest, at_t0=rest)
    assert out.plan.source == 'model' and out.standstill and not decided().standstill


@pytest.mark.parametrize('code', [Code.ODOM_GAP, Code.ODOM_JUMP, Code.ODOM_SPEED])
def test_a_stop_brakes_harder_where_the_motion_is_unknown(code):
    for beside in ((), (Code.MODEL_ABSENT,)):
        out = decided(given=None, faults=(code, *beside))
        assert out.state.mode is Mode.FALLBACK and out.state.stop.hard_ns == NOW


@pytest.mark.parametrize('code', [Code.MODEL_ABSENT, Code.CAMS_LOST])
def test_another_stop_is_gentle(code):
    out = decided(given=None, faults=(code,))
    assert out.state.stop.hard_ns is None and out.state.stop.began_ns == NOW
    assert out.plan.source == 'fallback' and out.plan.fault_mask == (code.name,)
    assert (out.plan.id, out.plan.t0_ns, out.plan.valid_until_ns) == (7, T0, T0 + SECOND // 2)
    assert out.plan.anchor == HERE and out.plan.speed_cap_mps == pytest.approx(7.0)
    moved = ego(8.0, T0 + SECOND // 10, x=0.8)
    later = decided(out.state, None, moved, now_ns=NOW + SECOND // 10, at_t0=moved)
    assert later.state.stop.hard_ns is None and later.state.mode is Mode.FALLBACK


def test_a_stop_begins_once_and_follows_the_plan_that_was_driven():
    state = decided().state
    later = NOW + SECOND // 10
    out = decided(state, None, now_ns=later, faults=(Code.MODEL_ABSENT,))
    assert out.state.stop.began_ns == state.previous_plan.valid_until_ns
    again = decided(out.state, None, now_ns=later + SECOND, faults=(Code.MODEL_ABSENT,))
    assert again.state.stop.began_ns == out.state.stop.began_ns


def test_an_unchecked_choice_is_an_internal_fault(monkeypatch):
    """The gate asks the checks themselves, whoever chose."""
    raw = GOOD.candidates.copy()
    raw[2, :, 1] += 30.0
    monkeypatch.setattr(pipeline, 'select', lambda total, ok, poses: 2)
    out = decided(given=replace(GOOD, candidates=raw))
    assert not out.judgement.checks.ok[2] and out.judgement.chosen == 2
    assert out.plan is None and out.state.mode is Mode.FAULT
    assert Code.INTERNAL in codes(out) and not out.health.armed


def test_what_no_check_saw_counts_as_failed():
    good = decided()
    judged = good.judgement
    assert module._checked(good.plan, judged)
    for missing in (None, replace(judged, checks=None), replace(judged, chosen=None)):
        assert not module._checked(good.plan, missing)


@pytest.mark.parametrize(
    ('code', 'mode'), [(Code.PLAN_STAMP, Mode.ACTIVE), (Code.INTERNAL, Mode.FAULT)]
)
def test_a_refusal_of_the_gate_is_reported_and_a_broken_rule_is_final(monkeypatch, code, mode):
    monkeypatch.setattr(module, 'gate', lambda *args: Fault(code))
    before = replace(DRIVING, newest_t0_ns=2)
    out = decided(before)
    assert out.plan is None and codes(out) == [code] and out.state.mode is mode
    assert out.state.previous_plan is None and out.state.newest_t0_ns == 2
    assert out.state.valid_plans == (3 if mode is Mode.ACTIVE else 4)
    assert (out.health.plan_id, out.state.plan_id) == (0, 6) and not out.standstill


def test_the_gate_knows_the_newest_stamp_that_ever_left():
    out = decided(replace(DRIVING, newest_t0_ns=T0))
    assert out.plan is None and codes(out) == [Code.PLAN_STAMP]
    assert out.state.mode is Mode.ACTIVE


def test_a_proposal_that_comes_twice_is_driven_once():
    once = decided()
    again = decided(once.state)
    assert again.plan is None and codes(again) == [Code.PLAN_STAMP]
    assert again.state.mode is Mode.ACTIVE and again.state.previous_plan is once.plan


def test_faults_come_in_the_order_in_which_they_were_found():
    raw = GOOD.candidates.copy()
    raw[0, 3, 0] = np.nan
    absurd = replace(HERE, yaw_rate_rps=30.0, steering_rad=float('nan'))
    out = decided(given=replace(GOOD, candidates=raw), faults=(Code.SKEW_WARN, Code.NODE_LOST))
    assert codes(out) == [Code.SKEW_WARN, Code.NODE_LOST, Code.MODEL_NONFINITE]
    assert out.health.faults == out.faults
    assert decided(given=None, here=absurd, at_t0=absurd).faults == ()


def test_without_odometry_it_stops_and_does_not_break():
    out = decided(given=None, here=None, at_t0=None)
    assert out.state.mode is Mode.FALLBACK and codes(out) == [Code.ODOM_GAP]
    assert out.plan is None and out.state.stop is None
