"""The state machine, row by row of docs/faults.md, "States"."""

import pytest
from drives import LIMITS, SECOND
from hypothesis import given
from hypothesis import strategies as st

from alpamayo_ros.faults import Code, Fault, Reaction
from alpamayo_ros.safety.state import (
    Events,
    Mode,
    SafetyState,
    advance,
    arm,
    disarm,
    rearm,
    reset,
)

STEP = SECOND // 10


def drive(state, *codes, valid=True, speed=8.0, times=1, **options):
    """``times`` calls, 100 ms apart, with the same faults."""
    now = drive.now
    for _ in range(times):
        now += STEP
        events = Events(tuple(Fault(c) for c in codes), valid, speed)
        state = advance(state, events, LIMITS, now, **options)
    drive.now = now
    return state


@pytest.fixture(autouse=True)
def clock():
    drive.now = 0


def active():
    state = drive(SafetyState(), times=12, valid=None)
    return arm(state, drive.now)


def test_init_until_inputs_are_valid_for_a_second():
    state = drive(SafetyState(), Code.FRAME_HISTORY, times=20)
    assert state.mode is Mode.INIT
    state = drive(state, times=10)
    assert state.mode is Mode.INIT
    assert drive(state, times=1).mode is Mode.READY


def test_an_interruption_starts_the_second_again():
    state = drive(SafetyState(), times=8)
    state = drive(state, Code.ODOM_GAP)
    assert drive(state, times=10).mode is Mode.INIT


def test_warnings_about_plans_do_not_hold_up_init():
    assert drive(SafetyState(), Code.PLAN_WARN, times=12).mode is Mode.READY


def test_ready_waits_for_a_person():
    state = drive(SafetyState(), times=30)
    assert state.mode is Mode.READY
    assert arm(state, drive.now).mode is Mode.ACTIVE
    assert drive(state, auto_arm=True).mode is Mode.ACTIVE


@pytest.mark.parametrize('mode', [Mode.INIT, Mode.FALLBACK, Mode.FAULT, Mode.DEGRADED])
def test_arming_is_worth_nothing_elsewhere_and_not_remembered(mode):
    state = SafetyState(mode=mode)
    assert arm(state, 0) == state


def test_ready_loses_its_inputs():
    state = drive(SafetyState(), times=12)
    assert drive(state, Code.ODOM_GAP).mode is Mode.INIT


@pytest.mark.parametrize('code', list(Code), ids=lambda c: c.name)
def test_reaction_of_every_code_while_active(code):
    state = drive(active(), code)
    if code is Code.CLOCK_BACK:
        assert state.mode is Mode.INIT
        return
    if code is Code.TAKEOVER:  # a note, and the driver drives
        assert state.mode is Mode.READY and state.previous_plan is None
        return
    expected = {
        Reaction.NOTE: Mode.ACTIVE,
        Reaction.REFUSE: Mode.ACTIVE,
        Reaction.MASK: Mode.DEGRADED,
        Reaction.DEGRADE: Mode.DEGRADED,
        Reaction.FALLBACK: Mode.FALLBACK,
        Reaction.FAULT: Mode.FAULT,
    }
    assert state.mode is expected[code.reaction]
    if state.mode is not Mode.ACTIVE:
        assert code.name in state.reason


def test_degraded_clears_after_a_second():
    state = drive(active(), Code.PLAN_WARN)
    state = drive(state, times=10)
    assert state.mode is Mode.DEGRADED
    assert drive(state, times=1).mode is Mode.ACTIVE


def test_soft_sensing_fault_falls_back_after_three_seconds():
    state = drive(active(), Code.CAM_LOST, times=30)
    assert state.mode is Mode.DEGRADED
    assert drive(state, Code.CAM_LOST).mode is Mode.FALLBACK


def test_other_warnings_stay_degraded():
    assert drive(active(), Code.PLAN_WARN, times=200).mode is Mode.DEGRADED


def test_fallback_at_speed_needs_inputs_three_plans_and_a_person():
    state = drive(active(), Code.ODOM_GAP)
    assert state.mode is Mode.FALLBACK and state.rearm_required
    state = drive(state, times=20)
    assert state.mode is Mode.FALLBACK
    assert drive(rearm(state)).mode is Mode.ACTIVE


def test_rearming_too_early_does_not_help():
    state = rearm(drive(active(), Code.ODOM_GAP))
    assert drive(state, times=2).mode is Mode.FALLBACK
    assert drive(state, times=3).mode is Mode.ACTIVE


def test_slow_fallback_ends_without_a_person():
    state = drive(active(), Code.ODOM_GAP)
    assert drive(state, times=2, speed=1.5).mode is Mode.FALLBACK
    assert drive(state, times=3, speed=1.5).mode is Mode.ACTIVE
    assert drive(state, times=3, speed=2.5).mode is Mode.FALLBACK
    assert drive(state, times=3, speed=2.5, auto_rearm=True).mode is Mode.ACTIVE


def test_an_invalid_plan_starts_the_count_again():
    state = drive(active(), Code.ODOM_GAP)
    state = drive(state, times=2, speed=0.0)
    state = drive(state, valid=False, speed=0.0)
    assert drive(state, times=2, speed=0.0).mode is Mode.FALLBACK


def test_timer_calls_neither_count_nor_reset():
    state = drive(active(), Code.ODOM_GAP)
    state = drive(state, times=2, speed=0.0)
    state = drive(state, valid=None, times=3, speed=0.0)
    assert state.mode is Mode.FALLBACK
    assert drive(state, speed=0.0).mode is Mode.ACTIVE


def test_fallback_does_not_end_while_the_fault_holds():
    state = drive(active(), Code.ODOM_GAP)
    assert drive(state, Code.ODOM_GAP, times=50, speed=0.0).mode is Mode.FALLBACK


def test_recovery_with_a_warning_is_degraded():
    state = drive(active(), Code.ODOM_GAP)
    assert drive(state, Code.PLAN_WARN, times=3, speed=0.0).mode is Mode.DEGRADED


def test_clock_back_forgets_everything_but_the_counters():
    state = active()
    state = drive(SafetyState(mode=Mode.ACTIVE, plan_id=7, sequence=9), Code.CLOCK_BACK)
    assert (state.mode, state.plan_id, state.sequence) == (Mode.INIT, 7, 9)
    assert state.previous_plan is None


def test_driver_takes_over():
    state = disarm(active(), drive.now, 'the driver took over')
    assert state.mode is Mode.READY and 'driver' in state.reason
    assert drive(state, times=5).mode is Mode.READY


@given(st.lists(st.tuples(st.sampled_from(list(Code)), st.booleans(), st.integers(0, 5))))
def test_fault_is_final(happenings):
    state = SafetyState(mode=Mode.FAULT)
    drive.now = 0
    for code, valid, action in happenings:
        state = drive(state, code, valid=valid, auto_arm=True, auto_rearm=True)
        for act in (arm, disarm)[:action]:
            state = act(state, drive.now)
        state = rearm(state)
        assert state.mode is Mode.FAULT
    assert reset(state, drive.now).mode is Mode.INIT


@given(st.lists(st.tuples(st.sampled_from(list(Code)), st.booleans(), st.floats(0, 12))))
def test_driving_always_passed_through_init_and_ready(happenings):
    """From INIT without arming no sequence of faults reaches a driving state."""
    state = SafetyState()
    drive.now = 0
    for code, valid, speed in happenings:
        state = drive(state, code, valid=valid, speed=speed, times=3)
        assert state.mode in (Mode.INIT, Mode.READY, Mode.FAULT)


@given(st.sampled_from([c for c in Code if c.reaction is Reaction.FAULT]))
def test_any_state_can_fail(code):
    for mode in Mode:
        assert drive(SafetyState(mode=mode), code).mode is Mode.FAULT


def test_only_what_lacks_nothing_else_awaits_a_person():
    """REARM_NEEDED holds between proposals too, and ends with a person's word."""
    state = drive(active(), Code.ODOM_GAP)
    state = drive(state, times=LIMITS.rearm_plans - 1)
    assert not state.awaits_rearm
    state = drive(state, times=1)
    assert state.mode is Mode.FALLBACK and state.awaits_rearm
    assert drive(state, valid=None).awaits_rearm
    assert not drive(state, Code.ODOM_GAP).awaits_rearm
    assert not drive(rearm(state)).awaits_rearm
